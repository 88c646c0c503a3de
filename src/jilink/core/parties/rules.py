"""Who may do what: roles as named sets of permissions, and the arithmetic of the audit chain."""

import hashlib
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from jilink.kernel.errors import Refused

LONGEST_RETENTION_DAYS = 3660
ANCHORS = "audit.anchors"
"""The file of the data folder in which places of the audit's chain stand (`anchors`)."""


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
    VIEW_MEMBERS = "members.view"
    MANAGE_MEMBERS = "members.manage"
    MANAGE_TEAMS = "teams.manage"
    MANAGE_TOKENS = "tokens.manage"
    MANAGE_WEBHOOKS = "webhooks.manage"
    MANAGE_RULES = "rules.manage"
    READ_AUDIT = "audit.read"
    VIEW_PEOPLE = "people.view"
    MANAGE_PEOPLE = "people.manage"
    REVEAL_PEOPLE = "people.reveal"
    REVEAL_IDENTITIES = "people.reveal_identity"
    MERGE_PEOPLE = "people.merge"
    EXPORT_PEOPLE = "people.export"
    ERASE_PEOPLE = "people.erase"
    VIEW_AREAS = "areas.view"
    MANAGE_AREAS = "areas.manage"
    VIEW_ASSETS = "assets.view"
    MANAGE_ASSETS = "assets.manage"
    READ_KNOWLEDGE = "knowledge.read"
    WRITE_KNOWLEDGE = "knowledge.write"
    REVIEW_KNOWLEDGE = "knowledge.review"
    PUBLISH_KNOWLEDGE = "knowledge.publish"
    VIEW_INTERACTIONS = "interactions.view"
    ADD_INTERACTIONS = "interactions.add"
    VIEW_CASES = "cases.view"
    ADD_CASES = "cases.add"
    WORK_CASES = "cases.work"
    ASSIGN_CASES = "cases.assign"
    APPROVE_CASES = "cases.approve"
    VERIFY_CASES = "cases.verify"
    CLOSE_CASES = "cases.close"
    REPORT_CASES = "cases.report"
    MANAGE_CASE_TYPES = "cases.manage_types"
    READ_FLOWS = "flows.read"
    DESIGN_FLOWS = "flows.design"
    RUN_FLOWS = "flows.run"
    VIEW_QUEUES = "queues.view"
    MANAGE_QUEUES = "queues.manage"
    SERVE_QUEUES = "queues.serve"
    SUPERVISE_QUEUES = "queues.supervise"
    LISTEN_RECORDINGS = "recordings.listen"
    HEAR_OWN_RECORDINGS = "recordings.own"
    MANAGE_RECORDINGS = "recordings.manage"
    SCORE_QUALITY = "quality.score"
    MANAGE_QUALITY = "quality.manage"
    VIEW_CAMPAIGNS = "campaigns.view"
    MANAGE_CAMPAIGNS = "campaigns.manage"
    VIEW_STATEMENTS = "statements.view"
    MANAGE_STATEMENTS = "statements.manage"


class Role(StrEnum):
    """What a member is in an organisation, as far as the scope of the membership reaches."""

    OPERATOR = "operator"
    OWNER = "owner"
    SUPERVISOR = "supervisor"
    DISPATCHER = "dispatcher"
    AGENT = "agent"
    FIELD_WORKER = "field_worker"
    EXPERT = "expert"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    SERVICE = "service"


class Scope(StrEnum):
    """How far a membership reaches; each scope holds all that the ones before it hold."""

    OWN = "own"
    """Of rows that carry an assignee, those assigned to the member; of everything else, the organisation's."""
    TEAM = "team"
    """The same, and rows of the member's teams."""
    ORGANISATION = "organisation"
    """Every row of the organisation."""
    SUBTREE = "subtree"
    """Every row of the organisation and of all below it."""


_P = Permission
NARROWED: frozenset[Permission] = frozenset(
    {
        _P.VIEW_CASES,
        _P.WORK_CASES,
        _P.ASSIGN_CASES,
        _P.APPROVE_CASES,
        _P.VERIFY_CASES,
        _P.CLOSE_CASES,
        _P.VIEW_INTERACTIONS,
        _P.LISTEN_RECORDINGS,
        _P.SCORE_QUALITY,
    }
)
"""Permissions over rows that carry a team and an assignee: only these follow the scopes `own` and `team`."""

_EVERYONE = frozenset({_P.VIEW_MEMBERS, _P.VIEW_AREAS, _P.VIEW_ASSETS, _P.READ_KNOWLEDGE})
_DESK = frozenset(
    {_P.VIEW_PEOPLE, _P.MANAGE_PEOPLE, _P.REVEAL_PEOPLE, _P.VIEW_INTERACTIONS, _P.ADD_INTERACTIONS, _P.VIEW_CASES, _P.ADD_CASES}
)
_OWNERS = frozenset({_P.MANAGE_MEMBERS, _P.MANAGE_TOKENS, _P.MANAGE_WEBHOOKS, _P.ERASE_PEOPLE})

