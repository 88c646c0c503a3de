"""What may be asked about organisations and people."""

from dataclasses import dataclass

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


def organisation_named(name: str) -> OrganisationId | None:
    """Return the id of the top organisation of that name. For the command line; no wall is asked."""
    row = Organisation.objects.filter(parent=None, name=name).values_list("pk", flat=True).first()
    return OrganisationId(row) if row is not None else None


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
