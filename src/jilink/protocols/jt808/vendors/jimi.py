"""Jimi dash cameras (JC371 and kin): item 0xE8 holds a list of its own."""

from __future__ import annotations

from jilink.protocols.jt808.vendors.profile import Profile
from jilink.protocols.wire.cursor import Table
from jilink.protocols.wire.groups import Tagged
from jilink.protocols.wire.kinds import Bytes, Number, Text
from jilink.protocols.wire.records import Nested, Record


class Power(Record):
    """Charger, battery, radio and external voltage."""

    charging = Number(">u1", "whether", choices={0: "no", 1: "yes"})
    level = Number(">u1", "of the battery, 1 to 6", typical=(1, 6))
    battery = Number(">u2", "voltage", unit="V", scale=0.01, typical=(330, 420))
    network_signal = Number(">u1", "strength of the radio signal", typical=(0, 31))
    external = Number(">u2", "voltage", unit="V", scale=0.01, typical=(900, 2800))


EVENTS: Table = {
    0x0406: (Bytes("label of the event", size=16, name="vibration"),),
    0x0C01: (Bytes("label of the event", size=16, name="call_for_help"),),
    0x2003: (Nested(Power, "power", name="power"),),
}

ITEMS: Table = {
    0xE8: (Tagged("jimi", EVENTS, "events and states", id=">u2", length=">u1", name="extension"),),
    0xEB: (Text("of the terminal's settings", encoding="ascii", name="timezone", samples=("UTC+08:00",)),),
}

JIMI = Profile("jimi", "Jimi dash cameras (JC371 and kin)", {"location": ITEMS})
