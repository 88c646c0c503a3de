"""Flows on calls: effects become orders, what engines tell becomes happenings. What is told twice changes nothing, in the flow as here.

Plays and recordings are named after session, turn and place in the list, so that a router that was killed may order them again.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from django.conf import settings

from jilink.core.flows import actions, hooks, reads
from jilink.core.flows.actions import NotRunnable
from jilink.core.flows.reads import SessionView
from jilink.core.flows.rules import effects as e
from jilink.core.flows.rules.state import Contact
from jilink.core.webhooks import rules as webhooks
from jilink.services.contact.reads.desk import QueueRow
from jilink.services.contact.router import queueing
from jilink.services.contact.router.book import Call
from jilink.services.contact.router.store import end_interaction, installation, stored
from jilink.services.contact.rules.states import ContactState, End
from jilink.services.contact.rules.waiting import Entry
from jilink.spine import calls
from jilink.spine.client import Spine

log = structlog.get_logger(__name__)
SHORTEST_SPEECH_S = 0.8
NO_ROUTE = 3
_ENTRIES = {Entry.CLOSED: "closed", Entry.UNSTAFFED: "closed", Entry.FULL: "full", Entry.TOO_LONG: "full"}


@dataclass(slots=True)
class Run:
    """One caller in a flow."""

    node: str
    leg: str
    organisation: int
    interaction: int | None
    view: SessionView
    caller: str = ""
    at: int = 0
    """Which effect of the list is being done."""
    play: str = ""
    """The play that is waited for, or may be interrupted."""
    keys: str = ""
    asking: e.TakeDigits | None = None
    contact: int = 0
    hops: int = 0
    talked: bool = False
    begun: bool = False
    """Whether its effects were ordered by this router."""

    @property
    def key(self) -> str:
        """Return the session's key."""
        return f"{self.node}/{self.leg}"


class Desk(queueing.Floor, Protocol):
    """What flows ask of the router."""

    spine: Spine
    queues: dict[int, QueueRow]
    lock: asyncio.Lock

    async def queue_up(
        self,
        queue: QueueRow,
        node: str,
        leg: str,
        interaction: int | None,
        caller: str,
        *,
        hop: int,
        priority: int,
        skills: tuple[str, ...],
    ) -> Call:
        """Let a caller wait in a queue."""

    async def give_up(self, call: Call, end: End) -> None:
        """Let somebody wait no more; the leg stays."""

    async def put_through(self, organisation: int, node: str, leg: str, caller: str, number: str, timeout_s: int) -> bool:
        """Put a caller through to a number. Return whether it is tried."""


