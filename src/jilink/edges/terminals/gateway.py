"""What the parts of one worker share: the loop, the spine, the connections, and the few acts on them. One thread owns it all."""

import itertools
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

import numpy as np
import structlog

from jilink.edges.terminals import metrics
from jilink.edges.terminals.admission import Change, Directory
from jilink.edges.terminals.connections import Connections, Terminal
from jilink.edges.terminals.frames import FrameKeeper
from jilink.edges.terminals.journal import Journal, Takeover, takeover_decoder
from jilink.edges.terminals.limits import Addresses, Limits, Rates
from jilink.edges.terminals.loops import Loop
from jilink.edges.terminals.matching import Ledger, Settled
from jilink.edges.terminals.publishing import Publisher
from jilink.edges.terminals.session import State
from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import Settings
from jilink.spine import subjects
from jilink.spine.bridge import SpineThread
from jilink.spine.buckets import Change as KeyChange
from jilink.spine.records import Admission

log = structlog.get_logger(__name__)
T = TypeVar("T")
KV_THREADS = 4
RELEASED_AT_ONCE = 200
"""Terminals a round that had to wait for the mirror of the buckets; each takes about 0.1 ms."""


class Gateway:
    """One worker's shared state. Everything but `post` belongs to the thread of the loop."""

    def __init__(
        self,
        settings: Settings,
        worker: str,
        loop: Loop,
        spine: SpineThread,
        *,
        clock: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self.settings, self.worker, self.loop, self.spine = settings, worker, loop, spine
        self.clock, self.now = clock, now
        capacity = len(loop.generation)
        self.connections = Connections(capacity)
        self.directory = Directory()
        self.ledger = Ledger()
        self.rates = Rates(
            Limits(
                connections_per_address=settings.terminals_per_address,
                bytes_per_s=settings.terminals_bytes_per_s,
                frames_per_s=settings.terminals_frames_per_s,
                malformed_per_minute=settings.terminals_malformed_per_minute,
            ),
            capacity,
        )
        self.addresses = Addresses(settings.terminals_per_address)
        boot = f"{worker}-{int(now().timestamp() * 1000):x}"
        self.publisher = Publisher(spine, self.post, boot, settings.terminals_retry_s, clock)
        self.frames = FrameKeeper(lambda subject, payload: self.spine.publish_soon(subject, payload, None, lambda _: None))
        self.journal = Journal(worker, self.publisher.publish, spine.send)
        self._inbox: deque[Callable[[], None]] = deque()
        self._posted = threading.Event()
        self._outgoing: list[tuple[int, int, bytes]] = []
        self._pool = ThreadPoolExecutor(KV_THREADS, thread_name_prefix="kv")
        self._unread = {subjects.ADMISSION.name, subjects.TOKENS.name}
        self._until_mirrored: dict[int, Callable[[], None]] = {}
        self.on_ended: list[Callable[[Terminal], None]] = []

    # between threads

    def post(self, work: Callable[[], None]) -> None:
        """Have `work` done in the loop's thread. Callable from any thread."""
        self._inbox.append(work)
        self._posted.set()
        self.loop.wake()

    def wait(self, seconds: float) -> None:
        """Wait at most so long for something to be posted, and do it."""
        self._posted.wait(seconds)
        self.drain()

    def drain(self) -> None:
        """Do what was posted."""
        self._posted.clear()
        inbox = self._inbox
        for _ in range(len(inbox)):  # what these post themselves waits for the next round
            try:
                inbox.popleft()()
            except Exception:  # a process edge: our bug in one piece of work must not end the sessions of all terminals
                metrics.FAULTS.inc()
                log.exception("posted_work_failed", worker=self.worker)

    def fetch(self, work: Callable[[], T], done: Callable[[T | None, Unavailable | None], None]) -> None:
        """Run a blocking question to the spine beside the loop; `done` follows in the loop's thread."""

        def ask() -> None:
            try:
                value = work()
            except Unavailable as error:
                failure = error
                self.post(lambda: done(None, failure))
            else:
                self.post(lambda: done(value, None))

        self._pool.submit(ask)

    def watch(self, on_ready: Callable[[], None]) -> None:
        """Begin to mirror admissions and tokens, and to hear of terminals that moved to another worker."""

        def admission(change: KeyChange) -> None:
            self.post(lambda: self._admission_changed(change, on_ready))

        def token(change: KeyChange) -> None:
            self.post(lambda: self._token_changed(change, on_ready))

        def takeover(_: str, payload: bytes) -> None:
            message = takeover_decoder.decode(payload)
            if message.worker != self.worker:
                self.post(lambda: self._taken_over(message))

        self.spine.watch_bucket(subjects.ADMISSION, admission)
        self.spine.watch_bucket(subjects.TOKENS, token)
        self.spine.subscribe(subjects.TAKEOVER, takeover)

    def when_mirrored(self, terminal: Terminal, work: Callable[[], None]) -> None:
        """Do what needs the mirror of the buckets now, or as soon as it has been read; of one connection only the last such work.

        After a restart thousands of terminals return before the mirror is there. Each would ask the buckets by itself, which takes
        twenty times as long; they wait instead, and are then served a few a round so that others' positions are not held up.
        """
        if self._unread:
            self._until_mirrored[terminal.number] = work
        else:
            work()

    # connections

    def send(self, terminal: Terminal, frames: list[bytes]) -> None:
        """Send frames to a terminal, at the latest when this round of the loop ends."""
        self._outgoing.append((terminal.fd, terminal.generation, b"".join(frames)))
        if self.connections.recorded[terminal.fd]:
            for frame in frames:
                self.record(terminal, frame, "down")

    def flush_sends(self) -> None:
        """Hand what `send` has gathered to the loop, all at once."""
        if not self._outgoing:
            return
        outgoing, self._outgoing = self._outgoing, []
        lengths = np.array([len(data) for _, _, data in outgoing], np.int64)
        fds = np.array([fd for fd, _, _ in outgoing], np.int64)
        generations = np.array([generation for _, generation, _ in outgoing], np.uint32)
        data = np.frombuffer(b"".join(data for _, _, data in outgoing), np.uint8)
        self.loop.send(fds, generations, data, np.cumsum(lengths) - lengths, lengths)

    def record(self, terminal: Terminal, frame: bytes, direction: str) -> None:
        """Keep a raw frame of a terminal whose recording is on; switch it off when its time is over."""
        admission = terminal.admission
        if admission is None or admission.recording_until is None or self.now() >= admission.recording_until:
            self.connections.recorded[terminal.fd] = False
            return
        self.frames.record(frame, direction, self.connections.peer(terminal.fd), self.now(), admission.organisation, admission.asset)

    def quarantine(self, terminal: Terminal, frame: bytes, reason: str) -> None:
        """Keep a frame that could not be used, with the reason."""
        owner = terminal.admission
        self.frames.quarantine(
            frame,
            reason,
            self.connections.peer(terminal.fd),
            self.now(),
            self.clock(),
            owner.organisation if owner else 0,
            owner.asset if owner else 0,
        )

    def close(self, terminal: Terminal, reason: str) -> None:
        """Close a connection after what was handed over to it."""
        if self.connections.current(terminal.fd, terminal.generation) is None:
            return
        self.flush_sends()
        self.loop.close(np.array([terminal.fd], np.int64))
        self.ended(terminal.fd, reason)

    def ended(self, fd: int, reason: str) -> None:
        """Take note that a connection is gone."""
        online = self.connections.state[fd] == State.ONLINE
        terminal = self.connections.forget(fd)
        if terminal is None:
            return
        metrics.CLOSED.labels(reason).inc()
        self.addresses.leave(self.connections.host(fd))
        if online:
            self._end(terminal, reason)
        self.deliver(self.ledger.end(terminal.number, self.clock(), self.now()))
        for listener in self.on_ended:
            listener(terminal)

    def online(self, terminal: Terminal, admission: Admission) -> None:
        """A terminal has authenticated: it replaces any other connection of the same terminal, here and in other workers."""
        columns, fd, now = self.connections, terminal.fd, self.now()
        held = columns.of_key(terminal.key)
        if held is not None and held is not terminal:
            self.close(held, "replaced")
        already = columns.state[fd] == State.ONLINE
        self.attach(terminal, admission)
        columns.state[fd] = State.ONLINE
        columns.name(terminal)
        columns.online_ms[fd] = int(now.timestamp() * 1000)
        self.journal.arrive(terminal.key, now)
        if not already:
            self.journal.begin(admission.organisation, admission.asset, now)

    def attach(self, terminal: Terminal, admission: Admission) -> None:
        """Put a terminal's owner and switches into the columns."""
        self.connections.own(terminal, admission)
        self.connections.recorded[terminal.fd] = admission.recording_until is not None and self.now() < admission.recording_until

    def offline(self, terminal: Terminal, reason: str) -> None:
        """A terminal's session ends while its connection stays."""
        if self.connections.state[terminal.fd] == State.ONLINE:
            self._end(terminal, reason)

    def _end(self, terminal: Terminal, reason: str) -> None:
        columns, fd = self.connections, terminal.fd
        self.journal.end(int(columns.organisation[fd]), int(columns.asset[fd]), self.now(), reason)

    def deliver(self, settled: list[Settled]) -> None:
        """Tell those who asked what became of their commands."""
        for item in settled:
            metrics.COMMANDS.labels(item.reply.state).inc()
            for deliver in item.deliver:
                deliver(item.reply)

    def shutdown(self) -> None:
        """Let go of helpers. The loop and the spine are their owner's to close."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    # changes from outside

    def _admission_changed(self, change: KeyChange, on_ready: Callable[[], None]) -> None:
        if change.key:
            known = self.directory.take_admission(change.key, change.value)
            if known is not None:
                self._apply(known)
        if change.ready:
            self._bucket_read(subjects.ADMISSION, on_ready)

    def _token_changed(self, change: KeyChange, on_ready: Callable[[], None]) -> None:
        if change.key:
            self.directory.take_token(change.key, change.value, change.revision)
        if change.ready:
            self._bucket_read(subjects.TOKENS, on_ready)

    def _bucket_read(self, bucket: subjects.Bucket, on_ready: Callable[[], None]) -> None:
        self._unread.discard(bucket.name)
        if not self._unread:
            on_ready()
            self._release()

    def _release(self) -> None:
        waiting = self._until_mirrored
        for number in list(itertools.islice(waiting, RELEASED_AT_ONCE)):
            waiting.pop(number)()
        if waiting:
            self.post(self._release)

    def _apply(self, change: Change) -> None:
        terminal = self.connections.of_key(change.key)
        before, after = terminal.admission if terminal else None, change.after
        if terminal is None or before is None:
            return
        if after is None or not after.admitted:
            self.close(terminal, "not_admitted")
        elif after.asset != before.asset or (
            after.terminal_id and after.terminal_id != before.terminal_id and after.terminal_id != terminal.terminal_id
        ):
            self.close(terminal, "moved")
        else:
            if after.organisation != before.organisation:
                self.offline(terminal, "moved")
                self.journal.begin(after.organisation, after.asset, self.now())
            self.attach(terminal, after)

    def _taken_over(self, message: Takeover) -> None:
        for arrival in message.arrivals:
            terminal = self.connections.of_key(arrival.key)
            if terminal is None:
                continue
            if (int(self.connections.online_ms[terminal.fd]), self.worker) < (arrival.at_ms, message.worker):
                self.close(terminal, "replaced")
