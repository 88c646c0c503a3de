"""Service accounts and their tokens."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from jilink.core.parties import access
from jilink.core.parties.access import NOBODY, Actor, NotFound
from jilink.core.parties.models import AuditEntry, Token
from jilink.core.parties.rules import Permission, Role
from jilink.core.parties.tokens import actions, reads
from jilink.core.parties.tokens.actions import AccountRefused, NewToken
from jilink.core.parties.tokens.rules import TokenRefused
from tests.core.world import NOW, World

SOME = frozenset({Permission.VIEW_PEOPLE, Permission.ADD_CASES})
LATER = NOW + timedelta(days=30)


def issued(world: World, permissions: frozenset[Permission] = SOME) -> tuple[int, NewToken]:
    """A service account of `north` and a token of it."""
    owner = world.actor(Role.OWNER, world.north)
    account = actions.add_service_account(organisation=world.north, name="Hotline", by=owner, now=NOW)
    return account, actions.issue_token(account=account, name="CI", permissions=permissions, expires_at=LATER, by=owner, now=NOW)


def test_a_token_grants_what_both_it_and_its_account_may_and_nothing_below(world: World) -> None:
    account, token = issued(world, SOME | {Permission.ERASE_PEOPLE})
    actor = access.actor_of_token(token.secret, NOW)
    assert (actor.user, actor.name) == (account, f"user:{account}/token:{token.id}")
    assert {p for p in Permission if actor.may(p)} == SOME
    assert actor.organisations == {world.north}


def test_a_token_is_kept_only_as_its_beginning_and_a_hash(world: World) -> None:
    account, token = issued(world)
    row = Token.objects.get()
    kept = " ".join(str(value) for value in Token.objects.values().get().values())
    assert token.secret.startswith("jlk_") and len(token.secret) >= 50
    assert token.secret not in kept and token.secret[12:] not in kept and token.secret.startswith(row.prefix)
    assert not AuditEntry.objects.filter(detail__contains=token.secret).exists()
    view = reads.service_accounts(world.actor(Role.OWNER, world.north), world.north)[0]
    assert (view.user, view.role, view.tokens[0].permissions, view.tokens[0].last_used_at) == (account, Role.SERVICE, SOME, None)


def test_a_wrong_late_revoked_or_closed_token_is_nobodys(world: World) -> None:
    account, token = issued(world)
    owner = world.actor(Role.OWNER, world.north)
    for wrong in (
        "",
        "jlk_",
        token.secret[:-1],
        token.secret[:-1] + "z7"[token.secret[-1] == "z"],
        token.secret.upper(),
        "\x00" + token.secret,
    ):
        assert access.actor_of_token(wrong, NOW) is NOBODY
    assert access.actor_of_token(token.secret, LATER - timedelta(seconds=1)) is not NOBODY
    assert access.actor_of_token(token.secret, LATER) is NOBODY
    again = actions.issue_token(account=account, name="2", permissions=SOME, expires_at=LATER, by=owner, now=NOW)
    actions.revoke_token(token=token.id, by=owner, now=NOW)
    assert access.actor_of_token(token.secret, NOW) is NOBODY
    assert access.actor_of_token(again.secret, NOW) is not NOBODY
    actions.close_service_account(account=account, by=owner, now=NOW)
    assert access.actor_of_token(again.secret, NOW) is NOBODY
    assert reads.service_accounts(owner, world.north) == []


def test_its_last_use_is_noted_once_a_minute(world: World) -> None:
    _account, token = issued(world)
    for seconds, noted in ((0, 0), (30, 0), (61, 61)):
        access.actor_of_token(token.secret, NOW + timedelta(seconds=seconds))
        assert Token.objects.get().last_used_at == NOW + timedelta(seconds=noted)


def test_nobody_gives_a_token_more_than_he_holds_or_for_ever(world: World) -> None:
    account, _token = issued(world)
    owner = world.actor(Role.OWNER, world.north)
    with pytest.raises(NotFound):
        actions.issue_token(account=account, name="x", permissions=frozenset(Permission), expires_at=LATER, by=owner, now=NOW)
    for name, permissions, expires_at in (
        ("", SOME, LATER),
        ("x", frozenset[Permission](), LATER),
        ("x", SOME, NOW),
        ("x", SOME, NOW + timedelta(days=500)),
    ):
        with pytest.raises(TokenRefused):
            actions.issue_token(account=account, name=name, permissions=permissions, expires_at=expires_at, by=owner, now=NOW)
    with pytest.raises(AccountRefused):
        actions.add_service_account(organisation=world.north, name=" ", by=owner)
    with pytest.raises(NotFound):
        actions.add_service_account(organisation=world.north, name="x", by=owner, role=Role.OPERATOR)
    with pytest.raises(NotFound):
        actions.issue_token(account=owner.user or 0, name="x", permissions=SOME, expires_at=LATER, by=owner, now=NOW)


def test_a_service_account_cannot_sign_in(world: World) -> None:
    account, token = issued(world)
    name = Token.objects.get(user_id=account).user.username
    browser = Client()
    for password in ("", token.secret, "!"):
        browser.post("/accounts/login/", {"login": name, "password": password})
        assert "_auth_user_id" not in browser.session


def test_tokens_are_hidden_across_the_wall_and_from_too_low_a_role(world: World) -> None:
    account, token = issued(world)
    attempts: list[Callable[[Actor], object]] = [
        lambda by: actions.add_service_account(organisation=world.north, name="X", by=by),
        lambda by: actions.close_service_account(account=account, by=by),
        lambda by: actions.issue_token(account=account, name="X", permissions=SOME, expires_at=LATER, by=by, now=NOW),
        lambda by: actions.revoke_token(token=token.id, by=by),
        lambda by: reads.service_accounts(by, world.north),
    ]
    for by in (world.actor(Role.OWNER, world.south), world.actor(Role.SUPERVISOR, world.north), access.actor_of_token(token.secret, NOW)):
        for attempt in attempts:
            with pytest.raises(NotFound):
                attempt(by)


def test_tokens_that_ended_long_ago_are_forgotten(world: World) -> None:
    _account, token = issued(world)
    assert actions.forget_tokens(LATER + timedelta(days=89)) == 0
    assert actions.forget_tokens(LATER + timedelta(days=91)) == 1
    assert not Token.objects.filter(pk=token.id).exists()
