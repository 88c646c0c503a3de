"""Active safety: items 0x64 to 0x67 (T/JSATL 12-2017) and the upload of their attachments.

The alarm label is 16 bytes with a 7-byte terminal id, or 40 with a 30-byte one (the Guangdong variant, sized as JT/T 808-2019):
the item's length tells which.
"""

from __future__ import annotations

from jilink.protocols.jt808.message import Message
from jilink.protocols.wire.groups import Repeat, Tagged
from jilink.protocols.wire.kinds import AnyKind, Bytes, Flags, Number, Text
from jilink.protocols.wire.records import Nested, Record
from jilink.protocols.wire.times import Time

VEHICLE_STATE = {0: "acc", 1: "left_turn", 2: "right_turn", 3: "wiper", 4: "brake", 5: "card_in", 10: "positioned"}
ADAS_TYPES = {
    1: "forward collision",
    2: "lane departure",
    3: "headway",
    4: "pedestrian",
    5: "frequent lane change",
    6: "sign over limit",
    7: "obstacle",
    0x10: "sign recognised",
    0x11: "active capture",
}
DSM_TYPES = {
    1: "fatigue",
    2: "phone",
    3: "smoking",
    4: "distraction",
    5: "driver abnormal",
    0x10: "automatic capture",
    0x11: "driver change",
}
TPMS_TYPES = {
    0: "scheduled_report",
    1: "over_pressure",
    2: "under_pressure",
    3: "over_temperature",
    4: "sensor_fault",
    5: "imbalance",
    6: "slow_leak",
    7: "low_battery",
}
BSD_TYPES = {1: "rear", 2: "left rear", 3: "right rear"}
STATES = {0: "not available", 1: "start", 2: "end"}


class AlarmLabel(Record):
    """What ties an alarm to its attachments (T/JSATL 12-2017)."""

    terminal = Text("terminal id", size=7)
    measured_at = Time("of the alarm")
    sequence = Number(">u1", "number within the same second")
    attachments = Number(">u1", "how many")
    reserved = Bytes(size=1)


class AlarmLabel30(AlarmLabel):
    """The label with a 30-byte terminal id."""

    terminal = Text("terminal id", size=30)
    reserved = Bytes(size=2)


class Alarm(Record):
    """The head of every active-safety item."""

    alarm_id = Number(">u4", "counts up from 0 in the terminal")
    state = Number(">u1", "of a lasting alarm", choices=STATES)


class Place(Record):
    """Where and when the vehicle was."""

    speed = Number(">u1", "over ground", unit="km/h", typical=(0, 120))
    altitude = Number(">u2", "above sea level", unit="m", typical=(50, 900))
    latitude = Number(">u4", "WGS-84", unit="deg", scale=1e-6, typical=(40_900_000, 46_200_000))
    longitude = Number(">u4", "WGS-84", unit="deg", scale=1e-6, typical=(121_700_000, 131_300_000))
    measured_at = Time("the terminal's clock")
    vehicle = Flags(">u2", VEHICLE_STATE, "state of the vehicle")
    label = Nested(AlarmLabel, "ties it to its attachments")


_PLACE = tuple(Place.fields())


class Adas(Alarm, Place):
    """Driver assistance (T/JSATL 12-2017)."""

    type = Number(">u1", "of the alarm", choices=ADAS_TYPES)
    level = Number(">u1", "1 or 2", typical=(1, 2))
    front_speed = Number(">u1", "of the vehicle ahead", unit="km/h")
    front_distance = Number(">u1", "to the vehicle or pedestrian ahead", unit="s", scale=0.1)
    deviation = Number(">u1", "side", choices={0: "none", 1: "left", 2: "right"})
    sign = Number(">u1", "recognised sign", choices={0: "none", 1: "speed limit", 2: "height limit", 3: "weight limit"})
    sign_value = Number(">u1", "what the sign says")
    order = ("alarm_id", "state", "type", "level", "front_speed", "front_distance", "deviation", "sign", "sign_value", *_PLACE)


class Dsm(Alarm, Place):
    """Driver state (T/JSATL 12-2017)."""

    type = Number(">u1", "of the alarm", choices=DSM_TYPES)
    level = Number(">u1", "1 or 2", typical=(1, 2))
    fatigue = Number(">u1", "1 to 10, the higher the worse", typical=(0, 10))
    reserved = Bytes(size=4)
    order = ("alarm_id", "state", "type", "level", "fatigue", "reserved", *_PLACE)


class Tyre(Record):
    """One wheel that raised the alarm."""

    wheel = Number(">u1", "from 0, left front first")
    type = Flags(">u2", TPMS_TYPES, "what is wrong")
    pressure = Number(">u2", "", unit="kPa", typical=(500, 1200))
    temperature = Number(">u2", "", unit="degC", typical=(0, 90))
    battery = Number(">u2", "of the sensor", unit="%", typical=(0, 100))


