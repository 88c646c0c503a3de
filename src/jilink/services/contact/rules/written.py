"""Written conversations and the sites they come from: states, what a site may be set to, and who may write. Times are seconds."""

import hashlib
import re
from datetime import timedelta
from enum import StrEnum

import msgspec

from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text
from jilink.services.contact.rules.happenings import QueuePlan, Work
from jilink.services.contact.rules.lanes import rank
from jilink.services.contact.rules.states import ContactState

CHAT, TEXT, CASE = "chat", "text", "case"
CONVERSED = (CHAT, TEXT)
"""Channels on which a contact is a written conversation."""
BY_DESK = (CHAT, TEXT, CASE)
"""Channels that no telephone rings for: what is offered stands on the desk."""
USUAL: dict[str, int] = {CHAT: 3, TEXT: 5, CASE: 1}
"""How many of a channel an agent has at once where nothing else is set."""
MOST = 20
LONGEST_WORDS = 4000
MOST_UPLOAD = 10 << 20
GONE = timedelta(minutes=5)
"""Whose page did not ask for so long is gone; who wrote by text messages never is."""
SEEN_AGAIN = timedelta(seconds=30)
"""So often it is noted that a page still asks."""
RATINGS = (1, 2, 3, 4, 5)
SECRET = re.compile(r"[A-Za-z0-9_-]{43,128}")
_ORIGIN = re.compile(r"https?://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[1-9][0-9]{0,4})?")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_LEG = re.compile(r"([wk])([1-9][0-9]{0,17})")
LEAST_CONTRAST = 4.5


class ConversationState(StrEnum):
    """Where a written conversation stands. The last is final."""

    WANTING = "wanting"
    """Somebody wrote; the router has not taken it in yet."""
    UNATTENDED = "unattended"
    """Nobody takes it now: whoever wrote is asked to leave a message."""
    GOING = "going"
    """It waits in a queue or is with an agent; the contact says which."""
    CLOSED = "closed"


_S = ConversationState
NEXT: dict[ConversationState, frozenset[ConversationState]] = {
    _S.WANTING: frozenset({_S.GOING, _S.UNATTENDED, _S.CLOSED}),
    _S.UNATTENDED: frozenset({_S.WANTING, _S.CLOSED}),
    _S.GOING: frozenset({_S.CLOSED, _S.UNATTENDED}),
    _S.CLOSED: frozenset(),
}
"""Every move of a conversation."""
OPEN = frozenset(NEXT) - {_S.CLOSED}


class Closed(StrEnum):
    """Who ended a conversation, or what became of it."""

    AGENT = "agent"
    VISITOR = "visitor"
    MESSAGE = "message"
    """It became a message that was left."""
    SILENCE = "silence"


class ConversationRefused(Refused):
    """This cannot be written, or not now."""


class SiteRefused(Refused):
    """A site cannot be so."""


class SiteDesign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people on somebody's web pages may write to a queue."""

    name: str
    origins: tuple[str, ...] = ()
    """Where the widget may stand: scheme, host, port; nothing else may ask."""
    title: Text = Text("在线咨询", "Chat with us")
    greeting: Text = Text("您好，请问有什么可以帮您？", "Hello, how can we help?")
    agreement: Text = Text(
        "为了答复您，我们会保存您在此填写的内容，并在本页面存放一个会话标识。",
        "To answer you we keep what you write here, and this page keeps a mark of the conversation.",
    )
    """What is agreed to before anything is kept."""
    purpose: str = "chat"
    """The purpose under which the consent is recorded."""
    hours: Text = Text("", "")
    """Hours of service in words."""
    calendar: str = ""
    """Key of the working calendar; "": that of the queue."""
    colour: str = "#0b5cab"
    case_type: str = ""
    """Type of the cases that messages become; "": no message can be left."""
    answers: tuple[tuple[str, str], ...] = ()
    """What such a case answers to the questions of its type: (question, answer)."""


def read_site(text: str | bytes) -> SiteDesign:
    """Return a site's design. Raises SiteRefused with the place of what is wrong."""
    try:
        design = msgspec.json.decode(text, type=SiteDesign)
    except msgspec.DecodeError as error:
        raise SiteRefused("This is no site: %(reason)s", reason=str(error)) from error
    check_site(design)
    return design


