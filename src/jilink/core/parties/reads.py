"""What may be asked about organisations and people."""

from dataclasses import dataclass

from jilink.core.parties import walls
from jilink.core.parties.access import Actor, organisations_of
from jilink.core.parties.models import Member, Organisation, User
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import OrganisationId


@dataclass(frozen=True, slots=True)
class OrganisationName:
    """An organisation as a choice in a form: its name and how deep it lies below the viewer's first."""

    id: OrganisationId
    name: str
    depth: int


def choices(actor: Actor, permission: Permission) -> list[OrganisationName]:
    """Return the organisations in which the actor holds the permission, in tree order."""
    rows = Organisation.objects.filter(pk__in=organisations_of(actor, permission)).order_by("path")
    return [OrganisationName(OrganisationId(row.pk), row.name, row.path.count("/") - 2) for row in rows]


@dataclass(frozen=True, slots=True)
class OrganisationSettings:
    """What an owner decides for an organisation. `retention_days`: 0 for ever, None as above; `effective_days` is what then holds."""

    id: OrganisationId
    name: str
    depth: int
    quarantine_unknown: bool
    retention_days: int | None
    effective_days: int | None


def organisation_settings(actor: Actor) -> list[OrganisationSettings]:
    """Return the settings of every organisation that the actor owns, in tree order."""
    rows = Organisation.objects.filter(pk__in=organisations_of(actor, Permission.MANAGE_MEMBERS)).order_by("path")
    holding = retentions()
    return [
        OrganisationSettings(
            OrganisationId(row.pk),
            row.name,
            row.path.count("/") - 2,
            row.quarantine_unknown,
            row.retention_days,
            holding.get(OrganisationId(row.pk)),
        )
        for row in rows
    ]


def retentions(below: int | None = None) -> dict[OrganisationId, int | None]:
    """Return how many days each organisation's positions are kept: its own word, else that of the nearest above, else None.

    With `below`, only that organisation and those under it. For the projection; no wall is asked.
    """
    said = dict(Organisation.objects.values_list("pk", "retention_days"))
    found: dict[OrganisationId, int | None] = {}
    for number, path in Organisation.objects.values_list("pk", "path"):
        line = [int(part) for part in path.split("/") if part]
        if below is None or below in line:
            found[OrganisationId(number)] = next((said[one] for one in reversed(line) if said.get(one) is not None), None)
    return found


def below(organisation: int) -> list[OrganisationId]:
    """Return the organisation and all below it, in tree order; empty where there is none. No wall is asked."""
    path = Organisation.objects.filter(pk=organisation).values_list("path", flat=True).first()
    found = Organisation.objects.filter(path__startswith=path).order_by("path") if path else Organisation.objects.none()
    return [OrganisationId(pk) for pk in found.values_list("pk", flat=True)]


def knows(actor: Actor, user: int) -> bool:
    """Return whether the actor may be told of an account: a member of an organisation they manage, or one that belongs nowhere yet."""
    if not User.objects.filter(pk=user).exists():
        return False
    with walls.everything():
        places = set(Member.objects.filter(user_id=user).values_list("organisation_id", flat=True))
    return actor.is_installation or not places or bool(places & organisations_of(actor, Permission.MANAGE_MEMBERS))


def organisation_named(name: str) -> OrganisationId | None:
    """Return the id of the top organisation of that name. For the command line; no wall is asked."""
    row = Organisation.objects.filter(parent=None, name=name).values_list("pk", flat=True).first()
    return OrganisationId(row) if row is not None else None


def listing_unknown(actor: Actor) -> list[OrganisationName]:
    """Return the organisations that list unknown terminals and in which the actor may admit them, in tree order."""
    rows = Organisation.objects.filter(quarantine_unknown=True, pk__in=organisations_of(actor, Permission.ADMIT_TERMINALS)).order_by("path")
    return [OrganisationName(OrganisationId(row.pk), row.name, row.path.count("/") - 2) for row in rows]


def quarantine_open(actor: Actor | None = None) -> bool:
    """Return whether unknown terminals are listed for admission: anywhere, or in the organisations of the actor who may admit."""
    rows = Organisation.objects.filter(quarantine_unknown=True)
    if actor is not None:
        rows = rows.filter(pk__in=organisations_of(actor, Permission.ADMIT_TERMINALS))
    return rows.exists()


@dataclass(frozen=True, slots=True)
class Account:
    """One account as the command line lists it."""

    username: str
    active: bool
    roles: list[str]


def accounts() -> list[Account]:
    """Return all accounts with their roles. For the command line; no wall is asked."""
    roles: dict[int, list[str]] = {}
    for user, role, organisation in Member.objects.values_list("user_id", "role", "organisation__name"):
        roles.setdefault(user, []).append(f"{role} of {organisation}")
    return [Account(user.username, user.is_active, roles.get(user.pk, [])) for user in User.objects.order_by("username")]


def user_id(username: str) -> int | None:
    """Return the number of an account, or None. For the command line; no wall is asked."""
    return User.objects.filter(username=username).values_list("pk", flat=True).first()


def usernames(ids: set[int]) -> dict[int, str]:
    """Return the account names of these numbers, for showing who did something."""
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "username"))


def line(organisation: OrganisationId) -> list[OrganisationId]:
    """Return an organisation and those above it, the top one first; empty where it is gone. For reactions; no wall is asked."""
    path = Organisation.objects.filter(pk=organisation).values_list("path", flat=True).first() or ""
    return [OrganisationId(int(part)) for part in path.split("/") if part]