class Tpms(Alarm, Place):
    """Tyre pressure (T/JSATL 12-2017; the count stands at 40, the table misprints 39)."""

    wheels = Repeat(Nested(Tyre), "that raised it", count=">u1")
    order = ("alarm_id", "state", *_PLACE, "wheels")


class Bsd(Alarm, Place):
    """Blind zone (T/JSATL 12-2017)."""

    type = Number(">u1", "of the alarm", choices=BSD_TYPES)
    order = ("alarm_id", "state", "type", *_PLACE)


class Adas30(Adas):
    """Driver assistance with the 30-byte terminal id."""

    label = Nested(AlarmLabel30, "ties it to its attachments")


class Dsm30(Dsm):
    """Driver state with the 30-byte terminal id."""

    label = Nested(AlarmLabel30, "ties it to its attachments")


class Tpms30(Tpms):
    """Tyre pressure with the 30-byte terminal id."""

    label = Nested(AlarmLabel30, "ties it to its attachments")


class Bsd30(Bsd):
    """Blind zone with the 30-byte terminal id."""

    label = Nested(AlarmLabel30, "ties it to its attachments")


SAFETY_ITEMS: dict[int, tuple[AnyKind, ...]] = {
    0x64: (Nested(Adas, name="adas"), Nested(Adas30, name="adas")),
    0x65: (Nested(Dsm, name="dsm"), Nested(Dsm30, name="dsm")),
    0x66: (Nested(Tpms, name="tpms"), Nested(Tpms30, name="tpms")),
    0x67: (Nested(Bsd, name="bsd"), Nested(Bsd30, name="bsd")),
}


class SafetyItems(Record):
    """Tagged items of a position of which only the active-safety ones are read; the others stay bytes."""

    items = Tagged("of a position", SAFETY_ITEMS)


FILE_TYPES = {0: "image", 1: "audio", 2: "video", 3: "text", 4: "other"}


class AttachmentRequest(Message, id=0x9208):
    """Ask for an alarm's attachments (T/JSATL 12-2017)."""

    host = Text("of the attachment server", length=">u1", samples=("192.0.2.10",))
    tcp_port = Number(">u2", "of the server")
    udp_port = Number(">u2", "of the server")
    label = Nested(AlarmLabel, "of the alarm")
    alarm_number = Text("the platform's unique number of the alarm", size=32)
    reserved = Bytes(size=16)


class AttachmentRequest30(AttachmentRequest, years=(2019,)):
    """Ask for an alarm's attachments, with the 30-byte terminal id (sized as JT/T 808-2019)."""

    label = Nested(AlarmLabel30, "of the alarm")


class AttachmentFile(Record):
    """One file of an alarm."""

    name = Text("type_channel_alarmType_sequence_alarmNumber.extension", length=">u1", samples=("00_65_6502_0_ab12.jpg",))
    size_bytes = Number(">u4", "of the file", unit="B")


class AttachmentList(Message, id=0x1210):
    """The attachments of an alarm (T/JSATL 12-2017)."""

    terminal = Text("terminal id", size=7)
    label = Nested(AlarmLabel, "of the alarm")
    alarm_number = Text("the platform's unique number of the alarm", size=32)
    type = Number(">u1", "why", choices={0: "normal", 1: "resend"})
    files = Repeat(Nested(AttachmentFile), "to come", count=">u1")


class AttachmentList30(AttachmentList, years=(2019,)):
    """The attachments of an alarm, with the 30-byte terminal id (sized as JT/T 808-2019)."""

    terminal = Text("terminal id", size=30)
    label = Nested(AlarmLabel30, "of the alarm")


class _File(Message):
    """A file by name, type and size."""

    name = Text("of the file", length=">u1", samples=("00_65_6502_0_ab12.jpg",))
    type = Number(">u1", "of the file", choices=FILE_TYPES)
    size_bytes = Number(">u4", "of the file", unit="B")


class AttachmentStart(_File, id=0x1211):
    """A file begins (T/JSATL 12-2017)."""


class AttachmentEnd(_File, id=0x1212):
    """A file has ended (T/JSATL 12-2017)."""


class Gap(Record):
    """A piece of a file that is missing."""

    offset = Number(">u4", "where it begins", unit="B")
    length = Number(">u4", "how long it is", unit="B")


class AttachmentEndAnswer(Message, id=0x9212):
    """Answer to the end of a file (T/JSATL 12-2017)."""

    name = Text("of the file", length=">u1", samples=("00_65_6502_0_ab12.jpg",))
    type = Number(">u1", "of the file", choices=FILE_TYPES)
    result = Number(">u1", "verdict", choices={0: "complete", 1: "resend"})
    gaps = Repeat(Nested(Gap), "to send again", count=">u1")


class AttachmentData(Record):
    """One block of an attachment's bytes, not framed and not acknowledged (T/JSATL 12-2017)."""

    magic = Bytes("30 31 63 64", size=4)
    name = Text("of the file", size=50)
    offset = Number(">u4", "in the file", unit="B")
    data = Bytes("at most 64 KiB", length=">u4")
