"""Which orders people may give to a terminal, and the forms that follow from the messages' declarations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from jilink.kernel.errors import Malformed
from jilink.protocols.jt808 import registry
from jilink.protocols.wire.groups import Repeat, Tagged, When
from jilink.protocols.wire.kinds import AnyKind, Bytes, Number, Text
from jilink.protocols.wire.records import Nested, Record
from jilink.services.vehicles.rules import CommandRefused, Year
from jilink.services.vehicles.words import word

UPGRADE = 0x8108
SET_PARAMETERS = 0x8103
Declared = Any  # the kind that `_CHECKS` lists the function for


@dataclass(frozen=True, slots=True)
class Offer:
    """One order as it is offered: its word in addresses, its message, and what people call it."""

    slug: str
    message: int
    title: str | Promise
    initial: Mapping[str, object] = field(default_factory=dict)
    """What its form says at first, by field; what a year's form does not have is passed over."""
    required: frozenset[str] = frozenset()
    """Fields that must not be empty although the standard would allow it."""
    labels: Mapping[str, str | Promise] = field(default_factory=dict)
    """Words for fields that mean something of their own in this order."""
    helps: Mapping[str, str | Promise] = field(default_factory=dict)
    """A sentence below the label."""
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Narrower bounds than the wire's, in the field's unit."""
    long: frozenset[str] = frozenset()
    """Texts with room for more than a line."""


PHOTO = {"channel": 1, "command": 1, "interval": 0, "resolution": "2", "quality": 3, "brightness": 127, "contrast": 63} | {
    "saturation": 63,
    "chroma": 127,
}
"""One picture of the first camera, of a middling size."""
CIRCLE = {"action": "1", "areas.area": 1, "areas.radius": 500}
OFFERS = (
    Offer(
        "text",
        0x8300,
        _("Send a text"),
        {"flag": ["2", "3"], "flag.kind": "3"},
        frozenset({"text"}),
        labels={"flag": _("How the driver gets it"), "flag.kind": _("Urgency"), "type": _("Sort of text")},
        helps={"text": _("At most 500 characters.")},
        long=frozenset({"text"}),
    ),
    Offer("locate", 0x8201, _("Ask for the position")),
    Offer(
        "follow",
        0x8202,
        _("Report more often"),
        {"interval": 10, "duration": 300},
        frozenset({"duration"}),
        labels={"interval": _("A position every"), "duration": _("For how long")},
        helps={"interval": _("0 ends it before its time."), "duration": _("Afterwards the terminal reports as it did before.")},
        limits={"duration": (0, 86_400)},
    ),
    Offer(
        "photo",
        0x8801,
        _("Take a photo"),
        PHOTO,
        labels={"command": _("How many pictures"), "interval": _("Time between two")},
        helps={
            "interval": _("0: as fast as the camera can."),
            "quality": _("1 is the best picture, 10 the smallest file."),
        },
        limits={"command": (1, 100), "channel": (1, 64), "interval": (0, 3600)},
    ),
    Offer(
        "call",
        0x8400,
        _("Call back"),
        required=frozenset({"phone"}),
        labels={"flag": _("Kind of call"), "phone": _("Number to call")},
        helps={"phone": _("The terminal dials this number.")},
    ),
    Offer(
        "doors",
        0x8500,
        _("Lock or open the doors"),
        {"flag": ["0"]},
        labels={"flag": _("Doors"), "controls.type": _("What is controlled"), "controls.parameter": _("What it shall do")},
        helps={"flag": _("Ticked: lock them. Not ticked: unlock them.")},
    ),
    Offer("parameters", 0x8104, _("Read all parameters")),
    Offer("some-parameters", 0x8106, _("Read some parameters"), labels={"ids": _("Parameters")}),
    Offer(
        "set-parameters",
        0x8103,
        _("Change a parameter"),
        required=frozenset({"parameters.value"}),
        labels={"parameters.value": _("New value")},
        helps={"parameters.value": _("In the unit beside the parameter's name.")},
    ),
    Offer(
        "circle",
        0x8600,
        _("Set a circular area"),
        CIRCLE,
        labels={"action": _("With areas that are already set")},
        helps={
            "areas.area": _("The same number again changes the area."),
            "areas.start": _("Only for an area that holds at certain times."),
            "areas.speed_limit": _("Only for an area with a top speed."),
        },
        limits={"areas.latitude": (0, 90), "areas.longitude": (0, 180), "areas.radius": (1, 1_000_000), "areas.speed_limit": (1, 300)},
    ),
    Offer("delete-circles", 0x8601, _("Delete circular areas"), labels={"ids": _("Area numbers")}),
    Offer(
        "control",
        0x8105,
        _("Control the terminal"),
        {"command": "4"},
        labels={"command": _("What it shall do"), "parameters": _("Its parameters")},
        helps={"parameters": _("Only for an upgrade or another server: the parts of the standard, separated by semicolons.")},
    ),
    Offer(
        "upgrade",
        UPGRADE,
        _("Upgrade the terminal"),
        required=frozenset({"maker", "version"}),
        labels={"type": _("What is upgraded"), "data": _("Package (file)")},
        helps={"data": _("At most 2 MB; it is sent in many frames, and the terminal says later whether it worked.")},
    ),
)
BY_SLUG = {offer.slug: offer for offer in OFFERS}
BY_MESSAGE = {offer.message: offer for offer in OFFERS}


def declaration(message: int, year: Year) -> type[Record]:
    """Return how the message is declared in that year, or in the nearest older one. Raises CommandRefused for what is not offered."""
    years: tuple[Year, ...] = (2019, 2013, 2011) if year == 2019 else (2013, 2011, 2019)
    found = next((form for form in (registry.message(message, each) for each in years) if form), None)
    if message not in BY_MESSAGE or found is None:
        raise CommandRefused(gettext("%(message)s is not an order that can be given.") % {"message": f"0x{message:04X}"})
    return found


def parameters(year: Year) -> list[tuple[str, str]]:
    """Return the parameters of a terminal as choices: number and word, each with its number."""
    declared = declaration(SET_PARAMETERS, year).fields()["parameters"]
    kinds = declared.kinds if isinstance(declared, Tagged) else {}
    return [(str(number), f"{word(each[0].name)} (0x{number:04X})") for number, each in sorted(kinds.items()) if each]


def check(message: int, fields: Mapping[str, object], year: Year) -> None:
    """Raise CommandRefused where the fields do not fit the declaration of the message."""
    _check_record(declaration(message, year), fields)


def _check_record(form: type[Record], fields: Mapping[str, object]) -> None:
    declared = form.fields()
    for name, value in fields.items():
        if name not in declared:
            raise CommandRefused(gettext("There is no field %(name)s.") % {"name": name})
        _check_value(declared[name], name, value)


def _check_value(kind: AnyKind, name: str, value: object) -> None:
    for accepted, check_kind in _CHECKS:
        if isinstance(kind, accepted):
            check_kind(kind, name, value)
            return  # other kinds depend on other fields or have many forms; the gateway checks them against the terminal's year


def _check_when(kind: Declared, name: str, value: object) -> None:
    if value is not None:
        _check_value(kind.kind, name, value)


def _check_text(kind: Declared, name: str, value: object) -> None:
    if not isinstance(value, str) or len(value.encode("gb18030", "replace")) > (kind.size or 1023):
        raise CommandRefused(gettext("%(name)s: too long, or no text.") % {"name": name})


def _check_nested(kind: Declared, name: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise CommandRefused(gettext("%(name)s: must be a group of fields.") % {"name": name})
    _check_record(kind.record, value)


def _check_repeat(kind: Declared, name: str, value: object) -> None:
    if not isinstance(value, list):
        raise CommandRefused(gettext("%(name)s: must be a list.") % {"name": name})
    for element in value:
        _check_value(kind.kind, name, element)


def _check_tagged(kind: Declared, name: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise CommandRefused(gettext("%(name)s: must be items by name.") % {"name": name})


def _check_number(kind: Declared, name: str, value: object) -> None:
    if isinstance(value, list):  # names of flags
        return
    if isinstance(value, bool):
        value = int(value)
    try:
        kind.to_wire(value if isinstance(value, int) else -(2**70))
    except Malformed as error:
        raise CommandRefused(
            gettext("%(name)s: must be a whole number from %(low)d to %(high)d.")
            % {"name": name, "low": kind.minimum, "high": kind.maximum}
        ) from error


def _check_bytes(kind: Declared, name: str, value: object) -> None:
    try:
        bytes.fromhex(value if isinstance(value, str) else "?")
    except ValueError as error:
        raise CommandRefused(gettext("%(name)s: must be bytes in hexadecimal.") % {"name": name}) from error


_CHECKS: list[tuple[type, Callable[[Declared, str, object], None]]] = [
    (When, _check_when),
    (Number, _check_number),
    (Text, _check_text),
    (Bytes, _check_bytes),
    (Nested, _check_nested),
    (Repeat, _check_repeat),
    (Tagged, _check_tagged),
]
