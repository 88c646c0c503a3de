"""Invitations, by password and by the single sign-on."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from jilink.core.parties import access, actions
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.actions import NameTaken, PasswordRefused
from jilink.core.parties.invitations import actions as invitations
from jilink.core.parties.invitations import reads
from jilink.core.parties.invitations.actions import InvitationRefused, NewInvitation
from jilink.core.parties.members import actions as members
from jilink.core.parties.models import Invitation, Member, User
from jilink.core.parties.rules import Permission, Role, Scope
from jilink.kernel.settings import Settings, SettingsRefused
from jilink.site import single_sign_on
from tests.core.world import NOW, PASSWORD, World


@pytest.fixture
def owner(world: World) -> Actor:
    return world.actor(Role.OWNER, world.north)


def invited(world: World, by: Actor, **more: Any) -> NewInvitation:
    return invitations.invite(**{"organisation": world.north, "name": "王芳", "role": Role.AGENT, "by": by, **more})


def test_a_link_makes_one_account_with_the_role_and_the_team_it_names(world: World, owner: Actor) -> None:
    team = world.team(world.north)
    link = invited(world, owner, team=team)
    assert link.secret not in str(Invitation.objects.values().get())
    found = reads.invitation(link.secret)
    assert found is not None and (found.name, found.role, found.scope, found.organisation_name) == (
        "王芳",
        Role.AGENT,
        Scope.TEAM,
        "North Fleet",
    )
    user = invitations.accept_with_password(secret=link.secret, username="wang", password=PASSWORD)
    actor = access.actor_of(User.objects.get(pk=user))
    assert actor.teams == {team} and actor.may(Permission.WORK_CASES)
    assert reads.invitations(owner, world.north) == [] and reads.invitation(link.secret) is None
    with pytest.raises(InvitationRefused):
        invitations.accept_with_password(secret=link.secret, username="wang2", password=PASSWORD)


def test_a_refused_acceptance_leaves_the_link_valid(world: World, owner: Actor) -> None:
    link, taken = invited(world, owner), world.person(Role.ANALYST, world.north).username
    for username, password, refusal in (
        (taken, PASSWORD, NameTaken),
        ("wang", "12345", PasswordRefused),
        ("", PASSWORD, InvitationRefused),
        ("a b", PASSWORD, InvitationRefused),
    ):
        with pytest.raises(refusal):
            invitations.accept_with_password(secret=link.secret, username=username, password=password)
    assert [each.id for each in reads.invitations(owner, world.north)] == [link.id]


def test_a_late_or_revoked_link_leads_nowhere(world: World, owner: Actor) -> None:
    late, revoked = invited(world, owner, now=NOW), invited(world, owner)
    invitations.revoke_invitation(invitation=revoked.id, by=owner)
    for secret, now in ((late.secret, NOW + timedelta(days=7)), (revoked.secret, None), ("", None)):
        assert reads.invitation(secret, now) is None
        with pytest.raises(InvitationRefused):
            invitations.accept_with_password(secret=secret, username="wang", password=PASSWORD, now=now)
    assert invitations.forget_invitations(NOW + timedelta(days=100)) == 1


def test_an_existing_account_becomes_a_member_once(world: World, owner: Actor) -> None:
    southern = world.person(Role.AGENT, world.south)
    invitations.accept_as(secret=invited(world, owner).secret, user=southern.pk)
    assert {row.organisation_id for row in Member.objects.filter(user=southern)} == {world.north, world.south}
    with pytest.raises(InvitationRefused):
        invitations.accept_as(secret=invited(world, owner).secret, user=southern.pk)


def test_nobody_invites_to_more_than_he_holds_or_across_the_wall(world: World, owner: Actor) -> None:
    link = invited(world, owner)
    low, stranger = world.actor(Role.SUPERVISOR, world.north), world.actor(Role.OWNER, world.south)
    attempts: list[Callable[[], object]] = [
        lambda: invited(world, owner, role=Role.OPERATOR),
        lambda: invited(world, owner, team=world.team(world.south)),
        *(lambda by=by: invited(world, by) for by in (low, stranger)),
        *(lambda by=by: invitations.revoke_invitation(invitation=link.id, by=by) for by in (low, stranger)),
        *(lambda by=by: reads.invitations(by, world.north) for by in (low, stranger)),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()


def test_second_factors_are_reset_only_by_who_could_give_every_role_of_the_person(world: World, owner: Actor) -> None:
    agent, operator = world.person(Role.AGENT, world.north), world.person(Role.OPERATOR, world.north)
    both = world.person(Role.SUPERVISOR, world.north)
    actions.set_role(user=both.pk, organisation=world.south, role=Role.ANALYST, by=access.system("test"))
    for person in (agent, operator, both):
        world.second_factor(person)
    members.reset_second_factor(user=agent.pk, organisation=world.north, by=owner)
    assert not agent.authenticator_set.exists()
    for person in (operator, both, world.person(Role.AGENT, world.south)):
        with pytest.raises(NotFound):
            members.reset_second_factor(user=person.pk, organisation=world.north, by=owner)
    assert operator.authenticator_set.exists() and both.authenticator_set.exists()


def test_the_page_of_a_link_makes_the_account(world: World, owner: Actor) -> None:
    browser, link = Client(), invited(world, owner)
    assert browser.get("/accounts/invitation/").status_code == 404
    assert browser.get("/accounts/invitation/wrong/").status_code == 404
    opened = browser.get(f"/accounts/invitation/{link.secret}/")
    assert (opened.status_code, opened["Location"]) == (302, "/accounts/invitation/")
    assert "North Fleet" in browser.get("/accounts/invitation/").content.decode()
    wrong = browser.post("/accounts/invitation/", {"username": "wang", "password": PASSWORD, "again": "other"})
    assert wrong.status_code == 422 and "wang" in wrong.content.decode()
    done = browser.post("/accounts/invitation/", {"username": "wang", "password": PASSWORD, "again": PASSWORD})
    assert (done.status_code, done["Location"]) == (302, "/accounts/login/")
    browser.post("/accounts/login/", {"login": "wang", "password": PASSWORD})
    assert "_auth_user_id" in browser.session


class _Provider(BaseHTTPRequestHandler):
    """A small OpenID provider: discovery, token, user information."""

    subject = "subject-1"

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        issuer = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]  # -- of ThreadingHTTPServer
        if self.path.startswith("/.well-known/"):
            places = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
            told: dict[str, object] = {f"{name}_endpoint": f"{issuer}/{place}" for name, place in places.items()}
            self._answer(
                {**told, "issuer": issuer, "jwks_uri": f"{issuer}/keys", "token_endpoint_auth_methods_supported": ["client_secret_post"]}
            )
        else:
            self._answer({"sub": self.subject, "preferred_username": "wang", "email": "owner@example.cn"})

    def do_POST(self) -> None:
        issuer = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]  # -- of ThreadingHTTPServer
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert asked["client_secret"] == ["secret"] and asked["code_verifier"]
        claims = {"iss": issuer, "aud": "jilink", "sub": self.subject, "iat": int(time.time()), "exp": int(time.time()) + 60}
        self._answer({"access_token": "t", "token_type": "Bearer", "id_token": jwt.encode(claims, "k" * 32, algorithm="HS256")})

    def _answer(self, body: dict[str, object]) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def provider(settings: Any) -> Iterator[str]:
    """A single sign-on on loopback, set as an operator would."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    issuer = f"http://127.0.0.1:{server.server_port}"
    told = {"JILINK_OIDC_ISSUER": issuer, "JILINK_OIDC_CLIENT": "jilink", "JILINK_OIDC_SECRET": "secret", "JILINK_OIDC_NAME": "City ID"}
    settings.SOCIALACCOUNT_PROVIDERS = single_sign_on.providers(Settings.from_environment(told))
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def come_by_sign_on(browser: Client, issuer: str, process: str = "login") -> Any:
    """Go to the provider and come back."""
    sent = browser.post(f"/accounts/oidc/sso/login/?process={process}")
    assert sent.status_code == 302 and sent["Location"].startswith(f"{issuer}/authorize?")
    asked = parse_qs(urlsplit(sent["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    return browser.get("/accounts/oidc/sso/login/callback/", {"code": "c", "state": asked["state"][0]})


def test_the_single_sign_on_makes_accounts_only_for_the_invited_and_knows_them_by_subject(
    world: World, owner: Actor, provider: str
) -> None:
    User.objects.filter(pk=owner.user).update(email="owner@example.cn")
    stranger = Client()
    assert "City ID" in stranger.get("/accounts/login/").content.decode()
    come_by_sign_on(stranger, provider)
    assert "_auth_user_id" not in stranger.session and not SocialAccount.objects.exists()
    link, browser = invited(world, owner), Client()
    browser.get(f"/accounts/invitation/{link.secret}/")
    assert "City ID" in browser.get("/accounts/invitation/").content.decode()
    come_by_sign_on(browser, provider)
    account = SocialAccount.objects.get()
    assert browser.session["_auth_user_id"] == str(account.user_id) and account.uid == "subject-1"
    assert (account.user.username, account.user.has_usable_password(), account.user_id == owner.user) == ("wang", False, False)
    again = Client()
    come_by_sign_on(again, provider)
    assert again.session["_auth_user_id"] == str(account.user_id)
    other = Client()
    _Provider.subject = "subject-2"
    try:
        come_by_sign_on(other, provider)
    finally:
        _Provider.subject = "subject-1"
    assert "_auth_user_id" not in other.session and SocialAccount.objects.count() == 1


def test_an_account_connects_the_single_sign_on_from_within(world: World, owner: Actor, provider: str) -> None:
    person, browser = world.person(Role.AGENT, world.north), Client()
    browser.post("/accounts/login/", {"login": person.username, "password": PASSWORD})
    come_by_sign_on(browser, provider, "connect")
    again = Client()
    come_by_sign_on(again, provider)
    assert again.session["_auth_user_id"] == str(person.pk)


def test_the_single_sign_on_needs_all_its_settings(tmp_path: Any) -> None:
    assert single_sign_on.providers(Settings()) == {} and single_sign_on.origins(Settings()) == []
    secret = tmp_path / "secret"
    secret.write_text("from a file\n")
    complete = Settings(oidc_issuer="https://id.example.cn/realms/city/", oidc_client="jilink", oidc_secret_file=str(secret))
    assert "'secret': 'from a file'" in str(single_sign_on.providers(complete))
    assert single_sign_on.origins(complete) == ["https://id.example.cn"]
    for wrong in (
        Settings(oidc_issuer="id.example.cn", oidc_client="jilink"),
        Settings(oidc_issuer="https://id.example.cn"),
        Settings(oidc_issuer="https://id.example.cn", oidc_client="x", oidc_secret_file=str(tmp_path / "none")),
    ):
        with pytest.raises(SettingsRefused):
            single_sign_on.providers(wrong)
