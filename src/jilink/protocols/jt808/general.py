"""Answers, registration, attributes, upgrade and resending (JT/T 808, clause 8)."""

from __future__ import annotations

from jilink.protocols.jt808 import bits
from jilink.protocols.jt808.message import Message
from jilink.protocols.wire.groups import Repeat, When, equals
from jilink.protocols.wire.kinds import Bcd, Bytes, Flags, Number, Text
from jilink.protocols.wire.times import Time

RESULTS = {0: "ok", 1: "failed", 2: "malformed", 3: "unsupported"}
PLATE_COLOURS = {
    0: "no plate",
    1: "blue",
    2: "yellow",
    3: "black",
    4: "white",
    5: "green",
    9: "other",
    91: "farm yellow",
    92: "farm green",
    93: "yellow-green",
    94: "gradient green",
}
"""JT/T 808-2019, 8.8 names 0 to 4 and 9; JT/T 697.7-2014 the others."""

PLATES = ("吉A12345", "吉B8K066", "吉C77120", "吉J0F319")
MAKERS = ("70111", "70226", "JLNK1")
MODELS = ("JL-T8", "JL-T9G")


class TerminalAnswer(Message, id=0x0001):
    """Terminal's general answer (JT/T 808-2013, 8.1, and 2019)."""

    reply_serial = Number(">u2", "serial of the message answered")
    reply_id = Number(">u2", "id of the message answered")
    result = Number(">u1", "verdict", choices=RESULTS)


class PlatformAnswer(Message, id=0x8001):
    """Platform's general answer (JT/T 808-2013, 8.2, and 2019)."""

    reply_serial = Number(">u2", "serial of the message answered")
    reply_id = Number(">u2", "id of the message answered")
    result = Number(">u1", "verdict", choices=RESULTS | {4: "alarm confirmed"})


class Heartbeat(Message, id=0x0002):
    """Heartbeat (JT/T 808-2013, 8.3, and 2019). Vendors append bytes: kept as trailing bytes."""


class Logout(Message, id=0x0003):
    """Terminal signs off (JT/T 808-2013, 8.7, and 2019)."""


class TimeRequest(Message, id=0x0004, years=(2019,)):
    """Terminal asks for the time (JT/T 808-2019, clause 8)."""


class TimeAnswer(Message, id=0x8004, years=(2019,)):
    """Platform's time, the only one in UTC (JT/T 808-2019, clause 8)."""

    time = Time("the server's clock, in UTC", utc=True)


class ResendRequest2013(Message, id=0x8003, years=(2011, 2013)):
    """Platform asks again for packages of a message (JT/T 808-2013, 8.4)."""

    first_serial = Number(">u2", "serial of the first package")
    packages = Repeat(Number(">u2", "package index, from 1"), "which are missing", count=">u1")


class ResendRequest(Message, id=0x8003, years=(2019,)):
    """Platform asks again for packages of a message (JT/T 808-2019, clause 8)."""

    first_serial = Number(">u2", "serial of the first package")
    packages = Repeat(Number(">u2", "package index, from 1"), "which are missing", count=">u2")


class TerminalResendRequest(Message, id=0x0005, years=(2019,)):
    """Terminal asks again for packages of a message (JT/T 808-2019, clause 8)."""

    first_serial = Number(">u2", "serial of the first package")
    packages = Repeat(Number(">u2", "package index, from 1"), "which are missing", count=">u2")


class Registration2011(Message, id=0x0100, years=(2011,)):
    """Register (JT/T 808-2011, clause 8)."""

    province = Number(">u2", "first two digits of GB/T 2260; 0 = the platform's own", typical=(22, 22))
    city = Number(">u2", "last four digits of GB/T 2260; 0 = the platform's own", typical=(100, 2426))
    maker = Text("maker code", size=5, samples=MAKERS)
    model = Text("terminal model", size=8, samples=MODELS)
    terminal = Text("terminal id, of the maker", size=7)
    plate_colour = Number(">u1", "colour of the plate", choices=PLATE_COLOURS, strict=True)
    plate = Text("plate; the VIN where there is no plate", samples=PLATES)


class Registration2013(Registration2011, years=(2013,)):
    """Register (JT/T 808-2013, 8.5)."""

    model = Text("terminal model", size=20, samples=MODELS)


