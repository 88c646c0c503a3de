"""A campaign as its organisation designs it, and what follows from each attempt to reach somebody. JSON at the border, pure within."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text
from jilink.services.contact.rules.calling_hours import Window, check_windows
from jilink.services.contact.rules.design import KEY
from jilink.services.contact.rules.pacing import CAP, SHORTEST_RING_S, Mode

SHOWN = re.compile(r"\+?[0-9]{2,24}")
PURPOSE = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
LONGEST_SCRIPT = 20_000
MOST_LINES = 500
NEAR = 0.8
"""Where so much of the cap is used up, a predictive campaign dials one number for each free agent."""
DAY = timedelta(days=1)


class CampaignRefused(Refused):
    """A campaign cannot be so, or cannot do this now."""


class CampaignState(StrEnum):
    """Where a campaign stands. The last is final."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    CLOSED = "closed"


_S = CampaignState
NEXT: dict[CampaignState, frozenset[CampaignState]] = {
    _S.DRAFT: frozenset({_S.RUNNING, _S.CLOSED}),
    _S.RUNNING: frozenset({_S.PAUSED, _S.CLOSED}),
    _S.PAUSED: frozenset({_S.RUNNING, _S.CLOSED}),
    _S.CLOSED: frozenset(),
}
"""Every move of a campaign."""


class TargetState(StrEnum):
    """Where one person stands in a campaign. The last two are final."""

    WAITING = "waiting"
    SHOWN = "shown"
    """An agent looks at the record and has not dialled yet."""
    CALLING = "calling"
    DONE = "done"
    LEFT_OUT = "left_out"
    """Not called, or no more: no consent, on the do-not-call list, no number, skipped, tried often enough."""


OPEN_TARGETS = frozenset({TargetState.WAITING, TargetState.SHOWN, TargetState.CALLING})


class Outcome(StrEnum):
    """What an attempt came to."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    """They refused the call while it rang."""
    UNREACHABLE = "unreachable"
    """There is no such number, or it is switched off."""
    FAILED = "failed"
    """Our own lines did not carry it. It counts for nobody."""
    MACHINE = "machine"
    ABANDONED = "abandoned"
    """They answered, and no agent was there within 2 s."""
    HUNG_UP = "hung_up"
    """They hung up within the 2 s."""
    REACHED = "reached"
    """An agent talked with them."""


class Reason(StrEnum):
    """Why somebody is left out."""

    NO_CONSENT = "no_consent"
    DO_NOT_CALL = "do_not_call"
    NO_NUMBER = "no_number"
    TRIED = "tried"
    SKIPPED = "skipped"
    ERASED = "erased"


class Result(StrEnum):
    """What follows from an outcome code that an agent chooses."""

    DONE = "done"
    AGAIN = "again"
    MACHINE = "machine"
    STOP = "stop"
    """They want no more calls: their number goes on the do-not-call list."""


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome that agents choose at the end of a call."""

    key: str
    title: Text
    result: Result = Result.DONE


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """After how many minutes to try again, and how many times this may be the outcome; 0: never again."""

    after_min: int
    most: int


class AttemptRules(msgspec.Struct, frozen=True, kw_only=True):
    """How often somebody is tried."""

    busy: Again = Again(after_min=15, most=3)
    no_answer: Again = Again(after_min=240, most=3)
    declined: Again = Again(after_min=1440, most=1)
    unreachable: Again = Again(after_min=1440, most=2)
    machine: Again = Again(after_min=240, most=3)
    abandoned: Again = Again(after_min=4320, most=2)
    again: Again = Again(after_min=1440, most=3)
    """An agent's code says that they be called again."""
    a_day: int = 2
    """Attempts within any 24 hours, whatever their outcomes."""
    most: int = 6


CODES = (
    Code(key="agreed", title=Text("已达成", "Agreed")),
    Code(key="no_interest", title=Text("无意向", "Not interested")),
    Code(key="later", title=Text("改天再打", "Call again later"), result=Result.AGAIN),
    Code(key="machine", title=Text("语音信箱或应答机", "Answering machine"), result=Result.MACHINE),
    Code(key="stop", title=Text("要求不再致电", "Wants no more calls"), result=Result.STOP),
)
"""What a new campaign begins with."""


class CampaignDesign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a campaign calls."""

    name: Text
    purpose: str
    """The purpose that people must have consented to."""
    mode: Mode = Mode.PREVIEW
    who: Text = Text()
    """Who calls: said where no agent is there in time."""
    script: Text = Text()
    """What agents say, in Markdown."""
    codes: tuple[Code, ...] = CODES
    attempts: AttemptRules = AttemptRules()
    windows: tuple[Window, ...] = (Window(),)
    """When the people called may be called, by their own clocks."""
    calendar: str = ""
    """Key of the working calendar of the operator; "": none."""
    ring_s: int = 25
    lines: int = 20
    """Calls at once."""
    caller: str = ""
    """The number that is shown; "": the trunk's."""
    language: str = "zh"


def read_campaign(text: str | bytes) -> CampaignDesign:
    """Return a campaign's design. Raises CampaignRefused."""
    try:
        design = msgspec.json.decode(text, type=CampaignDesign)
    except msgspec.DecodeError as error:
        raise CampaignRefused("This is no campaign: %(reason)s", reason=str(error)) from error
    check(design)
    return design


def write_campaign(design: CampaignDesign) -> str:
    """Return the design as JSON."""
    return msgspec.json.encode(design).decode()


