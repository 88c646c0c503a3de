"""Where the engine's files lie: the programs, its configuration, its spool, its secret."""

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import Settings

USER = "jilink"


class EngineMissing(Unavailable):
    """No engine is installed here."""


@dataclass(frozen=True, slots=True)
class Programs:
    """An unpacked or installed Asterisk and espeak-ng, below one root."""

    root: Path
    loader: Path | None
    """Its own dynamic loader; None where the machine's is right (root is /)."""
    libraries: Path

    def command(self, program: str) -> list[str]:
        """Return how a program below the root is started with the libraries below the root. Raises EngineMissing."""
        path = self.root / program
        if not path.is_file():
            raise EngineMissing(f"{program} is not in {self.root}; run: jilink voice install")
        if self.loader is None:
            return [str(path)]
        folders = [self.libraries, *sorted({file.parent for file in self.libraries.glob("*/lib*.so*")})]
        return [str(self.loader), "--library-path", ":".join(map(str, folders)), str(path)]

    @property
    def modules(self) -> Path:
        """The folder of Asterisk's modules."""
        return self.libraries / "asterisk" / "modules"


def folder(settings: Settings) -> Path:
    """Return the folder of everything about voice in this installation."""
    return settings.data / "voice"


def root(settings: Settings) -> Path:
    """Return where the programs are or will be."""
    return settings.engine_root


def is_installed(settings: Settings) -> bool:
    """Return whether there is an engine to run."""
    return (root(settings) / "usr/sbin/asterisk").is_file()


def programs(settings: Settings) -> Programs:
    """Return the installed programs. Raises EngineMissing."""
    base = root(settings)
    if not is_installed(settings):
        raise EngineMissing("no telephone engine is installed; run: jilink voice install")
    libraries = sorted(base.glob("usr/lib/*-linux-gnu*/asterisk/modules"))
    if not libraries:
        raise EngineMissing(f"{base} holds no modules of Asterisk; run: jilink voice install --again")
    loaders = [] if base == Path("/") else sorted([*base.glob("usr/lib*/ld-linux*.so*"), *base.glob("usr/lib/*/ld-linux*.so*")])
    return Programs(base, loaders[0] if loaders else None, libraries[0].parent.parent)


def speaking(settings: Settings) -> Programs:
    """Return where espeak-ng is: beside the engine, or the system's own where engines run elsewhere. Raises EngineMissing."""
    if is_installed(settings):
        return programs(settings)
    here = Path("/")
    libraries = sorted(path.parent for path in here.glob("usr/lib/*/espeak-ng-data"))
    if not (here / "usr/bin/espeak-ng").is_file():
        raise EngineMissing("there is no espeak-ng here to speak texts with; run: jilink voice install")
    return Programs(here, None, libraries[0] if libraries else here / "usr/share")


def secret(settings: Settings) -> str:
    """Return the secret of our own engine's interfaces, made once and readable by its owner alone."""
    path = folder(settings) / "secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f"secret.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(24))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # whoever comes first, also of two processes
        draft.unlink()
    return path.read_text().strip()
