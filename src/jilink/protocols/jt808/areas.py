"""Areas and routes (JT/T 808, clause 8)."""

from __future__ import annotations

from jilink.protocols.jt808.message import Message
from jilink.protocols.wire.groups import Repeat, Switch, When, bit
from jilink.protocols.wire.kinds import Bytes, Flags, Number, Text
from jilink.protocols.wire.records import Nested, Record
from jilink.protocols.wire.times import Moment

AREA = {
    0: "time_window",
    1: "speed_limit",
    2: "enter_tells_driver",
    3: "enter_tells_platform",
    4: "leave_tells_driver",
    5: "leave_tells_platform",
    6: "south",
    7: "west",
    8: "doors_forbidden",
    14: "radio_off_inside",
    15: "gnss_detail_inside",
}
SECTION = {0: "driving_time", 1: "speed_limit", 2: "south", 3: "west"}
ACTIONS = {0: "replace", 1: "append", 2: "modify"}
NAMES = ("长春市区", "吉林港", "禁行区")

TIMED = "attribute time_window"
LIMITED = "attribute speed_limit"


def _latitude(doc: str) -> Number:
    return Number(">u4", doc, unit="deg", scale=1e-6, typical=(40_900_000, 46_200_000))


def _longitude(doc: str) -> Number:
    return Number(">u4", doc, unit="deg", scale=1e-6, typical=(121_700_000, 131_300_000))


def _speed(doc: str) -> Number:
    return Number(">u2", doc, unit="km/h", typical=(20, 120))


class AreaHead(Record):
    """Id and attributes of an area."""

    area = Number(">u4", "its id")
    attribute = Flags(">u2", AREA, "what holds inside")


class AreaTail(Record):
    """When an area holds and how fast one may go (JT/T 808-2013)."""

    start = When(Moment("begin; date zero = every day"), bit("attribute", 0), when=TIMED)
    end = When(Moment("end; date zero = every day"), bit("attribute", 0), when=TIMED)
    speed_limit = When(_speed("top speed"), bit("attribute", 1), when=LIMITED)
    overspeed_duration = When(Number(">u1", "how long over it", unit="s"), bit("attribute", 1), when=LIMITED)


class AreaTail2019(AreaTail):
    """The same with a speed for the night and a name (JT/T 808-2019)."""

    night_speed_limit = When(_speed("top speed at night"), bit("attribute", 1), when=LIMITED)
    name = Text("what people call it", length=">u2", samples=NAMES)


class CircleShape(Record):
    """Centre and radius."""

    latitude = _latitude("centre")
    longitude = _longitude("centre")
    radius = Number(">u4", "around it", unit="m", typical=(50, 50_000))


class RectangleShape(Record):
    """Two corners."""

    top_latitude = _latitude("upper left")
    left_longitude = _longitude("upper left")
    bottom_latitude = _latitude("lower right")
    right_longitude = _longitude("lower right")


_HEAD = tuple(AreaHead.fields())
_CIRCLE = tuple(CircleShape.fields())
_RECTANGLE = tuple(RectangleShape.fields())


class Circle2013(AreaHead, CircleShape, AreaTail):
    """A circle."""

    order = (*_HEAD, *_CIRCLE)


class Circle(AreaHead, CircleShape, AreaTail2019):
    """A circle."""

    order = (*_HEAD, *_CIRCLE, *AreaTail2019.fields())


class Rectangle2013(AreaHead, RectangleShape, AreaTail):
    """A rectangle."""

    order = (*_HEAD, *_RECTANGLE)


class Rectangle(AreaHead, RectangleShape, AreaTail2019):
    """A rectangle."""

    order = (*_HEAD, *_RECTANGLE, *AreaTail2019.fields())


class SetCircles2013(Message, id=0x8600, years=(2011, 2013)):
    """Set circles (JT/T 808-2013, 8.35)."""

    action = Number(">u1", "how", choices=ACTIONS)
    areas = Repeat(Nested(Circle2013), "to set", count=">u1")


class SetCircles(SetCircles2013, years=(2019,)):
    """Set circles (JT/T 808-2019, clause 8)."""

    areas = Repeat(Nested(Circle), "to set", count=">u1")  # type: ignore[assignment]  # -- the year's own shape


class SetRectangles2013(Message, id=0x8602, years=(2011, 2013)):
    """Set rectangles (JT/T 808-2013, 8.37)."""

    action = Number(">u1", "how", choices=ACTIONS)
    areas = Repeat(Nested(Rectangle2013), "to set", count=">u1")


class SetRectangles(SetRectangles2013, years=(2019,)):
    """Set rectangles (JT/T 808-2019, clause 8)."""

    areas = Repeat(Nested(Rectangle), "to set", count=">u1")  # type: ignore[assignment]  # -- the year's own shape


