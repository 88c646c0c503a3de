"""Which engines there are, and how to reach them."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from jilink.edges.voice.engine import places
from jilink.kernel.settings import Settings, SettingsRefused
from jilink.spine.calls.states import OWN

MANAGER_PORT = 5038


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One engine: ARI at `url`, the manager interface at `manager`, both with one name and secret."""

    name: str
    url: str
    manager: tuple[str, int]
    user: str
    secret: str


def nodes(settings: Settings) -> list[Node]:
    """Return the engines of the settings, or else our own. Raises SettingsRefused."""
    if not settings.voice_nodes:
        return [
            Node(
                name=OWN,
                url=f"http://127.0.0.1:{settings.voice_http_port}",
                manager=("127.0.0.1", settings.voice_manager_port),
                user=places.USER,
                secret=places.secret(settings),
            )
        ]
    if not settings.voice_secret_file:
        raise SettingsRefused("JILINK_VOICE_NODES needs JILINK_VOICE_SECRET_FILE, a file with the secret of the user jilink there")
    secret = Path(settings.voice_secret_file).expanduser().read_text().strip()
    return [_node(part.strip(), secret) for part in settings.voice_nodes.split(",") if part.strip()]


def _node(text: str, secret: str) -> Node:
    name, _, url = text.partition("=")
    parts = urlsplit(url)
    if not name.isalnum() or parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsRefused(f"JILINK_VOICE_NODES: {text!r} is not like east=http://10.1.0.5:8088")
    return Node(name=name, url=url.rstrip("/"), manager=(parts.hostname, MANAGER_PORT), user=places.USER, secret=secret)
