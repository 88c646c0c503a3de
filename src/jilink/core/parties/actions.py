"""The only writers of organisations, people and memberships."""

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from jilink.core.outbox import outbox
from jilink.core.parties import audit, reads, rules, walls
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.events import AdmissionPolicyChanged, RetentionChanged
from jilink.core.parties.models import Invitation, Member, Organisation, User
from jilink.core.parties.rules import Permission, Role, Scope, permissions_of, usual_scope
from jilink.core.parties.sessions import end_sessions
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import MemberId, OrganisationId


class NameTaken(Refused):
    """Another organisation or account already carries this name."""


class QuarantineRefused(Refused):
    """This organisation may not list unknown terminals."""


class PasswordRefused(Refused):
    """The password is too short or too easily guessed; the message says which."""


@transaction.atomic
def add_organisation(*, name: str, by: Actor, parent: OrganisationId | None = None, now: datetime | None = None) -> OrganisationId:
    """Add an organisation. Below a parent it takes MANAGE_MEMBERS there; at the top only the installation itself may.

    Raises NameMissing, and NameTaken where the parent already has one of that name.
    """
    if parent is not None:
        require(by, Permission.MANAGE_MEMBERS, parent)
    elif not by.is_installation:
        raise Refused("A top-level organisation can only be added on the command line.")
    name = rules.organisation_name(name)
    above = Organisation.objects.get(pk=parent) if parent is not None else None
    if Organisation.objects.filter(parent=above, name=name).exists():
        raise NameTaken("There is already an organisation named %(name)s.", name=name)
    row = Organisation.objects.create(name=name, parent=above, created_at=now or utc_now())
    row.path = f"{above.path if above else '/'}{row.pk}/"
    row.save(update_fields=["path"])
    walls.also(row.pk)
    audit.record(by, "organisation.added", f"organisation:{row.pk}", row.pk)
    if above is not None and reads.retentions(above.pk)[OrganisationId(above.pk)] is not None:  # it now holds here too
        outbox.add(RetentionChanged(organisation=row.pk), organisation=row.pk, aggregate=f"retention:{row.pk}")
    return OrganisationId(row.pk)


@transaction.atomic
def rename_organisation(*, organisation: OrganisationId, name: str, by: Actor) -> None:
    """Give an organisation another name. Raises NotFound, NameMissing, NameTaken."""
    require(by, Permission.MANAGE_MEMBERS, organisation)
    wanted = rules.organisation_name(name)
    row = Organisation.objects.select_for_update().get(pk=organisation)
    if Organisation.objects.filter(parent_id=row.parent_id, name=wanted).exclude(pk=row.pk).exists():
        raise NameTaken("There is already an organisation named %(name)s.", name=wanted)
    row.name = wanted
    row.save(update_fields=["name"])
    audit.record(by, "organisation.renamed", f"organisation:{organisation}", organisation)


@transaction.atomic
def remove_organisation(*, organisation: OrganisationId, by: Actor) -> None:
    """Remove an organisation that holds nothing any more. Raises Refused while something still belongs to it."""
    require(by, Permission.MANAGE_MEMBERS, organisation)
    try:
        with transaction.atomic():
            Organisation.objects.filter(pk=organisation).delete()
    except IntegrityError as error:  # PROTECT raises a subclass: something still belongs here
        raise Refused("Something still belongs to this organisation. Remove or move it first.") from error
    audit.record(by, "organisation.removed", f"organisation:{organisation}", organisation)


@transaction.atomic
def set_quarantine(*, organisation: OrganisationId, on: bool, by: Actor) -> None:
    """Let unknown terminals wait for admission by this organisation (on), or not (off).

    Nobody knows whose an unknown terminal is, so not everyone may see them: a top organisation lists them only while no
    other top does, and one below only when somebody of the organisation above delegates it. Raises NotFound, QuarantineRefused.
    """
    require(by, Permission.ADMIT_TERMINALS, organisation)
    row = Organisation.objects.get(pk=organisation)
    if on and row.parent_id is not None and Permission.ADMIT_TERMINALS not in by.grants.get(OrganisationId(row.parent_id), frozenset()):
        raise QuarantineRefused("The organisation above decides whether this one lists unknown terminals.")
    if on and Organisation.objects.filter(quarantine_unknown=True).exclude(path__startswith=f"/{row.path.split('/')[1]}/").exists():
        raise QuarantineRefused("Another organisation already lists the unknown terminals of this installation.")
    Organisation.objects.filter(pk=organisation).update(quarantine_unknown=on)
    outbox.add(AdmissionPolicyChanged(), organisation=organisation, aggregate="admission-policy")
    audit.record(by, "organisation.quarantine", f"organisation:{organisation}", organisation, detail="on" if on else "off")