ROLES: dict[Role, frozenset[Permission]] = {
    Role.OPERATOR: frozenset(Permission),
    Role.OWNER: frozenset(Permission) - {_P.VIEW_OPERATIONS},
    Role.SUPERVISOR: frozenset(Permission) - {_P.VIEW_OPERATIONS} - _OWNERS,
    Role.DISPATCHER: _EVERYONE
    | {_P.VIEW_VEHICLES, _P.VIEW_TRACKS, _P.VIEW_MEDIA, _P.COMMAND_VEHICLES, _P.ACKNOWLEDGE_ALARMS}
    | {_P.VIEW_CASES, _P.ADD_CASES, _P.WORK_CASES, _P.ASSIGN_CASES, _P.VIEW_INTERACTIONS},
    Role.AGENT: _EVERYONE
    | _DESK
    | {_P.MERGE_PEOPLE, _P.WORK_CASES, _P.ASSIGN_CASES, _P.CLOSE_CASES, _P.ACKNOWLEDGE_ALARMS, _P.VIEW_QUEUES, _P.SERVE_QUEUES}
    | {_P.HEAR_OWN_RECORDINGS},
    Role.FIELD_WORKER: _EVERYONE | {_P.VIEW_CASES, _P.WORK_CASES, _P.VIEW_INTERACTIONS},
    Role.EXPERT: _EVERYONE
    | {_P.WRITE_KNOWLEDGE, _P.REVIEW_KNOWLEDGE, _P.VIEW_CASES, _P.WORK_CASES, _P.VIEW_INTERACTIONS, _P.ADD_INTERACTIONS},
    Role.ANALYST: _EVERYONE | {_P.VIEW_VEHICLES, _P.REPORT_CASES, _P.VIEW_QUEUES, _P.VIEW_CAMPAIGNS, _P.VIEW_STATEMENTS},
    Role.AUDITOR: _EVERYONE
    | {_P.LISTEN_RECORDINGS}
    | {_P.VIEW_VEHICLES, _P.READ_AUDIT, _P.REPORT_CASES, _P.VIEW_CAMPAIGNS, _P.VIEW_STATEMENTS},
    Role.SERVICE: _EVERYONE
    | _DESK
    | {_P.VIEW_VEHICLES, _P.VIEW_TRACKS, _P.MANAGE_VEHICLES, _P.MANAGE_ASSETS, _P.ACKNOWLEDGE_ALARMS, _P.MANAGE_AREAS}
    | {_P.WRITE_KNOWLEDGE, _P.WORK_CASES, _P.ASSIGN_CASES, _P.CLOSE_CASES, _P.REPORT_CASES}
    | {_P.READ_FLOWS, _P.RUN_FLOWS},
}
"""The whole of it: nothing else grants anything. The operator runs the installation; its health is no organisation's affair."""

USUAL_SCOPE: dict[Role, Scope] = {
    Role.AGENT: Scope.TEAM,
    Role.FIELD_WORKER: Scope.OWN,
    Role.EXPERT: Scope.TEAM,
    Role.SERVICE: Scope.ORGANISATION,
}
"""What a role reaches unless its giver says otherwise; every role that is not named reaches the subtree."""

TWO_FACTORS: frozenset[Role] = frozenset({Role.OPERATOR, Role.OWNER, Role.SUPERVISOR})
"""Who may do nothing before a second factor is set up, where the installation requires them."""


def usual_scope(role: Role) -> Scope:
    """Return how far a role reaches unless its giver says otherwise."""
    return USUAL_SCOPE.get(role, Scope.SUBTREE)


def permissions_of(role: str) -> frozenset[Permission]:
    """Return what a role allows; an unknown role allows nothing."""
    return ROLES[Role(role)] if role in set(Role) else frozenset()


def is_less(role: Role, scope: Scope, then: Role, reaching: Scope) -> bool:
    """Return whether a membership that becomes another one loses a permission or some of its reach."""
    order = list(Scope)
    return bool(ROLES[role] - ROLES[then]) or order.index(reaching) < order.index(scope)


def narrowed(granted: frozenset[Permission], scope: str) -> tuple[frozenset[Permission], frozenset[Permission]]:
    """Return what a membership grants in the whole organisation, and what only for its own or its teams' rows."""
    if scope in {Scope.ORGANISATION, Scope.SUBTREE}:
        return granted, frozenset()
    return granted - NARROWED, granted & NARROWED


class NameMissing(Refused):
    """An organisation needs a name of at most 120 characters."""


def organisation_name(text: str) -> str:
    """Return the name as it is kept, without spaces around and with single ones within. Raises NameMissing."""
    name = " ".join(text.split())
    if not name or len(name) > 120:
        raise NameMissing("An organisation needs a name of at most 120 characters.")
    return name


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
