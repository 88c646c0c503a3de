"""Video signalling and the head of the stream's packets (JT/T 1078-2016, 5.3 to 5.7 and 6.2)."""

from __future__ import annotations

from jilink.protocols.jt808.bits import ALARMS_2013, VIDEO_ALARMS
from jilink.protocols.jt808.message import Message
from jilink.protocols.wire.groups import Repeat, When
from jilink.protocols.wire.kinds import Bcd, Bytes, Flags, Number, Text
from jilink.protocols.wire.records import Nested, Record
from jilink.protocols.wire.times import Time

MEDIA = {0: "sound and picture", 1: "sound", 2: "picture", 3: "either"}
STREAMS = {0: "either", 1: "main", 2: "sub"}
STORAGE = {0: "either", 1: "main", 2: "backup"}
ALARMS = ALARMS_2013 | {32 + number: name for number, name in VIDEO_ALARMS.items()}
"""Low half the alarm word of 0x0200, high half the bits of item 0x14 (JT/T 1078-2016)."""
HOSTS = ("192.0.2.10", "media.example.org")


def _channel() -> Number:
    return Number(">u1", "logical channel (JT/T 1076-2016)", typical=(1, 8))


class MediaAttributesQuery(Message, id=0x9003):
    """Ask for sound and picture attributes (JT/T 1078-2016, clause 5)."""


class MediaAttributes(Message, id=0x1003):
    """Sound and picture attributes (JT/T 1078-2016, clause 5)."""

    audio_codec = Number(">u1", "as payload types of the stream", typical=(6, 26))
    audio_channels = Number(">u1", "input", typical=(1, 2))
    audio_rate = Number(">u1", "sampling", choices={0: "8 kHz", 1: "22.05 kHz", 2: "44.1 kHz", 3: "48 kHz"})
    audio_bits = Number(">u1", "of a sample", choices={0: "8", 1: "16", 2: "32"})
    audio_frame = Number(">u2", "length of an audio frame", unit="B", typical=(0, 960))
    audio_output = Number(">u1", "supported", choices={0: "no", 1: "yes"})
    video_codec = Number(">u1", "as payload types of the stream", typical=(98, 101))
    most_audio = Number(">u1", "physical audio channels at most", typical=(1, 8))
    most_video = Number(">u1", "physical video channels at most", typical=(1, 8))


class Passengers(Message, id=0x1005):
    """Passengers on and off (JT/T 1078-2016, clause 5)."""

    start = Time("begin")
    end = Time("end")
    on = Number(">u2", "got on", typical=(0, 60))
    off = Number(">u2", "got off", typical=(0, 60))


class LiveRequest(Message, id=0x9101):
    """Ask for a live stream (JT/T 1078-2016, clause 5)."""

    host = Text("of the media server", length=">u1", samples=HOSTS)
    tcp_port = Number(">u2", "of the media server")
    udp_port = Number(">u2", "of the media server")
    channel = _channel()
    type = Number(
        ">u1",
        "what",
        choices={0: "sound and picture", 1: "picture", 2: "two-way talk", 3: "listen in", 4: "broadcast", 5: "passthrough"},
    )
    stream = Number(">u1", "quality", choices={0: "main", 1: "sub"})


class LiveControl(Message, id=0x9102):
    """Control a live stream (JT/T 1078-2016, clause 5)."""

    channel = _channel()
    command = Number(">u1", "what to do", choices={0: "close", 1: "switch stream", 2: "pause", 3: "resume", 4: "close talk"})
    close = Number(">u1", "what to close", choices={0: "all", 1: "sound", 2: "picture"})
    stream = Number(">u1", "quality to switch to", choices={0: "main", 1: "sub"})


class LiveState(Message, id=0x9105):
    """State of a live stream (JT/T 1078-2016, clause 5)."""

    channel = _channel()
    loss = Number(">u1", "packets lost", unit="%", typical=(0, 20))


class PlaybackRequest(Message, id=0x9201):
    """Ask for a recording (JT/T 1078-2016, clause 5). Answered by 0x1205."""

    host = Text("of the media server", length=">u1", samples=HOSTS)
    tcp_port = Number(">u2", "of the media server")
    udp_port = Number(">u2", "of the media server")
    channel = _channel()
    media = Number(">u1", "what", choices=MEDIA)
    stream = Number(">u1", "quality", choices=STREAMS)
    storage = Number(">u1", "where it lies", choices=STORAGE)
    playback = Number(">u1", "way", choices={0: "normal", 1: "fast", 2: "key frames backward", 3: "key frames", 4: "single frame"})
    rate = Number(">u1", "speed", choices={0: "not given", 1: "1x", 2: "2x", 3: "4x", 4: "8x", 5: "16x"})
    start = Time("from")
    end = Time("to; zeros = to the end")


class PlaybackControl(Message, id=0x9202):
    """Control a playback (JT/T 1078-2016, clause 5)."""

    channel = _channel()
    control = Number(">u1", "what to do", choices={0: "start", 1: "pause", 2: "end", 3: "fast", 4: "back", 5: "seek", 6: "key frames"})
    rate = Number(">u1", "speed", choices={0: "not given", 1: "1x", 2: "2x", 3: "4x", 4: "8x", 5: "16x"})
    seek = Time("where to")


