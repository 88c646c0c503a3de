"""Terminals on a car's diagnostic socket, with items 0x80 to 0xCC."""

from __future__ import annotations

from jilink.protocols.jt808.vendors.profile import Profile
from jilink.protocols.wire.cursor import Table
from jilink.protocols.wire.kinds import Number, Text


def _celsius(doc: str, name: str) -> Number:
    return Number(">u1", doc, unit="degC", offset=-40, name=name, typical=(0, 160))


def _percent(doc: str, name: str) -> Number:
    return Number(">u1", doc, unit="%", name=name, typical=(0, 100))


ITEMS: Table = {
    0x80: (Number(">u1", "by the car", unit="km/h", name="obd_speed", typical=(0, 120)),),
    0x81: (Number(">u2", "of the engine", unit="rpm", name="engine_speed", typical=(0, 6000)),),
    0x82: (Number(">u2", "external", unit="V", scale=0.1, name="voltage", typical=(90, 280)),),
    0x83: (_percent("of the engine", "engine_load"),),
    0x84: (_celsius("of the coolant", "coolant_temperature"),),
    0x85: (Number(">u2", "fuel, in the unit of the vendor", name="fuel_consumption"),),
    0x86: (_celsius("of the air taken in", "intake_temperature"),),
    0x87: (Number(">u2", "air taken in, in the unit of the vendor", name="intake_flow"),),
    0x88: (Number(">u1", "of the air taken in", unit="kPa", name="intake_pressure"),),
    0x89: (_percent("opened", "throttle"),),
    0x8B: (Text("of the vehicle", encoding="ascii", name="vin", samples=("LFPM4ACP000000000",)),),
    0x8C: (Number(">u4", "by the car", unit="km", scale=0.1, name="obd_odometer", typical=(1000, 9_999_999)),),
    0x8D: (Number(">u2", "of this trip", unit="km", name="trip"),),
    0x8E: (_percent("in the tank", "fuel_level"),),
    0xA0: (Text("trouble codes, by commas", encoding="ascii", name="trouble_codes", samples=("P538f,U029f",)),),
    0xCC: (Text("of the SIM", encoding="ascii", name="iccid", samples=("89860402102090977002",)),),
}

OBD = Profile("obd", "Terminals on the diagnostic socket", {"location": ITEMS})
