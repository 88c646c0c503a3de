"""The attachment server of active safety: terminals upload the photos and videos of an alarm here (T/JSATL 12-2017, 4.7).

A terminal was told a random alarm number by message 0x9208; that number is its right to upload, looked up in the bucket
`subjects.UPLOADS`. A file is answered as complete (0x9212) only once it lies in the object store and its event is stored.
"""

import asyncio
import contextlib
import hashlib
import signal
from collections.abc import Callable
from datetime import datetime

import msgspec
import structlog

from jilink.edges.terminals import metrics
from jilink.edges.terminals.events import plain
from jilink.edges.terminals.listeners import listen
from jilink.edges.terminals.media import object_name
from jilink.edges.terminals.session import Result
from jilink.edges.terminals.uploads import Block, Demultiplexer, File, StreamBroken, Upload, UploadRefused, clean_name
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Malformed, Unavailable
from jilink.kernel.ids import OrganisationId
from jilink.kernel.settings import Settings, addresses
from jilink.protocols.jt808.codec import Decoded, decode_frame, encode_message
from jilink.protocols.jt808.general import PlatformAnswer
from jilink.protocols.jt808.header import Header
from jilink.protocols.jt808.message import Message
from jilink.protocols.jt808.safety import AttachmentEnd, AttachmentEndAnswer, AttachmentList, AttachmentStart, Gap
from jilink.spine import events, subjects
from jilink.spine.client import Spine, connect
from jilink.spine.records import UploadTicket
from jilink.spine.terminals import MediaStored

log = structlog.get_logger(__name__)

FIRST_S = 15.0
"""How long a connection may take to say which alarm it is about."""
IDLE_S = 60.0
BEAT_S = 0.5
MOST_CONNECTIONS = 1000
MOST_HELD = 512 << 20
"""Bytes of unfinished files in memory."""

KINDS = {0: "image", 1: "audio", 2: "video", 3: "text", 4: "other"}
TYPES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "mp4": "video/mp4",
    "h264": "video/h264",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "txt": "text/plain",
}


def run(settings: Settings, beat: Callable[[], None]) -> None:
    """Serve until SIGTERM, which also ends the wait for a spine that does not answer; `beat` is called as long as the loop goes round."""
    asyncio.run(_until_stopped(settings, beat))


async def _until_stopped(settings: Settings, beat: Callable[[], None]) -> None:
    beating = asyncio.create_task(_keep(beat))
    serving = asyncio.ensure_future(_serve(settings))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving
    beating.cancel()


async def _keep(beat: Callable[[], None]) -> None:
    while True:
        beat()
        await asyncio.sleep(BEAT_S)


async def _serve(settings: Settings) -> None:
    async with connect(settings, name="attachments") as spine:
        server = AttachmentServer(spine)
        log.info("attachments_start", listens=settings.attachments)
        listeners = [await asyncio.start_server(server.serve, sock=sock) for sock in listen(addresses(settings.attachments))]
        try:
            await asyncio.get_running_loop().create_future()  # until SIGTERM
        finally:
            for listener in listeners:
                listener.close()
            server.close()


