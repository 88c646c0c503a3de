"""Saved views: a person's own, and those of their teams."""

from dataclasses import dataclass

from django.db.models import Q

from jilink.core.parties.access import Actor
from jilink.core.parties.members.reads import team_names
from jilink.services.console.models import SavedView
from jilink.services.console.reads import views
from jilink.services.console.reads.views import View


@dataclass(frozen=True, slots=True)
class Saved:
    """A view under its name; `team` is its team's name, "" for one's own."""

    id: int
    name: str
    team: str
    query: str
    view: View


def saved_views(actor: Actor) -> list[Saved]:
    """Return the actor's own views and those of the teams the actor is in, own first, by name."""
    rows = list(SavedView.objects.filter(Q(owner=actor.user or -1) | Q(team__in=actor.teams)).order_by("team_id", "name", "pk"))
    teams = team_names({row.team_id for row in rows if row.team_id is not None})
    found = [Saved(row.pk, row.name, teams.get(row.team_id or 0, ""), row.query, views.read(row.query)) for row in rows]
    return sorted(found, key=lambda one: (bool(one.team), one.team, one.name))
