"""What people call the fields, values, alarms and reasons that other rooms name in code."""

import re

from django.utils.functional import lazy
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _


def word(name: str) -> str:
    """Return the word for a name of code in the viewer's language; a name without a word of its own is shown as it is."""
    numbered = _NUMBERED.fullmatch(name) if name not in WORDS else None
    if numbered and numbered[1] not in _ACRONYMS:
        return f"{word(numbered[1])} {numbered[2]}"
    return gettext(spelling(name))


def spelling(name: str) -> str:
    """Return the English that `word` looks up for a name, without the number it may end in: for the catalogue."""
    with override(None):
        known = WORDS.get(name)
        if known is not None:
            return str(known)
    numbered = _NUMBERED.fullmatch(name)
    if numbered and numbered[1] not in _ACRONYMS:
        return spelling(numbered[1])
    spelt = " ".join(part.upper() if part in _ACRONYMS else part for part in name.replace("_", " ").split(" "))
    return spelt[:1].upper() + spelt[1:]


def unit(name: str) -> str:
    """Return how people write a unit of the declarations."""
    return UNITS.get(name, name)


UNITS = {"deg": "°", "degC": "°C"}
lazy_word = lazy(word, str)
"""The same for what is made before anyone looks: forms."""
_NUMBERED = re.compile(r"([a-z][a-z_]*[a-z])_?(\d+|0[0-9a-f]{3})")
"""A name that counts: ``channel12``, ``fatigue_1``, ``can_sampling_01a0``."""
_ACRONYMS = frozenset({"apn", "can1", "can2", "gnss", "ic", "sms", "tcp", "tts", "udp", "vss"})


