"""Parameters of active safety, 0xF364 to 0xF367 (T/JSATL 12-2017). All ones mean "leave as is"."""

from __future__ import annotations

from jilink.protocols.wire.kinds import AnyKind, Bytes, Flags, Number, Text
from jilink.protocols.wire.records import Nested, Record

PHOTOS = {0: "off", 1: "by time", 2: "by distance", 3: "reserved", 0xFF: "as is"}
PICTURES = {1: "352x288", 2: "704x288", 3: "704x576", 4: "640x480", 5: "1280x720", 6: "1920x1080", 0xFF: "as is"}
FILMS = {1: "CIF", 2: "HD1", 3: "D1", 4: "WD1", 5: "VGA", 6: "720P", 7: "1080P", 0xFF: "as is"}


def _speed(doc: str) -> Number:
    return Number(">u1", doc, unit="km/h", typical=(0, 220))


def _film(doc: str) -> Number:
    return Number(">u1", f"{doc}: film before and after", unit="s", typical=(0, 60))


def _count(doc: str) -> Number:
    return Number(">u1", f"{doc}: photographs", typical=(0, 10))


def _interval(doc: str) -> Number:
    return Number(">u1", f"{doc}: between photographs", unit="s", scale=0.1, typical=(1, 10))


def _tenths(doc: str) -> Number:
    return Number(">u1", doc, unit="s", scale=0.1, typical=(0, 50))


class _Common(Record):
    """What driver assistance and driver state share."""

    alarm_speed = _speed("below it nothing is an alarm")
    volume = Number(">u1", "of the prompts, 0 to 8", typical=(0, 8))
    photo_strategy = Number(">u1", "photographs without an alarm", choices=PHOTOS)
    photo_time = Number(">u2", "between photographs by time", unit="s", typical=(0, 3600))
    photo_distance = Number(">u2", "between photographs by distance", unit="m", scale=100, typical=(0, 600))
    photo_count = _count("without an alarm")
    photo_interval = _interval("without an alarm")
    photo_resolution = Number(">u1", "of photographs", choices=PICTURES)
    film_resolution = Number(">u1", "of films", choices=FILMS)


class AdasParameters(_Common):
    """Driver assistance, 56 bytes."""

    alarms = Flags(
        ">u4",
        dict(
            enumerate(
                (
                    "obstacle_1",
                    "obstacle_2",
                    "lane_change_1",
                    "lane_change_2",
                    "lane_departure_1",
                    "lane_departure_2",
                    "collision_1",
                    "collision_2",
                    "pedestrian_1",
                    "pedestrian_2",
                    "headway_1",
                    "headway_2",
                )
            )
        )
        | {16: "sign_over_limit"},
        "alarms that are on, by level",
    )
    events = Flags(">u4", {0: "sign_recognised", 1: "active_capture"}, "events that are on")
    reserved1 = Bytes(size=1)
    obstacle_distance = _tenths("obstacle: time to it")
    obstacle_speed = _speed("obstacle: between level 1 and 2")
    obstacle_film = _film("obstacle")
    obstacle_photos = _count("obstacle")
    obstacle_interval = _interval("obstacle")
    lane_change_window = Number(">u1", "frequent lane change: window", unit="s", typical=(30, 120))
    lane_change_count = Number(">u1", "frequent lane change: changes", typical=(3, 10))
    lane_change_speed = _speed("frequent lane change: between level 1 and 2")
    lane_change_film = _film("frequent lane change")
    lane_change_photos = _count("frequent lane change")
    lane_change_interval = _interval("frequent lane change")
    lane_departure_speed = _speed("lane departure: between level 1 and 2")
    lane_departure_film = _film("lane departure")
    lane_departure_photos = _count("lane departure")
    lane_departure_interval = _interval("lane departure")
    collision_time = _tenths("forward collision: time to it")
    collision_speed = _speed("forward collision: between level 1 and 2")
    collision_film = _film("forward collision")
    collision_photos = _count("forward collision")
    collision_interval = _interval("forward collision")
    pedestrian_time = _tenths("pedestrian: time to collision")
    pedestrian_speed = _speed("pedestrian: between level 1 and 2")
    pedestrian_film = _film("pedestrian")
    pedestrian_photos = _count("pedestrian")
    pedestrian_interval = _interval("pedestrian")
    headway_time = _tenths("headway: shortest")
    headway_speed = _speed("headway: between level 1 and 2")
    headway_film = _film("headway")
    headway_photos = _count("headway")
    headway_interval = _interval("headway")
    sign_photos = _count("sign")
    sign_interval = _interval("sign")
    reserved2 = Bytes(size=4)