class Point(Record):
    """A corner."""

    latitude = _latitude("of the corner")
    longitude = _longitude("of the corner")


class SetPolygon2013(AreaHead, AreaTail, Message, id=0x8604, years=(2011, 2013)):
    """Set a polygon (JT/T 808-2013, 8.39)."""

    points = Repeat(Nested(Point), "corners", count=">u2", most=6)
    order = (*_HEAD, *AreaTail.fields(), "points")


class SetPolygon(SetPolygon2013, years=(2019,)):
    """Set a polygon (JT/T 808-2019, clause 8). The night speed stands behind the corners."""

    night_speed_limit = When(_speed("top speed at night"), bit("attribute", 1), when=LIMITED)
    name = Text("what people call it", length=">u2", samples=NAMES)
    order = (*SetPolygon2013.fields(), "night_speed_limit", "name")


class Turn2013(Record):
    """A turning point and the section that begins there (JT/T 808-2013)."""

    point = Number(">u4", "id of the turning point")
    section = Number(">u4", "id of the section")
    latitude = _latitude("of the turning point")
    longitude = _longitude("of the turning point")
    section_width = Number(">u1", "of the section", unit="m")
    attribute = Flags(">u1", SECTION, "what holds on it")
    too_long = When(Number(">u2", "longest driving time", unit="s"), bit("attribute", 0), when="attribute driving_time")
    too_short = When(Number(">u2", "shortest driving time", unit="s"), bit("attribute", 0), when="attribute driving_time")
    speed_limit = When(_speed("top speed"), bit("attribute", 1), when=LIMITED)
    overspeed_duration = When(Number(">u1", "how long over it", unit="s"), bit("attribute", 1), when=LIMITED)


class Turn(Turn2013):
    """The same with a speed for the night (JT/T 808-2019)."""

    night_speed_limit = When(_speed("top speed at night"), bit("attribute", 1), when=LIMITED)


ROUTE = {0: "time_window", 2: "enter_tells_driver", 3: "enter_tells_platform", 4: "leave_tells_driver", 5: "leave_tells_platform"}


class SetRoute2013(Message, id=0x8606, years=(2011, 2013)):
    """Set a route (JT/T 808-2013, 8.41). Start and end are there only with a time window, against one code base."""

    route = Number(">u4", "its id")
    attribute = Flags(">u2", ROUTE, "what holds on it")
    start = When(Moment("begin; date zero = every day"), bit("attribute", 0), when=TIMED)
    end = When(Moment("end; date zero = every day"), bit("attribute", 0), when=TIMED)
    turns = Repeat(Nested(Turn2013), "turning points", count=">u2", most=6)


class SetRoute(SetRoute2013, years=(2019,)):
    """Set a route (JT/T 808-2019, clause 8)."""

    turns = Repeat(Nested(Turn), "turning points", count=">u2", most=6)
    name = Text("what people call it", length=">u2", samples=NAMES)


class _Delete(Message):
    """Ids to delete."""

    ids = Repeat(Number(">u4", "id"), "to delete; none = all", count=">u1")


class DeleteCircles(_Delete, id=0x8601):
    """Delete circles (JT/T 808-2013, 8.36, and 2019)."""


class DeleteRectangles(_Delete, id=0x8603):
    """Delete rectangles (JT/T 808-2013, 8.38, and 2019)."""


class DeletePolygons(_Delete, id=0x8605):
    """Delete polygons (JT/T 808-2013, 8.40, and 2019)."""


class DeleteRoutes(_Delete, id=0x8607):
    """Delete routes (JT/T 808-2013, 8.42, and 2019)."""


AREA_TYPES = {1: "circles", 2: "rectangles", 3: "polygons", 4: "routes"}


class AreaQuery(Message, id=0x8608, years=(2019,)):
    """Ask which areas are held (JT/T 808-2019, clause 8)."""

    type = Number(">u1", "which", choices=AREA_TYPES)
    ids = Repeat(Number(">u4", "id"), "to tell; none = all", count=">u4")


class AreaReport(Message, id=0x0608, years=(2019,)):
    """The areas that are held (JT/T 808-2019, clause 8).

    The text leaves open what stands before an area; here nothing does, and each is as in its setting message. No device's frame was seen.
    """

    type = Number(">u1", "which", choices=AREA_TYPES)
    count = Number(">u4", "areas", typical=(0, 4))
    areas = Switch(
        "type",
        {
            number: Repeat(Nested(shape), "as in the setting message", counted_by="count")
            for number, shape in {1: Circle, 2: Rectangle, 3: SetPolygon, 4: SetRoute}.items()
        },
    )


class AreaReportUnread(AreaReport, years=(2019,), variant="areas in a shape of its own"):
    """The areas that are held, kept as bytes where they are not shaped as in their setting messages."""

    without = ("areas",)
    data = Bytes("as received")
