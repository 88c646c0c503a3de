"""Photographs, sound and film (JT/T 808, clause 8)."""

from __future__ import annotations

from jilink.protocols.jt808.bits import ALARMS_2013, LOAD, STATUS_2013
from jilink.protocols.jt808.message import Message
from jilink.protocols.jt808.position import Fix
from jilink.protocols.wire.groups import Repeat, When, equals
from jilink.protocols.wire.kinds import Bytes, Flags, Number
from jilink.protocols.wire.records import Nested, Record
from jilink.protocols.wire.times import Time

TYPES = {0: "image", 1: "audio", 2: "video"}
FORMATS = {0: "JPEG", 1: "TIF", 2: "MP3", 3: "WAV", 4: "WMV"}
EVENTS = {
    0: "platform's order",
    1: "timer",
    2: "robbery",
    3: "collision",
    4: "door open",
    5: "door closed",
    6: "door closed and speed over 20 km/h",
    7: "distance",
}


class Fix2013(Fix):
    """The 28 fixed bytes with the 2013 names of bits."""

    alarm = Flags(">u4", ALARMS_2013, "alarms")
    status = Flags(">u4", STATUS_2013, "status", parts=LOAD, always=0b10)


class MediaHead(Record):
    """What a recording is."""

    media = Number(">u4", "its id")
    type = Number(">u1", "what it is", choices=TYPES)
    format = Number(">u1", "how it is coded", choices=FORMATS)
    event = Number(">u1", "why it was made", choices=EVENTS)
    channel = Number(">u1", "camera or microphone", typical=(1, 8))


class MediaEvent(MediaHead, Message, id=0x0800):
    """A recording was made (JT/T 808-2013, 8.51, and 2019)."""


class MediaUpload2011(MediaHead, Message, id=0x0801, years=(2011,)):
    """A recording (JT/T 808-2011, clause 8): without a position."""

    data = Bytes("the recording")


class MediaUpload(MediaHead, Message, id=0x0801, years=(2019,)):
    """A recording (JT/T 808-2019, clause 8). Sub-packaged."""

    position = Nested(Fix, "where it was made")
    data = Bytes("the recording")


class MediaUpload2013(MediaUpload, years=(2013,)):
    """A recording (JT/T 808-2013, 8.52). Sub-packaged."""

    position = Nested(Fix2013, "where it was made")


class MediaUploadAnswer(Message, id=0x8800):
    """Answer to a recording (JT/T 808-2013, 8.53, and 2019). Nothing behind the id when it is complete."""

    media = Number(">u4", "its id")
    packages = When(Repeat(Number(">u2", "package index, from 1"), "which are missing", count=">u1"))


class Photograph(Message, id=0x8801):
    """Take photographs or film (JT/T 808-2013, 8.54, and 2019; channels T/JSATL 12-2017: 0x64 ADAS, 0x65 DSM)."""

    channel = Number(">u1", "camera; 0x64 ADAS, 0x65 DSM", typical=(1, 8))
    command = Number(">u2", "0 stops, 65535 films, else how many photographs", typical=(0, 10))
    interval = Number(">u2", "between photographs, or length of the film", unit="s", typical=(0, 60))
    save = Number(">u1", "where to", choices={0: "upload", 1: "store"})
    resolution = Number(
        ">u1",
        "size of the picture",
        choices={
            0: "lowest",
            1: "320x240",
            2: "640x480",
            3: "800x600",
            4: "1024x768",
            5: "176x144 QCIF",
            6: "352x288 CIF",
            7: "704x288 half D1",
            8: "704x576 D1",
            255: "highest",
        },
    )
    quality = Number(">u1", "1 least loss to 10 smallest", low=1, high=10)
    brightness = Number(">u1", "0 to 255")
    contrast = Number(">u1", "0 to 127", low=0, high=127)
    saturation = Number(">u1", "0 to 127", low=0, high=127)
    chroma = Number(">u1", "0 to 255")


class PhotographAnswer(Message, id=0x0805, years=(2013, 2019)):
    """Answer to 0x8801 (JT/T 808-2013, 8.55, and 2019)."""

    reply_serial = Number(">u2", "serial of the order")
    result = Number(">u1", "verdict", choices={0: "ok", 1: "failed", 2: "channel unsupported"})
    media = When(Repeat(Number(">u4", "id"), "made", count=">u2"), equals("result", 0), when="result is ok")


class MediaQuery(Message, id=0x8802):
    """Search stored recordings (JT/T 808-2013, 8.56, and 2019)."""

    type = Number(">u1", "what", choices=TYPES)
    channel = Number(">u1", "0 = all", typical=(0, 8))
    event = Number(">u1", "why it was made", choices=EVENTS)
    start = Time("from; zeros = no bound")
    end = Time("to; zeros = no bound")


class StoredMedia(Record):
    """One stored recording."""

    media = Number(">u4", "its id")
    type = Number(">u1", "what it is", choices=TYPES)
    channel = Number(">u1", "camera or microphone")
    event = Number(">u1", "why it was made", choices=EVENTS)
    position = Nested(Fix, "where it was made")


class StoredMedia2013(StoredMedia):
    """One stored recording."""

    position = Nested(Fix2013, "where it was made")


class MediaFound(Message, id=0x0802, years=(2019,)):
    """Recordings that were found (JT/T 808-2019, clause 8)."""

    reply_serial = Number(">u2", "serial of the search")
    found = Repeat(Nested(StoredMedia), "what was found", count=">u2")


class MediaFound2013(MediaFound, years=(2011, 2013)):
    """Recordings that were found (JT/T 808-2013, 8.57)."""

    found = Repeat(Nested(StoredMedia2013), "what was found", count=">u2")


class StoredMediaUpload(MediaQuery, id=0x8803):
    """Upload stored recordings (JT/T 808-2013, 8.58, and 2019)."""

    delete = Number(">u1", "afterwards", choices={0: "keep", 1: "delete"})


class SoundRecording(Message, id=0x8804):
    """Start or stop recording sound (JT/T 808-2013, 8.59, and 2019)."""

    command = Number(">u1", "what to do", choices={0: "stop", 1: "start"})
    duration = Number(">u2", "0 = until stopped", unit="s", typical=(0, 600))
    save = Number(">u1", "where to", choices={0: "upload", 1: "store"})
    rate = Number(">u1", "sampling", choices={0: "8 kHz", 1: "11 kHz", 2: "23 kHz", 3: "32 kHz"})


class SingleMediaUpload(Message, id=0x8805, years=(2013, 2019)):
    """Upload one stored recording (JT/T 808-2013, 8.60, and 2019)."""

    media = Number(">u4", "its id")
    delete = Number(">u1", "afterwards", choices={0: "keep", 1: "delete"})
