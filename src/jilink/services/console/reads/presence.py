"""Who looks at a case now."""

from dataclasses import dataclass
from datetime import datetime

from jilink.core.cases import reads as cases
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members.reads import people_named
from jilink.services.console.models import Looking
from jilink.services.console.rules.presence import GONE_AFTER, Heart, together


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who has the case open."""

    user: int
    name: str
    edits: bool


def present(actor: Actor, case: int, *, now: datetime) -> list[Present]:
    """Return the others who have a case open, those who edit it first. Raises NotFound where the actor may not see the case."""
    if not cases.rows_of(actor, [case], now=now):
        raise NotFound("There is no such thing, or you may not see it.")
    rows = Looking.objects.filter(case=case, seen_at__gte=now - GONE_AFTER).exclude(user_id=actor.user or 0)
    here = together((Heart(row.user_id, row.edits, row.seen_at) for row in rows), now)
    names = people_named(set(here))
    return sorted((Present(user, names.get(user, ""), edits) for user, edits in here.items()), key=lambda one: (not one.edits, one.name))
