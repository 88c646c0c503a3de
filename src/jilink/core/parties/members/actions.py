"""The only writers of teams, and of who is in them; and the end of a membership."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import ProtectedError

from jilink.core.parties import audit, walls
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.actions import NameTaken, require_may_give
from jilink.core.parties.members.work import lying_with
from jilink.core.parties.models import Invitation, Member, Organisation, Team, TeamMember
from jilink.core.parties.rules import Permission, Role, Scope
from jilink.core.parties.sessions import end_sessions
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId, TeamId
from jilink.kernel.texts import gettext_noop

_HIDDEN = "There is no such thing, or you may not see it."


class TeamInUse(Refused):
    """Something still belongs to the team."""


class TeamArchived(Refused):
    """An archived team takes nobody in."""


class NoMember(Refused):
    """Only members of the organisation, or of one above it, can be in its teams."""


class NameMissing(Refused):
    """A team needs a name of at most 120 characters."""


@transaction.atomic
def add_team(*, organisation: OrganisationId, name: str, by: Actor, now: datetime | None = None) -> TeamId:
    """Add a team to an organisation. Raises NotFound, NameMissing, NameTaken."""
    require(by, Permission.MANAGE_TEAMS, organisation)
    row = Team.objects.create(organisation_id=organisation, name=_free_name(organisation, name), created_at=now or utc_now())
    audit.record(by, "team.added", f"team:{row.pk}", organisation)
    return TeamId(row.pk)


@transaction.atomic
def rename_team(*, team: TeamId, name: str, by: Actor) -> None:
    """Give a team another name. Raises NotFound, NameMissing, NameTaken."""
    row = _team(team, by)
    row.name = _free_name(row.organisation_id, name, except_for=row.pk)
    row.save(update_fields=["name"])
    audit.record(by, "team.renamed", f"team:{row.pk}", row.organisation_id)


@transaction.atomic
def remove_team(*, team: TeamId, by: Actor) -> None:
    """Remove a team. Raises NotFound, TeamInUse while something still belongs to it."""
    row = _team(team, by)
    organisation = row.organisation_id
    try:
        with transaction.atomic():
            row.delete()
    except ProtectedError as error:
        raise TeamInUse("Something still belongs to this team, or once did. Archive it instead.") from error
    audit.record(by, "team.removed", f"team:{team}", organisation)


@transaction.atomic
def archive_team(*, team: TeamId, by: Actor, now: datetime | None = None) -> None:
    """Put a team away: it is given no new work, takes nobody in, and is still named in what it had. Once archived, nothing changes.

    Raises NotFound, TeamInUse while something open lies with it, which says how much and what.
    """
    row = _team(team, by)
    if row.archived_at is not None:
        return
    lying = lying_with(team, by)
    if lying.count and not lying.first:
        words = gettext_noop("This team still has %(count)d open cases that you may not see. Have them given to others first.")
        raise TeamInUse(words, count=lying.count)
    if lying.count:
        numbers = ", ".join(lying.first) + (" …" if lying.count > len(lying.first) else "")
        raise TeamInUse(
            "This team still has %(count)d open cases (%(numbers)s). Give them to others first.", count=lying.count, numbers=numbers
        )
    row.archived_at = now or utc_now()
    row.save(update_fields=["archived_at"])
    Invitation.objects.filter(team=row, accepted_at=None).update(team=None)
    audit.record(by, "team.archived", f"team:{row.pk}", row.organisation_id)


@transaction.atomic
def restore_team(*, team: TeamId, by: Actor) -> None:
    """Let an archived team work again, with the people it had; one that works already stays as it is. Raises NotFound."""
    row = _team(team, by)
    if row.archived_at is None:
        return
    row.archived_at = None
    row.save(update_fields=["archived_at"])
    audit.record(by, "team.restored", f"team:{row.pk}", row.organisation_id)


@transaction.atomic
def put_in_team(*, team: TeamId, user: int, by: Actor, lead: bool = False, now: datetime | None = None) -> None:
    """Put a person in a team, or make them its lead (or no more). Raises NotFound, NoMember, TeamArchived."""
    row = _team(team, by)
    if row.archived_at is not None:
        raise TeamArchived("The team is archived. Restore it first.")
    path = Organisation.objects.values_list("path", flat=True).get(pk=row.organisation_id)
    line = [int(part) for part in path.split("/") if part]
    with walls.everything():  # a member of an organisation above may be in the team; whether one is, is all that is told
        known = Member.objects.filter(user_id=user, organisation_id__in=line).exists()
    if not known:
        raise NoMember("Only members of the organisation can be in its teams.")
    TeamMember.objects.update_or_create(
        team=row, user_id=user, defaults={"lead": lead}, create_defaults={"lead": lead, "since": now or utc_now()}
    )
    audit.record(by, "team.member", f"team:{row.pk}", row.organisation_id, detail=f"user:{user}{' lead' if lead else ''}")


@transaction.atomic
def take_from_team(*, team: TeamId, user: int, by: Actor) -> None:
    """Take a person out of a team; whoever is not in it stays out. Raises NotFound."""
    row = _team(team, by)
    if TeamMember.objects.filter(team=row, user_id=user).delete()[0]:
        audit.record(by, "team.member_left", f"team:{row.pk}", row.organisation_id, detail=f"user:{user}")


@transaction.atomic
def reset_second_factor(*, user: int, organisation: OrganisationId, by: Actor) -> None:
    """Take a member's second factors away, for somebody who lost them; the next sign-in asks for a new one where one is needed.

    Raises NotFound where there is no such member, or where their role grants what the one who resets does not hold.
    """
    require(by, Permission.MANAGE_MEMBERS, organisation)
    if not Member.objects.filter(user_id=user, organisation_id=organisation).exists():
        raise NotFound(_HIDDEN)
    with walls.everything():
        rows = list(Member.objects.filter(user_id=user))
        for row in rows:  # of a person with other roles elsewhere, only somebody who could give those too
            require_may_give(by, Role(row.role), Scope(row.scope), OrganisationId(row.organisation_id))
    Authenticator.objects.filter(user_id=user).delete()
    end_sessions(user)  # whoever found the lost device may be signed in
    audit.record(by, "member.factors_reset", f"user:{user}", organisation)


@transaction.atomic
def remove_member(*, user: int, organisation: OrganisationId, by: Actor) -> None:
    """End a membership, every session of the person, and their place in the teams of the organisation and of those below it.

    Raises NotFound where there is none, or where it grants what the remover does not hold.
    """
    require(by, Permission.MANAGE_MEMBERS, organisation)
    row = Member.objects.filter(user_id=user, organisation_id=organisation).select_related("organisation").first()
    if row is None:
        raise NotFound(_HIDDEN)
    require_may_give(by, Role(row.role), Scope(row.scope), organisation)
    path = row.organisation.path
    row.delete()
    with walls.everything():  # memberships above may still reach these teams, and teams below are not always in scope
        remaining = list(Member.objects.filter(user_id=user).values_list("organisation__path", flat=True))
        for place in TeamMember.objects.filter(user_id=user, team__organisation__path__startswith=path).select_related(
            "team__organisation"
        ):
            if not any(place.team.organisation.path.startswith(other) for other in remaining):
                place.delete()
    end_sessions(user)
    audit.record(by, "member.removed", f"user:{user}", organisation)


def _team(team: TeamId, by: Actor) -> Team:
    row = Team.objects.select_for_update().filter(pk=team).first()
    require(by, Permission.MANAGE_TEAMS, row.organisation_id if row else None)
    if row is None:  # `require` refuses where there is no organisation
        raise NotFound(_HIDDEN)
    return row


def _free_name(organisation: int, name: str, except_for: int = 0) -> str:
    wanted = name.strip()
    if not wanted or len(wanted) > 120:
        raise NameMissing("A team needs a name of at most 120 characters.")
    Organisation.objects.select_for_update().get(pk=organisation)  # two of one name at once: the second waits, and is told
    if Team.objects.filter(organisation_id=organisation, name=wanted).exclude(pk=except_for).exists():
        raise NameTaken("There is already a team named %(name)s.", name=wanted)
    return wanted