@transaction.atomic
def set_retention(*, organisation: OrganisationId, days: int | None, by: Actor) -> None:
    """Keep positions for so many days (0: for ever; None: as the organisation above says). Raises NotFound, RetentionRefused."""
    require(by, Permission.MANAGE_MEMBERS, organisation)
    kept = rules.retention(days)
    Organisation.objects.filter(pk=organisation).update(retention_days=kept)
    outbox.add(RetentionChanged(organisation=organisation), organisation=organisation, aggregate=f"retention:{organisation}")
    detail = "as above" if kept is None else str(kept)
    audit.record(by, "organisation.retention", f"organisation:{organisation}", organisation, detail=detail)


@transaction.atomic
def add_user(*, username: str, password: str, by: Actor, name: str = "") -> int:
    """Add an account and return its id. Raises NameTaken or PasswordRefused. Only owners and the installation may."""
    if not by.is_installation and not by.may(Permission.MANAGE_MEMBERS):
        raise Refused("Only an owner may add people.")
    if User.objects.filter(username=username).exists():
        raise NameTaken("There is already an account named %(name)s.", name=username)
    user = User(username=username, first_name=name)
    _set_password(user, password)
    user.save()
    audit.record(by, "user.added", f"user:{user.pk}", None)
    return user.pk


@transaction.atomic
def set_password(*, username: str, password: str, by: Actor) -> None:
    """Give an account a new password; every session it had ends. Only the installation itself may."""
    if not by.is_installation:
        raise Refused("People change their own password after signing in.")
    user = User.objects.select_for_update().filter(username=username).first()
    if user is None:
        raise Refused("There is no account named %(name)s.", name=username)
    _set_password(user, password)
    user.save(update_fields=["password"])
    audit.record(by, "user.password", f"user:{user.pk}", None)


@transaction.atomic
def forget_factors(*, username: str, by: Actor) -> None:
    """Take the second factors of an account away, for somebody who lost them. Only the installation itself may."""
    if not by.is_installation:
        raise Refused("People change their own second factors after signing in.")
    user = User.objects.filter(username=username).first()
    if user is None:
        raise Refused("There is no account named %(name)s.", name=username)
    Authenticator.objects.filter(user=user).delete()
    end_sessions(user.pk)
    audit.record(by, "user.factors_reset", f"user:{user.pk}", None)


def _set_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PasswordRefused(" ".join(error.messages)) from error
    user.set_password(password)


@transaction.atomic
def remove_user(*, username: str, by: Actor) -> None:
    """Remove an account, end its sessions and take its open invitations back. The audit keeps its number, which then names nobody."""
    if not by.is_installation:
        raise Refused("Only the command line removes accounts.")
    user = User.objects.filter(username=username).first()
    if user is None:
        raise Refused("There is no account named %(name)s.", name=username)
    audit.record(by, "user.removed", f"user:{user.pk}", None)
    Invitation.objects.filter(created_by=user, accepted_at=None, revoked_at=None).update(revoked_at=utc_now())
    user.delete()


def require_may_give(by: Actor, role: Role, scope: Scope, organisation: OrganisationId) -> None:
    """Return where somebody may give or take a role of that reach: what it grants he holds himself. Raises NotFound."""
    require(by, Permission.MANAGE_MEMBERS, organisation)
    for place in reads.below(organisation) if scope is Scope.SUBTREE else [organisation]:
        for permission in permissions_of(role):
            require(by, permission, place)


@transaction.atomic
def set_role(
    *, user: int, organisation: OrganisationId, role: Role, by: Actor, scope: Scope | None = None, now: datetime | None = None
) -> MemberId:
    """Make the person a member with this role, or change the role they have. No `scope` means the role's usual one.

    Where the new role grants less or reaches less far, every session of the person ends.

    Raises NotFound where the giver knows no such person, or where the new role, or the one they have, grants what its giver does not hold.
    """
    reaches = scope or usual_scope(role)
    require_may_give(by, role, reaches, organisation)
    standing = Member.objects.select_for_update().filter(user_id=user, organisation_id=organisation).first()
    if standing is not None:
        require_may_give(by, Role(standing.role), Scope(standing.scope), organisation)
    if not reads.knows(by, user):
        raise NotFound("There is no such thing, or you may not see it.")
    row, _made = Member.objects.update_or_create(
        user_id=user,
        organisation_id=organisation,
        defaults={"role": role.value, "scope": reaches.value},
        create_defaults={"role": role.value, "scope": reaches.value, "since": now or utc_now()},
    )
    if standing is not None and rules.is_less(Role(standing.role), Scope(standing.scope), role, reaches):
        end_sessions(user)
    audit.record(by, "member.role", f"user:{user}", organisation, detail=f"{role.value} {reaches.value}")
    return MemberId(row.pk)
