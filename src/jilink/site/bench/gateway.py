"""The gateway end to end, with the acknowledgement after the spine's confirmation (fsync on), against C that only receives and answers.

"Messages a second per core" is the inverse of the CPU time that the worker process spends on one message: decoding, publishing and
answering, its threads (the spine's client) and what the kernel does for them included; the spine's own process is not charged. C is
charged alike: one process, the same stream, as many answers of nearly the same length, a read and a write for what a connection sent, and
nothing decoded or stored.

All servers run at the same time, each with its own connections, and are asked in turns, a window of a second each: what the machine
lends to others meanwhile changes within seconds and would otherwise decide. The ratio is C's CPU time a message divided by ours in the same
turn; a run is the median of its turns. The latency is measured on the same connections, at a share of what that gateway had just answered.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median

from jilink.simulator.load import build, write_script
from jilink.simulator.load.fleet import fleet, login, positions
from jilink.site.bench.figures import Figure, Target
from jilink.site.bench.rig import GATEWAY_CORE, Load, Rig, free_port, load, running, wait_for_port

TURNS = 5
WINDOW_S, LATENCY_S = 0.8, 2.5
CONNECTIONS = (1_000, 10_000)
PER_READ = (1, 4)
FRAMES_EACH = 8
YARDSTICK = "C"
LOOPS = ("epoll", "io_uring")
SHARE_OF_LIMIT = 0.6
TARGETS = {("epoll", 10_000, 1): 0.85, ("io_uring", 10_000, 1): 0.95, ("epoll", 10_000, 4): 0.9, ("io_uring", 10_000, 4): 0.9}

Measured = dict[str, float]
Say = Callable[[str], None]


@dataclass(slots=True)
class Rounds:
    """What the load generators said, a list entry a run."""

    limits: dict[tuple[str, int], list[list[Measured]]] = field(default_factory=dict)
    """As fast as answers come, a window a turn; by server ("C" or the loop) and frames a read."""
    steady: dict[str, list[Measured]] = field(default_factory=dict)
    """At a share of the limit, one frame a read; by loop."""


@contextmanager
def yardstick(program: Path) -> Iterator[tuple[int, int]]:
    """Run the C server on the gateway's core; yields (port, process id)."""
    port = free_port()
    with running([str(program), str(port)], {}, GATEWAY_CORE) as process:
        wait_for_port(port, process)
        yield port, process.pid


def measure(runs: int, say: Say) -> list[Figure]:
    """Return the figures of the gateway; `say` is told what is being measured."""
    with tempfile.TemporaryDirectory(prefix="jilink-bench-") as name:
        folder = Path(name)
        generator, program = build(folder)
        rig = Rig(folder / "data")
        say("gateway: writing the load")
        scripts = _scripts(folder)
        figures = []
        with rig.spine():
            say("gateway: admitting terminals")
            rig.admit(fleet(max(CONNECTIONS)))
            for count in CONNECTIONS:
                with _servers(rig, generator, program, scripts[count]) as loads:
                    figures += _of(count, loads, runs, say)
        return figures


@contextmanager
def _servers(rig: Rig, generator: Path, program: Path, script: Path) -> Iterator[dict[str, Load]]:
    """Run C and a gateway with each loop, side by side, and connect a script's terminals to every one."""
    with ExitStack() as stack:
        loads = {}
        for server in (YARDSTICK, *LOOPS):
            port, pid = stack.enter_context(yardstick(program) if server == YARDSTICK else rig.gateway(server))
            loads[server] = stack.enter_context(load(generator, script, port, pid))
        yield loads


def _of(count: int, loads: Mapping[str, Load], runs: int, say: Say) -> list[Figure]:
    """Return the figures of so many connections."""
    rounds = Rounds()
    for number in range(runs):
        say(f"gateway: {count:,} connections, run {number + 1} of {runs}")
        _run(loads, rounds, latency=count == max(CONNECTIONS))
    figures = []
    for per_read in PER_READ:
        figures += _compared(rounds, count, per_read)
    return figures + _latency(rounds, count)


def _scripts(folder: Path) -> dict[int, Path]:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    paths = {count: folder / f"script-{count}" for count in CONNECTIONS}
    for count, path in paths.items():
        dice = Random(count)  # noqa: S311 -- made-up traffic, no secret
        write_script(path, ((login(one), list(positions(one, FRAMES_EACH, start, dice))) for one in fleet(count)))
    return paths


def _run(loads: Mapping[str, Load], rounds: Rounds, *, latency: bool) -> None:
    """Ask every server in turns, forth and back, then each loop for its latency."""
    for per_read in PER_READ:
        windows: dict[str, list[Measured]] = {server: [] for server in loads}
        for turn in range(TURNS):
            for server in list(loads)[:: 1 if turn % 2 else -1]:
                windows[server].append(loads[server].measure(WINDOW_S, per_read=per_read))
        for server, measured in windows.items():
            rounds.limits.setdefault((server, per_read), []).append(measured)
    for server in LOOPS if latency else ():
        rate = SHARE_OF_LIMIT * _median(rounds.limits[server, 1][-1], _answered)
        rounds.steady.setdefault(server, []).append(loads[server].measure(LATENCY_S, rate=rate))


def _compared(rounds: Rounds, count: int, per_read: int) -> list[Figure]:
    subject = f"Gateway: {count:,} connections, {'one frame' if per_read == 1 else f'{per_read} frames'} a read"
    yard = rounds.limits[YARDSTICK, per_read]
    figures = [Figure(subject, "C, receive and answer only", "µs CPU a message", _each(yard, _cpu))]
    for io in LOOPS:
        ours = rounds.limits[io, per_read]
        bound = TARGETS.get((io, count, per_read))
        ratios = tuple(
            median(_cpu(c) / _cpu(one) for c, one in zip(of_c, of_ours, strict=True)) for of_c, of_ours in zip(yard, ours, strict=True)
        )
        figures += [
            Figure(subject, f"{io}: messages a core", "messages/s", _each(ours, lambda run: 1e6 / _cpu(run))),
            Figure(subject, f"{io}: ratio to C", "", ratios, Target("at least", bound) if bound else None),
            Figure(subject, f"{io}: CPU in the kernel", "µs a message", _each(ours, lambda run: run["system_us"])),
            Figure(subject, f"{io}: CPU of ours", "µs a message", _each(ours, lambda run: run["user_us"])),
            Figure(subject, f"{io}: answered, load and spine on the other core", "messages/s", _each(ours, _answered)),
        ]
    return figures


def _latency(rounds: Rounds, count: int) -> list[Figure]:
    subject = f"Gateway: acknowledgement at {SHARE_OF_LIMIT:.0%} of the limit, {count:,} connections"
    figures = []
    for io, measured in rounds.steady.items():
        figures += [
            Figure(subject, f"{io}: messages answered", "messages/s", tuple(run["answered_s"] for run in measured)),
            Figure(subject, f"{io}: half within", "ms", tuple(run["p50_ms"] for run in measured)),
            Figure(subject, f"{io}: 99 of 100 within", "ms", tuple(run["p99_ms"] for run in measured), Target("at most", 100)),
        ]
    return figures


def _each(runs: list[list[Measured]], of: Callable[[Measured], float]) -> tuple[float, ...]:
    return tuple(_median(windows, of) for windows in runs)


def _median(windows: list[Measured], of: Callable[[Measured], float]) -> float:
    return median(map(of, windows))


def _answered(run: Measured) -> float:
    return run["answered_s"]


def _cpu(run: Measured) -> float:
    return run["user_us"] + run["system_us"]
