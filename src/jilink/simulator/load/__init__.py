"""Load beyond what Python can make: a generator and a yardstick in C, built on the spot.

The generator replays a script that is written here with the declared messages, so it speaks exactly what a terminal speaks.
"""

import shutil
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from jilink.kernel.errors import Refused

HERE = Path(__file__).parent


class CompilerMissing(Refused):
    """There is no C compiler to build the load generator with."""


def compiler() -> str:
    """Return the path of the C compiler. Raises CompilerMissing without gcc or cc."""
    found = shutil.which("gcc") or shutil.which("cc")
    if found is None:
        raise CompilerMissing("the bench compares with a server in C and needs a compiler: apt-get install gcc libc6-dev")
    return found


def build(folder: Path) -> tuple[Path, Path]:
    """Compile into `folder` and return the paths of (generator, yardstick). Raises CompilerMissing without gcc or cc."""
    folder.mkdir(parents=True, exist_ok=True)
    built = []
    for name in ("generator", "yardstick"):
        program = folder / name
        subprocess.run([compiler(), "-O2", "-o", str(program), str(HERE / f"{name}.c")], check=True)
        built.append(program)
    return built[0], built[1]


def write_script(path: Path, terminals: Iterable[tuple[bytes, list[bytes]]]) -> int:
    """Write the generator's script: for each terminal its login frame (may be empty) and its position frames, all wire bytes.

    Returns the number of terminals. Little endian; the layout stands at the head of generator.c.
    """
    count = 0
    with path.open("wb") as file:
        file.write(struct.pack("<I", 0))
        for login, frames in terminals:
            file.write(struct.pack("<H", len(login)) + login + struct.pack("<H", len(frames)))
            for frame in frames:
                file.write(struct.pack("<H", len(frame)) + frame)
            count += 1
        file.seek(0)
        file.write(struct.pack("<I", count))
    return count