WORDS = {
    # latest values (spine.measurements)
    "latitude": _("Latitude"),
    "longitude": _("Longitude"),
    "altitude": _("Altitude"),
    "speed": _("Speed"),
    "course": _("Course"),
    "odometer": _("Odometer"),
    "fuel": _("Fuel"),
    "recorder_speed": _("Speed by the recorder"),
    "confirmation": _("Alarm to confirm"),
    "cabin_temperature": _("Cabin temperature"),
    "video_alarm": _("Video alarm"),
    "video_lost": _("Video lost"),
    "video_masked": _("Video masked"),
    "signals": _("Signals"),
    "io": _("Inputs"),
    "analog0": _("Analogue input 1"),
    "analog1": _("Analogue input 2"),
    "network_signal": _("Network signal"),
    "satellites": _("Satellites"),
    "backfill": _("Sent later from memory"),
    # fields of orders
    "flag": _("How"),
    "kind": _("Kind"),
    "type": _("Type"),
    "text": _("Text"),
    "interval": _("Interval"),
    "duration": _("Duration"),
    "phone": _("Phone number"),
    "command": _("Command"),
    "parameters": _("Parameters"),
    "parameter": _("Parameter"),
    "value": _("Value"),
    "ids": _("Numbers"),
    "action": _("Action"),
    "area": _("Area number"),
    "attribute": _("What holds inside"),
    "radius": _("Radius"),
    "start": _("Begin"),
    "end": _("End"),
    "speed_limit": _("Top speed"),
    "overspeed_duration": _("How long over it"),
    "night_speed_limit": _("Top speed at night"),
    "name": _("Name"),
    "channel": _("Camera"),
    "save": _("Where to"),
    "resolution": _("Resolution"),
    "quality": _("Quality"),
    "brightness": _("Brightness"),
    "contrast": _("Contrast"),
    "saturation": _("Saturation"),
    "chroma": _("Chroma"),
    "maker": _("Maker"),
    "version": _("Version"),
    "data": _("Package"),
    # choices of orders
    "urgent": _("Urgent"),
    "service": _("Service"),
    "notice": _("Notice"),
    "display": _("Show"),
    "speak": _("Speak"),
    "advertising_screen": _("Advertising screen"),
    "can_code": _("CAN fault code"),
    "normal call": _("Normal call"),
    "listen in": _("Listen in"),
    "close and lock": _("Close and lock"),
    "open": _("Unlock and open"),
    "lock": _("Lock"),
    "doors": _("Doors"),
    "replace": _("Replace"),
    "append": _("Append"),
    "modify": _("Change"),
    "upload": _("Upload"),
    "store": _("Store"),
    "time_window": _("Only at certain times"),
    "enter_tells_driver": _("Tell the driver on entering"),
    "enter_tells_platform": _("Tell the platform on entering"),
    "leave_tells_driver": _("Tell the driver on leaving"),
    "leave_tells_platform": _("Tell the platform on leaving"),
    "south": _("Southern hemisphere"),
    "west": _("Western hemisphere"),
    "doors_forbidden": _("Doors must stay shut"),
    "radio_off_inside": _("Radio off inside"),
    "gnss_detail_inside": _("Detailed positions inside"),
    "connect to server": _("Connect to another server"),
    "reset": _("Restart"),
    "factory reset": _("Factory settings"),
    # why a command ended
    "offline": _("The terminal is not connected"),
    "timed_out": _("The terminal did not answer in time"),
    "outcome_unknown": _("It is not known whether the terminal got it"),
    "stale": _("It waited too long and was not sent"),
    "terminal_failed": _("The terminal could not do it"),
    "terminal_malformed": _("The terminal did not understand it"),
    "terminal_unsupported": _("The terminal does not support it"),
    "not_supported": _("The terminal's edition of the standard has no such order"),
    "too_many": _("Too many orders are under way"),
    "other_organisation": _("The terminal belongs to another organisation now"),
    "disconnected": _("The connection ended before the terminal answered"),
    # recordings
    "image": _("Picture"),
    "audio": _("Sound"),
    "video": _("Video"),
    "other": _("File"),
    "alarm": _("Alarm"),
    "platform's order": _("Ordered"),
    "timer": _("By time"),
    "robbery": _("Emergency button"),
    "collision": _("Collision"),
    "door open": _("Door opened"),
    "door closed": _("Door closed"),
    "door closed and speed over 20 km/h": _("Door closed and speed over 20 km/h"),
    "distance": _("By distance"),
    # terminal profiles (protocols.jt808.vendors)
    "profile.standard": _("Standard"),
    "profile.gps51": _("Items of GPS51"),
    "profile.inner_list": _("List inside item EB"),
    "profile.asset": _("Battery trackers C5 and kin"),
    "profile.aovx": _("AOVX trackers"),
    "profile.jimi": _("Jimi dash cameras"),
    "profile.lock": _("Electronic locks and seals"),
    "profile.obd": _("Diagnostic socket (OBD)"),
    "profile.standby": _("Long-standby trackers"),
    # active-safety alarms (core.observations.safety)
    "adas.forward_collision": _("Forward collision"),
    "adas.lane_departure": _("Lane departure"),
    "adas.headway": _("Too close to the vehicle ahead"),
    "adas.pedestrian": _("Pedestrian ahead"),
    "adas.frequent_lane_change": _("Frequent lane changes"),
    "adas.sign_over_limit": _("Over the limit of a road sign"),
    "adas.obstacle": _("Obstacle ahead"),
    "adas.sign_recognised": _("Road sign recognised"),
    "adas.active_capture": _("Picture taken by driver assistance"),
    "dsm.fatigue": _("Driver tired"),
    "dsm.phone": _("Driver on the phone"),
    "dsm.smoking": _("Driver smoking"),
    "dsm.distraction": _("Driver distracted"),
    "dsm.driver_abnormal": _("Driver not seen or abnormal"),
    "dsm.automatic_capture": _("Picture taken of the driver"),
    "dsm.driver_change": _("Driver changed"),
    "bsd.rear": _("Something close behind"),
    "bsd.left_rear": _("Something close behind on the left"),
    "bsd.right_rear": _("Something close behind on the right"),
    "tpms.scheduled_report": _("Tyre report"),
    "tpms.over_pressure": _("Tyre pressure too high"),
    "tpms.under_pressure": _("Tyre pressure too low"),
    "tpms.over_temperature": _("Tyre too hot"),
    "tpms.sensor_fault": _("Tyre sensor faulty"),
    "tpms.imbalance": _("Tyre pressures uneven"),
    "tpms.slow_leak": _("Tyre leaks slowly"),
    "tpms.low_battery": _("Tyre sensor battery low"),
}