class Registration(Registration2011, years=(2019,)):
    """Register (JT/T 808-2019, clause 8)."""

    maker = Text("maker code", size=11, samples=MAKERS)
    model = Text("terminal model", size=30, samples=MODELS)
    terminal = Text("terminal id, of the maker", size=30)


class RegistrationAnswer(Message, id=0x8100):
    """Answer to a registration (JT/T 808-2013, 8.6, and 2019). The token is there only on success."""

    reply_serial = Number(">u2", "serial of the registration")
    result = Number(
        ">u1",
        "verdict",
        choices={
            0: "ok",
            1: "vehicle already registered",
            2: "no such vehicle",
            3: "terminal already registered",
            4: "no such terminal",
        },
    )
    token = When(Text("to authenticate with"), equals("result", 0), when="result is 0")


class Authentication2013(Message, id=0x0102, years=(2011, 2013)):
    """Authenticate (JT/T 808-2013, 8.8)."""

    token = Text("from the registration")


class Authentication(Message, id=0x0102, years=(2019,)):
    """Authenticate (JT/T 808-2019, clause 8)."""

    token = Text("from the registration", length=">u1")
    imei = Text("of the radio", size=15)
    software = Text("version", size=20)


TERMINAL_TYPES = {
    0: "passenger",
    1: "dangerous_goods",
    2: "freight",
    3: "taxi",
    6: "disk_recorder",
    7: "split_unit",
}
RADIO = {0: "gprs", 1: "cdma", 2: "td_scdma", 3: "wcdma", 4: "cdma2000", 5: "td_lte", 7: "other"}


class AttributesQuery(Message, id=0x8107, years=(2013, 2019)):
    """Ask for the terminal's attributes (JT/T 808-2013, 8.14, and 2019)."""


class Attributes2013(Message, id=0x0107, years=(2013,)):
    """The terminal's attributes (JT/T 808-2013, 8.15)."""

    type = Flags(">u2", TERMINAL_TYPES, "what it is fit for")
    maker = Text("maker code", size=5, samples=MAKERS)
    model = Text("terminal model", size=20, samples=MODELS)
    terminal = Text("terminal id, of the maker", size=7)
    iccid = Bcd(10, "of the SIM")
    hardware = Text("version", length=">u1")
    firmware = Text("version", length=">u1")
    gnss = Flags(">u1", bits.GNSS, "satellite systems")
    radio = Flags(">u1", RADIO, "radio systems")


class Attributes(Attributes2013, years=(2019,)):
    """The terminal's attributes (JT/T 808-2019, clause 8). The maker stays 5 bytes, against one code base that reads 11."""

    type = Flags(">u2", TERMINAL_TYPES | {8: "trailer"}, "what it is fit for")
    model = Text("terminal model", size=30, samples=MODELS)
    terminal = Text("terminal id, of the maker", size=30)


class Attributes11(Attributes, years=(2019,), variant="maker of 11 bytes"):
    """The terminal's attributes with a maker as long as in a registration, as one code base writes it."""

    maker = Text("maker code", size=11, samples=MAKERS)


UPGRADES = {0: "terminal", 12: "IC-card reader", 52: "BeiDou module", 0x64: "ADAS", 0x65: "DSM", 0x66: "TPMS", 0x67: "BSD"}


class Upgrade(Message, id=0x8108, years=(2013, 2019)):
    """Upgrade package (JT/T 808-2013, 8.16, and 2019; 0x64 to 0x67 T/JSATL 12-2017). Mostly sub-packaged."""

    type = Number(">u1", "what is upgraded", choices=UPGRADES)
    maker = Text("maker code", size=5, samples=MAKERS)
    version = Text("of the package", length=">u1")
    data = Bytes("the package", length=">u4")


class UpgradeResult(Message, id=0x0108, years=(2013, 2019)):
    """Result of an upgrade (JT/T 808-2013, 8.17, and 2019; from 0x10 T/JSATL 12-2017)."""

    type = Number(">u1", "what was upgraded", choices=UPGRADES)
    result = Number(
        ">u1",
        "verdict",
        choices={
            0: "ok",
            1: "failed",
            2: "cancelled",
            0x10: "no such device",
            0x11: "wrong hardware",
            0x12: "same version",
            0x13: "version unsupported",
        },
    )
