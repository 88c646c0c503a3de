"""Who may do what: roles as named sets of permissions, and the arithmetic of the audit chain."""

import hashlib
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from jilink.kernel.errors import Refused

LONGEST_RETENTION_DAYS = 3660


class Permission(StrEnum):
    """One thing a member may be allowed to do. Which uses leave an audit row is said in this room's README."""

    VIEW_VEHICLES = "vehicles.view"
    VIEW_TRACKS = "vehicles.track"
    VIEW_MEDIA = "vehicles.media"
    MANAGE_VEHICLES = "vehicles.manage"
    COMMAND_VEHICLES = "vehicles.command"
    COMMAND_UPGRADES = "vehicles.upgrade"
    READ_FRAMES = "frames.read"
    ADMIT_TERMINALS = "terminals.admit"
    ACKNOWLEDGE_ALARMS = "alarms.acknowledge"
    REVEAL_CONTACTS = "contacts.reveal"
    VIEW_OPERATIONS = "operations.view"
    MANAGE_MEMBERS = "members.manage"
    READ_AUDIT = "audit.read"


class Role(StrEnum):
    """What a member is in an organisation and in everything below it."""

    OPERATOR = "operator"
    OWNER = "owner"
    SUPERVISOR = "supervisor"
    DISPATCHER = "dispatcher"
    ANALYST = "analyst"
    AUDITOR = "auditor"


_P = Permission
ROLES: dict[Role, frozenset[Permission]] = {
    Role.OPERATOR: frozenset(Permission),
    Role.OWNER: frozenset(Permission) - {_P.VIEW_OPERATIONS},
    Role.SUPERVISOR: frozenset(Permission) - {_P.VIEW_OPERATIONS, _P.MANAGE_MEMBERS},
    Role.DISPATCHER: frozenset({_P.VIEW_VEHICLES, _P.VIEW_TRACKS, _P.VIEW_MEDIA, _P.COMMAND_VEHICLES, _P.ACKNOWLEDGE_ALARMS}),
    Role.ANALYST: frozenset({_P.VIEW_VEHICLES}),
    Role.AUDITOR: frozenset({_P.VIEW_VEHICLES, _P.READ_AUDIT}),
}
"""The whole of it: nothing else grants anything. The operator runs the installation; its health is no organisation's affair."""


def permissions_of(role: str) -> frozenset[Permission]:
    """Return what a role allows; an unknown role allows nothing."""
    return ROLES[Role(role)] if role in set(Role) else frozenset()


class RetentionRefused(Refused):
    """Positions cannot be kept for so long, or not at all."""


def retention(days: int | None) -> int | None:
    """Return how many days to keep positions: 0 for ever, None as the organisation above. Raises RetentionRefused."""
    if days is not None and not 0 <= days <= LONGEST_RETENTION_DAYS:
        raise RetentionRefused("Keep positions for 1 to 3660 days, or for ever (0).")
    return days


def link(
    *, sequence: int, at: datetime, organisation: int | None, actor: str, action: str, subject: str, detail: str, previous: str
) -> str:
    """Return the SHA-256 that ties one audit entry to the one before it (64 hexadecimal digits)."""
    line = msgspec.json.encode([sequence, at.astimezone(UTC).isoformat(), organisation, actor, action, subject, detail, previous])
    return hashlib.sha256(line).hexdigest()


def masked(number: str) -> str:
    """Return a telephone number with its middle hidden: 138****5678. Short ones are hidden whole."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 8 else "*" * len(number)