def check(design: CampaignDesign) -> None:
    """Return where a campaign can be so. Raises CampaignRefused."""
    if not design.name or not design.who:
        raise CampaignRefused("A campaign needs a name, and says who calls.")
    if not PURPOSE.fullmatch(design.purpose):
        raise CampaignRefused("A purpose is a word of small letters, like recording or sms.news.")
    if not SHORTEST_RING_S <= design.ring_s <= 60:
        raise CampaignRefused("It rings for %(least)d to 60 seconds.", least=SHORTEST_RING_S)
    if not 1 <= design.lines <= MOST_LINES:
        raise CampaignRefused("1 to %(most)d calls go out at once.", most=MOST_LINES)
    if design.caller and not SHOWN.fullmatch(design.caller):
        raise CampaignRefused("The number that is shown has 2 to 24 digits.")
    if max(len(design.script.zh), len(design.script.en)) > LONGEST_SCRIPT:
        raise CampaignRefused("A script has at most %(most)d characters.", most=LONGEST_SCRIPT)
    keys = [code.key for code in design.codes]
    if not keys or len(set(keys)) != len(keys) or not all(KEY.fullmatch(key) for key in keys):
        raise CampaignRefused("Each code has a key of its own: small letters, digits and _.")
    if not all(design.codes[n].title for n in range(len(keys))):
        raise CampaignRefused("Each code has a name.")
    check_windows(design.windows)
    _check_attempts(design.attempts)


def _check_attempts(rules: AttemptRules) -> None:
    if not 1 <= rules.a_day <= 5 or not 1 <= rules.most <= 30:
        raise CampaignRefused("Somebody is tried 1 to 5 times a day, and 1 to 30 times in all.")
    for field in rules.__struct_fields__:
        rule = getattr(rules, field)
        if isinstance(rule, Again) and not (1 <= rule.after_min <= 90 * 1440 and 0 <= rule.most <= 30):
            raise CampaignRefused("Between attempts lie 1 minute to 90 days, and each outcome may come 0 to 30 times.")


def moved(state: str, to: CampaignState) -> CampaignState:
    """Return the new state of a campaign. Raises CampaignRefused where the table has no such move."""
    if to not in NEXT[CampaignState(state)]:
        raise CampaignRefused("A campaign that is %(state)s cannot become %(to)s.", state=state, to=to.value)
    return to


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt that is over."""

    point: int
    """Which of the person's numbers."""
    outcome: Outcome
    at: datetime
    code: str = ""


def outcome_of(cause: int) -> Outcome:
    """Return what a call that nobody answered came to, by its cause (ITU-T Q.850)."""
    if cause == 17:
        return Outcome.BUSY
    if cause in (16, 18, 19):
        return Outcome.NO_ANSWER
    if cause == 21:
        return Outcome.DECLINED
    return Outcome.UNREACHABLE if cause in (1, 2, 3, 20, 22, 27, 28) else Outcome.FAILED


def again_at(design: CampaignDesign, tried: Sequence[Tried], now: datetime) -> datetime | None:
    """Return when to try somebody again at the earliest; None where their turn is over. Attempts that our own lines failed do not count."""
    rules, counted = design.attempts, [one for one in tried if one.outcome is not Outcome.FAILED]
    if not tried:
        return now
    last = max(tried, key=lambda one: one.at)
    if last.outcome is Outcome.FAILED:
        return max(now, last.at + timedelta(minutes=5))
    if len(counted) >= rules.most:
        return None
    rule = _rule(design, last)
    if rule is None or sum(_rule(design, one) is rule for one in counted) > rule.most:
        return None
    earliest = last.at + timedelta(minutes=rule.after_min)
    recent = sorted(one.at for one in counted if one.at > earliest - DAY)
    return max(earliest, recent[-rules.a_day] + DAY) if len(recent) >= rules.a_day else earliest


def _rule(design: CampaignDesign, one: Tried) -> Again | None:
    rules, result = design.attempts, result_of(design, one.code)
    if one.outcome is Outcome.REACHED:
        return {Result.AGAIN: rules.again, Result.MACHINE: rules.machine}.get(result)
    if one.outcome is Outcome.HUNG_UP:
        return rules.declined
    return getattr(rules, one.outcome.value, None)


def result_of(design: CampaignDesign, code: str) -> Result:
    """Return what follows from an agent's code; one that is not known, or none: done."""
    return next((each.result for each in design.codes if each.key == code), Result.DONE)


def number_next(points: Sequence[int], tried: Sequence[Tried]) -> int | None:
    """Return which number of a person to try: the one tried least, in their order; one that was unreachable is not tried again."""
    dead = {one.point for one in tried if one.outcome is Outcome.UNREACHABLE}
    times = {point: sum(one.point == point for one in tried) for point in points}
    alive = [point for point in points if point not in dead]
    return min(alive, key=lambda point: (times[point], points.index(point)), default=None)


def mode_now(mode: Mode, live: int, abandoned: int) -> Mode:
    """Return how a campaign dials now: predictive stops where the cap of its last 30 days is near."""
    if mode is Mode.PREDICTIVE and (live == 0 or abandoned >= NEAR * CAP * live):
        return Mode.PROGRESSIVE
    return mode


def abandoned_share(live: int, abandoned: int) -> float:
    """Return the share of live answers that found no agent within 2 s (47 CFR 64.1200(a)(7)); answering machines are no live answers."""
    return abandoned / live if live else 0.0
