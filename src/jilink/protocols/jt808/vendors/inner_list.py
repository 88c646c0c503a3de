"""Terminals whose item 0xEB holds a list of its own: length, id, value, the length counting the id too."""

from __future__ import annotations

from jilink.protocols.jt808.vendors.profile import Profile
from jilink.protocols.jt808.vendors.surroundings import PlainCell
from jilink.protocols.wire.cursor import Table
from jilink.protocols.wire.kinds import Bcd, Flags, Number, Text
from jilink.protocols.wire.length_first import LengthFirst
from jilink.protocols.wire.records import Nested, Record


class FuelSensor(Record):
    """Fuel by a sensor, and a byte of its own."""

    fuel = Number(">u2", "in the tank", unit="L", scale=0.1, typical=(0, 6000))
    reserved = Number(">u1", "as received", typical=(0, 0))


class Networks(Record):
    """Access points heard, as a text."""

    count = Number(">u1", "how many", typical=(1, 1))
    text = Text("address,strength for each", encoding="ascii", samples=("54:B1:21:66:C9:E2,-50",))


INNER: Table = {
    0x0001: (Nested(FuelSensor, "fuel", name="fuel_sensor"),),
    0x0023: (Text("fuel in litres, decimal", encoding="ascii", name="fuel_text", samples=("001.47",)),),
    0x002D: (
        Number(">u2", "of the battery", unit="V", scale=0.001, name="battery_voltage", typical=(3300, 4200)),
        Number(">u4", "external", unit="V", scale=0.001, name="voltage", typical=(9000, 28000)),
    ),
    0x0089: (Flags(">u4", {0: "powered", 12: "attached"}, "what is well: a bit is cleared where it is not", name="well"),),
    0x00A3: (Text("of the firmware", encoding="ascii", name="firmware", samples=("V0.1",)),),
    0x00A8: (Number(">u1", "charge of the battery", unit="%", name="charge", typical=(0, 100)),),
    0x00B2: (Bcd(10, "of the SIM, padded with f", name="iccid"),),
    0x00B9: (Nested(Networks, "access points heard", name="wifi"),),
    0x00C5: (
        Flags(">u4", {6: "no_vibration"}, "motion", name="motion", parts={"state": (23, 2, {0: "moves", 1: "stands", 3: "unknown"})}),
    ),
    0x00CE: (Number(">u2", "external", unit="V", scale=0.01, name="voltage", typical=(900, 2800)),),
    0x00D5: (Text("of the terminal", encoding="ascii", name="imei", samples=("860000000000000",)),),
    0x00D8: (Nested(PlainCell, "radio cell", name="cell"),),
    0x00E1: (Number(">u1", "charge of the battery", unit="%", name="charge", typical=(0, 100)),),
}

INNER_LIST = Profile(
    "inner_list",
    "Terminals with a list inside item 0xEB",
    {"location": {0xEB: (LengthFirst("inner_list", INNER, "further values", name="extension"),)}},
)
