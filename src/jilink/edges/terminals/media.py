"""Photos, sound and video of terminals (0x0800, 0x0801): checked, stored, then answered with 0x8800 (JT/T 808-2019, 8.51-8.53)."""

import hashlib
from datetime import datetime

from jilink.edges.terminals import metrics
from jilink.edges.terminals.connections import Terminal
from jilink.edges.terminals.events import Teller
from jilink.edges.terminals.gateway import Gateway
from jilink.edges.terminals.link import Link
from jilink.protocols.jt808 import media as declared
from jilink.spine.terminals import MediaStored

KINDS = {0: "image", 1: "audio", 2: "video"}
CONTENT_TYPES = {0: "image/jpeg", 1: "image/tiff", 2: "audio/mpeg", 3: "audio/wav", 4: "video/x-ms-wmv"}
SUFFIXES = {0: "jpg", 1: "tif", 2: "mp3", 3: "wav", 4: "wmv"}
MOST_BYTES = 64 << 20
"""Recordings on their way to the object store in one worker; beyond it a terminal is told nothing and tries again."""


def object_name(organisation: int, asset: int, at: datetime, sha256: str, suffix: str) -> str:
    """Return where a file lies in the object store: by owner, asset and day, named by its content."""
    return f"{organisation}/{asset}/{at:%Y%m%d}/{sha256[:32]}.{suffix}"


class Media:
    """Stores whole recordings. The same recording sent twice is stored once, because its content is its name."""

    def __init__(self, gateway: Gateway, link: Link, teller: Teller) -> None:
        self._gateway, self._link, self._teller = gateway, link, teller
        self._bytes = 0

    def store(self, terminal: Terminal, message: declared.MediaUpload | declared.MediaUpload2011) -> None:
        """Store one recording, tell of it, then answer that it is complete."""
        gateway, owner, data = self._gateway, terminal.admission, message.data
        if owner is None or self._bytes + len(data) > MOST_BYTES:
            return
        sha256 = hashlib.sha256(data).hexdigest()
        name = object_name(owner.organisation, owner.asset, gateway.now(), sha256, SUFFIXES.get(message.format, "bin"))
        fix = message.position if isinstance(message, declared.MediaUpload) else None
        positioned = fix is not None and bool(fix.status & 2)
        event = MediaStored(
            asset=owner.asset,
            name=name,
            kind=KINDS.get(message.type, "other"),
            content_type=CONTENT_TYPES.get(message.format, "application/octet-stream"),
            size=len(data),
            sha256=sha256,
            cause=declared.EVENTS.get(message.event, f"event {message.event}"),
            channel=message.channel,
            media_id=message.media,
            measured_at=fix.measured_at if fix else None,
            latitude=fix.latitude if fix and positioned else None,
            longitude=fix.longitude if fix and positioned else None,
        )
        self._bytes += len(data)

        def told(stored: bool) -> None:
            self._bytes -= len(data)
            if stored and gateway.connections.current(terminal.fd, terminal.generation):
                metrics.MEDIA.labels(event.kind).inc()
                self._link.media_answer(terminal, message.media)

        def put(error: Exception | None) -> None:
            if error is not None:
                told(False)
            else:
                self._teller.tell(event, owner.organisation, told, occurred_at=event.measured_at)

        gateway.spine.put_object_soon(name, data, lambda error: gateway.post(lambda: put(error)))
