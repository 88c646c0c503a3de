"""Installs the engine without root: Debian's packages, resolved and checked by apt-get in folders of its own, unpacked with dpkg-deb.

The mirror is the one in the machine's own apt sources. What was tested is pinned by name, version and SHA-256 in `pins.json`; Debian's
testing suite keeps only the newest of each, so where the mirror has moved on the operator decides, and what was taken is recorded.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from jilink.edges.voice.engine import places
from jilink.kernel.errors import Refused, Unavailable
from jilink.kernel.settings import Settings

WANTED = ("asterisk", "espeak-ng")
PINS = Path(__file__).with_name("pins.json")
RECORD = "jilink-packages.json"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ELSEWHERE = "install Asterisk 22 and espeak-ng by your system's means and set JILINK_VOICE_ROOT=/, or name servers in JILINK_VOICE_NODES"

Say = Callable[[str], None]


class CannotInstall(Unavailable):
    """The packages cannot be had here now."""


class OtherVersions(Refused):
    """The mirror has other versions than those that were tested."""


class Package(msgspec.Struct, frozen=True, order=True):
    """One package as the mirror has it."""

    name: str
    version: str
    sha256: str


class Pins(msgspec.Struct, frozen=True):
    """What was tested together."""

    suite: str
    architecture: str
    packages: tuple[Package, ...]


@dataclass(frozen=True, slots=True)
class Mirror:
    """A Debian mirror as the machine's apt knows it."""

    address: str
    keyring: str


def pins() -> Pins:
    """Return what was tested."""
    return msgspec.json.decode(PINS.read_bytes(), type=Pins)


def installed(settings: Settings) -> tuple[Package, ...]:
    """Return what `install` put there; empty where it did not."""
    try:
        return msgspec.json.decode((places.root(settings) / RECORD).read_bytes(), type=tuple[Package, ...])
    except (OSError, msgspec.DecodeError):
        return ()


def install(settings: Settings, say: Say, *, accept_newer: bool = False, again: bool = False) -> bool:
    """Install the engine; return False where it was there already. Raises CannotInstall, OtherVersions."""
    root = places.root(settings)
    if places.is_installed(settings) and not again:
        return False
    if root == Path("/"):
        raise CannotInstall(f"JILINK_VOICE_ROOT is /, but there is no asterisk: {ELSEWHERE}")
    for program in ("apt-get", "dpkg-deb", "dpkg"):
        if shutil.which(program) is None:
            raise CannotInstall(f"this machine has no Debian packages ({program} is missing): {ELSEWHERE}")
    scratch = root.with_name(root.name + ".apt")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        _install(root, scratch, say, accept_newer)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return True


