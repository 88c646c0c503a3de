"""Driving recorder, waybill, driver, CAN, passthrough, compression and keys (JT/T 808, clause 8)."""

from __future__ import annotations

from jilink.protocols.jt808.message import Message
from jilink.protocols.wire.groups import Repeat, Switch, When, equals
from jilink.protocols.wire.kinds import Bytes, Flags, Number, Text
from jilink.protocols.wire.records import Nested, Record
from jilink.protocols.wire.times import ClockTime, Day, Time


class RecorderQuery(Message, id=0x8700):
    """Collect recorder data (JT/T 808-2013, 8.43, and 2019; block as GB/T 19056)."""

    command = Number(">u1", "of GB/T 19056")
    block = Bytes("data block of GB/T 19056")


class RecorderData(Message, id=0x0700):
    """Recorder data (JT/T 808-2013, 8.44, and 2019; block as GB/T 19056)."""

    reply_serial = Number(">u2", "serial of the query")
    command = Number(">u1", "of GB/T 19056")
    block = Bytes("data block of GB/T 19056")


class RecorderSetting(Message, id=0x8701):
    """Set recorder parameters (JT/T 808-2013, 8.45, and 2019; block as GB/T 19056)."""

    command = Number(">u1", "of GB/T 19056")
    block = Bytes("data block of GB/T 19056")


class Waybill(Message, id=0x0701):
    """Electronic waybill (JT/T 808-2013, 8.46, and 2019)."""

    data = Bytes("the waybill", length=">u4")


class DriverQuery(Message, id=0x8702, years=(2013, 2019)):
    """Ask who drives (JT/T 808-2013, 8.47, and 2019)."""


DRIVERS = ("张伟", "王芳", "李强")


class Driver2011(Message, id=0x0702, years=(2011,)):
    """Who drives (JT/T 808-2011, clause 8)."""

    name = Text("driver", length=">u1", samples=DRIVERS)
    identity = Text("identity number", size=20)
    certificate = Text("of qualification", size=40)
    issuer = Text("of the certificate", length=">u1", samples=("吉林省交通运输厅",))


_READ = equals("reading", 0)


class Driver2013(Message, id=0x0702, years=(2013,)):
    """Driver's card in or out (JT/T 808-2013, 8.48)."""

    status = Number(">u1", "card", choices={1: "in", 2: "out"}, strict=True)
    at = Time("of the change")
    reading = When(
        Number(">u1", "result", choices={0: "ok", 1: "authentication failed", 2: "locked", 3: "pulled", 4: "bad checksum"}),
        equals("status", 1),
        when="status is in",
    )
    name = When(Text("driver", length=">u1", samples=DRIVERS), _READ, when="reading is ok")
    certificate = When(Text("of qualification", size=20), _READ, when="reading is ok")
    issuer = When(Text("of the certificate", length=">u1", samples=("吉林省交通运输厅",)), _READ, when="reading is ok")
    expires = When(Day("of the certificate"), _READ, when="reading is ok")


class Driver(Driver2013, years=(2019,)):
    """Driver's card in or out (JT/T 808-2019, clause 8)."""

    identity = When(Text("identity number", size=20), _READ, when="reading is ok")


class DriverWhole2013(Driver2013, years=(2013,), variant="every field, card in or out"):
    """Driver's card in or out, with the card's fields whatever the status, as one code base writes it."""

    reading = Number(">u1", "result")
    name = Text("driver", length=">u1", samples=DRIVERS)
    certificate = Text("of qualification", size=20)
    issuer = Text("of the certificate", length=">u1", samples=("吉林省交通运输厅",))
    expires = Day("of the certificate")


class DriverWhole(DriverWhole2013, years=(2019,), variant="every field, card in or out"):
    """The same with the identity number."""

    identity = Text("identity number", size=20)


class CanFrame(Record):
    """One CAN frame."""

    can_id = Flags(">u4", {29: "averaged", 30: "extended", 31: "channel2"}, "bits 0 to 28 are the id", parts={"id": (0, 29, {})})
    data = Bytes("as on the bus", size=8)


class CanData(Message, id=0x0705, years=(2013, 2019)):
    """CAN bus data (JT/T 808-2013, 8.50, and 2019)."""

    count = Number(">u2", "frames", typical=(1, 4))
    at = ClockTime("of the first frame")
    frames = Repeat(Nested(CanFrame), "one after another", counted_by="count")


PASSTHROUGH = {
    0x00: "GNSS detail",
    0x0B: "IC card",
    0x41: "serial port 1",
    0x42: "serial port 2",
    0xF7: "peripheral status",
    0xF8: "peripheral information",
}


class PeripheralState(Record):
    """State of one peripheral (T/JSATL 12-2017)."""

    state = Number(">u1", "work", choices={1: "working", 2: "standby", 3: "upgrading", 4: "abnormal", 0x10: "disconnected"})
    alarm = Flags(
        ">u4",
        {0: "camera", 1: "main_storage", 2: "backup_storage", 3: "infrared_lamp", 4: "loudspeaker", 5: "battery", 10: "radio", 11: "gnss"},
    )


class PeripheralInformation(Record):
    """What one peripheral is (T/JSATL 12-2017)."""

    company = Text("name", length=">u1", samples=("测试公司",))
    product = Text("model", length=">u1")
    hardware = Text("version", length=">u1")
    firmware = Text("version", length=">u1")
    device = Text("id", length=">u1")
    customer = Text("code", length=">u1")


PERIPHERALS = {0x64: "ADAS", 0x65: "DSM", 0x66: "TPMS", 0x67: "BSD"}


class PeripheralStateEntry(Record):
    """One peripheral and its state, behind a length."""

    peripheral = Number(">u1", "which", choices=PERIPHERALS)
    message = Nested(PeripheralState, "its state", length=">u1")


class PeripheralInformationEntry(Record):
    """One peripheral and what it is, behind a length."""

    peripheral = Number(">u1", "which", choices=PERIPHERALS)
    message = Nested(PeripheralInformation, "what it is", length=">u1")


class UpPassthrough(Message, id=0x0900):
    """Passthrough from the terminal (JT/T 808-2013, 8.62, and 2019; F7 and F8 T/JSATL 12-2017)."""

    type = Number(">u1", "what it is", choices=PASSTHROUGH)
    content = Switch(
        "type",
        {
            0xF7: Repeat(Nested(PeripheralStateEntry), "states", count=">u1"),
            0xF8: Repeat(Nested(PeripheralInformationEntry), "peripherals", count=">u1"),
        },
    )


class DownPassthrough(Message, id=0x8900):
    """Passthrough to the terminal (JT/T 808-2013, 8.61, and 2019; F7 and F8 T/JSATL 12-2017)."""

    type = Number(">u1", "what it is", choices=PASSTHROUGH)
    content = Switch("type", {n: Repeat(Number(">u1", "peripheral", choices=PERIPHERALS), "asked for", count=">u1") for n in (0xF7, 0xF8)})


class Compressed(Message, id=0x0901):
    """Compressed message (JT/T 808-2013, 8.63, and 2019)."""

    data = Bytes("GZIP", length=">u4")


class PlatformKey(Message, id=0x8A00):
    """Platform's RSA key (JT/T 808-2013, 8.64, and 2019). No code base encrypts with it."""

    exponent = Number(">u4", "e")
    modulus = Bytes("n", size=128)


class TerminalKey(Message, id=0x0A00):
    """Terminal's RSA key (JT/T 808-2013, 8.65, and 2019). No code base encrypts with it."""

    exponent = Number(">u4", "e")
    modulus = Bytes("n", size=128)