class RecordingQuery(Message, id=0x9205):
    """Search recordings (JT/T 1078-2016, clause 5)."""

    channel = Number(">u1", "0 = all", typical=(0, 8))
    start = Time("from")
    end = Time("to")
    alarms = Flags(">u8", ALARMS, "raised while it was made; none = any")
    media = Number(">u1", "what", choices=MEDIA)
    stream = Number(">u1", "quality", choices=STREAMS)
    storage = Number(">u1", "where it lies", choices=STORAGE)


class Recording(Record):
    """One recording (JT/T 1078-2016), 28 bytes."""

    channel = _channel()
    start = Time("begin")
    end = Time("end")
    alarms = Flags(">u8", ALARMS, "raised while it was made")
    media = Number(">u1", "what", choices=MEDIA)
    stream = Number(">u1", "quality", choices=STREAMS)
    storage = Number(">u1", "where it lies", choices=STORAGE)
    size_bytes = Number(">u4", "of the file", unit="B")


class Recordings(Message, id=0x1205):
    """Recordings held (JT/T 1078-2016, clause 5)."""

    reply_serial = Number(">u2", "serial of the search")
    recordings = Repeat(Nested(Recording), "what was found", count=">u4")


class FileUpload(Message, id=0x9206):
    """Upload a recording by FTP (JT/T 1078-2016, clause 5)."""

    host = Text("of the FTP server", length=">u1", samples=HOSTS)
    port = Number(">u2", "of the FTP server")
    user = Text("name", length=">u1")
    password = Text("of the user", length=">u1")
    path = Text("on the server", length=">u1", samples=("/alarm_file",))
    channel = _channel()
    start = Time("from")
    end = Time("to")
    alarms = Flags(">u8", ALARMS, "raised while it was made")
    media = Number(">u1", "what", choices=MEDIA)
    stream = Number(">u1", "quality", choices=STREAMS)
    storage = Number(">u1", "where it lies", choices=STORAGE)
    condition = Flags(">u1", {0: "wifi", 1: "lan", 2: "cellular"}, "networks allowed")


class FileUploadDone(Message, id=0x1206):
    """An upload has ended (JT/T 1078-2016, clause 5)."""

    reply_serial = Number(">u2", "serial of the order")
    result = Number(">u1", "verdict", choices={0: "ok", 1: "failed"})


class FileUploadControl(Message, id=0x9207):
    """Control an upload (JT/T 1078-2016, clause 5)."""

    reply_serial = Number(">u2", "serial of the order")
    control = Number(">u1", "what to do", choices={0: "pause", 1: "resume", 2: "cancel"})


class Turn(Message, id=0x9301):
    """Turn the camera (JT/T 1078-2016, clause 5)."""

    channel = _channel()
    movement = Number(">u1", "way", choices={0: "stop", 1: "up", 2: "down", 3: "left", 4: "right"})
    speed = Number(">u1", "0 to 255")


class _Adjust(Message):
    """A camera's setting."""

    channel = _channel()
    adjustment = Number(">u1", "0 larger or start, 1 smaller or stop", typical=(0, 1))


class Focus(_Adjust, id=0x9302):
    """Focus of the camera (JT/T 1078-2016, clause 5)."""


class Iris(_Adjust, id=0x9303):
    """Iris of the camera (JT/T 1078-2016, clause 5)."""


class Wiper(_Adjust, id=0x9304):
    """Wiper of the camera (JT/T 1078-2016, clause 5)."""


class Infrared(_Adjust, id=0x9305):
    """Infrared lamp of the camera (JT/T 1078-2016, clause 5)."""


class Zoom(_Adjust, id=0x9306):
    """Zoom of the camera (JT/T 1078-2016, clause 5)."""


PAYLOADS = {
    6: "G.711A",
    7: "G.711U",
    8: "G.726",
    19: "AAC",
    25: "MP3",
    26: "ADPCM-A",
    91: "passthrough",
    98: "H.264",
    99: "H.265",
    100: "AVS",
    101: "SVAC",
}


class StreamPacket(Record):
    """One packet of a media stream, on a port of its own and without escapes (JT/T 1078-2016)."""

    magic = Bytes("30 31 63 64", size=4)
    version = Flags(">u1", {}, "V, P, X and CC: 0x81", always=0x81)
    payload_type = Flags(">u1", {7: "marker"}, "what is carried", parts={"payload": (0, 7, PAYLOADS)})
    sequence = Number(">u2", "counts packets")
    sim = Bcd(6, "telephone number of the terminal")
    channel = _channel()
    frame = Flags(
        ">u1",
        {},
        "frame and place of the packet in it",
        parts={
            "part": (0, 4, {0: "atomic", 1: "first", 2: "last", 3: "middle"}),
            "type": (4, 4, {0: "I", 1: "P", 2: "B", 3: "sound", 4: "passthrough"}),
        },
    )
    timestamp = When(Number(">u8", "of the frame", unit="ms"), lambda packet: vars(packet)["frame"] >> 4 != 4, when="not passthrough")
    since_key_frame = When(Number(">u2", "", unit="ms"), lambda packet: vars(packet)["frame"] >> 4 < 3, when="picture")
    since_frame = When(Number(">u2", "", unit="ms"), lambda packet: vars(packet)["frame"] >> 4 < 3, when="picture")
    payload = Bytes("at most 950 bytes", length=">u2")


class StreamPacket2019(StreamPacket):
    """The same with a SIM of ten bytes, as some terminals of 2019 send it."""

    sim = Bcd(10, "telephone number of the terminal")
