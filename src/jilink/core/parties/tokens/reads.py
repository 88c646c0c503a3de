"""What may be asked about service accounts and their tokens. A token itself is told once, when it is made."""

from dataclasses import dataclass
from datetime import datetime

from jilink.core.parties.access import Actor, require
from jilink.core.parties.models import Member, Token, User
from jilink.core.parties.rules import Permission, Role
from jilink.core.parties.tokens import rules
from jilink.kernel.ids import OrganisationId, TokenId


@dataclass(frozen=True, slots=True)
class TokenView:
    """One token, as the list of an account's tokens shows it."""

    id: TokenId
    account: int
    name: str
    prefix: str
    permissions: frozenset[Permission]
    created_at: datetime
    created_by: int | None
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    def stands(self, now: datetime) -> bool:
        """Return whether it still lets its account in."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """An account of a program, with its tokens, the newest first."""

    user: int
    name: str
    organisation: OrganisationId
    role: Role
    tokens: tuple[TokenView, ...]


def service_accounts(actor: Actor, organisation: OrganisationId) -> list[ServiceAccount]:
    """Return the open service accounts of one organisation by name. Raises NotFound."""
    require(actor, Permission.MANAGE_TOKENS, organisation)
    users = list(User.objects.filter(service_of_id=organisation, is_active=True).order_by("first_name", "pk"))
    roles = dict(Member.objects.filter(user__in=users, organisation_id=organisation).values_list("user_id", "role"))
    tokens: dict[int, list[TokenView]] = {}
    for row in Token.objects.filter(user__in=users).order_by("-created_at", "-pk"):
        tokens.setdefault(row.user_id, []).append(_view(row))
    return [
        ServiceAccount(user.pk, user.first_name, organisation, Role(roles[user.pk]), tuple(tokens.get(user.pk, ())))
        for user in users
        if user.pk in roles
    ]


def _view(row: Token) -> TokenView:
    return TokenView(
        TokenId(row.pk),
        row.user_id,
        row.name,
        row.prefix,
        rules.permissions_in(row.permissions),
        row.created_at,
        row.created_by_id,
        row.expires_at,
        row.last_used_at,
        row.revoked_at,
    )
