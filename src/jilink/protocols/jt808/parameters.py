"""Terminal parameters: 0x8103, 0x8104, 0x8106 and 0x0104 (JT/T 808, clause 8)."""

from __future__ import annotations

from jilink.protocols.jt808 import bits
from jilink.protocols.jt808.message import Message
from jilink.protocols.jt808.parameters_safety import SAFETY_PARAMETERS
from jilink.protocols.jt808.parameters_video import VIDEO_PARAMETERS
from jilink.protocols.wire.groups import Repeat, Tagged
from jilink.protocols.wire.kinds import AnyKind, Flags, Number, Text
from jilink.protocols.wire.records import Nested, Record

Kinds = tuple[AnyKind, ...]


def _number(name: str, doc: str, unit: str = "", *, form: str = ">u4", scale: float = 1, typical: tuple[int, int] = (0, 3600)) -> Kinds:
    return (Number(form, doc, unit=unit, scale=scale, name=name, typical=typical),)


def _choice(name: str, doc: str, choices: dict[int, str], form: str = ">u4") -> Kinds:
    return (Number(form, doc, name=name, choices=choices),)


def _text(name: str, doc: str) -> Kinds:
    return (Text(doc, name=name, samples=("192.0.2.10", "cmnet", "")),)


class IllegalDriving(Record):
    """When driving is forbidden (2019)."""

    start_hour = Number(">u1", "begin", unit="h", low=0, high=23)
    start_minute = Number(">u1", "begin", unit="min", low=0, high=59)
    end_hour = Number(">u1", "end", unit="h", low=0, high=23)
    end_minute = Number(">u1", "end", unit="min", low=0, high=59)


class Collision(Record):
    """What counts as a collision."""

    acceleration = Number(">u1", "that is exceeded", unit="g", scale=0.1, typical=(0, 79))
    duration = Number(">u1", "that it lasts", unit="ms", scale=4)


_PHOTO_BITS = {n: f"channel{n + 1}" for n in range(5)} | {n: f"upload{n - 7}" for n in range(8, 13)} | {16: "larger_unit"}
_CAN_BITS = {n: name for n, name in ((29, "averaged"), (30, "extended"), (31, "channel2"))}


class CanSampling(Record):
    """How one CAN id is sampled."""

    interval = Number(">u4", "between samples; 0 = not", unit="ms", typical=(0, 10_000))
    can_id = Flags(">u4", _CAN_BITS, "bits 0 to 28 are the id", parts={"id": (0, 29, {})})


