"""Which open cases of a type lie near a point: found by a box of degrees, then measured."""

from dataclasses import dataclass
from datetime import datetime
from math import cos, hypot, radians

from jilink.core.cases.models import Case
from jilink.core.cases.reads.lists import CaseRow, in_reach, rows_of
from jilink.core.cases.rules.workflow import State
from jilink.core.parties.access import Actor

METRES_A_DEGREE = 111_195.0
MOST_MEASURED = 2000
"""So many cases in the box are measured at most, the newest: where more lie there, older ones are left out, also nearer ones."""


@dataclass(frozen=True, slots=True)
class Near:
    """An open case and how far away it lies (metres)."""

    row: CaseRow
    metres: int


def open_near(actor: Actor, longitude: float, latitude: float, *, type: str, within_m: float, most: int, now: datetime) -> list[Near]:
    """Return the open cases of a type within so many metres of a point (degrees, WGS-84) that the actor may see, the nearest first.

    Where more than `MOST_MEASURED` lie around it, only the newest of them are looked at.
    """
    narrow = max(cos(radians(latitude)), 0.01)
    north, east = within_m / METRES_A_DEGREE, within_m / METRES_A_DEGREE / narrow
    rows = Case.objects.filter(
        in_reach(actor),
        state=State.OPEN.value,
        type_key=type,
        latitude__range=(latitude - north, latitude + north),
        longitude__range=(longitude - east, longitude + east),
    )
    away = {
        pk: hypot(lat - latitude, (lon - longitude) * narrow) * METRES_A_DEGREE
        for pk, lat, lon in rows.order_by("-pk").values_list("pk", "latitude", "longitude")[:MOST_MEASURED]
        if lat is not None and lon is not None
    }
    nearest = sorted((metres, pk) for pk, metres in away.items() if metres <= within_m)[:most]
    shown = {row.id: row for row in rows_of(actor, [pk for _metres, pk in nearest], now=now)}
    return [Near(shown[pk], round(metres)) for metres, pk in nearest if pk in shown]
