"""Terminals with the items of the GPS51 platform."""

from __future__ import annotations

from jilink.protocols.jt808.position import Analog
from jilink.protocols.jt808.vendors.profile import Profile
from jilink.protocols.jt808.vendors.surroundings import CellHeard, Cells, OneCell, ShortCellHeard, Wifi
from jilink.protocols.wire.cursor import Table
from jilink.protocols.wire.groups import Repeat
from jilink.protocols.wire.kinds import Bytes, Flags, Number, SignMagnitude, Text
from jilink.protocols.wire.records import Nested, Record


class Behaviour(Record):
    """Alarms of the terminal's acceleration sensor and inputs."""

    alarm = Flags(">u2", {8: "acceleration", 9: "braking", 10: "cornering"}, "what was felt")
    switches = Flags(">u2", {}, "external switches")
    more = Flags(">u4", {16: "door"}, "further alarms")


class Battery(Record):
    """Charge and external voltage."""

    charge = Number(">u1", "of the battery", unit="%", typical=(0, 100))
    voltage = Number(">u2", "external", unit="V", scale=0.01, typical=(900, 2800))
    charging = Number(">u1", "whether", choices={0: "no", 1: "yes"})


class Level(Record):
    """Charge in tenths."""

    charge = Number(">u1", "of the battery", unit="%", scale=10, typical=(0, 10))
    reserved = Bytes("as received", size=1)


class Tyre(Record):
    """One tyre's sensor."""

    wheel = Number(">u1", "place, from 1", typical=(1, 12))
    sensor = Bytes("its id", size=3)
    pressure = Number(">u2", "in the tyre", unit="bar", scale=0.025, typical=(0, 400))
    temperature = Number(">u1", "in the tyre", unit="degC", offset=-50, typical=(30, 120))
    state = Flags(">u1", {}, "of the sensor")


FA_ALARMS = {
    0: "vibration",
    1: "removed",
    2: "deep_sleep",
    3: "acceleration",
    4: "braking",
    5: "cornering",
    6: "acc_on",
    7: "acc_off",
    8: "battery_low",
    9: "switched_off",
    10: "switched_off_battery_low",
    11: "armed",
}

_TEMPERATURE = SignMagnitude(">u2", "temperature", unit="degC", scale=0.1, absent=0xFFFF, typical=(-400, 600))

ITEMS: Table = {
    0x2B: (
        Nested(Analog, name="analog"),
        Repeat(Number(">u2", "level"), "fuel levels of several tanks", name="fuel_levels"),
    ),
    0x51: (Repeat(_TEMPERATURE, "of the sensors", name="temperatures"),),
    0x52: (
        Number(">u1", "drum of a mixer", name="drum", choices={0: "unknown", 1: "forward, empty", 2: "backward, loaded", 3: "stopped"}),
    ),
    0x53: (
        Repeat(Nested(CellHeard), "radio cells heard", count=">u1", name="cells_heard"),
        Repeat(Nested(ShortCellHeard), "radio cells heard", count=">u1", name="cells_heard"),
    ),
    0x54: (Repeat(Nested(Wifi), "access points heard", count=">u1", name="wifi"),),
    0x56: (Nested(Level, "battery", name="battery_level"),),
    0x57: (Nested(Behaviour, "alarms of the sensor", name="behaviour"),),
    0x58: (Repeat(Number(">u2", "humidity", unit="%", scale=0.1, absent=0x0FFF, typical=(0, 1000)), "of the sensors", name="humidities"),),
    0x5D: (Repeat(Nested(CellHeard), "radio cells heard", count=">u1", name="cells_heard"),),
    0x60: (Repeat(Nested(CellHeard), "radio cells heard", count=">u1", name="cells_heard"),),
    0x61: (Number(">u2", "external", unit="V", scale=0.01, name="voltage", typical=(900, 2800)),),
    0x77: (Repeat(Nested(Tyre), "tyres", name="tyres"),),
    0x82: (Number(">u2", "external", unit="V", scale=0.1, name="voltage", typical=(90, 280)),),
    0xE1: (
        Nested(OneCell, "radio cell", name="cell"),
        Nested(Cells, "radio cells", name="cells"),
        Number(">u2", "external", unit="V", scale=0.1, name="voltage", typical=(90, 280)),
    ),
    0xE2: (Text("version of the firmware", encoding="ascii", name="firmware"),),
    0xF1: (Text("of the SIM", encoding="ascii", name="iccid", samples=("89860402102090977002",)),),
    0xFA: (Flags(">u4", FA_ALARMS, "further alarms", name="vendor_alarm"),),
    0xFB: (Nested(Battery, "battery", name="battery"),),
}

GPS51 = Profile("gps51", "Terminals with the items of the GPS51 platform", {"location": ITEMS})
