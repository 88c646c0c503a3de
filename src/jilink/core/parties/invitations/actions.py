"""The only writers of invitations, and of the accounts that come of them."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from jilink.core.parties import access, actions, audit, walls
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.members import actions as members
from jilink.core.parties.members.work import may_be_given
from jilink.core.parties.models import Invitation, User
from jilink.core.parties.rules import Permission, Role, Scope, usual_scope
from jilink.core.parties.tokens import rules as tokens
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import InvitationId, OrganisationId, TeamId

HOLDS = timedelta(days=7)
KEPT_AFTER_END = timedelta(days=90)
_HIDDEN = "There is no such thing, or you may not see it."
Random = Callable[[int], bytes]


class InvitationRefused(Refused):
    """An invitation cannot be made so, or does not hold any more."""


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """An invitation at the only moment at which its link can be read."""

    id: InvitationId
    secret: str


@transaction.atomic
def invite(
    *,
    organisation: OrganisationId,
    name: str,
    role: Role,
    by: Actor,
    scope: Scope | None = None,
    team: TeamId | None = None,
    now: datetime | None = None,
    random: Random = secrets.token_bytes,
) -> NewInvitation:
    """Let somebody become a member of the organisation, within a week and once. Raises NotFound, InvitationRefused."""
    moment, title, reaches = now or utc_now(), " ".join(name.split()), scope or usual_scope(role)
    actions.require_may_give(by, role, reaches, organisation)
    if not title or len(title) > 120:
        raise InvitationRefused("Say in at most 120 characters who is invited.")
    if team is not None and not may_be_given(team, organisation):
        raise NotFound(_HIDDEN)
    secret = tokens.compose(random(tokens.SECRET_BYTES)).removeprefix(tokens.MARK)
    row = Invitation.objects.create(
        organisation_id=organisation,
        name=title,
        role=role.value,
        scope=reaches.value,
        team_id=team,
        digest=tokens.digest(secret),
        created_at=moment,
        created_by_id=by.user,
        expires_at=moment + HOLDS,
    )
    audit.record(by, "member.invited", f"invitation:{row.pk}", organisation, detail=f"{role.value} {reaches.value}")
    return NewInvitation(InvitationId(row.pk), secret)


@transaction.atomic
def revoke_invitation(*, invitation: InvitationId, by: Actor, now: datetime | None = None) -> None:
    """Let a link lead nowhere any more. Raises NotFound."""
    row = Invitation.objects.filter(pk=invitation).first()
    require(by, Permission.MANAGE_MEMBERS, row.organisation_id if row else None)
    if Invitation.objects.filter(pk=invitation, accepted_at=None, revoked_at=None).update(revoked_at=now or utc_now()):
        audit.record(by, "member.uninvited", f"invitation:{invitation}", row.organisation_id if row else None)


@transaction.atomic
def accept_with_password(*, secret: str, username: str, password: str, now: datetime | None = None) -> int:
    """Make the invited person's account and return its number. Raises InvitationRefused, NameTaken, PasswordRefused."""
    with walls.everything():
        row, by = _taken(secret, now)
        user = actions.add_user(username=_username(username), password=password, by=by, name=row.name)
        return _become_member(row, user, by, now)


@transaction.atomic
def accept_by_sign_on(*, secret: str, username: str, now: datetime | None = None) -> int:
    """Make an account that signs in by the single sign-on alone, and return its number. Raises InvitationRefused.

    Where the wanted name is taken or none is given, the account gets another.
    """
    with walls.everything():
        row, by = _taken(secret, now)
        wanted = username.strip()[:150]
        if not wanted or User.objects.filter(username=wanted).exists():
            wanted = f"{wanted[:130]}-{secrets.token_hex(4)}".lstrip("-")
        user = User(username=wanted, first_name=row.name)
        user.set_unusable_password()
        user.save()
        audit.record(by, "user.added", f"user:{user.pk}", None)
        return _become_member(row, user.pk, by, now)


@transaction.atomic
def accept_as(*, secret: str, user: int, now: datetime | None = None) -> int:
    """Let somebody who has an account become a member, and return its number. Raises InvitationRefused, NotFound.

    A role that the person has in the organisation already is not changed: their owner does that.
    """
    with walls.everything():
        row, by = _taken(secret, now)
        if row.organisation.members.filter(user_id=user).exists():
            raise InvitationRefused("You are a member of this organisation already.")
        return _become_member(row, user, by, now)


def forget_invitations(now: datetime) -> int:
    """Remove invitations that ended long ago and return how many. For the retention job; no wall is asked."""
    return Invitation.objects.filter(expires_at__lt=now - KEPT_AFTER_END).delete()[0]


def _taken(secret: str, now: datetime | None) -> tuple[Invitation, Actor]:
    """Mark an invitation as accepted, under its lock, and return it with the actor in whose name the account is made."""
    moment = now or utc_now()
    rows = Invitation.objects.select_for_update(of=("self",)).select_related("organisation", "created_by")
    row = rows.filter(digest=tokens.digest(secret), accepted_at=None, revoked_at=None, expires_at__gt=moment).first()
    if row is None:
        raise InvitationRefused("This invitation is no longer valid. Ask for a new one.")
    _still_given(row)
    row.accepted_at = moment
    row.save(update_fields=["accepted_at"])
    return row, access.system(f"invitation-{row.pk}")


def _still_given(row: Invitation) -> None:
    """Return where whoever made the invitation could still make it today. Raises InvitationRefused.

    One without a maker is the command line's: an account that is removed takes its invitations along.
    """
    if row.created_by is None:
        return
    try:
        actions.require_may_give(access.actor_of(row.created_by), Role(row.role), Scope(row.scope), OrganisationId(row.organisation_id))
    except NotFound:
        raise InvitationRefused("Whoever invited you may not do so any more. Ask for a new invitation.") from None


def _become_member(row: Invitation, user: int, by: Actor, now: datetime | None) -> int:
    organisation = OrganisationId(row.organisation_id)
    actions.set_role(user=user, organisation=organisation, role=Role(row.role), scope=Scope(row.scope), by=by, now=now)
    if row.team_id is not None:
        members.put_in_team(team=TeamId(row.team_id), user=user, by=by, now=now)
    Invitation.objects.filter(pk=row.pk).update(accepted_by=user)
    audit.record(by, "member.accepted", f"invitation:{row.pk}", organisation, detail=f"user:{user}")
    return user


def _username(text: str) -> str:
    name = text.strip()
    try:
        User.username_validator(name)
    except ValidationError as error:
        raise InvitationRefused(" ".join(error.messages)) from error
    if not name or len(name) > 150:
        raise InvitationRefused("Choose a name of at most 150 characters to sign in with.")
    return name
