"""The owner of one engine: connects, takes in what there is, tells facts, carries out orders; stands by where another has taken over."""

import asyncio
import contextlib
import re
import secrets
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Literal

import msgspec
import structlog

from jilink.edges.voice import ari, link, metrics
from jilink.edges.voice.board import PARK, Board, Line, Outcome
from jilink.edges.voice.link import EngineDown, EngineRefused, Link, Replaced
from jilink.edges.voice.manager import Manager, ManagerRefused
from jilink.edges.voice.nodes import Node
from jilink.edges.voice.orders import Hand
from jilink.edges.voice.phones import Lines, may_bring
from jilink.edges.voice.recordings import Recorder
from jilink.edges.voice.shelf import Shelf
from jilink.edges.voice.telling import Teller
from jilink.kernel.errors import Malformed, Unavailable
from jilink.spine import calls, subjects
from jilink.spine.client import NoResponder, Request, Spine

log = structlog.get_logger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
DOWN_AFTER_S = 3.0
STAND_BY_S, SILENT = 1.0, 3
"""How often one who stands by looks whether the owner answers, and after how many silences it takes over."""
MOST_HEADERS = 20
CARRIERS_EVERY_S = 3.0
STATES: dict[str, Literal["registered", "refused", "trying"]] = {"Registered": "registered", "Rejected": "refused", "Stopped": "refused"}
"""Asterisk's words for an outbound registration; after a refusal or no answer it says Rejected and tries again."""
NO_SUCH_NUMBER = 1
"""ITU-T Q.850: unallocated number."""
UNWANTED = ("ChannelDialplan", "ChannelVarset", "ChannelCallerId", "ChannelConnectedLine", "ChannelHold", "ChannelUnhold")
"""Events that tell us nothing: hundreds of calls make megabytes of them a second."""


class _Info(msgspec.Struct, frozen=True):
    class Status(msgspec.Struct, frozen=True):
        startup_time: str

    status: Status