class Flowing:
    """Every caller who is in a flow."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.runs: dict[tuple[str, str], Run] = {}
        self._asking: set[asyncio.Task[None]] = set()

    async def begin(self, fact: calls.LegArrived, organisation: int, flow: str, interaction: int | None) -> None:
        """Let a caller into a flow. Where none of that key is in use they hear that there is no such number."""
        key, now = f"{fact.node}/{fact.leg}", self._desk.clock()
        contact = Contact(channel="call", caller=fact.caller, dialled=fact.dialled)
        try:
            view = await stored(
                lambda: actions.begin_session(
                    organisation=organisation, flow=flow, key=key, contact=contact, by=installation(), interaction=interaction, now=now
                )
            )
        except NotRunnable:
            log.error("call.no_such_flow", organisation=organisation, flow=flow)
            self._desk.orders.give(key, fact.node, calls.HangUp(leg=fact.leg, cause=NO_ROUTE))
            return
        run = self.runs[fact.node, fact.leg] = Run(fact.node, fact.leg, organisation, interaction, view, fact.caller)
        self._order(run, calls.Answer(leg=run.leg))
        await self._do(run)

    async def restore(self) -> None:
        """Take up the sessions that go on; each does the effects of its turn again, for orders may be repeated."""
        for view in await stored(lambda: reads.running(installation(), "call")):
            node, _slash, leg = view.key.partition("/")
            if leg and (node, leg) not in self.runs:
                run = self.runs[node, leg] = Run(node, leg, view.organisation, view.interaction, view)
                run.contact = next((c.contact for c in self._desk.book.calls.values() if (c.node, c.leg) == (node, leg)), 0)
                call = self._desk.book.calls.get(run.contact)
                run.hops = call.hop + 1 if call else 0

    async def go_on(self, node: str, legs: frozenset[str]) -> None:
        """Go on with restored sessions of a node that has these legs."""
        for run in [run for run in self.runs.values() if run.node == node]:
            call = self._desk.book.calls.get(run.contact)
            if run.leg not in legs:
                await self.gone(node, run.leg)
            elif run.begun:
                continue
            elif call is None:
                self._order(run, calls.Answer(leg=run.leg))
                await self._do(run)
            elif call.state is ContactState.WRAPPING:
                await self.parted(call)

    # what engines tell

    async def play_ended(self, fact: calls.PlayEnded) -> None:
        """Go on after something was said; the time for an answer begins."""
        run = self.runs.get((fact.node, fact.leg))
        if run is None or run.play != fact.play:
            return
        run.play = ""
        if run.asking is None:
            run.at += 1
            await self._do(run)
        elif not run.keys:
            self._remind(run, run.asking.timeout_s)

    async def pressed(self, fact: calls.DigitPressed) -> None:
        """Gather a key, or leave the queue by it."""
        run = self.runs.get((fact.node, fact.leg))
        if run is None:
            return
        wait = self._waiting(run)
        if isinstance(wait, e.PutInQueue):
            call = self._desk.book.calls.get(run.contact)
            if fact.digit == wait.leave_on and call is not None and call.state in (ContactState.WAITING, ContactState.RINGING):
                await self._desk.give_up(call, End.MOVED)
                await self._tell(run, e.Came(turn=wait.turn, outcome="left"))
            return
        if not isinstance(wait, e.TakeDigits):
            return
        if run.play:
            self._desk.orders.give(f"{run.key}/stop", run.node, calls.StopPlay(play=run.play))
        if run.asking is None:  # a key during what is said right before the question
            run.at, run.asking, run.play = len(run.view.effects) - 1, wait, ""
        if fact.digit != wait.terminator:
            run.keys += fact.digit
        if fact.digit == wait.terminator or len(run.keys) >= wait.most:
            await self._tell(run, e.Pressed(turn=wait.turn, digits=run.keys))
        else:
            self._remind(run, wait.between_s)

    async def recorded(self, fact: calls.RecordingEnded) -> None:
        """Tell a spoken answer or a message."""
        run = self.runs.get((fact.node, fact.leg))
        wait = self._waiting(run) if run is not None else None
        if run is None or not isinstance(wait, e.TakeSpeech) or fact.recording != self._name(run, "r", len(run.view.effects) - 1):
            return
        if fact.object and fact.duration_s >= SHORTEST_SPEECH_S:
            await self._tell(run, e.Spoke(turn=wait.turn, recording=fact.object, seconds=fact.duration_s))
        else:
            await self._tell(run, e.Silent(turn=wait.turn))

    async def gone(self, node: str, leg: str) -> bool:
        """The caller hung up. Return whether they were in a flow."""
        run = self.runs.pop((node, leg), None)
        if run is None:
            return False
        now = self._desk.clock()
        await stored(
            lambda: actions.advance_session(
                organisation=run.organisation, key=run.key, happening="gone", happened=e.Gone(), by=installation(), now=now
            )
        )
        await stored(lambda: end_interaction(run.interaction, answered=run.talked or not run.hops, now=now))
        return True

    # what the router tells

    async def connected(self, call: Call) -> None:
        """An agent talks with the caller."""
        run = self.runs.get((call.node, call.leg))
        if run is not None:
            run.talked = True
        if run is not None and isinstance(wait := self._waiting(run), e.PutInQueue):
            await self._tell(run, e.Connected(turn=wait.turn), again=True)

    async def parted(self, call: Call) -> bool:
        """The agent is gone and the caller still there. Return whether a flow goes on with them."""
        run = self.runs.get((call.node, call.leg))
        if run is None or run.contact != call.contact:
            return False
        await self._tell(run, e.Parted(turn=run.view.turn))
        return True

    async def through(self, node: str, leg: str) -> None:
        """Whoever they were put through to has answered."""
        run = self.runs.get((node, leg))
        if run is not None and isinstance(wait := self._waiting(run), e.PutThrough):
            run.talked = True
            await self._tell(run, e.Connected(turn=wait.turn), again=True)

    async def not_through(self, node: str, leg: str) -> bool:
        """Nobody answered where they were put through to. Return whether a flow goes on with them."""
        run = self.runs.get((node, leg))
        if run is not None:
            await self._tell(run, e.Came(turn=run.view.turn, outcome="failed"))
        return run is not None

    async def left(self, node: str, leg: str) -> bool:
        """Whoever they were put through to is gone. Return whether a flow goes on with them."""
        run = self.runs.get((node, leg))
        if run is not None:
            await self._tell(run, e.Parted(turn=run.view.turn))
        return run is not None

    def moved(self, call: Call, other: Call) -> None:
        """An agent let the caller wait in another queue: for the flow it is the same conversation."""
        run = self.runs.get((call.node, call.leg))
        if run is not None and run.contact == call.contact:
            run.contact, run.hops = other.contact, run.hops + 1

    async def waited(self, call: Call) -> bool:
        """Somebody waited as long as they may. Return whether a flow goes on with them."""
        run = self.runs.get((call.node, call.leg))
        if run is None or run.contact != call.contact:
            return False
        await self._desk.give_up(call, End.MOVED)
        await self._tell(run, e.Came(turn=run.view.turn, outcome="waited"))
        return True

    async def silent(self, name: str) -> None:
        """The time for an answer is over."""
        for run in list(self.runs.values()):
            if self._deadline(run) == name and (wait := self._waiting(run)) is not None:
                if run.keys:
                    await self._tell(run, e.Pressed(turn=wait.turn, digits=run.keys))
                else:
                    await self._tell(run, e.Silent(turn=wait.turn))

    # inside

    def _waiting(self, run: Run) -> e.AnyEffect | None:
        return run.view.effects[-1] if run.view.effects else None

    def _name(self, run: Run, kind: str, at: int) -> str:
        return f"{kind}{run.view.id}-{run.view.turn}-{at}"

    def _deadline(self, run: Run) -> str:
        return f"flow {run.view.id} {run.view.turn} {len(run.keys)}"

    def _order(self, run: Run, *orders: calls.Order) -> None:
        self._desk.orders.give(run.key, run.node, *orders)

    def _remind(self, run: Run, seconds: float) -> None:
        self._desk.book.remind(self._desk.clock() + timedelta(seconds=seconds), self._deadline(run), 0)

    async def _tell(self, run: Run, happened: e.AnyHappening, *, again: bool = False) -> None:
        """Tell the flow what happened and do what it wants then. `again`: the turn goes on (connected)."""
        now, name = self._desk.clock(), f"{happened.turn} {type(happened).__name__} {getattr(happened, 'outcome', '')}"
        view = await stored(
            lambda: actions.advance_session(
                organisation=run.organisation, key=run.key, happening=name, happened=happened, by=installation(), now=now
            )
        )
        if again and view.turn == run.view.turn:
            return
        run.view, run.at, run.play, run.keys, run.asking = view, 0, "", "", None
        await self._do(run)

    async def _do(self, run: Run) -> None:
        """Do effects from where the run stands, until one has to be waited for."""
        run.begun = True
        if run.at >= len(run.view.effects):
            return
        effect = run.view.effects[run.at]
        match effect:
            case e.Say():
                self._play(run, effect.pieces)
            case e.TakeDigits():
                run.asking = effect
                if effect.pieces:
                    self._play(run, effect.pieces)
                else:
                    self._remind(run, effect.timeout_s)
            case e.TakeSpeech():
                self._take_speech(run, effect)
            case e.PutInQueue():
                await self._put_in_queue(run, effect)
            case e.CallHook():
                task = asyncio.create_task(self._ask(run, effect, self._desk.clock()))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
            case e.Pause():
                self._order(run, calls.Park(leg=run.leg))
                self._remind(run, effect.seconds)
            case e.PutThrough():
                told = (run.organisation, run.node, run.leg, run.caller, effect.target, effect.timeout_s)
                if not await self._desk.put_through(*told):
                    await self._tell(run, e.Came(turn=effect.turn, outcome="failed"))
            case e.TakeText() | e.BookCallback():
                await self._elsewhere(run, effect)
            case _:
                self._order(run, calls.HangUp(leg=run.leg))

    async def _elsewhere(self, run: Run, effect: e.TakeText | e.BookCallback) -> None:
        """Take a callback down; where this channel cannot do it the flow goes on by its other way."""
        if isinstance(effect, e.TakeText):
            await self._tell(run, e.Silent(turn=effect.turn))
            return
        await self._tell(run, e.Came(turn=effect.turn, outcome="refused"))

    def _play(self, run: Run, pieces: tuple[e.Piece, ...]) -> None:
        run.play = play = self._name(run, "f", run.at)
        said = tuple(_piece(piece) for piece in pieces)

        async def failed(reason: str) -> None:  # what cannot be said is passed over: nobody is left in silence
            if reason != "gone":
                async with self._desk.lock:
                    await self.play_ended(calls.PlayEnded(node=run.node, at=self._desk.clock(), play=play, leg=run.leg, outcome="failed"))

        self._desk.orders.give(run.key, run.node, calls.Play(leg=run.leg, play=play, pieces=said), failed=failed)

    def _take_speech(self, run: Run, effect: e.TakeSpeech) -> None:
        pieces: tuple[calls.Piece, ...] = tuple(_piece(piece) for piece in effect.pieces)
        if effect.message:
            pieces = (*pieces, calls.Tone(ms=400))
        name = self._name(run, "r", run.at)
        order = calls.TakeMessage(recording=name, leg=run.leg, most_s=effect.longest_s, silence_s=effect.silence_s)
        play = (calls.Play(leg=run.leg, play=self._name(run, "f", run.at), pieces=pieces),) if pieces else ()
        self._order(run, *play, order)
        self._remind(run, effect.longest_s + 120)

    async def _put_in_queue(self, run: Run, effect: e.PutInQueue) -> None:
        desk = self._desk
        found = [one for one in desk.queues.values() if (one.organisation, one.key) == (run.organisation, effect.queue)]
        entry = await queueing.entry(desk, found[0]) if found else Entry.CLOSED
        if entry is not Entry.WAITS:
            await self._tell(run, e.Came(turn=effect.turn, outcome=_ENTRIES[entry]))
            return
        call = await desk.queue_up(
            found[0], run.node, run.leg, run.interaction, run.caller, hop=run.hops, priority=effect.priority, skills=effect.skills
        )
        run.contact, run.hops = call.contact, run.hops + 1
        desk.book.remind(desk.clock() + timedelta(seconds=effect.longest_s), "waited", call.contact)

    async def _ask(self, run: Run, effect: e.CallHook, now: datetime) -> None:
        allowed = webhooks.networks(settings.JILINK.webhooks_allow)
        message = f"flow-{run.view.id}-{effect.turn}"
        came = await hooks.call(effect, organisation=run.organisation, message=message, now=now, allowed=allowed)
        async with self._desk.lock:
            if self.runs.get((run.node, run.leg)) is run:
                await self._tell(run, came)


def _piece(piece: e.Piece) -> calls.Piece:
    if isinstance(piece, e.Sound):
        return calls.Recorded(object=piece.name)
    return calls.Speech(text=piece.text, language=piece.language)