def write_site(design: SiteDesign) -> str:
    """Return the design as JSON."""
    return msgspec.json.encode(design).decode()


def check_site(design: SiteDesign) -> None:
    """Return where a site can be so. Raises SiteRefused."""
    if not 0 < len(design.name.strip()) <= 80:
        raise SiteRefused("A site needs a name of at most 80 characters.")
    if not design.title or not design.agreement:
        raise SiteRefused("Say what the window is called, and what people agree to.")
    if not 0 < len(design.origins) <= 50:
        raise SiteRefused("Name at least one address of a page, and at most 50.")
    for origin in design.origins:
        if not _ORIGIN.fullmatch(origin):
            raise SiteRefused("%(origin)s is no address of a page. Write it like https://www.example.cn.", origin=origin)
    if not _COLOUR.fullmatch(design.colour) or contrast_with_white(design.colour) < LEAST_CONTRAST:
        raise SiteRefused("White words cannot be read on this colour. Choose a darker one.")
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,59}", design.purpose):
        raise SiteRefused("A purpose is a word of small letters, like recording or sms.news.")


def origin_of(text: str) -> str:
    """Return an address of a page as browsers name its origin: small letters, no path, no usual port (RFC 6454, 6.1)."""
    match = re.match(r"\s*(https?)://([^/\s]+)", text.lower())
    if match is None:
        return text.strip()
    scheme, host = match.groups()
    return f"{scheme}://{host.removesuffix(':443' if scheme == 'https' else ':80')}"


def contrast_with_white(colour: str) -> float:
    """Return the contrast of white on a colour #rrggbb (WCAG 2.1, contrast ratio)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def move(state: str, to: ConversationState) -> ConversationState:
    """Return the new state of a conversation. Raises ConversationRefused where the table has no such move."""
    if to not in NEXT[ConversationState(state)]:
        raise ConversationRefused("This conversation is over. Begin a new one.")
    return to


def may_write(state: str) -> None:
    """Return where something may be written. Raises ConversationRefused."""
    if ConversationState(state) not in OPEN:
        raise ConversationRefused("This conversation is over. Begin a new one.")


def words_of(text: str) -> str:
    """Return what somebody wrote, as it is kept. Raises ConversationRefused."""
    if len(text) > LONGEST_WORDS:
        raise ConversationRefused("At most %(most)s characters are sent at once.", most=LONGEST_WORDS)
    return text.strip()


def digest(secret: str) -> str:
    """Return what is kept of a visitor's secret. Raises ConversationRefused for one that could be guessed."""
    if not SECRET.fullmatch(secret):
        raise ConversationRefused("There is no such thing, or you may not see it.")
    return hashlib.sha256(secret.encode()).hexdigest()


def leg_of(conversation: int) -> str:
    """Return the leg of a conversation's contacts: they have no node."""
    return f"w{conversation}"


def leg_of_case(case: int) -> str:
    """Return the leg of the contacts of a case."""
    return f"k{case}"


def of_leg(leg: str) -> tuple[int | None, int | None]:
    """Return (conversation, case) that a leg stands for."""
    match = _LEG.fullmatch(leg)
    if match is None:
        return None, None
    return (int(match[2]), None) if match[1] == "w" else (None, int(match[2]))


def place_of(contact: int, waiting: list[tuple[QueuePlan, Work, str]]) -> int:
    """Return the place of a contact among those who wait in its queue, from 1, as the matcher counts it; 0 where it does not wait."""
    order = sorted(rank(plan, work, work.contact) for plan, work, state in waiting if state == ContactState.WAITING)
    return next((place for place, key in enumerate(order, 1) if key[4] == contact), 0)


def capacity_of(given: dict[str, int], *, phone: bool) -> tuple[tuple[str, int], ...]:
    """Return an agent's capacity by channel; calls only at a phone."""
    known = tuple((channel, given.get(channel, usual)) for channel, usual in USUAL.items())
    return (("call", 1), *known) if phone else known


def check_capacity(given: dict[str, int]) -> None:
    """Return where an agent may have so many. Raises SiteRefused."""
    if not all(channel in USUAL and 0 <= count <= MOST for channel, count in given.items()):
        raise SiteRefused("An agent has 0 to %(most)s of each channel at once.", most=MOST)
