"""Trackers that live on a battery for long, with items 0xD0 to 0xD6."""

from __future__ import annotations

from jilink.protocols.jt808.vendors.profile import Profile
from jilink.protocols.wire.cursor import Table
from jilink.protocols.wire.kinds import Flags, Number, Text

ITEMS: Table = {
    0xD0: (Flags(">u4", {3: "vibration"}, "of the tracker", name="vendor_status"),),
    0xD3: (Number(">u2", "of the supply", unit="V", scale=0.1, name="voltage", typical=(33, 280)),),
    0xD4: (Number(">u1", "charge of the battery", unit="%", name="charge", typical=(0, 100)),),
    0xD5: (Number(">u2", "of the battery", unit="V", scale=0.01, name="battery_voltage", typical=(330, 420)),),
    0xD6: (Text("of the SIM", encoding="ascii", name="iccid", samples=("89860402102090977002",)),),
}

STANDBY = Profile("standby", "Trackers that live on a battery for long", {"location": ITEMS})