class AdasParameters57(AdasParameters):
    """Driver assistance, 57 bytes: the Guangdong variant."""

    reserved2 = Bytes(size=5)


class DsmParameters(_Common):
    """Driver state, 49 bytes."""

    alarms = Flags(
        ">u4",
        dict(
            enumerate(
                (
                    "fatigue_1",
                    "fatigue_2",
                    "phone_1",
                    "phone_2",
                    "smoking_1",
                    "smoking_2",
                    "distraction_1",
                    "distraction_2",
                    "abnormal_1",
                    "abnormal_2",
                )
            )
        ),
        "alarms that are on, by level",
    )
    events = Flags(">u4", {0: "driver_change", 1: "active_capture"}, "events that are on")
    smoking_window = Number(">u2", "smoking: one alarm within", unit="s", typical=(0, 3600))
    phone_window = Number(">u2", "phone: one alarm within", unit="s", typical=(0, 3600))
    reserved1 = Bytes(size=3)
    fatigue_speed = _speed("fatigue: between level 1 and 2")
    fatigue_film = _film("fatigue")
    fatigue_photos = _count("fatigue")
    fatigue_interval = _interval("fatigue")
    phone_speed = _speed("phone: between level 1 and 2")
    phone_film = _film("phone")
    phone_photos = _count("phone")
    phone_interval = _interval("phone")
    smoking_speed = _speed("smoking: between level 1 and 2")
    smoking_film = _film("smoking")
    smoking_photos = _count("smoking")
    smoking_interval = _interval("smoking")
    distraction_speed = _speed("distraction: between level 1 and 2")
    distraction_film = _film("distraction")
    distraction_photos = _count("distraction")
    distraction_interval = _interval("distraction")
    abnormal_speed = _speed("driver abnormal: between level 1 and 2")
    abnormal_film = _film("driver abnormal")
    abnormal_photos = _count("driver abnormal")
    abnormal_interval = _interval("driver abnormal")
    identification = Number(
        ">u1", "when the driver is identified", choices={0: "never", 1: "by time", 2: "by distance", 3: "at card in", 0xFF: "as is"}
    )
    reserved2 = Bytes(size=2)


class DsmParameters65(DsmParameters):
    """Driver state, 65 bytes: the Guangdong variant's further alarms stay bytes."""

    reserved2 = Bytes("further alarms of the variant", size=18)


class TpmsParameters(Record):
    """Tyre pressure, 36 bytes."""

    tyre = Text("its size", size=12, samples=("900R20",))
    pressure_unit = Number(">u2", "of the pressures", choices={0: "kg/cm2", 1: "bar", 2: "kPa", 3: "psi"})
    normal = Number(">u2", "normal pressure", typical=(100, 200))
    imbalance = Number(">u2", "that is an alarm", unit="%", typical=(0, 100))
    slow_leak = Number(">u2", "that is an alarm", unit="%", typical=(0, 100))
    low = Number(">u2", "low pressure", typical=(50, 150))
    high = Number(">u2", "high pressure", typical=(150, 300))
    hot = Number(">u2", "high temperature", unit="degC", typical=(50, 100))
    battery = Number(">u2", "low battery", unit="%", typical=(0, 100))
    report_interval = Number(">u2", "0 = none", unit="s", typical=(0, 3600))
    reserved = Bytes(size=6)


class BsdParameters(Record):
    """Blind zone, 2 bytes."""

    rear_time = Number(">u1", "rear approach", unit="s", typical=(1, 10))
    side_time = Number(">u1", "side and rear approach", unit="s", typical=(1, 10))


SAFETY_PARAMETERS: dict[int, tuple[AnyKind, ...]] = {
    0xF364: (Nested(AdasParameters, "driver assistance", name="adas"), Nested(AdasParameters57, "driver assistance", name="adas")),
    0xF365: (Nested(DsmParameters, "driver state", name="dsm"), Nested(DsmParameters65, "driver state", name="dsm")),
    0xF366: (Nested(TpmsParameters, "tyre pressure", name="tpms"),),
    0xF367: (Nested(BsdParameters, "blind zone", name="bsd"),),
}
