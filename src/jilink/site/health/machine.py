"""The machine: Python, disk, memory, descriptors, kernel settings, io_uring, clock.

A terminal that is only connected costs one descriptor and about 6 kB (4 to 5 kB of it the kernel's), so a million of them
ask for 6 GB, a million descriptors and the kernel settings of `KERNEL`.
"""

import ctypes
import os
import platform
import resource
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from jilink.edges.terminals.loops.choice import io_uring_obstacle
from jilink.site.health.findings import Finding, Level, Wish

BYTES_PER_TERMINAL = 6_000
SPARE_DESCRIPTORS = 2_000
SYSCTL_FILE = "/etc/sysctl.d/60-jilink.conf"


class Need(NamedTuple):
    """A kernel setting: the least value for a number of terminals, and why."""

    name: str
    least: Callable[[int], int]
    why: str
    place: int = 0
    """Which of several values."""


KERNEL = (
    Need("fs.nr_open", lambda n: n + SPARE_DESCRIPTORS, "descriptors one process may be allowed"),
    Need("fs.file-max", lambda n: n + 10 * SPARE_DESCRIPTORS, "descriptors of the whole machine"),
    Need("net.core.somaxconn", lambda n: min(max(n // 20, 1024), 65_535), "connections that wait to be accepted, when all return at once"),
    Need("net.ipv4.tcp_max_syn_backlog", lambda n: min(max(n // 20, 512), 65_535), "connections half begun, when all return at once"),
    Need("net.netfilter.nf_conntrack_max", lambda n: n + n // 5, "connections the firewall follows; it drops the others"),
    Need("net.ipv4.tcp_mem", lambda n: max(n // 4, 50_000), "pages of 4 kB that all sockets may buffer", 2),
)
"""Checked by `jilink doctor --terminals N`; docs/capacity.md lists the values for a million."""


def python(wish: Wish) -> Iterator[Finding]:
    """Python's version."""
    good = sys.version_info >= (3, 11)
    yield Finding("Python", Level.OK if good else Level.FAIL, platform.python_version(), "" if good else "install Python 3.11 or newer")


def disk(wish: Wish) -> Iterator[Finding]:
    """Free space where the data lies; streams stop growing before the disk is full, and then nothing is acknowledged."""
    folder = wish.settings.data
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    level = Level.FAIL if free < 1 else Level.WARN if free < 10 else Level.OK
    yield Finding(
        "disk", level, f"{free:.1f} GB free at {folder}", "" if level is Level.OK else "free some, or set JILINK_DATA to another disk"
    )


def memory(wish: Wish) -> Iterator[Finding]:
    """Memory for the connections wished for, beside 2 GB for everything else."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    wanted = 2 + wish.terminals * BYTES_PER_TERMINAL / 1e9
    good = total >= wanted
    remedy = "" if good else f"{wish.terminals:,} terminals and the processes want {wanted:.0f} GB"
    yield Finding("memory", Level.OK if good else Level.WARN, f"{total:.1f} GB", remedy)


def descriptors(wish: Wish) -> Iterator[Finding]:
    """Descriptors a gateway worker may open; each holds its share of the terminals."""
    workers = wish.settings.terminals_workers or len(os.sched_getaffinity(0))
    wanted = wish.terminals // workers + SPARE_DESCRIPTORS
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    good = hard == resource.RLIM_INFINITY or hard >= wanted
    remedy = f"raise the hard limit to {wanted:,}: LimitNOFILE= in the systemd unit, or /etc/security/limits.conf"
    yield Finding("descriptors", Level.OK if good else Level.WARN, f"{hard:,} for each of {workers} workers", "" if good else remedy)


def kernel(wish: Wish) -> Iterator[Finding]:
    """Kernel settings that limit the number of connections; a missing one does not apply here."""
    for need in KERNEL:
        path = Path("/proc/sys") / need.name.replace(".", "/")
        try:
            value = int(path.read_text().split()[need.place])
        except OSError:
            continue
        least = need.least(wish.terminals)
        good = value >= least
        values = f"{least}" if not need.place else " ".join([*path.read_text().split()[: need.place], str(least)])
        remedy = f"{need.why}: put `{need.name} = {values}` into {SYSCTL_FILE}, then: sysctl --system"
        yield Finding(need.name, Level.OK if good else Level.WARN, f"{value:,}", "" if good else remedy)


def io_uring(wish: Wish) -> Iterator[Finding]:
    """Whether the faster way to the sockets works; without it the gateway uses epoll."""
    obstacle = io_uring_obstacle()
    if obstacle is None:
        yield Finding("io_uring", Level.OK, "works")
        return
    named = wish.settings.terminals_io == "io_uring"
    remedy = (
        "set JILINK_TERMINALS_IO=epoll"
        if named
        else "allow it (kernel.io_uring_disabled = 0, the container's seccomp profile); epoll is used until then"
    )
    yield Finding("io_uring", Level.FAIL if named else Level.WARN, obstacle, remedy)


class _Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2), as far as it is read here; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_char * 256),
    )


_STA_UNSYNC, _TIME_ERROR = 0x0040, 5


def clock(wish: Wish) -> Iterator[Finding]:
    """Whether something keeps the clock right; times of receipt come from it (adjtimex(2))."""
    state = _Timex()
    result = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(state))
    if result < 0:
        yield Finding("clock", Level.WARN, "the kernel does not say whether it is synchronised", "make sure that NTP runs on the host")
    elif result == _TIME_ERROR or state.status & _STA_UNSYNC:
        yield Finding("clock", Level.WARN, "not synchronised", "run an NTP service, for example: apt-get install systemd-timesyncd")
    else:
        yield Finding("clock", Level.OK, f"synchronised, error at most {state.maxerror / 1000:.0f} ms")
