"""What an idle connection costs in memory, ours and the kernel's, with as many connections as the descriptor limit allows.

Both ends of a connection are on this machine. Ours is the growth of the gateway workers' anonymous memory (their share of it; programs and
libraries, which others on the machine share more or less of, are left out): for a connection in the worker that holds it, and for its
admission and token in all workers, since each mirrors them all. The kernel's is the growth
of socket buffers and of those slabs that got at least one object for every second connection, so that other work on the machine hardly
counts (of all slabs together, where /proc/slabinfo is for root alone). The terminals' part of that is what plain C, measured first with
epoll at both ends, has for one end. Half of the admissions and of the connections come before the first look, so that what slabs and heaps
still held free from earlier work is used up.
"""

import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from jilink.simulator.load import build, write_script
from jilink.simulator.load.fleet import LoadTerminal, fleet, login
from jilink.site.bench.figures import Figure, Target
from jilink.site.bench.gateway import LOOPS, yardstick
from jilink.site.bench.rig import Rig, RigFailed

WORKERS = 2
SPARE_DESCRIPTORS = 1_000
MOST_EACH = 50_000
SETTLE_S = 2.0
SETTLE_WITHIN_S = 30.0
SETTLED_BYTES = 200_000
STRANGERS = 0.02
"""Sockets of others, as a share of ours, that may come or go while memory is measured."""
HOLD_S = 600
MILLION = 1_000_000
ALL_SLABS = "all"
FILE_SLABS = ("ext4_", "xfs_", "btrfs_", "jbd2_", "buffer_head", "radix_tree_node")
"""Slabs of file systems, which no socket uses."""
LISTED, OF_LISTED = "proc_inode_cache", ("dentry", "lsm_inode_cache")
"""Whoever lists a process's descriptors under /proc, as monitoring does, makes an inode for each, with one of these; the kernel takes them
back when it needs the room, and they are no part of the connection."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Memory:
    """What is in use: objects by slab (name and bytes an object), bytes of socket buffers, bytes of the processes asked for."""

    sockets: int
    slabs: dict[tuple[str, int], int]
    buffers: int
    ours: int


def measure(runs: int, say: Say, *, most: int = MOST_EACH) -> list[Figure]:
    """Return the figures of memory; each loop is measured once, since what is counted hardly varies with `runs`."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    each = min(limit - SPARE_DESCRIPTORS, most)
    terminals = fleet(each * WORKERS)
    with tempfile.TemporaryDirectory(prefix="jilink-bench-") as name:
        folder = Path(name)
        generator, program = build(folder)
        say(f"memory: {each:,} connections of plain C, for comparison")
        with yardstick(program) as (port, pid):
            plain, _ = _grown(generator, folder, [[(b"", []) for _ in range(each // 2)]] * 2, port, [pid])
        one_end = plain / 2
        subject = f"Memory of an idle connection ({each * WORKERS:,} in {WORKERS} worker processes)"
        figures = [Figure(subject, "plain C, epoll: the kernel's, one end", "bytes", (one_end,))]
        rig = Rig(folder / "data")
        with rig.spine():
            say(f"memory: admitting {len(terminals):,} terminals")
            mirrored = _mirrored(rig, terminals)
            figures.append(Figure(subject, f"ours, for its admission and token in {WORKERS} workers", "bytes", (mirrored,)))
            for io in LOOPS:
                say(f"memory: {len(terminals):,} idle connections with {io}")
                figures += _of_loop(rig, generator, folder, terminals, io, subject, one_end, mirrored)
    return figures


def _mirrored(rig: Rig, terminals: Sequence[LoadTerminal]) -> float:
    """Admit the terminals; return the bytes that one of the second half takes in all workers together."""
    half = len(terminals) // 2
    rig.admit(terminals[:half])
    with rig.workers(LOOPS[0], WORKERS) as (_, pids):
        before = _settled(pids)
        rig.admit(terminals[half:])
        after = _settled(pids)
    return (after.ours - before.ours) / (len(terminals) - half)


def _of_loop(
    rig: Rig,
    generator: Path,
    folder: Path,
    terminals: Sequence[LoadTerminal],
    io: str,
    subject: str,
    one_end: float,
    mirrored: float,
) -> list[Figure]:
    each = len(terminals) // WORKERS
    shares: list[list[tuple[bytes, list[bytes]]]] = [
        [(login(one), []) for one in terminals[n * each : (n + 1) * each]] for n in range(WORKERS)
    ]
    with rig.workers(io, WORKERS) as (port, pids):
        both_ends, ours = _grown(generator, folder, shares, port, pids)
    kernel = both_ends - one_end
    connection, ours = ours, ours + mirrored
    return [
        Figure(subject, f"{io}: ours, for the connection", "bytes", (connection,)),
        Figure(subject, f"{io}: the kernel's", "bytes", (kernel,)),
        Figure(subject, f"{io}: together", "bytes", (ours + kernel,), Target("at most", 6_000)),
        Figure(subject, f"{io}: a million would take", "GB", ((ours + kernel) * MILLION / 1e9,), Target("at most", 6)),
    ]


def _grown(
    generator: Path, folder: Path, shares: Sequence[list[tuple[bytes, list[bytes]]]], port: int, pids: Sequence[int]
) -> tuple[float, float]:
    """Return the bytes a connection (the kernel's for both ends, the processes') while the second half of these shares is connected too."""
    half = len(shares) // 2
    with ExitStack() as stack:
        before = _settled(pids)
        for number, share in enumerate(shares):
            script = folder / f"hold-{number}"
            write_script(script, share)
            stack.enter_context(_held(generator, script, port, len(share)))
            if number + 1 == half:
                before = _settled(pids)
        after = _settled(pids)
    count = sum(map(len, shares[half:]))
    strangers = after.sockets - before.sockets - 2 * count
    if abs(strangers) > count * STRANGERS:
        raise RigFailed(f"{abs(strangers):,} other sockets came or went meanwhile; measure again on a quiet machine")
    slabs = {key: objects - before.slabs.get(key, 0) for key, objects in after.slabs.items()}
    listed = max(0, sum(grown for (name, _), grown in slabs.items() if name == LISTED))
    slabs = {(name, size): grown - listed * (name in OF_LISTED) for (name, size), grown in slabs.items() if name != LISTED}
    in_slabs = sum(size * grown for (name, size), grown in slabs.items() if name == ALL_SLABS or grown >= count / 2)
    return (in_slabs + after.buffers - before.buffers) / count, (after.ours - before.ours) / count


@contextmanager
def _held(generator: Path, script: Path, port: int, count: int) -> Iterator[None]:
    """Keep a script's terminals connected. Raises RigFailed where one is lost or refused."""
    words = [str(generator), str(port), str(HOLD_S), "0", "1", "0", str(script), "hold"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said = process.stdout.readline() if process.stdout else ""
        if f'"held": {count}, "lost": 0' not in said:
            process.kill()
            raise RigFailed(f"not every connection was held: {said.strip()} {process.stderr.read().strip() if process.stderr else ''}")
        yield
    finally:
        process.kill()
        process.communicate()


def _settled(pids: Sequence[int]) -> Memory:
    """Return what is in use once the processes have stopped growing: admissions are read, sessions are written down."""
    deadline = time.monotonic() + SETTLE_WITHIN_S
    last = _memory(pids)
    while True:
        time.sleep(SETTLE_S)
        found = _memory(pids)
        if abs(found.ours - last.ours) < SETTLED_BYTES or time.monotonic() > deadline:
            return found
        last = found


def _memory(pids: Sequence[int]) -> Memory:
    """Return what is in use now."""
    tcp = Path("/proc/net/sockstat").read_text().split("TCP:")[1].split()
    buffers = int(tcp[tcp.index("mem") + 1]) * resource.getpagesize()
    ours_kib = sum(int(Path(f"/proc/{pid}/smaps_rollup").read_text().split("\nPss_Anon:")[1].split()[0]) for pid in pids)
    return Memory(int(tcp[tcp.index("inuse") + 1]), _slabs(), buffers, ours_kib * 1024)


def _slabs() -> dict[tuple[str, int], int]:
    try:
        rows = [line.split() for line in Path("/proc/slabinfo").read_text().splitlines()[2:]]
    except PermissionError:
        slab_kib = int(Path("/proc/meminfo").read_text().split("\nSlab:")[1].split()[0])
        return {(ALL_SLABS, 1024): slab_kib}
    return {(row[0], int(row[3])): int(row[1]) for row in rows if not row[0].startswith(FILE_SLABS)}
