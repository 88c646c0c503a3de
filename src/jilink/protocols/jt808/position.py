"""Positions: 0x0200 and the messages that carry one (JT/T 808, clause 8).

The gateway's columnar decoder derives from `Position` as declared here.
"""

from __future__ import annotations

from jilink.protocols.jt808 import bits
from jilink.protocols.jt808.message import Message
from jilink.protocols.jt808.safety import SAFETY_ITEMS
from jilink.protocols.wire.cursor import Json
from jilink.protocols.wire.forgiving import Forgiving
from jilink.protocols.wire.groups import Repeat, Tagged, When, nonzero
from jilink.protocols.wire.kinds import AnyKind, Bytes, Coordinate, Flags, Number, SignMagnitude
from jilink.protocols.wire.records import Nested, Record
from jilink.protocols.wire.times import Time

PLACES = {0: "anywhere", 1: "circle", 2: "rectangle", 3: "polygon", 4: "route"}


class AreaOverspeed(Record):
    """Where an over-speed alarm was raised (JT/T 808-2019, table 28)."""

    place = Number(">u1", "kind of place", choices=PLACES)
    area = When(Number(">u4", "its id"), nonzero("place"), when="place is not 0")


class AreaCrossing(Record):
    """Entry into or exit from an area or route (JT/T 808-2019, table 29)."""

    place = Number(">u1", "kind of place", choices=PLACES)
    area = Number(">u4", "its id")
    direction = Number(">u1", "way", choices={0: "in", 1: "out"})


class SectionTime(Record):
    """Driving time on a section too short or too long (JT/T 808-2019, table 30)."""

    section = Number(">u4", "its id")
    duration = Number(">u2", "time taken", unit="s")
    result = Number(">u1", "verdict", choices={0: "too short", 1: "too long"})


class Analog(Record):
    """Two analog inputs, the second in the high half (JT/T 808-2019, table 27)."""

    analog1 = Number(">u2", "input 1 (high half)")
    analog0 = Number(">u2", "input 0 (low half)")


class AbnormalDriving(Record):
    """Behaviour seen by the camera (JT/T 1078-2016).

    The standard's length column says 2, its structure holds a level too: 2, 3 and 4 bytes are met.
    """

    behaviour = Flags(">u2", bits.ABNORMAL_DRIVING, "what was seen")


class AbnormalDrivingLevel(AbnormalDriving):
    """The same with a level."""

    level = Number(">u1", "fatigue level", low=0, high=100)


class AbnormalDrivingPadded(AbnormalDrivingLevel):
    """The same with a byte of padding."""

    reserved = Bytes("padding", size=1)


class Satellite(Record):
    """One satellite (item 0x07; one code base only)."""

    data = Bytes("as received", size=4)


TYRES = "tyre pressures from the front left on; no unit, for the standard's Pa does not fit a byte; 30 wheels, or 1 or 3 on the road"

LOCATION_ITEMS: dict[int, tuple[AnyKind, ...]] = {
    0x01: (Number(">u4", "distance driven", unit="km", scale=0.1, name="odometer", typical=(1000, 9_999_999)),),
    0x02: (Number(">u2", "fuel in the tank", unit="L", scale=0.1, name="fuel", typical=(0, 6000)),),
    0x03: (Number(">u2", "speed by the driving recorder", unit="km/h", scale=0.1, name="recorder_speed", typical=(0, 1200)),),
    0x04: (Number(">u2", "alarm that waits for manual confirmation", name="confirmation", typical=(1, 500)),),
    0x05: (Repeat(Number(">u1", "pressure", absent=0xFF, name="pressure"), TYRES, name="tyre_pressure"),),
    0x06: (SignMagnitude(">u2", "temperature in the cabin", unit="degC", name="cabin_temperature", typical=(-40, 60)),),
    0x07: (Repeat(Nested(Satellite), "satellite status", name="satellite_status"),),
    0x11: (Nested(AreaOverspeed, name="area_overspeed"),),
    0x12: (Nested(AreaCrossing, name="area_crossing"),),
    0x13: (Nested(SectionTime, name="section_time"),),
    0x14: (Flags(">u4", bits.VIDEO_ALARMS, "video alarms", name="video_alarm"),),
    0x15: (Flags(">u4", bits.CHANNELS, "video signal lost, a bit a channel", name="video_lost"),),
    0x16: (Flags(">u4", bits.CHANNELS, "video masked, a bit a channel", name="video_masked"),),
    0x17: (
        Flags(">u2", {n: f"main{n + 1}" if n < 12 else f"backup{n - 11}" for n in range(16)}, "storage faults", name="storage_fault"),
        Flags(">u1", {n: f"main{n + 1}" for n in range(8)}, "storage faults, short form met on the road", name="storage_fault"),
    ),
    0x18: tuple(Nested(form, name="abnormal_driving") for form in (AbnormalDriving, AbnormalDrivingLevel, AbnormalDrivingPadded)),
    0x25: (Flags(">u4", bits.SIGNALS, "lamps, brake, horn", name="signals"),),
    0x2A: (Flags(">u2", bits.IO, "inputs and outputs", name="io"),),
    0x2B: (Nested(Analog, name="analog"),),
    0x30: (Number(">u1", "strength of the radio signal", name="network_signal", typical=(0, 31)),),
    0x31: (Number(">u1", "satellites in use", name="satellites", typical=(0, 40)),),
    **SAFETY_ITEMS,
}
"""Tagged items of a position by id (JT/T 808-2019, table 27; JT/T 1078-2016; T/JSATL 12-2017)."""


