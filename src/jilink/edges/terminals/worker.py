"""One worker of the terminal gateway: the hot path from reads to the spine and back to 0x8001, all in columns.

    poll -> decode_batch -> positions of authenticated terminals to Arrow -> publish -> (confirmed) -> answers

Nothing here loops over frames but for what is rare: messages that are no positions go one by one to `plain`.
"""

import ctypes
import gc
import resource
import signal
import socket
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import structlog

from jilink.edges.terminals import metrics
from jilink.edges.terminals.connections import Terminal
from jilink.edges.terminals.gateway import Gateway
from jilink.edges.terminals.link import Link, Received
from jilink.edges.terminals.listeners import listen
from jilink.edges.terminals.loops import Loop, Reads
from jilink.edges.terminals.loops.choice import choose
from jilink.edges.terminals.plain import Plain
from jilink.edges.terminals.rubbish import Rubbish
from jilink.edges.terminals.safety import Alarms
from jilink.edges.terminals.session import HEARTBEAT, Result, State
from jilink.edges.terminals.tls import TlsListener
from jilink.edges.terminals.vendor import VendorConnections
from jilink.edges.terminals.window import Answers, Int64s, Mask, Window
from jilink.kernel.clock import utc_now
from jilink.kernel.settings import Settings, addresses
from jilink.protocols.jt808.columns import Batch, Decoder
from jilink.spine import arrow, subjects
from jilink.spine.bridge import SpineThread
from jilink.spine.health import HealthServer
from jilink.spine.measurements import POSITIONS

log = structlog.get_logger(__name__)

MOST_READ = 256
"""Malformed frames of one batch that the plain path looks at again; the others are only counted."""
MOST_GATHERED = 4 << 20
"""Bytes after which a batch is published before its time."""
MOST_UNCONFIRMED_BYTES = 64 << 20
MOST_UNCONFIRMED_EVENTS = 4096
TICK_S = 0.25
IDLE_POLL_S = 0.1
STOP_S = 5.0
STOP_ALONE_S = 2.0
"""How long a worker waits for its last confirmations when it stops, and how long for a spine that is not there."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT_BYTES, _LARGEST_KEPT = 128 << 20, 32 << 20
"""Freed memory that a worker keeps, and the largest piece of it: each batch takes the same again (mallopt(3))."""


def run(settings: Settings, name: str, number: int, beat: Callable[[], None]) -> None:
    """Be one worker until SIGTERM, and call `beat` whenever its loop goes round. Raises ListenRefused where an address cannot be used."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    _keep_memory()
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    loop = choose(settings.terminals_io)
    spine = SpineThread(settings, name, lay_out=True)
    worker = Worker(settings, name, loop, spine)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    for listener in listen(addresses(settings.terminals)):
        loop.add_listener(listener)
    tls = TlsListener(addresses(settings.terminals_tls), settings.terminals_certificate, worker.adopt) if settings.terminals_tls else None
    pages = HealthServer(settings.health("terminals", number), worker.unready)
    log.info("worker_starts", worker=name, io=loop.name, reason=loop.reason, descriptors=hard, before=soft)
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    try:
        worker.run(beat)
    finally:
        if tls:
            tls.stop()
        pages.stop()
        loop.shutdown()
        spine.stop()
        log.info("worker_stopped", worker=name)