STANDARD_PARAMETERS: dict[int, Kinds] = {
    0x0001: _number("heartbeat_interval", "between heartbeats", "s"),
    0x0002: _number("tcp_timeout", "until an answer is missed", "s"),
    0x0003: _number("tcp_retries", "of a TCP message", typical=(0, 5)),
    0x0004: _number("udp_timeout", "until an answer is missed", "s"),
    0x0005: _number("udp_retries", "of a UDP message", typical=(0, 5)),
    0x0006: _number("sms_timeout", "until an answer is missed", "s"),
    0x0007: _number("sms_retries", "of a text message", typical=(0, 5)),
    0x0010: _text("apn", "main server's access point"),
    0x0011: _text("apn_user", "main server's user"),
    0x0012: _text("apn_password", "main server's password"),
    0x0013: _text("server", "main server; since 2019 host:port;host:port"),
    0x0014: _text("backup_apn", "backup server's access point"),
    0x0015: _text("backup_apn_user", "backup server's user"),
    0x0016: _text("backup_apn_password", "backup server's password"),
    0x0017: _text("backup_server", "backup server; since 2019 host:port;host:port"),
    0x0018: _number("tcp_port", "of the server (2011, 2013)", typical=(1024, 65535)),
    0x0019: _number("udp_port", "of the server (2011, 2013)", typical=(1024, 65535)),
    0x001A: _text("ic_server", "IC-card authentication server"),
    0x001B: _number("ic_tcp_port", "of the IC-card server", typical=(1024, 65535)),
    0x001C: _number("ic_udp_port", "of the IC-card server", typical=(1024, 65535)),
    0x001D: _text("ic_backup_server", "backup IC-card authentication server"),
    0x0020: _choice("report_strategy", "when positions are sent", {0: "by time", 1: "by distance", 2: "by both"}),
    0x0021: _choice("report_scheme", "what intervals depend on", {0: "ACC", 1: "driver's sign-in, then ACC"}),
    0x0022: _number("report_interval_unsigned", "while no driver is signed in", "s"),
    0x0023: _text("slave_apn", "slave server's access point (2019)"),
    0x0024: _text("slave_apn_user", "slave server's user (2019)"),
    0x0025: _text("slave_apn_password", "slave server's password (2019)"),
    0x0026: _text("slave_server", "slave server host:port (2019)"),
    0x0027: _number("report_interval_asleep", "while asleep", "s"),
    0x0028: _number("report_interval_emergency", "in an emergency", "s"),
    0x0029: _number("report_interval", "by default", "s"),
    0x002C: _number("report_distance", "by default", "m"),
    0x002D: _number("report_distance_unsigned", "while no driver is signed in", "m"),
    0x002E: _number("report_distance_asleep", "while asleep", "m"),
    0x002F: _number("report_distance_emergency", "in an emergency", "m"),
    0x0030: _number("corner_angle", "that makes an extra report", "deg", typical=(0, 179)),
    0x0031: _number("illegal_move_radius", "electronic fence", "m", form=">u2", typical=(0, 1000)),
    0x0032: (Nested(IllegalDriving, "forbidden driving time (2019)", name="illegal_driving_window"),),
    0x0040: _text("platform_phone", "number of the platform"),
    0x0041: _text("reset_phone", "number that may reset"),
    0x0042: _text("factory_reset_phone", "number that may reset to factory settings"),
    0x0043: _text("platform_sms", "number of the platform for text messages"),
    0x0044: _text("alarm_sms", "number for alarms by text message"),
    0x0045: _choice("pick_up", "answering calls", {0: "automatic", 1: "automatic with ACC on, else by hand"}),
    0x0046: _number("call_longest", "one call; 0 none, 4294967295 unlimited", "s"),
    0x0047: _number("call_month", "calls of a month; 0 none, 4294967295 unlimited", "s"),
    0x0048: _text("listen_phone", "number that may listen in"),
    0x0049: _text("privileged_sms", "number whose text messages are obeyed"),
    0x0050: (Flags(">u4", bits.ALARMS_2019, "alarms that are not raised", name="alarm_muted"),),
    0x0051: (Flags(">u4", bits.ALARMS_2019, "alarms sent by text message", name="alarm_sent_by_sms"),),
    0x0052: (Flags(">u4", bits.ALARMS_2019, "alarms that take a photograph", name="alarm_photographed"),),
    0x0053: (Flags(">u4", bits.ALARMS_2019, "alarms whose photograph is stored", name="alarm_photograph_stored"),),
    0x0054: (Flags(">u4", bits.ALARMS_2019, "key alarms", name="alarm_key"),),
    0x0055: _number("top_speed", "allowed", "km/h", typical=(40, 120)),
    0x0056: _number("overspeed_duration", "until it is an alarm", "s"),
    0x0057: _number("driving_longest", "without a rest", "s", typical=(0, 86400)),
    0x0058: _number("driving_day", "of a day", "s", typical=(0, 86400)),
    0x0059: _number("rest_shortest", "between drives", "s", typical=(0, 86400)),
    0x005A: _number("parking_longest", "allowed", "s", typical=(0, 86400)),
    0x005B: _number("overspeed_warning", "below top speed", "km/h", form=">u2", scale=0.1, typical=(0, 200)),
    0x005C: _number("fatigue_warning", "before the longest drive", "s", form=">u2"),
    0x005D: (Nested(Collision, "collision alarm", name="collision"),),
    0x005E: _number("rollover_angle", "that is an alarm", "deg", form=">u2", typical=(0, 90)),
    0x0064: (Flags(">u4", _PHOTO_BITS, "timed photographs", name="photo_by_time", parts={"every": (17, 15, {})}),),
    0x0065: (Flags(">u4", _PHOTO_BITS, "photographs by distance", name="photo_by_distance", parts={"every": (17, 15, {})}),),
    0x0070: _number("image_quality", "1 best to 10", typical=(1, 10)),
    0x0071: _number("image_brightness", "0 to 255", typical=(0, 255)),
    0x0072: _number("image_contrast", "0 to 127", typical=(0, 127)),
    0x0073: _number("image_saturation", "0 to 127", typical=(0, 127)),
    0x0074: _number("image_chroma", "0 to 255", typical=(0, 255)),
    0x0080: _number("odometer", "distance driven", "km", scale=0.1, typical=(0, 9_999_999)),
    0x0081: _number("province", "of the vehicle", form=">u2", typical=(22, 22)),
    0x0082: _number("city", "of the vehicle", form=">u2", typical=(100, 2426)),
    0x0083: (Text("of the vehicle", name="plate", samples=("吉A12345",)),),
    0x0084: _number("plate_colour", "as in a registration", form=">u1", typical=(1, 4)),
    0x0090: tuple(Flags(form, bits.GNSS, "satellite systems in use (four bytes are met)", name="gnss") for form in (">u1", ">u4")),
    0x0091: _choice(
        "gnss_baud", "speed of the receiver's port", dict(enumerate(("4800", "9600", "19200", "38400", "57600", "115200"))), ">u1"
    ),
    0x0092: _choice("gnss_output", "interval of the receiver", dict(enumerate(("500 ms", "1 s", "2 s", "3 s", "4 s"))), ">u1"),
    0x0093: _number("gnss_sampling", "of detailed data", "s"),
    0x0094: _choice(
        "gnss_upload",
        "of detailed data",
        {0: "off", 1: "by time", 2: "by distance", 0x0B: "by total time", 0x0C: "by total distance", 0x0D: "by count"},
        ">u1",
    ),
    0x0095: _number("gnss_upload_setting", "seconds, metres or counts, by the way of upload"),
    0x0100: _number("can1_sampling", "0 = not", "ms"),
    0x0101: _number("can1_upload", "0 = not", "s", form=">u2"),
    0x0102: _number("can2_sampling", "0 = not", "ms"),
    0x0103: _number("can2_upload", "0 = not", "s", form=">u2"),
    **{n: (Nested(CanSampling, "sampling of one CAN id", name=f"can_sampling_{n:04x}"),) for n in range(0x0110, 0x0200)},
}

PARAMETERS: dict[int, Kinds] = {**STANDARD_PARAMETERS, **VIDEO_PARAMETERS, **SAFETY_PARAMETERS}
"""Parameters by id. An unknown id, or a length that does not fit, stays as bytes."""


def _list() -> Tagged:
    return Tagged("parameters", PARAMETERS, "by id", id=">u4", length=">u1", count=">u1")


class SetParameters(Message, id=0x8103):
    """Set parameters (JT/T 808-2013, 8.9, and 2019)."""

    parameters = _list()


class QueryParameters(Message, id=0x8104):
    """Ask for all parameters (JT/T 808-2013, 8.10, and 2019)."""


class QuerySomeParameters(Message, id=0x8106, years=(2013, 2019)):
    """Ask for some parameters (JT/T 808-2013, 8.11, and 2019)."""

    ids = Repeat(Number(">u4", "id of a parameter", typical=(1, 0x0103)), "asked for", count=">u1")


class Parameters(Message, id=0x0104):
    """Parameters of the terminal (JT/T 808-2013, 8.12, and 2019)."""

    reply_serial = Number(">u2", "serial of the query")
    parameters = _list()
