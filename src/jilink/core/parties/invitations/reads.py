"""What may be asked about invitations."""

from dataclasses import dataclass
from datetime import datetime

from jilink.core.parties import walls
from jilink.core.parties.access import Actor, require
from jilink.core.parties.models import Invitation
from jilink.core.parties.rules import Permission, Role, Scope
from jilink.core.parties.tokens import rules as tokens
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import InvitationId, OrganisationId, TeamId


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation, without its link."""

    id: InvitationId
    organisation: OrganisationId
    organisation_name: str
    name: str
    role: Role
    scope: Scope
    team: TeamId | None
    expires_at: datetime


def invitations(actor: Actor, organisation: OrganisationId, now: datetime | None = None) -> list[InvitationView]:
    """Return the invitations of an organisation that still hold, the newest first. Raises NotFound."""
    require(actor, Permission.MANAGE_MEMBERS, organisation)
    rows = Invitation.objects.filter(organisation_id=organisation, accepted_at=None, revoked_at=None, expires_at__gt=now or utc_now())
    return [_view(row) for row in rows.select_related("organisation").order_by("-created_at", "-pk")]


def invitation(secret: str, now: datetime | None = None) -> InvitationView | None:
    """Return what a link invites to, or None where it does not hold. Whoever has the link may know."""
    with walls.everything():
        rows = Invitation.objects.filter(digest=tokens.digest(secret), accepted_at=None, revoked_at=None, expires_at__gt=now or utc_now())
        row = rows.select_related("organisation").first()
    return _view(row) if row else None


def _view(row: Invitation) -> InvitationView:
    return InvitationView(
        InvitationId(row.pk),
        OrganisationId(row.organisation_id),
        row.organisation.name,
        row.name,
        Role(row.role),
        Scope(row.scope),
        TeamId(row.team_id) if row.team_id is not None else None,
        row.expires_at,
    )
