"""The only writers of service accounts and tokens."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.models import Member, Token, User
from jilink.core.parties.rules import Permission, Role, Scope, permissions_of
from jilink.core.parties.tokens import rules
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId, TokenId

_HIDDEN = "There is no such thing, or you may not see it."
Random = Callable[[int], bytes]


class AccountRefused(Refused):
    """A service account needs a name."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token at the only moment at which it can be read."""

    id: TokenId
    secret: str


@transaction.atomic
def add_service_account(
    *, organisation: OrganisationId, name: str, by: Actor, role: Role = Role.SERVICE, now: datetime | None = None
) -> int:
    """Add an account for a program and return its number. It cannot sign in; tokens let it in. Raises NotFound, AccountRefused.

    It reaches the organisation alone; nobody gives it a role that grants more than he holds.
    """
    require(by, Permission.MANAGE_TOKENS, organisation)
    for permission in permissions_of(role):
        require(by, permission, organisation)
    title = name.strip()
    if not title or len(title) > 120:
        raise AccountRefused("Give it a name of at most 120 characters.")
    user = User(username=f"service-{secrets.token_hex(6)}", first_name=title, service_of_id=organisation)
    user.set_unusable_password()
    user.save()
    Member.objects.create(user=user, organisation_id=organisation, role=role.value, scope=Scope.ORGANISATION.value, since=now or utc_now())
    audit.record(by, "service.added", f"user:{user.pk}", organisation, detail=role.value)
    return user.pk


@transaction.atomic
def close_service_account(*, account: int, by: Actor, now: datetime | None = None) -> None:
    """Close a service account for good; its tokens open nothing any more. Raises NotFound."""
    user, organisation = _account(account, by)
    User.objects.filter(pk=user.pk).update(is_active=False)
    Token.objects.filter(user=user, revoked_at=None).update(revoked_at=now or utc_now())
    Member.objects.filter(user=user).delete()
    audit.record(by, "service.closed", f"user:{user.pk}", organisation)


@transaction.atomic
def issue_token(
    *,
    account: int,
    name: str,
    permissions: frozenset[Permission],
    expires_at: datetime,
    by: Actor,
    now: datetime | None = None,
    random: Random = secrets.token_bytes,
) -> NewToken:
    """Make a token of a service account. It may do at most `permissions`, none of which its giver lacks. Raises NotFound, TokenRefused."""
    user, organisation = _account(account, by)
    moment = now or utc_now()
    title = rules.checked(name, permissions, moment, expires_at)
    for permission in permissions:
        require(by, permission, organisation)
    secret = rules.compose(random(rules.SECRET_BYTES))
    row = Token.objects.create(
        user=user,
        organisation_id=organisation,
        name=title,
        prefix=rules.prefix_of(secret),
        digest=rules.digest(secret),
        permissions="\n".join(sorted(permissions)),
        created_at=moment,
        created_by_id=by.user,
        expires_at=expires_at,
    )
    audit.record(by, "token.issued", f"token:{row.pk}", organisation, detail=f"user:{user.pk}")
    return NewToken(TokenId(row.pk), secret)


@transaction.atomic
def revoke_token(*, token: TokenId, by: Actor, now: datetime | None = None) -> None:
    """End a token at once; one that has ended stays so. Raises NotFound."""
    row = Token.objects.filter(pk=token).first()
    require(by, Permission.MANAGE_TOKENS, row.organisation_id if row else None)
    if Token.objects.filter(pk=token, revoked_at=None).update(revoked_at=now or utc_now()):
        audit.record(by, "token.revoked", f"token:{token}", row.organisation_id if row else None)


def forget_tokens(now: datetime) -> int:
    """Remove tokens that ended long ago and return how many. For the retention job; no wall is asked."""
    ended = now - rules.KEPT_AFTER_END
    return Token.objects.filter(expires_at__lt=ended).delete()[0] + Token.objects.filter(revoked_at__lt=ended).delete()[0]


def _account(account: int, by: Actor) -> tuple[User, int]:
    user = User.objects.select_for_update(of=("self",)).filter(pk=account, is_active=True).first()
    organisation = user.service_of_id if user else None
    require(by, Permission.MANAGE_TOKENS, organisation)
    if user is None or organisation is None:  # `require` refuses where there is no organisation
        raise NotFound(_HIDDEN)
    return user, organisation