def _install(root: Path, scratch: Path, say: Say, accept_newer: bool) -> None:
    tested = pins()
    apt = _Apt(scratch, find_mirror(Path("/etc/apt")), tested.suite)
    say(f"reading the package lists of Debian {tested.suite}")
    apt.run("update")
    found = apt.resolve()
    say(f"{len(found)} packages are needed")
    _compare(found, tested, apt.architecture, accept_newer, say)
    say("downloading them (about 80 MB)")
    apt.run("install", "--yes", "--download-only", "--no-install-recommends", *WANTED)
    files = sorted((scratch / "cache/archives").glob("*.deb"))
    _verify(files, found)
    fresh = root.with_name(root.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    for number, file in enumerate(files, 1):
        _command(["dpkg-deb", "--extract", str(file), str(fresh)])
        if number % 40 == 0 or number == len(files):
            say(f"unpacked {number} of {len(files)}")
    for useless in ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/include"):
        shutil.rmtree(fresh / useless, ignore_errors=True)
    (fresh / RECORD).write_bytes(msgspec.json.format(msgspec.json.encode(sorted(found))))
    old = root.with_name(root.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if root.exists():
        root.rename(old)
    fresh.rename(root)
    shutil.rmtree(old, ignore_errors=True)


def _compare(found: tuple[Package, ...], tested: Pins, architecture: str, accept_newer: bool, say: Say) -> None:
    if architecture == tested.architecture and sorted(found) == sorted(tested.packages):
        return say("all are those that were tested")
    known = {one.name: one for one in tested.packages}
    other = [f"{one.name} {one.version}" for one in found if known.get(one.name) != one]
    told = ", ".join(sorted(other, key=lambda text: (not text.startswith(WANTED), text))[:4])
    if not accept_newer:
        raise OtherVersions(
            f"Debian has other packages than were tested ({len(other)} of {len(found)} differ: {told}); "
            f"to take them run: jilink voice install --accept-newer (what was taken is kept in {RECORD})"
        )
    say(f"{len(other)} packages are other than those that were tested ({told}); taken, because you said so")


def _verify(files: list[Path], found: tuple[Package, ...]) -> None:
    wanted = {one.sha256 for one in found}
    have = {hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    if have != wanted:
        raise CannotInstall(f"{len(wanted - have)} packages were not downloaded as they should; try again")


def find_mirror(folder: Path) -> Mirror:
    """Return Debian's main archive from apt's sources (sources.list(5), both formats). Raises CannotInstall."""
    for path in sorted((folder / "sources.list.d").glob("*.sources")):
        for stanza in path.read_text(errors="replace").split("\n\n"):
            fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.+)$", stanza, re.MULTILINE))
            if _is_debian(fields.get("URIs", ""), fields.get("Components", "")):
                return Mirror(fields["URIs"].split()[0], fields.get("Signed-By", KEYRING).strip())
    for path in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.list"))]:
        if path.exists():
            for options, address, components in re.findall(
                r"^deb\s+(\[[^]]*\]\s+)?(\S+)\s+\S+\s+(.+)$", path.read_text(errors="replace"), re.MULTILINE
            ):
                if _is_debian(address, components):
                    signed = re.search(r"signed-by=([^\s\]]+)", options)
                    return Mirror(address, signed[1] if signed else KEYRING)
    raise CannotInstall(f"apt's sources name no mirror of Debian: {ELSEWHERE}")


def _is_debian(addresses: str, components: str) -> bool:
    first = (addresses.split() or [""])[0].rstrip("/")
    return first.endswith("/debian") and "main" in components.split()


class _Apt:
    """apt-get with lists, cache and state of its own, and the machine's configuration else (its proxy, for example)."""

    def __init__(self, scratch: Path, mirror: Mirror, suite: str) -> None:
        self._scratch = scratch
        for name in ("lists/partial", "cache/archives/partial", "etc"):
            (scratch / name).mkdir(parents=True, mode=0o700)
        (scratch / "status").touch()
        keyring = mirror.keyring if Path(mirror.keyring).exists() else KEYRING
        source = scratch / "etc/debian.sources"
        source.write_text(f"Types: deb\nURIs: {mirror.address}\nSuites: {suite}\nComponents: main\nSigned-By: {keyring}\n")
        self._options = {
            "Dir::Etc::sourcelist": source,
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::State": scratch,
            "Dir::State::lists": scratch / "lists",
            "Dir::State::status": scratch / "status",
            "Dir::State::extended_states": scratch / "extended",
            "Dir::Cache": scratch / "cache",
            "Debug::NoLocking": "1",
            "APT::Get::List-Cleanup": "0",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Acquire::ForceHash": "SHA256",
        }
        if os.geteuid() == 0:
            self._options["APT::Sandbox::User"] = "root"
        self.architecture = _command(["dpkg", "--print-architecture"]).strip()

    def run(self, *arguments: str) -> str:
        """Run apt-get and return what it says. Raises CannotInstall with its own last words."""
        options = [word for name, value in self._options.items() for word in ("-o", f"{name}={value}")]
        return _command(["apt-get", *options, "-qq", *arguments])

    def resolve(self) -> tuple[Package, ...]:
        """Return every package that is needed, as the mirror has it."""
        said = self.run("install", "--yes", "--no-install-recommends", "--print-uris", *WANTED)
        found = [
            Package(name.partition("_")[0], _plain(name.split("_")[1]), sha)
            for name, sha in re.findall(r"^'[^']*' (\S+\.deb) \d+ SHA256:([0-9a-f]{64})", said, re.MULTILINE)
        ]
        if not {one.name for one in found} >= set(WANTED):
            raise CannotInstall(f"the mirror's suite lacks {', '.join(WANTED)}")
        return tuple(sorted(found))


def _plain(version: str) -> str:
    return version.replace("%3a", ":").replace("%2b", "+").replace("%7e", "~")


def _command(words: list[str]) -> str:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise CannotInstall(f"{words[0]} failed: {last}")
    return done.stdout
