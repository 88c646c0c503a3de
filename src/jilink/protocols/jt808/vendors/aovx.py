"""AOVX trackers: GL100, AL300, VL300."""

from __future__ import annotations

from jilink.protocols.jt808.vendors.profile import Profile
from jilink.protocols.jt808.vendors.surroundings import AccessPoint, OneCell
from jilink.protocols.wire.cursor import Table
from jilink.protocols.wire.groups import Repeat, When, bit
from jilink.protocols.wire.kinds import Bcd, Bytes, Flags, Number, Text
from jilink.protocols.wire.records import Nested, Record
from jilink.protocols.wire.times import Time


class LongCell(OneCell):
    """One radio cell heard, all of its parts long."""

    area = Number(">u4", "LAC or TAC")
    signal = Number(">u1", "strength")
    order = ("country", "network", "cell")


class Acceleration(Record):
    """Acceleration along three axes, as the sensor counts."""

    x = Number(">i2", "first axis")
    y = Number(">i2", "second axis")
    z = Number(">i2", "third axis")


SENSORS = {0: "light", 1: "temperature", 2: "humidity", 3: "acceleration", 4: "thresholds"}


class Sensors(Record):
    """What the sensors say, as far as the mask has it."""

    event = Number(">u1", "why it is told", choices={0: "regular", 2: "moved"})
    mask = Flags(">u1", SENSORS, "which values follow")
    light = When(Number(">u2", "strength of light"), bit("mask", 0), when="mask light")
    temperature = When(Number(">i2", "around", unit="degC", scale=0.1, typical=(-400, 600)), bit("mask", 1), when="mask temperature")
    humidity = When(Number(">i2", "around", unit="%", scale=0.1, typical=(0, 1000)), bit("mask", 2), when="mask humidity")
    acceleration = When(Nested(Acceleration), bit("mask", 3), when="mask acceleration")
    thresholds = When(Bytes("as set", size=10), bit("mask", 4), when="mask thresholds")


class BatteryState(Record):
    """Voltage, state and charge of the battery."""

    voltage = Number(">u4", "of the battery", unit="V", scale=0.001, typical=(3300, 4200))
    state = Number(">u1", "what it does", choices={2: "charges", 3: "charged"})
    charge = Number(">u1", "of the battery", unit="%", typical=(0, 100))


class Identity(Record):
    """Mode of work and who the tracker is."""

    mode = Number(">u1", "of work")
    imei = Bcd(8, "of the tracker, a zero before it")
    iccid = Bcd(10, "of the SIM")
    model = Text("of the tracker", size=10, encoding="ascii")


GNSS = {0: "age", 1: "acc_time", 2: "hdop", 3: "fixed_at"}


class Gnss(Record):
    """About the fix, as far as the mask has it."""

    mask = Flags(">u2", GNSS, "which values follow")
    age = When(Number(">u4", "of the fix", unit="s"), bit("mask", 0), when="mask age")
    acc_time = When(Number(">u4", "ignition on", unit="s"), bit("mask", 1), when="mask acc_time")
    hdop = When(Number(">u2", "dilution of precision", scale=0.1, typical=(5, 99)), bit("mask", 2), when="mask hdop")
    fixed_at = When(Time("of the fix"), bit("mask", 3), when="mask fixed_at")


ITEMS: Table = {
    0xF0: (Repeat(Nested(LongCell), "radio cells heard", name="cells_heard"),),
    0xF1: (Number(">u4", "external", unit="V", scale=0.001, name="voltage", typical=(9000, 28000)),),
    0xF2: (Text("of the firmware", encoding="ascii", name="firmware"),),
    0xF4: (Repeat(Nested(AccessPoint), "access points heard", name="wifi"),),
    0xF6: (Nested(Sensors, "sensors", name="sensors"),),
    0xF7: (Nested(BatteryState, "battery", name="battery"),),
    0xF8: (Nested(Identity, "the tracker", name="identity"),),
    0xF9: (Nested(Gnss, "about the fix", name="gnss"),),
}

AOVX = Profile("aovx", "AOVX trackers (GL100, AL300, VL300)", {"location": ITEMS})
