"""Orders carried out: each a few requests to the engine. What is done already is done; orders of one leg or talk go one after another."""

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping

from jilink.edges.voice import ari
from jilink.edges.voice.board import EAR, PARK, Board, Line, Outcome
from jilink.edges.voice.link import EngineDown, EngineRefused, Link
from jilink.edges.voice.manager import ManagerRefused
from jilink.edges.voice.phones import Lines
from jilink.edges.voice.recordings import Recorder
from jilink.edges.voice.shelf import Shelf
from jilink.kernel.errors import Malformed, Refused, Unavailable
from jilink.spine import calls

EAR_WITHIN_S = 2.0
ABSENT, NO_ROUTE = 20, 3
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
NUMBER = re.compile(r"[+*#0-9A-Za-z]{1,40}")
HEADER = re.compile(r"X-[A-Za-z0-9-]{1,60}")
DIGITS = re.compile(r"[0-9*#A-Dw]{1,60}")
MOST_TIMES, MOST_PIECES = 20, 40


class _Not(Exception):
    """The order cannot be carried out; the answer says why."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail)
        self.answer = calls.NotDone(reason=reason, detail=detail)  # type: ignore[arg-type]  # -- the reasons are written below


class Turns:
    """Lets those who name the same thing go one after another, in the order in which they came."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[asyncio.Event]] = {}

    @contextlib.asynccontextmanager
    async def take(self, names: Iterable[str]) -> AsyncIterator[None]:
        """Wait until nobody who came before uses any of the names."""
        mine, wanted = asyncio.Event(), set(names)
        for name in wanted:  # all at once, so that two can never wait for each other
            self._queues.setdefault(name, deque()).append(mine)
        try:
            while any(self._queues[name][0] is not mine for name in wanted):
                mine.clear()
                await mine.wait()
            yield
        finally:
            for name in wanted:
                queue = self._queues[name]
                queue.remove(mine)
                if queue:
                    queue[0].set()
                else:
                    del self._queues[name]


