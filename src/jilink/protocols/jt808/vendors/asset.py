"""Small battery trackers (persons, goods) with items 0xE1 to 0xFB: C5, C5L and their kin."""

from __future__ import annotations

from jilink.protocols.jt808.vendors.profile import Profile
from jilink.protocols.jt808.vendors.surroundings import AccessPoint, Cell, CellHeard, Cells
from jilink.protocols.wire.cursor import Table
from jilink.protocols.wire.groups import Repeat
from jilink.protocols.wire.kinds import Bytes, Flags, Number
from jilink.protocols.wire.records import Nested, Record


class WideCell(Cell):
    """One radio cell of a network, its area in three bytes of which the first is 0."""

    reserved = Number(">u1", "0", typical=(0, 0))
    order = ("reserved",)


class WideCells(Cells):
    """Radio cells of one network, each with its area in three bytes."""

    cells = Repeat(Nested(WideCell), "heard")


class Supply(Record):
    """Charge, and whether it is being charged."""

    charger = Number(">u1", "connected", choices={0: "yes", 1: "no"})
    charge = Number(">u1", "of the battery", unit="%", typical=(0, 100))


class Alarms(Record):
    """Alarms of the tracker."""

    alarm = Flags(">u2", {0: "vibration", 1: "call_for_help", 2: "call_for_help_2", 3: "call_for_help_3"}, "what happened")
    rest = Bytes("as received", size=6)


class Powers(Record):
    """Strength of the radio and voltages."""

    network_signal = Number(">u1", "strength of the radio signal", typical=(0, 31))
    external = Number(">u2", "voltage", unit="V", scale=0.001, typical=(0, 28000))
    battery = Number(">u2", "voltage", unit="V", scale=0.001, typical=(3300, 4200))
    satellites = Number(">u1", "in use", typical=(0, 40))


ITEMS: Table = {
    0xE1: (Nested(WideCells, "radio cells", name="cells"),),
    0xE4: (Nested(Supply, "battery", name="battery"),),
    0xE5: (Number(">u1", "whether", name="motion", choices={0: "stands", 1: "moves"}),),
    0xE7: (Nested(Alarms, "alarms of the tracker", name="vendor_alarm"),),
    0xEC: (Repeat(Nested(AccessPoint), "access points heard", name="wifi"),),
    0xEE: (Nested(CellHeard, "radio cell", name="cell"),),
    0xF8: (Number(">u2", "of the day", name="steps"),),
}

ASSET = Profile("asset", "Battery trackers of persons and goods (C5, C5L and kin)", {"location": ITEMS})
