"""Every table of this room."""

from jilink.core.parties.models.audit import AuditEntry, AuditHead
from jilink.core.parties.models.invitations import Invitation
from jilink.core.parties.models.organisations import Member, Organisation, Team, TeamMember, User
from jilink.core.parties.models.people import Consent, ContactPoint, Identity, Merge, Person
from jilink.core.parties.models.tokens import Token

__all__ = [
    "AuditEntry",
    "AuditHead",
    "Consent",
    "ContactPoint",
    "Identity",
    "Invitation",
    "Member",
    "Merge",
    "Organisation",
    "Person",
    "Team",
    "TeamMember",
    "Token",
    "User",
]