def _keep_memory() -> None:
    """Have glibc keep what batches free, or the kernel clears those pages anew for each; other C libraries are left alone."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)
        mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)


class Worker:
    """The loop of one worker. Everything but `stop`, `adopt` and `unready` happens in the thread that calls `run`."""

    def __init__(
        self, settings: Settings, name: str, loop: Loop, spine: SpineThread, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.gateway = Gateway(settings, name, loop, spine, clock=clock, now=utc_now)
        self._loop, self._clock = loop, clock
        self._link = Link(self.gateway)
        self._plain = Plain(self.gateway, self._link, self._take_positions)
        self._alarms = Alarms(self.gateway, self._link)
        self._vendors = VendorConnections(self.gateway, lambda terminal, raw: self._frame(terminal, raw, stored=False))
        self._rubbish = Rubbish(self.gateway, self._vendors)
        self._window = Window()
        self._decoder = Decoder(POSITIONS)
        self._flush_s = settings.terminals_flush_ms / 1000
        self._flushed = self._ticked = self._told_alive = clock()
        self._stopping = False
        self._batches = 0
        self._bytes_counted = 0
        self._ready = False

    def stop(self) -> None:
        """Ask the loop to end. Callable from a signal handler."""
        self._stopping = True
        self._loop.wake()

    def adopt(self, sock: socket.socket, peer: tuple[str, int]) -> None:
        """Take over a connection that another thread has accepted."""
        self.gateway.post(lambda: self._adopt(sock, peer))

    def _adopt(self, sock: socket.socket, peer: tuple[str, int]) -> None:
        self._loop.adopt(sock, peer)

    def unready(self) -> str:
        """Say why terminals are not served now; empty when they are."""
        if not self._ready:
            return "the admissions have not been read yet"
        if not self.gateway.spine.connected:
            return "the spine is not connected"
        return "the spine does not confirm" if self.gateway.publisher.down else ""

    def run(self, beat: Callable[[], None]) -> None:
        """Serve until `stop`, then let go: no new connections, what is gathered published, confirmations awaited."""
        self.gateway.watch(self._begin)
        self._plain.commands.serve()
        while not self._stopping:
            self._turn()
            beat()
        self._loop.stop_accepting()
        self._flush()
        for terminal in list(self.gateway.connections.terminals.values()):
            self.gateway.offline(terminal, "gateway_stopped")
        began = self._clock()
        while not (self.gateway.journal.idle() and self.gateway.publisher.unconfirmed == 0):
            if self._clock() - began >= (STOP_S if self.gateway.spine.connected else STOP_ALONE_S):
                break
            self.gateway.journal.flush()
            self.gateway.wait(0.02)
            self.gateway.publisher.tick()
            self.gateway.flush_sends()
        self._loop.poll(0.0)
        self.gateway.shutdown()

    def _begin(self) -> None:
        if not self._ready:
            self._ready = True
            log.info("worker_ready", worker=self.gateway.worker, admissions=len(self.gateway.directory))

    def _turn(self) -> None:
        """One round: read unless too much is unconfirmed, do what was posted, publish when it is time."""
        gateway = self.gateway
        if self._full():
            gateway.wait(self._flush_s)
        else:
            left = self._flushed + self._flush_s - self._clock()
            self._take(self._loop.poll(max(left, 0.0) if self._window.size else IDLE_POLL_S))
        gateway.drain()
        now = self._clock()
        if self._window.size and (now - self._flushed >= self._flush_s or self._window.size >= MOST_GATHERED):
            self._flush()
        elif not self._window.size:
            self._flushed = now
        if now - self._ticked >= TICK_S:
            self._ticked = now
            self._tick(now)
        gateway.flush_sends()

    def _full(self) -> bool:
        """Back-pressure: with too much unconfirmed nothing is read, so that terminals keep their data and memory stays bounded."""
        publisher = self.gateway.publisher
        return (
            self._batches >= self.gateway.settings.terminals_unconfirmed
            or publisher.unconfirmed_bytes >= MOST_UNCONFIRMED_BYTES
            or publisher.unconfirmed - self._batches >= MOST_UNCONFIRMED_EVENTS
        )

    def _take(self, reads: Reads) -> None:
        gateway = self.gateway
        for fd, peer in reads.opened:
            generation = int(self._loop.generation[fd])
            if gateway.addresses.enter(peer[0]):
                gateway.connections.open(fd, generation, peer, self._clock())
                gateway.rates.open(fd)
            else:
                metrics.CLOSED.labels("address_limit").inc()
                self._loop.close(np.array([fd], np.int64))
        if reads.fds.size:
            self._window.add(reads.fds, reads.lengths, reads.data, self._loop.generation[reads.fds])
        if reads.closed.size:
            self._flush()
            self._decoder.carry.forget(reads.closed)
            for fd in reads.closed.tolist():
                gateway.ended(fd, "peer")

    def _flush(self) -> None:
        """Decode what has gathered and send everything on its way."""
        self._flushed = self._clock()
        gathered = self._window.take()
        reads = self._vendors.split(gathered) if gathered else None
        if reads is None:
            return
        batch = self._decoder.decode(reads.data, reads.fds, reads.lengths, reads.generations)
        frames, columns = batch.frames, self.gateway.connections
        fds = frames.fd
        columns.seen[reads.fds] = self._flushed
        ours = (
            (columns.state[fds] == State.ONLINE)
            & (columns.generation[fds] == frames.generation)
            & (columns.phone[fds] == frames.phone)
            & (columns.phone_high[fds] == frames.phone_high)
        )
        recorded = columns.recorded[fds]
        if recorded.any():
            self._record(batch, recorded)
        stored = self._store(batch, ours)
        refused = batch.taken[~ours[batch.taken]]
        if refused.size:  # positions before authentication or under another phone
            self._send(Answers.of(frames, refused), Result.FAILURE)
        for row in self._beat(batch, ours).tolist():
            self._read(batch, row, stored=bool(stored[row]))
        self._rubbish.count(batch)
        for row in batch.bad[:MOST_READ].tolist():
            self._read(batch, row, stored=False)
        for stray in batch.strays:
            self._rubbish.stray(stray)
        for fd in self.gateway.rates.count(reads.fds, reads.lengths, fds, fds[batch.bad[MOST_READ:]]).tolist():
            if fd in columns.terminals:
                self.gateway.close(columns.terminals[fd], "rate")
        metrics.FRAMES.labels("taken").inc(batch.taken.size)

    def _store(self, batch: Batch, ours: Mask) -> Mask:
        """Publish the positions of authenticated terminals and owe them answers; return the frames whose positions are on their way."""
        frames, frame = batch.frames, batch.positions.frame
        mine = ours[frame]
        rows = None if mine.all() else np.flatnonzero(mine)
        stored: Mask = np.zeros(frames.count, np.bool_)
        stored[frame if rows is None else frame[rows]] = True
        answered = stored.copy()
        answered[batch.taken] = ours[batch.taken]  # a batch message may hold no position at all
        answers = Answers.of(frames, np.flatnonzero(answered))
        if stored.any():
            columns = self.gateway.connections
            organisation, asset = columns.organisation[frames.fd], columns.asset[frames.fd]
            positions = self._decoder.to_arrow(
                batch.positions,
                organisation=organisation,
                asset=asset,
                received_at=self._now_ms(),
                message=frames.message,
                serial=frames.serial,
                rows=rows,
            )
            self._publish(positions, lambda stored: self._send(answers, Result.SUCCESS if stored else Result.FAILURE))
            self._alarms.look(positions, frames.fd[frame if rows is None else frame[rows]])
        elif answers.fds.size:
            self._send(answers, Result.SUCCESS)
        return stored

    def _publish(self, positions: pa.RecordBatch, answer: Callable[[bool], None]) -> None:
        began = self._clock()

        def confirmed(stored: bool) -> None:
            self._batches -= 1
            metrics.CONFIRMATION.observe(self._clock() - began)
            answer(stored)

        self._batches += 1
        self.gateway.publisher.publish(subjects.positions(self.gateway.worker), arrow.encode(positions), confirmed)

    def _beat(self, batch: Batch, ours: Mask) -> Int64s:
        """Answer heartbeats at once; return the other rows that need reading one by one."""
        others = batch.others
        beats = (batch.frames.message[others] == HEARTBEAT) & ours[others]
        if beats.any():
            self._send(Answers.of(batch.frames, others[beats]), Result.SUCCESS)
            others = others[~beats]
        return others

    def _read(self, batch: Batch, row: int, *, stored: bool) -> None:
        frames = batch.frames
        terminal = self.gateway.connections.current(int(frames.fd[row]), int(frames.generation[row]))
        if terminal is not None:
            self._frame(terminal, frames.raw(row), stored=stored)

    def _frame(self, terminal: Terminal, raw: bytes, *, stored: bool) -> None:
        try:
            self._plain.frame(terminal, raw, stored=stored)
        except Exception:  # a process edge: our bug, met by one device, must not end the sessions of all others
            log.exception("frame_failed", worker=self.gateway.worker)
            self.gateway.quarantine(terminal, raw, "gateway_fault")
            self.gateway.close(terminal, "gateway_fault")

    def _send(self, answers: Answers, result: Result) -> None:
        data, borders = answers.encode(self.gateway.connections.next_serials(answers.fds), result)
        self._loop.send(answers.fds, answers.generations, data, borders[:-1], np.diff(borders))
        recorded = self.gateway.connections.recorded[answers.fds]
        for row in np.flatnonzero(recorded).tolist() if recorded.any() else ():
            terminal = self.gateway.connections.current(int(answers.fds[row]), int(answers.generations[row]))
            if terminal is not None:
                self.gateway.record(terminal, data[borders[row] : borders[row + 1]].tobytes(), "down")

    def _record(self, batch: Batch, recorded: Mask) -> None:
        frames = batch.frames
        for row in np.flatnonzero(recorded).tolist():
            terminal = self.gateway.connections.current(int(frames.fd[row]), int(frames.generation[row]))
            if terminal is not None:
                self.gateway.record(terminal, frames.raw(row), "up")

    def _take_positions(self, terminal: Terminal, received: Received) -> None:
        """Positions that came on the plain path, joined from packages or forgiven a wrong escape."""
        owner = terminal.admission
        positions, cut = self._decoder.decode_bodies(received.id, [received.body])
        if owner is None or cut[0]:
            self.gateway.quarantine(terminal, received.raw, "truncated")
        if owner is None or (cut[0] and not positions.count):
            self._link.answer(terminal, received, Result.MALFORMED)
            return
        batch = self._decoder.to_arrow(
            positions,
            organisation=np.array([owner.organisation]),
            asset=np.array([owner.asset]),
            received_at=self._now_ms(),
            message=np.array([received.id], np.uint16),
            serial=np.array([received.serial], np.uint16),
        )
        self._publish(batch, self._link.answer_when_stored(terminal, received))
        self._alarms.look(batch, np.full(batch.num_rows, terminal.fd))

    def _now_ms(self) -> int:
        return int(self.gateway.now().timestamp() * 1000)

    def _tick(self, now: float) -> None:
        """What happens a few times a second: timers, retries, rows of sessions, raw frames, sums for Prometheus."""
        gateway, settings = self.gateway, self.gateway.settings
        gateway.publisher.tick()
        gateway.rates.tick(now)
        gateway.frames.flush()
        gateway.journal.flush()
        self._tell_alive(now)
        self._plain.tick()
        for fd in gateway.connections.silent(now, settings.terminals_login_s, settings.terminals_idle_s).tolist():
            online = gateway.connections.state_of(fd) is State.ONLINE
            gateway.close(gateway.connections.terminals[fd], "idle" if online else "no_login")
        self._measure()

    def _tell_alive(self, now: float) -> None:
        """Tell every few minutes who was heard of: heartbeats are no positions, and keep a terminal online all the same.

        A session that began meanwhile is left out: its beginning says the same, and may still be on its way.
        """
        since, now_ms = self._told_alive, self._now_ms()
        if now - since < self.gateway.settings.terminals_alive_s:
            return
        columns = self.gateway.connections
        fds = columns.heard(since, now_ms - int((now - since) * 1000))
        ago_ms = ((now - columns.seen[fds]) * 1000).astype(np.int64)
        self._told_alive = now
        self.gateway.journal.alive(columns.organisation[fds], columns.asset[fds], now_ms - ago_ms)

    def _measure(self) -> None:
        counters, publisher = self._loop.counters, self.gateway.publisher
        metrics.BYTES.inc(counters.bytes_in - self._bytes_counted)
        self._bytes_counted = counters.bytes_in
        metrics.CONNECTIONS.set(self._loop.connections())
        metrics.ONLINE.set(int(np.count_nonzero(self.gateway.connections.state[: self.gateway.connections.top] == State.ONLINE)))
        metrics.UNCONFIRMED.set(publisher.unconfirmed)
