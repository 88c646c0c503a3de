"""What the pages of one organisation have in common: its name, the way to it, its tabs, and what the viewer may do there."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from jilink.core.parties import reads
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.actions import require_may_give
from jilink.core.parties.reads import OrganisationName
from jilink.core.parties.rules import Permission, Role, Scope, usual_scope
from jilink.kernel.ids import OrganisationId
from jilink.webkit.parts import Tab

TABS = (
    ("members", Permission.VIEW_MEMBERS),
    ("teams", Permission.VIEW_MEMBERS),
    ("skills", Permission.MANAGE_TEAMS),
    ("invitations", Permission.MANAGE_MEMBERS),
    ("tokens", Permission.MANAGE_TOKENS),
    ("settings", Permission.MANAGE_MEMBERS),
)


@dataclass(frozen=True, slots=True)
class Place:
    """One organisation as its pages show it."""

    id: OrganisationId
    name: str
    above: list[OrganisationName]
    """What of the line above it the viewer may see, the top first."""
    tabs: list[Tab]
    manages: bool
    """Whether the viewer manages its members."""
    manages_teams: bool


def place(actor: Actor, organisation: int, tab: str, needs: Permission = Permission.VIEW_MEMBERS) -> Place:
    """Return the organisation for one of its pages. Raises NotFound where the viewer lacks what the page needs."""
    known = {each.id: each for each in reads.choices(actor, Permission.VIEW_MEMBERS)}
    number = OrganisationId(organisation)
    granted = actor.grants.get(number, frozenset())
    if number not in known or needs not in granted:
        raise NotFound("There is no such thing, or you may not see it.")
    above = [known[each] for each in reads.line(number) if each in known and each != number]
    words = {
        "members": _("Members"),
        "teams": _("Teams"),
        "skills": _("Skills"),
        "invitations": _("Invitations"),
        "tokens": _("Programs"),
        "settings": _("Settings"),
    }
    tabs = [Tab(words[name], reverse(f"console:{name}", args=[number]), name == tab) for name, permission in TABS if permission in granted]
    return Place(number, known[number].name, above, tabs, Permission.MANAGE_MEMBERS in granted, Permission.MANAGE_TEAMS in granted)


def givable(actor: Actor, organisation: OrganisationId) -> list[Role]:
    """Return the roles of people that the viewer may give there, with their usual reach."""
    return [role for role in Role if role is not Role.SERVICE and may_give(actor, role, usual_scope(role), organisation)]


def may_give(actor: Actor, role: Role, scope: Scope, organisation: OrganisationId) -> bool:
    """Return whether the viewer may give or take that role with that reach."""
    try:
        require_may_give(actor, role, scope, organisation)
    except NotFound:
        return False
    return True


def posted(request: HttpRequest, name: str) -> int:
    """Return a number that a form posted. Raises NotFound for anything else."""
    text = request.POST.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise NotFound("There is no such thing, or you may not see it.")
    return int(text)
