"""What several vendors tell of a terminal's surroundings: radio cells and access points."""

from __future__ import annotations

from jilink.protocols.wire.groups import Repeat
from jilink.protocols.wire.kinds import Bytes, Number
from jilink.protocols.wire.records import Nested, Record


class Wifi(Record):
    """One access point heard."""

    mac = Bytes("address", size=6)
    signal = Number(">u1", "strength")


class AccessPoint(Record):
    """One access point heard, its strength with a sign."""

    mac = Bytes("address", size=6)
    signal = Number(">i1", "strength", unit="dBm", typical=(-100, -30))


class CellHeard(Record):
    """One radio cell heard, with its network."""

    country = Number(">u2", "MCC", typical=(460, 460))
    network = Number(">u1", "MNC", typical=(0, 11))
    area = Number(">u2", "LAC")
    cell = Number(">u4", "CI")
    signal = Number(">u1", "strength")


class ShortCellHeard(CellHeard):
    """The same with an id of two bytes."""

    cell = Number(">u2", "CI")


class PlainCell(CellHeard):
    """One radio cell without its strength."""

    without = ("signal",)


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