class Fix(Record):
    """The 28 fixed bytes of a position (JT/T 808-2019, table 23). The 2013 table misprints the time's offset."""

    alarm = Flags(">u4", bits.ALARMS_2019, "alarms")
    status = Flags(">u4", bits.STATUS_2019, "status", parts=bits.LOAD, always=0b10)
    latitude = Coordinate(">u4", "WGS-84, north positive", flags="status", negative=2, valid=1, high=90, typical=(40_900_000, 46_200_000))
    longitude = Coordinate(
        ">u4", "WGS-84, east positive", flags="status", negative=3, valid=1, high=180, typical=(121_700_000, 131_300_000)
    )
    altitude = Number(">i2", "above sea level", unit="m", typical=(50, 900))
    speed = Number(">u2", "over ground", unit="km/h", scale=0.1, low=0, high=220, typical=(0, 1200))
    course = Number(">u2", "clockwise from north", unit="deg", low=0, high=359)
    measured_at = Time("the terminal's clock")

    def prepare(self) -> None:
        """Set the hemisphere bits that signed coordinates ask for."""
        for name in ("latitude", "longitude"):
            kind = self._fields[name]
            if isinstance(kind, Coordinate):
                sign = 1 << kind.negative
                value = self.__dict__[name]
                self.status = self.status | sign if value < 0 else self.status & ~sign if value else self.status

    def render(self) -> dict[str, Json]:
        """Return the fields as JSON; coordinates of a terminal that is not positioned carry `valid` false."""
        shown = super().render()
        if not self.status & 0b10:
            for name in ("latitude", "longitude"):
                leaf = shown[name]
                if isinstance(leaf, dict):
                    leaf["valid"] = False
        return shown


class PositionBody(Fix):
    """A fix and its tagged items."""

    items = Tagged("location", LOCATION_ITEMS, "further values by id")


class PositionBody2013(PositionBody):
    """As 2019, with the 2013 names of the alarm and status bits."""

    alarm = Flags(">u4", bits.ALARMS_2013, "alarms")
    status = Flags(">u4", bits.STATUS_2013, "status", parts=bits.LOAD, always=0b10)


class Position(PositionBody, Message, id=0x0200, years=(2019,)):
    """Position report (JT/T 808-2019, clause 8)."""


class Position2013(PositionBody2013, Message, id=0x0200, years=(2011, 2013)):
    """Position report (JT/T 808-2013, 8.18)."""


class PositionAnswer(Message, id=0x0201, years=(2019,)):
    """Answer to a position query (JT/T 808-2019, clause 8)."""

    reply_serial = Number(">u2", "serial of the query")
    position = Nested(PositionBody, "where it is")


class PositionAnswer2013(PositionAnswer, years=(2011, 2013)):
    """Answer to a position query (JT/T 808-2013, 8.20)."""

    position = Nested(PositionBody2013, "where it is")


class PositionQuery(Message, id=0x8201):
    """Ask for a position now (JT/T 808-2013, 8.19, and 2019)."""


class Tracking(Message, id=0x8202):
    """Report often for a while (JT/T 808-2013, 8.21, and 2019). Interval 0 stops, and then nothing follows."""

    interval = Number(">u2", "between reports; 0 stops", unit="s")
    duration = When(Number(">u4", "how long", unit="s"), nonzero("interval"), when="interval is not 0")


class AlarmConfirmation(Message, id=0x8203):
    """Confirm alarms by hand (JT/T 808-2013, 8.22, and 2019)."""

    alarm_serial = Number(">u2", "serial of the message with the alarm; 0 = every alarm of this type")
    alarms = Flags(">u4", {n: bits.ALARMS_2019[n] for n in (0, 3, 20, 21, 22, 27, 28)}, "which alarms")


class LinkTest(Message, id=0x8204, years=(2019,)):
    """Test the link (JT/T 808-2019, clause 8)."""


class PositionBatch(Message, id=0x0704, years=(2019,)):
    """Several positions at once (JT/T 808-2019, clause 8)."""

    count = Number(">u2", "positions", typical=(1, 4))
    type = Number(">u1", "why", choices={0: "normal", 1: "blind-zone backfill"})
    positions = Forgiving(Nested(PositionBody, length=">u2"), "each behind its length", counted_by="count")


class PositionBatch2013(PositionBatch, years=(2011, 2013)):
    """Several positions at once (JT/T 808-2013, 8.49)."""

    positions = Forgiving(Nested(PositionBody2013, length=">u2"), "each behind its length", counted_by="count")
