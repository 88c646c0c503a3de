"""The gateway end to end, with the acknowledgement after the spine's confirmation (fsync on), against C that only receives and answers.

"Messages a second per core" is the inverse of the CPU time that the worker process spends on one message, its threads included;
the spine's own process is not charged. The ratio is C's CPU time a message divided by ours, in the same round.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from jilink.simulator.load import build, write_script
from jilink.simulator.load.fleet import fleet, login, positions
from jilink.site.bench.figures import Figure, Target
from jilink.site.bench.rig import GATEWAY_CORE, Rig, free_port, generate, running, wait_for_port

SECONDS = 4.0
CONNECTIONS = (1_000, 10_000)
PER_READ = (1, 4)
FRAMES_EACH = 8
LOOPS = ("epoll", "io_uring")
SHARE_OF_LIMIT = 0.6
TARGETS = {("epoll", 10_000, 1): 0.85, ("io_uring", 10_000, 1): 0.95, ("epoll", 10_000, 4): 0.9, ("io_uring", 10_000, 4): 0.9}

Measured = dict[str, float]
Say = Callable[[str], None]


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
        terminals = fleet(max(CONNECTIONS))
        scripts = {count: _script(folder, count) for count in CONNECTIONS}
        figures = []
        with rig.spine():
            say("admitting terminals")
            rig.admit(terminals)
            for count in CONNECTIONS:
                for per_read in PER_READ:
                    say(f"gateway: {count:,} connections, {per_read} frame(s) a read")
                    figures += _compare(rig, generator, program, scripts[count], count, per_read, runs)
            say("gateway: latency")
            figures += _latency(rig, generator, scripts[max(CONNECTIONS)], runs, figures)
        return figures


def _script(folder: Path, count: int) -> Path:
    dice, start = Random(count), datetime(2026, 1, 5, tzinfo=UTC)  # noqa: S311 -- made-up traffic, no secret
    path = folder / f"script-{count}"
    write_script(path, ((login(one), list(positions(one, FRAMES_EACH, start, dice))) for one in fleet(count)))
    return path


def _compare(rig: Rig, generator: Path, program: Path, script: Path, count: int, per_read: int, runs: int) -> list[Figure]:
    rounds: dict[str, list[Measured]] = {"C": [], **{io: [] for io in LOOPS}}
    for _ in range(runs):
        with yardstick(program) as (port, pid):
            rounds["C"].append(generate(generator, script, port, pid, seconds=SECONDS, per_read=per_read))
        for io in LOOPS:
            with rig.gateway(io) as (port, pid):
                rounds[io].append(generate(generator, script, port, pid, seconds=SECONDS, per_read=per_read))
    subject = f"Gateway: {count:,} connections, {'one frame' if per_read == 1 else f'{per_read} frames'} a read"
    figures = [Figure(subject, "C, receive and answer only", "µs CPU a message", tuple(map(_cpu, rounds["C"])))]
    for io in LOOPS:
        bound = TARGETS.get((io, count, per_read))
        ratios = tuple(_cpu(c) / _cpu(ours) for c, ours in zip(rounds["C"], rounds[io], strict=True))
        figures += [
            Figure(subject, f"{io}: messages a core", "messages/s", tuple(1e6 / _cpu(run) for run in rounds[io])),
            Figure(subject, f"{io}: ratio to C", "", ratios, Target("at least", bound) if bound else None),
            Figure(subject, f"{io}: CPU in the kernel", "µs a message", tuple(run["system_us"] for run in rounds[io])),
            Figure(subject, f"{io}: CPU of ours", "µs a message", tuple(run["user_us"] for run in rounds[io])),
            Figure(
                subject, f"{io}: answered, two cores shared with load and spine", "messages/s", tuple(r["answered_s"] for r in rounds[io])
            ),
        ]
    return figures


def _latency(rig: Rig, generator: Path, script: Path, runs: int, figures: list[Figure]) -> list[Figure]:
    found = []
    for io in LOOPS:
        limit = next(f for f in reversed(figures) if f.name.startswith(f"{io}: answered") and "one frame" in f.subject).median
        measured = []
        for _ in range(runs):
            with rig.gateway(io) as (port, pid):
                measured.append(generate(generator, script, port, pid, seconds=SECONDS, rate=SHARE_OF_LIMIT * limit))
        subject = f"Gateway: acknowledgement at {SHARE_OF_LIMIT:.0%} of the limit, {max(CONNECTIONS):,} connections"
        found += [
            Figure(subject, f"{io}: half within", "ms", tuple(run["p50_ms"] for run in measured)),
            Figure(subject, f"{io}: 99 of 100 within", "ms", tuple(run["p99_ms"] for run in measured), Target("at most", 100)),
        ]
    return found


def _cpu(run: Measured) -> float:
    return run["user_us"] + run["system_us"]