class AttachmentServer:
    """All connections of the attachment port."""

    def __init__(self, spine: Spine) -> None:
        self.spine = spine
        self.held = 0
        self._open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end. Nothing a device sends raises."""
        if len(self._open) >= MOST_CONNECTIONS:
            writer.close()
            return
        self._open.add(writer)
        connection = _Connection(self, writer)
        reason = "peer"
        try:
            reason = await connection.run(reader)
        except (Malformed, UploadRefused, Unavailable, OSError, TimeoutError) as error:
            reason = error.reason if isinstance(error, Malformed) else type(error).__name__
        finally:
            connection.release()
            self._open.discard(writer)
            writer.close()
            metrics.CLOSED.labels(f"attachment_{reason}").inc()

    def close(self) -> None:
        """End every connection; terminals upload again what was not answered."""
        for writer in self._open:
            writer.close()


class _Connection:
    def __init__(self, server: AttachmentServer, writer: asyncio.StreamWriter) -> None:
        self._server, self._writer = server, writer
        self._stream = Demultiplexer()
        self._upload: Upload | None = None
        self._ticket: UploadTicket | None = None
        self._serial = 0
        self._held = 0

    async def run(self, reader: asyncio.StreamReader) -> str:
        while True:
            async with asyncio.timeout(IDLE_S if self._upload else FIRST_S):
                data = await reader.read(65_536)
            if not data:
                return "peer"
            for piece in self._stream.feed(data):
                if isinstance(piece, Block):
                    self._take_block(piece)
                else:
                    await self._take_frame(piece)

    def release(self) -> None:
        self._server.held -= self._held
        self._held = 0

    def _take_block(self, block: Block) -> None:
        if self._upload is None:
            raise StreamBroken("block_before_list")
        self._upload.add(block)

    async def _take_frame(self, frame: bytes) -> None:
        decoded = decode_frame(frame)
        message = decoded.fields
        if isinstance(message, AttachmentList):
            await self._begin(decoded, message)
        elif isinstance(message, AttachmentStart) and self._upload:
            self._upload.open(clean_name(message.name), message.type, message.size_bytes)
            self._reserve(message.size_bytes)
            await self._answer(decoded, Result.SUCCESS)
        elif isinstance(message, AttachmentEnd) and self._upload and self._ticket:
            await self._finish(decoded, message, self._upload, self._ticket)
        else:
            await self._answer(decoded, Result.FAILURE)

    async def _begin(self, decoded: Decoded, message: AttachmentList) -> None:
        number = message.alarm_number
        stored = None
        if number.isascii() and number.isalnum():
            stored = await self._server.spine.bucket(subjects.UPLOADS).get(number)
        if stored is None:
            await self._answer(decoded, Result.FAILURE)
            raise UploadRefused("the alarm number was not issued")
        ticket = msgspec.json.decode(stored, type=UploadTicket)
        self._upload = Upload(number, {clean_name(item.name): item.size_bytes for item in message.files})
        self._ticket = ticket
        await self._answer(decoded, Result.SUCCESS)

    def _reserve(self, size: int) -> None:
        if self._server.held + size > MOST_HELD:
            raise UploadRefused("too many unfinished files")
        self._server.held += size
        self._held += size

    async def _finish(self, decoded: Decoded, message: AttachmentEnd, upload: Upload, ticket: UploadTicket) -> None:
        name = clean_name(message.name)
        file = upload.close(name)
        gaps = file.missing()
        if not gaps:
            await self._store(file, upload, ticket)
            upload.forget(name)
        answer = AttachmentEndAnswer(
            name=message.name,
            type=message.type,
            result=1 if gaps else 0,
            gaps=[Gap(offset=offset, length=length) for offset, length in gaps],
        )
        await self._send(decoded, answer)

    async def _store(self, file: File, upload: Upload, ticket: UploadTicket) -> None:
        data = bytes(file.data)
        sha256 = hashlib.sha256(data).hexdigest()
        now = utc_now()
        suffix = file.name.rpartition(".")[2].lower()
        name = object_name(ticket.organisation, ticket.asset, now, sha256, suffix if suffix in TYPES else "bin")
        event = MediaStored(
            asset=ticket.asset,
            name=name,
            kind=KINDS.get(file.kind, "other"),
            content_type=TYPES.get(suffix, "application/octet-stream"),
            size=len(data),
            sha256=sha256,
            cause="alarm",
            channel=_channel(file.name),
            measured_at=ticket.measured_at,
            alarm_number=upload.number,
            alarm_item=ticket.item,
            alarm_label=ticket.label,
        )
        await self._server.spine.put_object(name, data)
        await self._tell(event, ticket, now)
        metrics.MEDIA.labels(event.kind).inc()

    async def _tell(self, event: MediaStored, ticket: UploadTicket, now: datetime) -> None:
        value = events.envelope(
            event, organisation=OrganisationId(ticket.organisation), occurred_at=ticket.measured_at or now, received_at=now
        )
        await self._server.spine.publish(events.subject(value), events.encode_envelope(value), value.id)

    async def _answer(self, decoded: Decoded, result: Result) -> None:
        header = decoded.header
        await self._send(decoded, PlatformAnswer(reply_serial=header.serial, reply_id=header.id, result=int(result)))

    async def _send(self, decoded: Decoded, message: Message) -> None:
        asked = decoded.header
        header = Header(id=message.id, phone=asked.phone, serial=self._serial, year=asked.year, version=asked.version)
        frames = encode_message(message, header)
        self._serial = (self._serial + len(frames)) & 0xFFFF
        self._writer.write(b"".join(frames))
        await self._writer.drain()


def _channel(name: str) -> int:
    """Return the camera a file name states: type_channel_alarmType_sequence_alarmNumber (T/JSATL 12-2017, 4.7.2)."""
    parts = plain(name).split("_")
    return int(parts[1]) if len(parts) > 1 and parts[1].isascii() and parts[1].isdecimal() and len(parts[1]) < 4 else 0
