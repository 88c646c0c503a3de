"""Vendor profiles: what a model of terminal does otherwise than the standard, chosen per device model.

A profile adds kinds to item tables (they are tried before the standard's) and messages. Each item is proven by a capture
(tests/captures/jt808, the rows of the GPS51 family).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jilink.protocols.jt808.message import Message, Year
from jilink.protocols.jt808.position import Analog
from jilink.protocols.wire.cursor import Table
from jilink.protocols.wire.groups import Repeat
from jilink.protocols.wire.kinds import Bytes, Flags, Number, Text
from jilink.protocols.wire.records import Nested, Record


@dataclass(frozen=True)
class Profile:
    """One family of terminals."""

    name: str
    title: str
    tables: Mapping[str, Table] = field(default_factory=dict)
    messages: Mapping[int, tuple[type[Message], ...]] = field(default_factory=dict)

    def candidates(self, number: int, year: Year) -> tuple[type[Message], ...]:
        """Return the profile's own declarations of a message of a year."""
        return tuple(declared for declared in self.messages.get(number, ()) if year in declared.years)


class Wifi(Record):
    """One access point heard."""

    mac = Bytes("address", size=6)
    signal = Number(">u1", "strength")


class CellHeard(Record):
    """One radio cell heard, with its network."""

    country = Number(">u2", "MCC", typical=(460, 460))
    network = Number(">u1", "MNC", typical=(0, 11))
    area = Number(">u2", "LAC")
    cell = Number(">u4", "CI")
    signal = Number(">u1", "strength")


class Cell(Record):
    """One radio cell of a network."""

    area = Number(">u2", "LAC")
    cell = Number(">u4", "CI")
    signal = Number(">u1", "strength")


class OneCell(Record):
    """A single radio cell without its strength."""

    country = Number(">u2", "MCC", typical=(460, 460))
    network = Number(">u2", "MNC", typical=(0, 11))
    area = Number(">u2", "LAC")
    cell = Number(">u4", "CI")


class Cells(Record):
    """Radio cells of one network."""

    country = Number(">u2", "MCC", typical=(460, 460))
    network = Number(">u2", "MNC", typical=(0, 11))
    cells = Repeat(Nested(Cell), "heard")


class Behaviour(Record):
    """Alarms of the terminal's acceleration sensor and inputs."""

    alarm = Flags(">u2", {8: "acceleration", 9: "braking", 10: "cornering"}, "what was felt")
    switches = Flags(">u2", {}, "external switches")
    more = Flags(">u4", {}, "further alarms")


class Battery(Record):
    """Charge and external voltage."""

    charge = Number(">u1", "of the battery", unit="%", typical=(0, 100))
    voltage = Number(">u2", "external", unit="V", scale=0.01, typical=(900, 2800))
    charging = Number(">u1", "whether", choices={0: "no", 1: "yes"})


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

GPS51_ITEMS: Table = {
    0x2B: (
        Nested(Analog, name="analog"),
        Repeat(Number(">u2", "level"), "fuel levels of several tanks", name="fuel_levels"),
    ),
    0x51: (Repeat(Number(">i2", "temperature", unit="degC", scale=0.1), "of the sensors", name="temperatures"),),
    0x52: (
        Number(">u1", "drum of a mixer", name="drum", choices={0: "unknown", 1: "forward, empty", 2: "backward, loaded", 3: "stopped"}),
    ),
    0x54: (Repeat(Nested(Wifi), "access points heard", count=">u1", name="wifi"),),
    0x57: (Nested(Behaviour, "alarms of the sensor", name="behaviour"),),
    0x58: (Repeat(Number(">u2", "humidity", unit="%", scale=0.1, absent=0x0FFF, typical=(0, 1000)), "of the sensors", name="humidities"),),
    0x60: (Repeat(Nested(CellHeard), "radio cells heard", count=">u1", name="cells_heard"),),
    0x61: (Number(">u2", "external", unit="V", scale=0.01, name="voltage", typical=(900, 2800)),),
    0xE1: (Nested(OneCell, "radio cell", name="cell"), Nested(Cells, "radio cells", name="cells")),
    0xE2: (Text("version of the firmware", encoding="ascii", name="firmware"),),
    0xF1: (Text("of the SIM", encoding="ascii", name="iccid", samples=("89860402102090977002",)),),
    0xFA: (Flags(">u4", FA_ALARMS, "further alarms", name="vendor_alarm"),),
    0xFB: (Nested(Battery, "battery", name="battery"),),
}

PROFILES = {
    profile.name: profile
    for profile in (
        Profile("standard", "As the standard says"),
        Profile("gps51", "Terminals with the items of the GPS51 platform", {"location": GPS51_ITEMS}),
    )
}