class Hand:
    """Carries out the orders of one engine."""

    def __init__(
        self,
        board: Board,
        lines: Lines,
        recorder: Recorder,
        shelf: Shelf,
        link: Callable[[], Link],
        settle: Callable[[Outcome], None],
        changed: asyncio.Condition,
    ) -> None:
        """`settle` tells what an outcome holds; `changed` is notified after each event that the board has taken in."""
        self._board, self._lines, self._recorder, self._shelf = board, lines, recorder, shelf
        self._link, self._settle, self._changed = link, settle, changed
        self._turns = Turns()

    async def do(self, order: calls.Order) -> calls.Reply:
        """Carry out an order and return its answer."""
        if isinstance(order, calls.Look):
            board = self._board
            return calls.Sight(
                legs=board.legs(), talks=board.states(), online=tuple(sorted(board.online)), trunks=tuple(board.trunks.values())
            )
        try:
            async with self._turns.take(_names(order)):
                await _DO[type(order)](self, order)
        except _Not as error:
            return error.answer
        except EngineDown as error:
            return calls.NotDone(reason="down", detail=str(error))
        except (EngineRefused, ManagerRefused) as error:
            gone = isinstance(error, EngineRefused) and error.status == 404
            return calls.NotDone(reason="gone" if gone else "failed", detail=str(error))
        except (Refused, Malformed) as error:
            return calls.NotDone(reason="malformed", detail=str(error))
        except Unavailable as error:
            return calls.NotDone(reason="failed", detail=str(error))
        return calls.Done()

    # legs

    async def _answer(self, order: calls.Answer) -> None:
        if not self._there(order.leg).answered:
            await self._ask("POST", "channels", order.leg, "answer")
            await self._seen(order.leg, lambda line: line.answered)

    async def _dial(self, order: calls.Dial) -> None:
        if order.leg in self._board.lines or order.leg in self._board.over:
            return
        trunk = self._lines.trunks.get(order.endpoint)
        _fit(NAME, order.endpoint)
        for name, value in order.headers.items():
            _fit(HEADER, name)
            _require(value.isprintable() and len(value) <= 500, f"header {name}")
        if order.number:
            _fit(NUMBER, order.number)
        using = sum(line.endpoint == order.endpoint for line in self._board.lines.values())
        if trunk is not None and trunk.most_calls and using >= trunk.most_calls:
            raise _Not("full", f"{order.endpoint} carries {using} calls")
        self._board.expect(order.leg, order.endpoint, order.number)
        shown = re.sub(r'["<>\\]', "", order.caller_name)
        body = {"variables": {f"PJSIP_HEADER(add,{name})": value for name, value in order.headers.items()}} if order.headers else None
        try:
            await self._ask(
                "POST",
                "channels",
                order.leg,
                body=body,
                endpoint=f"PJSIP/{order.number}@{order.endpoint}" if order.number else f"PJSIP/{order.endpoint}",
                app=ari.APPLICATION,
                appArgs="dialled",
                callerId=f'"{shown}" <{order.caller}>' if order.caller or shown else "",
                timeout=max(1, min(order.timeout_s, 300)),
                originator=order.originator if order.originator in self._board.lines else "",
            )
        except EngineRefused as error:
            if error.status != 409:  # 409: the channel exists
                self._end(order.leg, NO_ROUTE if order.number else ABSENT)

    async def _hang_up(self, order: calls.HangUp) -> None:
        if order.leg in self._board.lines:
            _require(0 < order.cause < 128, "cause")
            await self._ask("DELETE", "channels", order.leg, reason_code=order.cause, missing=True)

    async def _send_digits(self, order: calls.SendDigits) -> None:
        self._up(order.leg)
        await self._ask("POST", "channels", order.leg, "dtmf", dtmf=_fit(DIGITS, order.digits), between=120, duration=120)

    async def _transfer_done(self, order: calls.TransferDone) -> None:
        self._there(order.leg)
        state = "channel_answered" if order.succeeded else "channel_unavailable"
        await self._ask("POST", "channels", order.leg, "transfer_progress", states=state)

    # sounds

    async def _play(self, order: calls.Play) -> None:
        board, play = self._board, _fit(NAME, order.play)
        if play in board.plays or play in board.over:
            return
        self._up(order.leg)
        _require(1 <= order.times <= MOST_TIMES and 1 <= len(order.pieces) <= MOST_PIECES, "pieces")
        if await self._link().ask_if_there(ari.request("GET", "playbacks", play)):  # an owner of before began it
            board.plays[play] = order.leg
            return
        media = [await self._shelf.place(piece) for piece in order.pieces]
        if play in board.stopped:
            return
        board.plays[play] = order.leg
        try:
            await self._ask("POST", "channels", order.leg, "play", play, media=",".join(media * order.times))
        except Unavailable:
            board.plays.pop(play, None)
            raise

    async def _stop_play(self, order: calls.StopPlay) -> None:
        self._board.stopped.add(_fit(NAME, order.play))
        if order.play not in self._board.over:
            await self._ask("DELETE", "playbacks", order.play, missing=True)

    async def _park(self, order: calls.Park) -> None:
        if not self._up(order.leg).parked:
            await self._ask("POST", "bridges", PARK, "addChannel", channel=order.leg, role="participant")
            await self._ask("POST", "bridges", PARK, "moh", mohClass="default")  # it ended when the last one left
            await self._seen(order.leg, lambda line: line.parked)

    async def _hold(self, order: calls.Hold) -> None:
        self._up(order.leg)
        await self._ask("POST", "channels", order.leg, "mute", direction="in")
        await self._ask("POST", "channels", order.leg, "moh", mohClass="default")

    async def _unhold(self, order: calls.Unhold) -> None:
        self._up(order.leg)
        await self._ask("DELETE", "channels", order.leg, "moh")
        await self._ask("DELETE", "channels", order.leg, "mute", direction="in")

    # talks

    async def _join(self, order: calls.Join) -> None:
        talk = _fit(NAME, order.talk)
        _require(talk != PARK and not talk.startswith(EAR), "talk")
        coming = [leg for leg in order.legs if self._up(leg).bridge != talk]
        if coming:
            await self._make_talk(talk)
            await self._ask("POST", "bridges", talk, "addChannel", channel=",".join(coming))
            for leg in coming:
                await self._seen(leg, lambda line: line.bridge == talk)

    async def _leave(self, order: calls.Leave) -> None:
        if self._there(order.leg).bridge == order.talk:
            await self._take_out(order.leg, order.talk)

    async def _end_talk(self, order: calls.EndTalk) -> None:
        if order.talk in self._board.talks:
            await self._ask("DELETE", "bridges", order.talk, missing=True)

    async def _listen(self, order: calls.Listen) -> None:
        talk, leg = _fit(NAME, order.talk), self._up(order.leg)
        self._up(order.target)
        ear = f"{EAR}{talk}-{'whispers' if order.whisper else 'listens'}"
        if ear not in self._board.lines:
            whisper = "out" if order.whisper else "none"
            path = ("channels", order.target, "snoop", ear)
            await self._ask("POST", *path, spy="both", whisper=whisper, app=ari.APPLICATION, appArgs="ear")
            await self._until(lambda: ear in self._board.lines)
        await self._make_talk(talk)
        await self._ask("POST", "bridges", talk, "addChannel", channel=ear if leg.bridge == talk else f"{ear},{order.leg}")
        for other in [one for one in self._board.talks.get(talk, ()) if one.startswith(EAR) and one != ear]:
            await self._ask("DELETE", "channels", other, missing=True)

    async def _make_talk(self, talk: str) -> None:
        if talk in self._board.talks:
            return
        try:
            await self._ask("POST", "bridges", talk, type="mixing,dtmf_events", name=talk)
        except EngineRefused as error:
            if error.status not in (409, 500):  # it exists (Asterisk answers 500 to a second making)
                raise

    # recordings

    async def _record(self, order: calls.Record) -> None:
        recording = _fit(NAME, order.recording)
        if recording not in self._recorder.running and recording not in self._recorder.over:
            await self._recorder.record(order.leg, self._up(order.leg).name, recording, stereo=order.stereo)

    async def _take_message(self, order: calls.TakeMessage) -> None:
        recording = _fit(NAME, order.recording)
        _require(1 <= order.most_s <= 3600 and 0 <= order.silence_s <= 60, "times")
        if recording not in self._recorder.running and recording not in self._recorder.over:
            if bridge := self._up(order.leg).bridge:
                await self._take_out(order.leg, bridge)
            await self._recorder.take(order.leg, order)

    async def _pause_recording(self, order: calls.PauseRecording) -> None:
        await self._recorder.pause(self._running(order.recording), self._up(order.leg).name, paused=order.paused)

    async def _stop_recording(self, order: calls.StopRecording) -> None:
        if order.recording not in self._recorder.over:
            await self._recorder.stop(self._running(order.recording), self._there(order.leg).name)

    # inside

    def _there(self, leg: str) -> Line:
        line = self._board.lines.get(leg)
        if line is None or line.origin == "ear":
            raise _Not("gone", f"there is no leg {leg}")
        return line

    def _up(self, leg: str) -> Line:
        line = self._there(leg)
        if not line.answered:
            raise _Not("early", f"{leg} is not answered")
        return line

    def _running(self, recording: str) -> str:
        if recording not in self._recorder.running:
            raise _Not("gone", f"there is no recording {recording}")
        return recording

    def _end(self, leg: str, cause: int) -> None:
        outcome = Outcome()
        self._board.end(leg, cause, self._board.now(), outcome)
        self._settle(outcome)

    async def _take_out(self, leg: str, bridge: str) -> None:
        await self._ask("POST", "bridges", bridge, "removeChannel", channel=leg, missing=True)
        await self._seen(leg, lambda line: line.bridge != bridge)

    async def _seen(self, leg: str, holds: Callable[[Line], bool]) -> None:
        """Wait until the board knows what was done to a leg, or its end: the next order of this leg looks there."""
        lines = self._board.lines
        await self._until(lambda: leg not in lines or holds(lines[leg]))

    async def _until(self, holds: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(EAR_WITHIN_S), self._changed:
                await self._changed.wait_for(holds)
        except TimeoutError:
            raise _Not("failed", "the engine did not tell of what it made") from None

    async def _ask(self, method: str, *path: str, missing: bool = False, body: Mapping[str, object] | None = None, **query: object) -> None:
        """Ask the engine; with `missing` it is well where the engine knows nothing of that name."""
        request = ari.request(method, *path, body=body, **query)
        if missing:
            await self._link().ask_if_there(request)
        else:
            await self._link().ask(request)


def _fit(pattern: re.Pattern[str], text: str) -> str:
    _require(bool(pattern.fullmatch(text)), f"{text[:40]!r}")
    return text


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise _Not("malformed", what)


def _names(order: calls.Order) -> list[str]:
    """Return the legs and talks an order names."""
    found = [getattr(order, field) for field in ("leg", "target", "talk") if getattr(order, field, "")]
    return [*found, *getattr(order, "legs", ())]


_DO: dict[type[calls.Order], Callable[..., Awaitable[None]]] = {
    calls.Answer: Hand._answer,
    calls.Dial: Hand._dial,
    calls.HangUp: Hand._hang_up,
    calls.SendDigits: Hand._send_digits,
    calls.TransferDone: Hand._transfer_done,
    calls.Play: Hand._play,
    calls.StopPlay: Hand._stop_play,
    calls.Park: Hand._park,
    calls.Hold: Hand._hold,
    calls.Unhold: Hand._unhold,
    calls.Join: Hand._join,
    calls.Leave: Hand._leave,
    calls.EndTalk: Hand._end_talk,
    calls.Listen: Hand._listen,
    calls.Record: Hand._record,
    calls.TakeMessage: Hand._take_message,
    calls.PauseRecording: Hand._pause_recording,
    calls.StopRecording: Hand._stop_recording,
}
"""What carries out each order; it takes the order of its key."""
