"""Service accounts and the tokens of programs."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Query, Router, Status

from jilink.core.parties.rules import Permission, Role
from jilink.core.parties.tokens import actions, reads
from jilink.kernel.ids import OrganisationId, TokenId
from jilink.webkit.api import cursors
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Cut, Page, Paging
from jilink.webkit.api.shapes import Id, In, Line, MadeOut, Out, Time

router = Router(tags=["tokens"])


class TokenOut(Out):
    """A token without its secret."""

    id: int
    account: int
    name: str
    prefix: str
    permissions: list[str]
    created_at: datetime
    created_by: int | None
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class ServiceAccountOut(Out):
    """An account of a program with its tokens."""

    user: int
    name: str
    organisation: int
    role: Role
    tokens: list[TokenOut]


class ServiceAccountIn(In):
    """A new account of a program. It reaches the organisation alone."""

    organisation: Id
    name: Line
    role: Role = Role.SERVICE


class TokenIn(In):
    """A new token: what it may do at most, and until when."""

    name: Line
    permissions: list[Permission]
    expires_at: Time


class NewTokenOut(Out):
    """A token at the only moment at which it can be read."""

    id: int
    secret: str


@router.get("/service-accounts", response=Page[ServiceAccountOut], operation_id="list_service_accounts")
def list_service_accounts(request: HttpRequest, organisation: Id, paging: Query[Paging]) -> Cut[reads.ServiceAccount]:
    """Return the open accounts of programs of an organisation."""
    return cursors.of_all(request, paging, reads.service_accounts(actor_of(request), OrganisationId(organisation)), lambda row: row.user)


@router.post("/service-accounts", response={201: MadeOut}, operation_id="add_service_account")
def add_service_account(request: HttpRequest, given: ServiceAccountIn) -> Status[dict[str, int]]:
    """Add an account of a program."""
    made = actions.add_service_account(
        organisation=OrganisationId(given.organisation), name=given.name, role=given.role, by=actor_of(request)
    )
    return Status(201, {"id": made})


@router.delete("/service-accounts/{int:account}", response={204: None}, operation_id="close_service_account")
def close_service_account(request: HttpRequest, account: Id) -> Status[None]:
    """Close an account for good; its tokens open nothing any more."""
    actions.close_service_account(account=account, by=actor_of(request))
    return Status(204, None)


@router.post("/service-accounts/{int:account}/tokens", response={201: NewTokenOut}, operation_id="issue_token")
def issue_token(request: HttpRequest, account: Id, given: TokenIn) -> Status[actions.NewToken]:
    """Make a token; its secret is told once."""
    made = actions.issue_token(
        account=account, name=given.name, permissions=frozenset(given.permissions), expires_at=given.expires_at, by=actor_of(request)
    )
    return Status(201, made)


@router.delete("/tokens/{int:token}", response={204: None}, operation_id="revoke_token")
def revoke_token(request: HttpRequest, token: Id) -> Status[None]:
    """End a token at once."""
    actions.revoke_token(token=TokenId(token), by=actor_of(request))
    return Status(204, None)
