"""What an operator may set: one frozen record, read once from the environment.

Every process takes a `Settings`; nothing else reads `os.environ`. The field comments are the reference page.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import quote

from jilink.kernel.errors import Refused

PREFIX = "JILINK_"
PROCESSES = ("spine", "terminals", "history", "watch", "relay", "web", "engine", "voice", "router")
"""The processes of one installation, in the order they start."""


class Readiness(NamedTuple):
    """Where a process says that it can do its work: a loopback port and a path that answers 200."""

    port: int
    path: str

    @property
    def url(self) -> str:
        """The whole address."""
        return f"http://127.0.0.1:{self.port}{self.path}"


class SettingsRefused(Refused):
    """An environment variable has a value that cannot be used."""


T = TypeVar("T")


def _setting(default: T, doc: str, *, words: tuple[str, ...] = ()) -> T:
    return field(default=default, metadata={"doc": doc, "words": words})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings with their embedded defaults. `JILINK_<NAME>` in the environment overrides a field."""

    data: Path = _setting(Path("~/.local/share/jilink"), "folder for everything this installation keeps")
    web: str = _setting("127.0.0.1:8080", "address and port of pages and API")
    web_origins: str = _setting("", "comma-separated public origins, for example https://fleet.example.cn")
    web_proxies: str = _setting(
        "127.0.0.1,::1",
        "addresses or networks of the proxies before the web port; what others say of a client's address and TLS is not believed",
    )
    database_url: str = _setting("", "PostgreSQL URL; empty means SQLite in the data folder")
    nats_url: str = _setting("", "NATS server or cluster; empty means the bundled server on loopback")
    nats_port: int = _setting(14222, "port of the bundled NATS server")
    history_url: str = _setting("", "object store URL of the history; empty means the data folder")
    history_commit_s: int = _setting(10, "seconds that positions gather before they are committed to the history together")
    history_days: int = _setting(0, "days that positions are kept for organisations without a rule of their own; 0 keeps them for ever")
    media_days: int = _setting(
        0, "days that photos, sound, video and attachments are kept for organisations without a rule of their own; 0 keeps them for ever"
    )
    terminals: str = _setting("0.0.0.0:7611,[::]:7611", "addresses the terminal gateway listens on")
    terminals_tls: str = _setting("", "addresses for terminals over TLS; needs the certificate")
    terminals_certificate: str = _setting("", "PEM file with certificate chain and key for terminals")
    terminals_workers: int = _setting(0, "gateway processes; 0 means one per core")
    terminals_io: str = _setting("auto", "auto, epoll or io_uring", words=("auto", "epoll", "io_uring"))
    terminals_login_s: int = _setting(60, "seconds a connection may take to authenticate before it is closed")
    terminals_alive_s: int = _setting(180, "seconds between the gateway's words to the watch that a connected terminal was heard of")
    terminals_idle_s: int = _setting(900, "seconds an authenticated terminal may be silent before its connection is closed as half-open")
    terminals_per_address: int = _setting(100_000, "connections one address may hold in one gateway worker; 0 means no limit")
    terminals_bytes_per_s: int = _setting(1_000_000, "bytes a second one terminal may send, averaged over 10 s; 0 means no limit")
    terminals_frames_per_s: int = _setting(2_000, "frames a second one terminal may send, averaged over 10 s; 0 means no limit")
    terminals_malformed_per_minute: int = _setting(60, "malformed frames a minute before a connection is closed; 0 means no limit")
    terminals_join_s: int = _setting(10, "seconds without a package of a longer message before the missing ones are asked for again")
    terminals_flush_ms: int = _setting(40, "milliseconds that messages gather before they are published as one batch")
    terminals_retry_s: int = _setting(30, "seconds an unconfirmed batch is tried again before terminals are told it failed")
    terminals_unconfirmed: int = _setting(64, "batches a gateway worker may have unconfirmed before it stops reading")
    attachments: str = _setting("0.0.0.0:7612", "address for active-safety attachment uploads")
    attachments_host: str = _setting("127.0.0.1", "host name or address that terminals are told to upload attachments to")
    voice_sip: str = _setting("127.0.0.1:5060", "addresses where the telephone engine speaks SIP with phones and trunks, over UDP and TCP")
    voice_rtp: str = _setting("20000-24000", "UDP ports of the telephone engine's sound, first and last; four a call at the most")
    voice_external: str = _setting("", "address by which phones and trunks outside reach the telephone engine, where a router translates")
    voice_wss: str = _setting("", "address and port of the secure WebSocket of browser phones; empty: none but on loopback")
    voice_certificate: str = _setting("", "PEM file with certificate chain and key for browser phones; empty: one made and signed here")
    voice_http_port: int = _setting(14088, "loopback port of the telephone engine's own interface and of the plain WebSocket of phones")
    voice_manager_port: int = _setting(14038, "loopback port of the telephone engine's manager interface")
    voice_root: str = _setting("", "folder the telephone engine is installed below, / for the system's own; empty: in the data folder")
    voice_nodes: str = _setting("", "other Asterisk servers in place of our own, like east=http://10.1.0.5:8088,west=http://10.1.0.6:8088")
    voice_secret_file: str = _setting("", "file that only its owner may read with the secret of the user jilink on other Asterisk servers")
    silence_s: int = _setting(
        60, "seconds that a process may not answer on its health page before `jilink up` kills and restarts it; 0 means never"
    )
    api_per_minute: int = _setting(1200, "requests a minute that one token or person may make to the API; 0 means no limit")
    api_strangers_per_minute: int = _setting(
        60, "requests a minute that one address may make to the API without being let in; 0 means no limit"
    )
    webhooks_allow: str = _setting("", "private networks that webhooks may reach, also without TLS, like 10.1.0.0/16,10.2.3.4/32")
    health_port: int = _setting(14300, "first of the loopback ports that serve /healthz, /readyz and /metrics, one a process; 0 means none")
    identity_keys: str = _setting(
        "", "keys that seal identity numbers, id:base64 with commas between, the last one seals; empty means a file in the data folder"
    )
    oidc_issuer: str = _setting(
        "", "issuer of the single sign-on by OpenID Connect, like https://id.example.cn/realms/city; empty means none"
    )
    oidc_client: str = _setting("", "client id of this installation at the single sign-on")
    oidc_secret: str = _setting("", "client secret at the single sign-on; better in a file")
    oidc_secret_file: str = _setting("", "file that only its owner may read with the client secret at the single sign-on")
    oidc_name: str = _setting("", "name of the single sign-on on the page for signing in")
    smtp_host: str = _setting("", "mail server for letters about unread notifications; empty means that no letter is ever sent")
    smtp_port: int = _setting(587, "port of the mail server")
    smtp_security: str = _setting(
        "starttls",
        "how the way to the mail server is protected: starttls, tls (from the first byte) or none",
        words=("starttls", "tls", "none"),
    )
    smtp_user: str = _setting("", "name to sign in with at the mail server; empty means without")
    smtp_password_file: str = _setting("", "file that only its owner may read with the password for the mail server")
    mail_from: str = _setting("", "sender of letters, like Jilink <jilink@example.cn>; needed where a mail server is set")
    two_factors: str = _setting(
        "required", "whether operators, owners and supervisors must set up a second factor before anything else", words=("required", "off")
    )
    language: str = _setting("zh-hans", "language of pages before a person chooses: zh-hans or en", words=("zh-hans", "en"))
    log_format: str = _setting("console", "console or json", words=("console", "json"))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Return the settings in force. Raises SettingsRefused naming the variable and what is wrong with it."""
        source = os.environ if environment is None else environment
        values: dict[str, object] = {}
        for spec in fields(cls):
            name = PREFIX + spec.name.upper()
            if name not in source:
                continue
            text = source[name]
            if spec.metadata["words"] and text not in spec.metadata["words"]:
                raise SettingsRefused(f"{name} must be one of {', '.join(spec.metadata['words'])}, not {text!r}")
            if isinstance(spec.default, int):
                if not text.isdecimal():
                    raise SettingsRefused(f"{name} must be a whole number, not {text!r}")
                values[spec.name] = int(text)
            else:
                values[spec.name] = Path(text) if isinstance(spec.default, Path) else text
        values["data"] = Path(str(values.get("data", cls.__dataclass_fields__["data"].default))).expanduser().resolve()
        return cls(**values)  # type: ignore[arg-type]  # -- each value was converted to its field's type above

    def health(self, process: str, worker: int = 0) -> int:
        """Return the loopback port of one process's health pages; 0 where they are off or the process has none.

        Ports are `health_port` plus the process's place in `PROCESSES`; gateway workers follow from plus 10.
        """
        if not self.health_port or process not in PROCESSES:
            return 0
        return self.health_port + (10 + worker - 1 if worker else PROCESSES.index(process))

    def readiness(self, process: str) -> Readiness | None:
        """Return where a process answers whether it is ready; None where its pages are off or it does not run here (`absent`).

        The spine is nats-server, which has a page of its own (its documentation, "Monitoring").
        """
        port = self.health(process)
        if not port or self.absent(process):
            return None
        return Readiness(port, "/healthz" if process == "spine" else "/readyz")

    def liveness(self, process: str) -> Readiness | None:
        """Return where a process answers as long as it runs and its work goes round, ready or not; None where `readiness` is None."""
        place = self.readiness(process)
        return place and Readiness(place.port, "/" if process == "spine" else "/healthz")

    def absent(self, process: str) -> str:
        """Return why a process does not run beside these settings; "" where it does."""
        if process == "spine":
            return "JILINK_NATS_URL names another server" if self.nats_url else ""
        if process == "engine" and self.voice_nodes:
            return "JILINK_VOICE_NODES names other servers"
        if process in ("engine", "voice", "router") and not (self.voice_nodes or (self.engine_root / "usr/sbin/asterisk").is_file()):
            return "no telephone engine is installed; for calls run: jilink voice install"
        return ""

    @property
    def engine_root(self) -> Path:
        """The folder below which the telephone engine's programs are or will be."""
        return Path(self.voice_root).expanduser() if self.voice_root else self.data / "voice" / "root"

    @property
    def spine_url(self) -> str:
        """The NATS URL in force, with the generated password of the bundled server."""
        if self.nats_url:
            return self.nats_url
        path = self.data / "spine" / "password"
        password = path.read_text().strip() if path.exists() else ""
        return f"nats://jilink:{quote(password, safe='')}@127.0.0.1:{self.nats_port}"


def addresses(text: str) -> list[tuple[str, int]]:
    """Split ``host:port,[v6]:port`` into pairs. Raises SettingsRefused where a part has no port."""
    pairs = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        host, _, port = part.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:
            raise SettingsRefused(f"{part!r} is not an address with a port, like 0.0.0.0:7611 or [::]:7611")
        pairs.append((host.strip("[]"), int(port)))
    return pairs
