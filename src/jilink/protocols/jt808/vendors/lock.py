"""Electronic locks and seals of containers with items 0x60 to 0x71."""

from __future__ import annotations

from jilink.protocols.jt808.vendors.profile import Profile
from jilink.protocols.wire.cursor import Table
from jilink.protocols.wire.groups import Repeat
from jilink.protocols.wire.kinds import Bytes, Flags, Number, Text
from jilink.protocols.wire.records import Nested, Record


class SubLock(Record):
    """A lock that talks to the terminal."""

    lock = Bytes("its id", size=6)
    battery = Number(">u2", "voltage", unit="V", scale=0.001, typical=(3300, 4200))
    seal = Number(">u1", "of the lock", choices={0x30: "open", 0x31: "closed"})
    state = Flags(">u1", {}, "as received")
    signal = Number(">u1", "strength")


class Event(Record):
    """What happened to a lock."""

    event = Number(">u2", "its number")
    reserved = Bytes("as received", size=1)
    lock = Bytes("id of the lock", size=6)
    card = Text("of the driver", size=8, encoding="ascii")


class CellByStrength(Record):
    """One radio cell; its strength comes first."""

    signal = Number(">u1", "strength")
    network = Number(">u2", "MNC", typical=(0, 11))
    cell = Number(">u4", "CI")
    area = Number(">u2", "LAC")


class CellsByStrength(Record):
    """Radio cells of one country."""

    country = Number(">u2", "MCC", typical=(460, 460))
    cells = Repeat(Nested(CellByStrength), "heard")


ITEMS: Table = {
    0x60: (Nested(Event, "of a lock", name="lock_event"),),
    0x63: (Repeat(Nested(SubLock), "locks", name="locks"),),
    0x66: (Nested(CellsByStrength, "radio cells", name="cells"),),
    0x67: (Text("typed in", size=8, encoding="ascii", name="password"),),
    0x69: (Number(">u2", "of the battery", unit="V", scale=0.01, name="battery_voltage", typical=(330, 420)),),
    0x6C: (Text("of the terminal", encoding="ascii", name="imei", samples=("860000000000000",)),),
    0x71: (Text("of the SIM", encoding="ascii", name="iccid", samples=("89860402102090977002",)),),
}

LOCK = Profile("lock", "Electronic locks and seals of containers", {"location": ITEMS})