class Owner:
    """One engine's owner. `run` once."""

    def __init__(self, node: Node, spine: Spine, shelf: Shelf, lines: Lines, now: Callable[[], datetime]) -> None:
        self.node, self._spine, self._lines = node, spine, lines
        self._board = Board(node.name, now)
        self._teller = Teller(spine, node.name, secrets.token_hex(6))
        self._link: Link | None = None
        self._changed = asyncio.Condition()
        self._manager = Manager(node)
        self._recorder = Recorder(self._board, self._manager, spine, self._teller, self._connected)
        self._hand = Hand(self._board, lines, self._recorder, shelf, self._connected, self._settle, self._changed)
        self._chores: set[asyncio.Task[None]] = set()
        self.why_not = f"{node.name} is not connected yet"
        self._teller.overrun = self._reconnect

    async def run(self) -> None:
        """Own the node for ever, or stand by while another does."""
        telling, asking = asyncio.create_task(self._teller.run()), asyncio.create_task(self._ask_carriers())
        try:
            while True:
                await self._own_until_replaced()
                await self._stand_by()
        finally:
            await self._recorder.close()
            self._manager.close()
            await self._teller.drain(2.0)
            telling.cancel()
            asking.cancel()

    async def lines_changed(self) -> None:
        """Give the engine what has changed of phones and trunks."""
        connected = self._link
        if connected is not None:
            with contextlib.suppress(EngineDown, EngineRefused):
                await self._lines_pushed(connected)
                self._settle(self._board.phones(await self._phones(connected)))

    async def _ask_carriers(self) -> None:
        """Look how trunks that register stand at their carriers: the engine tells nobody by itself."""
        while True:
            await asyncio.sleep(CARRIERS_EVERY_S)
            wanted = {key for key, trunk in self._lines.trunks.items() if trunk.register and trunk.enabled}
            if self._link is None or not (wanted or self._board.trunks):
                continue
            try:
                listed = await self._manager.listed("PJSIPShowRegistrationsOutbound") if wanted else []
            except (EngineDown, ManagerRefused) as error:
                log.info("voice.carriers_unknown", node=self.node.name, said=str(error))
                continue
            found = {one.get("ObjectName", ""): one.get("Status", "") for one in listed}
            self._settle(self._board.carriers({key: STATES.get(found.get(key, ""), "trying") for key in wanted}))

    async def _own_until_replaced(self) -> None:
        listening = await self._spine.serve(subjects.call_order(self.node.name), self._ordered)
        clock = asyncio.get_running_loop().time
        pause, since, told = FIRST_PAUSE_S, clock(), False
        try:
            while True:
                try:
                    async with link.connect(self.node) as connected:
                        await self._recover(connected)
                        pause, told = FIRST_PAUSE_S, False
                        if await self._attend(connected):
                            return
                    since = clock()
                except (EngineDown, EngineRefused, ari.NotAri) as error:
                    self.why_not = f"{self.node.name}: {error}"
                finally:
                    self._link = None
                    metrics.CONNECTED.labels(self.node.name).set(0)
                if not told and clock() - since > DOWN_AFTER_S:
                    told = True
                    log.warning("voice.engine_down", node=self.node.name, reason=self.why_not)
                    self._tell(calls.NodeDown(node=self.node.name, at=self._board.now()))
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
        finally:
            await listening.stop()

    async def _stand_by(self) -> None:
        """Wait until no owner answers any more."""
        log.warning("voice.replaced", node=self.node.name)
        self.why_not = ""
        self._lines.forget()
        silent = 0
        while silent < SILENT:
            await asyncio.sleep(STAND_BY_S)
            try:
                await calls.give(self._spine, self.node.name, calls.Look(), timeout_s=STAND_BY_S)
                silent = 0
            except NoResponder:
                silent += 1
            except (Unavailable, Malformed):
                silent = 0
        log.info("voice.takes_over", node=self.node.name)

    async def _recover(self, connected: Link) -> None:
        """Make the engine ready for us and take in what it holds. Raises EngineDown, EngineRefused, NotAri."""
        await connected.ask(
            ari.request("PUT", "applications", ari.APPLICATION, "eventFilter", body={"disallowed": [{"type": kind} for kind in UNWANTED]})
        )
        info = await connected.read(_get("asterisk", "info"), _Info)
        started_at = ari.moment(info.status.startup_time) or self._board.now()
        if started_at != self._board.started_at:
            self._lines.forget()
        await self._lines_pushed(connected)
        await self._lines.sweep(connected, await self._endpoints(connected))
        bridges = await connected.read(_get("bridges"), tuple[ari.Bridge, ...])
        if PARK not in {bridge.id for bridge in bridges}:
            await connected.ask(ari.request("POST", "bridges", PARK, type="holding", name=PARK))
        channels = await connected.read(_get("channels"), tuple[ari.Channel, ...])
        bridges = await connected.read(_get("bridges"), tuple[ari.Bridge, ...])
        phones = await self._phones(connected)
        self._link = connected
        self._settle(self._board.recover(channels, bridges, phones, started_at))
        for line in self._board.untold():
            await self._introduce(connected, line)
        await self._recorder.recover()
        self.why_not = ""
        metrics.CONNECTED.labels(self.node.name).set(1)
        log.info("voice.node_up", node=self.node.name, legs=len(self._board.lines), phones=len(self._lines.phones))

    async def _endpoints(self, connected: Link) -> dict[str, ari.Endpoint]:
        found = await connected.read(_get("endpoints", "PJSIP"), tuple[ari.Endpoint, ...])
        return {one.resource: one for one in found}

    async def _phones(self, connected: Link) -> list[ari.Endpoint]:
        return [one for name, one in (await self._endpoints(connected)).items() if name in self._lines.phones]

    async def _attend(self, connected: Link) -> bool:
        """Take in events until the connection breaks (False) or another owner has taken over (True)."""
        while True:
            event = await connected.events.get()
            if event is None:
                return False
            if isinstance(event, Replaced):
                return True
            metrics.EVENTS.labels(event.type).inc()
            try:
                await self._take_in(connected, event)
            except EngineRefused as error:
                log.info("voice.engine_refused", node=self.node.name, event=event.type, said=str(error))

    async def _take_in(self, connected: Link, event: ari.Event) -> None:
        endpoint = event.endpoint.resource if event.type == "EndpointStateChange" and event.endpoint is not None else ""
        if endpoint and endpoint not in self._lines.phones | self._board.online:  # a trunk
            return
        self._settle(self._board.happened(event))
        if event.type == "StasisStart" and event.channel is not None:
            line = self._board.lines.get(event.channel.id)
            if line is not None and line.origin == "arrived" and not line.told:
                await self._introduce(connected, line, event.channel.caller.name)
        elif event.type == "ChannelDestroyed" and event.channel is not None:
            self._recorder.leg_ended(event.channel.id)
        elif event.type in ("RecordingFinished", "RecordingFailed") and event.recording is not None:
            self._recorder.message_ended(event.recording)
        async with self._changed:
            self._changed.notify_all()

    async def _introduce(self, connected: Link, line: Line, caller_name: str = "") -> None:
        """Tell of a leg that arrived, with what its INVITE carried. Raises EngineDown."""
        try:
            await connected.ask(ari.request("POST", "applications", ari.APPLICATION, "subscription", eventSource=f"channel:{line.leg}"))
            dialled, trunk = line.dialled, self._lines.trunks.get(line.endpoint)
            headers = await self._headers(connected, line) if trunk is None or trunk.headers else {}
            if trunk is not None and trunk.number_in == "to":
                dialled = number_in(await self._variable(connected, line.leg, "PJSIP_HEADER(read,To)")) or dialled
        except EngineRefused as error:
            log.info("voice.caller_left", node=self.node.name, said=str(error))
            return
        phone = line.endpoint in self._lines.phones
        if trunk is not None and not may_bring(trunk, dialled):
            log.info("voice.number_not_theirs", node=self.node.name, trunk=line.endpoint)
            line.told = True
            await self._tidy(ari.request("DELETE", "channels", line.leg, reason_code=NO_SUCH_NUMBER))
            return
        self._tell(self._board.arrived(line, dialled=dialled, caller_name=caller_name, headers=headers, phone=phone))

    async def _headers(self, connected: Link, line: Line) -> dict[str, str]:
        names = [name for name in (await self._variable(connected, line.leg, "PJSIP_HEADERS(X-)")).split(",") if name][:MOST_HEADERS]
        return {name: await self._variable(connected, line.leg, f"PJSIP_HEADER(read,{name})") for name in names}

    async def _variable(self, connected: Link, leg: str, name: str) -> str:
        try:
            request = ari.request("GET", "channels", leg, "variable", variable=name)
            return (await connected.read(request, dict[str, str])).get("value", "")
        except EngineRefused as error:
            if error.status in (404, 500):  # there is no such variable; the function found nothing; the channel is going
                return ""
            raise

    async def _ordered(self, request: Request) -> bytes:
        try:
            order = calls.decode_order(request.data)
        except calls.NotACallMessage as error:
            return calls.encode(calls.NotDone(reason="malformed", detail=str(error)))
        kind = type(order).__name__
        with metrics.ORDER_SECONDS.labels(kind).time():
            answer = await self._hand.do(order)
        if isinstance(answer, calls.NotDone):
            metrics.NOT_DONE.labels(kind, answer.reason).inc()
        return calls.encode(answer)

    def _connected(self) -> Link:
        if self._link is None:
            raise EngineDown(self.why_not or "no connection to the engine")
        return self._link

    def _settle(self, outcome: Outcome) -> None:
        self._tell(*outcome.facts)
        for chore in outcome.chores:
            self._start(self._tidy(chore))

    async def _tidy(self, chore: ari.Request) -> None:
        with contextlib.suppress(EngineDown, EngineRefused):
            await self._connected().ask(chore)

    def _tell(self, *facts: calls.Fact) -> None:
        for fact in facts:
            metrics.FACTS.labels(type(fact).__name__).inc()
        metrics.LEGS.labels(self.node.name).set(len(self._board.lines))
        self._teller.tell(*facts)

    async def _lines_pushed(self, connected: Link) -> None:
        """Give the engine its phones and trunks, and have it tell of them: it knows the source once it has one. Raises EngineDown."""
        if count := await self._lines.push(connected):
            log.info("voice.lines_pushed", node=self.node.name, objects=count)
        with contextlib.suppress(EngineRefused):
            await connected.ask(ari.request("POST", "applications", ari.APPLICATION, "subscription", eventSource="endpoint:PJSIP"))

    def _reconnect(self) -> None:
        """Have everything told anew: facts were dropped."""
        if self._link is not None:
            self._link.events.put_nowait(None)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)


def _get(*path: str) -> ari.Request:
    return ari.request("GET", *path)


def number_in(header: str) -> str:
    """Return the number in a SIP header that names somebody (RFC 3261, 20.10): ``431…`` of ``"A" <sip:431…@host>;tag=x``."""
    found = re.search(r"(?:sips?|tel):([+*#0-9A-Za-z]{1,40})(?=[@;>]|$)", header)
    return found[1] if found else ""
