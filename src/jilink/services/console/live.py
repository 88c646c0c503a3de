"""One stream of events for every open page of the console: what changed, how many wait, who is here.

A process hears the spine once and wakes those whom a fact may concern; each of them then reads, through its own walls, what it may
know. Nothing of a case travels by itself, so that nothing has to be held back, and what a page missed it reads when it comes back.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

import msgspec

from jilink.core.cases.events import CaseEvent
from jilink.services.console.events import ConsoleNoticed, ConsolePresenceChanged
from jilink.spine import subjects
from jilink.spine.events import Event
from jilink.spine.records import Envelope
from jilink.webkit import live

MOST_WAITING = 200
"""Cases that a page is told of by number; of more it learns that there are many."""


@dataclass(slots=True, eq=False)
class Viewer(live.Viewer):
    """One open page: which organisations concern it, which case it shows, who looks, and what it has not been told yet."""

    organisations: frozenset[int]
    follows: int | None = None
    user: int | None = None
    changed: set[int] = field(default_factory=set)
    opened: set[int] = field(default_factory=set)
    many: bool = False
    presence: bool = False

    def note(self, case: int, *, opened: bool) -> None:
        """Take in that a case changed; beyond what is kept, that many did."""
        if len(self.changed) >= MOST_WAITING:
            self.many = True
        else:
            self.changed.add(case)
            if opened:
                self.opened.add(case)
        self.news.set()

    def look(self) -> None:
        """Take in that somebody came to the case shown, or left it."""
        self.presence = True
        self.news.set()

    def take(self) -> tuple[set[int], set[int], bool, bool]:
        """Return what has not been told yet (changed, opened, many, presence) and forget it."""
        told = self.changed, self.opened, self.many, self.presence
        self.changed, self.opened, self.many, self.presence = set(), set(), False, False
        self.news.clear()
        return told


def _tell(told: Envelope, event: Event, viewers: Collection[Viewer]) -> None:
    if isinstance(event, ConsolePresenceChanged):
        for viewer in viewers:
            if viewer.follows == event.case:
                viewer.look()
    elif isinstance(event, ConsoleNoticed):
        for viewer in viewers:
            if viewer.user == event.user:
                viewer.news.set()
    elif isinstance(event, CaseEvent):
        concerned = {int(told.organisation), event.unit, getattr(event, "unit_before", None)}
        for viewer in viewers:
            if not concerned.isdisjoint(viewer.organisations):
                viewer.note(event.case, opened=event.NAME == "opened")


HEARD = tuple(subjects.event(noun, "*") for noun in (CaseEvent.NOUN, ConsolePresenceChanged.NOUN))
hub = live.PerLoop(lambda settings: live.Hub(settings, "web-console", HEARD, _tell))
"""Return the hub of the running event loop."""


def said(event: str, data: object, identity: str = "") -> bytes:
    """Return one message of the stream (HTML Living Standard, 9.2.5 Parsing an event stream)."""
    head = f"id: {identity}\n" if identity else ""
    return f"{head}event: {event}\ndata: ".encode() + msgspec.json.encode(data) + b"\n\n"
