"""Teams of an organisation: who is in them, and who leads."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members import actions, reads
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId, TeamId
from jilink.services.console.pages.members_place import Place, place, posted
from jilink.webkit.door import said, signed_in


@require_safe
@signed_in
def teams(request: HttpRequest, actor: Actor, organisation: int) -> HttpResponse:
    """Show the teams of an organisation with their people."""
    where = place(actor, organisation, "teams")
    found = reads.teams(actor, where.id, archived=True)
    people = {each.user: each.name or each.username for each in reads.members(actor, where.id) if not each.service}
    names = people | reads.people_named({user for team in found for user in team.users} - set(people))
    rows = {
        team: {
            "team": team,
            "people": [{"user": user, "name": names.get(user, ""), "lead": user in team.leads} for user in team.users],
            "others": [(user, name) for user, name in people.items() if user not in team.users],
        }
        for team in found
    }
    context = {
        "place": where,
        "rows": [row for team, row in rows.items() if not team.archived],
        "archived": [row for team, row in rows.items() if team.archived],
        "sees_cases": actor.may(Permission.VIEW_CASES),
    }
    return render(request, "console/members_teams.html", context)


def _team(actor: Actor, organisation: int, team: int) -> tuple[Place, TeamId]:
    where = place(actor, organisation, "teams", Permission.MANAGE_TEAMS)
    if reads.team(actor, TeamId(team)).organisation != where.id:
        raise NotFound("There is no such thing, or you may not see it.")
    return where, TeamId(team)


def _tried(request: HttpRequest, organisation: OrganisationId, do: Callable[[], object], done: str = "") -> HttpResponse:
    """Do something with a team, say what came of it, and show the teams again."""
    try:
        do()
    except NotFound:
        raise
    except Refused as error:
        messages.error(request, said(error))
    else:
        if done:
            messages.success(request, done)
    return redirect("console:teams", organisation)


@require_POST
@signed_in
def add(request: HttpRequest, actor: Actor, organisation: int) -> HttpResponse:
    """Add a team."""
    where = place(actor, organisation, "teams", Permission.MANAGE_TEAMS)
    return _tried(request, where.id, lambda: actions.add_team(organisation=where.id, name=request.POST.get("name", ""), by=actor))


@require_POST
@signed_in
def rename(request: HttpRequest, actor: Actor, organisation: int, team: int) -> HttpResponse:
    """Give a team another name."""
    where, number = _team(actor, organisation, team)
    name = request.POST.get("name", "")
    return _tried(request, where.id, lambda: actions.rename_team(team=number, name=name, by=actor), _("Saved."))


@require_POST
@signed_in
def remove(request: HttpRequest, actor: Actor, organisation: int, team: int) -> HttpResponse:
    """Remove a team that nothing ever belonged to."""
    where, number = _team(actor, organisation, team)
    return _tried(request, where.id, lambda: actions.remove_team(team=number, by=actor), _("The team was removed."))


@require_POST
@signed_in
def archive(request: HttpRequest, actor: Actor, organisation: int, team: int) -> HttpResponse:
    """Put a team away that has nothing open left."""
    where, number = _team(actor, organisation, team)
    return _tried(request, where.id, lambda: actions.archive_team(team=number, by=actor), _("The team was archived."))


@require_POST
@signed_in
def restore(request: HttpRequest, actor: Actor, organisation: int, team: int) -> HttpResponse:
    """Let an archived team work again."""
    where, number = _team(actor, organisation, team)
    return _tried(request, where.id, lambda: actions.restore_team(team=number, by=actor), _("The team works again."))


@require_POST
@signed_in
def put_in(request: HttpRequest, actor: Actor, organisation: int, team: int) -> HttpResponse:
    """Put a person in a team, make them its lead, or no more."""
    where, number = _team(actor, organisation, team)
    user, lead = posted(request, "user"), request.POST.get("lead") == "1"
    return _tried(request, where.id, lambda: actions.put_in_team(team=number, user=user, lead=lead, by=actor))


@require_POST
@signed_in
def take_out(request: HttpRequest, actor: Actor, organisation: int, team: int) -> HttpResponse:
    """Take a person out of a team."""
    where, number = _team(actor, organisation, team)
    user = posted(request, "user")
    return _tried(request, where.id, lambda: actions.take_from_team(team=number, user=user, by=actor))


patterns: list[URLPattern] = [
    path("<int:organisation>/teams", teams, name="teams"),
    path("<int:organisation>/teams/add", add, name="add_team"),
    path("<int:organisation>/teams/<int:team>/rename", rename, name="rename_team"),
    path("<int:organisation>/teams/<int:team>/remove", remove, name="remove_team"),
    path("<int:organisation>/teams/<int:team>/archive", archive, name="archive_team"),
    path("<int:organisation>/teams/<int:team>/restore", restore, name="restore_team"),
    path("<int:organisation>/teams/<int:team>/put", put_in, name="put_in_team"),
    path("<int:organisation>/teams/<int:team>/take", take_out, name="take_from_team"),
]
