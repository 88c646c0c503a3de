"""The Asterisk REST Interface as messages: requests and answers over one WebSocket, and the events. No I/O.

Asterisk documentation, "ARI REST over WebSocket" (Asterisk 20.14, 22.4 and later) and "Asterisk REST Data Models".
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, urlencode

import msgspec

from jilink.kernel.errors import Malformed

APPLICATION = "jilink"


class NotAri(Malformed):
    """The engine sent what is no message of ARI."""


class Caller(msgspec.Struct, frozen=True):
    """A party's number and name."""

    name: str = ""
    number: str = ""


class Place(msgspec.Struct, frozen=True):
    """Where a channel is in the dialplan."""

    context: str = ""
    exten: str = ""
    app_name: str = ""
    app_data: str = ""


class Channel(msgspec.Struct, frozen=True):
    """A channel as the engine shows it. `state` is ``Up``, ``Ringing``, ``Ring``, ``Down`` ..."""

    id: str
    name: str = ""
    state: str = ""
    caller: Caller = Caller()
    dialplan: Place = Place()
    creationtime: str = ""

    @property
    def endpoint(self) -> str:
        """The endpoint it runs over: ``o1-3001`` of ``PJSIP/o1-3001-0000002a``."""
        technology, _, rest = self.name.partition("/")
        return rest.rpartition("-")[0] if technology == "PJSIP" else ""


class Bridge(msgspec.Struct, frozen=True):
    """A bridge and the channels in it."""

    id: str
    bridge_type: str = ""
    channels: tuple[str, ...] = ()


class Playback(msgspec.Struct, frozen=True):
    """A playback; `target_uri` is ``channel:<id>``."""

    id: str
    target_uri: str = ""
    state: str = ""


class LiveRecording(msgspec.Struct, frozen=True):
    """A recording that ARI itself makes."""

    name: str
    state: str = ""
    target_uri: str = ""
    cause: str = ""


class Endpoint(msgspec.Struct, frozen=True):
    """A phone or trunk."""

    resource: str
    technology: str = ""
    state: str = ""


class Destination(msgspec.Struct, frozen=True):
    """The number a REFER asks for."""

    destination: str = ""


class ReferTo(msgspec.Struct, frozen=True):
    """Where a REFER wants its partner to go."""

    requested_destination: Destination = Destination()
    destination_channel: Channel | None = None


class ReferredBy(msgspec.Struct, frozen=True):
    """Who sent a REFER, and whom they talk with."""

    source_channel: Channel
    connected_channel: Channel | None = None


class Event(msgspec.Struct, frozen=True):
    """An event of the engine; each type fills a few of the fields."""

    type: str
    timestamp: str = ""
    args: tuple[str, ...] = ()
    channel: Channel | None = None
    bridge: Bridge | None = None
    playback: Playback | None = None
    recording: LiveRecording | None = None
    endpoint: Endpoint | None = None
    digit: str = ""
    cause: int = 0
    refer_to: ReferTo | None = None
    referred_by: ReferredBy | None = None


class Answer(msgspec.Struct, frozen=True):
    """The engine's answer to one request."""

    request_id: str
    status_code: int
    message_body: str = ""


class Request(msgspec.Struct, frozen=True):
    """A REST request: path without ``/ari/``."""

    method: str
    path: str
    body: str = ""


class _Kind(msgspec.Struct, frozen=True):
    type: str


_KIND = msgspec.json.Decoder(_Kind)
_EVENT = msgspec.json.Decoder(Event)
_ANSWER = msgspec.json.Decoder(Answer)


def request(method: str, *path: str, body: Mapping[str, object] | None = None, **query: object) -> Request:
    """Return a request; parts of the path and values of the query are escaped, None and "" are left out."""
    given = {name: _text(value) for name, value in query.items() if value not in (None, "")}
    text = "/".join(quote(part, safe="") for part in path) + (f"?{urlencode(given, quote_via=quote)}" if given else "")
    return Request(method, text, msgspec.json.encode(body).decode() if body is not None else "")


def encode(number: str, asked: Request) -> str:
    """Return the frame that carries a request; its answer has the same number."""
    frame = {"type": "RESTRequest", "request_id": number, "method": asked.method, "uri": asked.path}
    if asked.body:
        frame |= {"content_type": "application/json", "message_body": asked.body}
    return msgspec.json.encode(frame).decode()


def decode(text: str | bytes) -> Event | Answer:
    """Return what a frame carries. Raises NotAri."""
    try:
        return _ANSWER.decode(text) if _KIND.decode(text).type == "RESTResponse" else _EVENT.decode(text)
    except msgspec.DecodeError as error:
        raise NotAri("frame", str(error)) from error


def moment(text: str) -> datetime | None:
    """Return the engine's time, aware; None where it gave none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
