"""What is refused and written down, when sessions end, and what stands of the audit outside of the database."""

from pathlib import Path

import pytest
from django.contrib.auth import get_user
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client

from jilink.core.parties import access, actions, anchors, audit, rules
from jilink.core.parties.access import NOBODY, NotFound
from jilink.core.parties.anchors import Anchor, AnchorRefused
from jilink.core.parties.invitations import actions as invitations
from jilink.core.parties.invitations.actions import InvitationRefused
from jilink.core.parties.members import actions as members
from jilink.core.parties.models import AuditEntry, AuditHead, User
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.rights import erase_person
from jilink.core.parties.refusals import note
from jilink.core.parties.rules import Permission, Role, Scope
from tests.core.world import NOW, PASSWORD, World

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def fresh(db: None) -> None:
    cache.clear()


def refused() -> list[tuple[str, str, int | None, str]]:
    rows = AuditEntry.objects.filter(action__in=["sign_in.refused", "access.refused"]).order_by("sequence")
    return list(rows.values_list("actor", "subject", "organisation", "detail"))


def test_a_wrong_password_leaves_one_entry_and_never_what_was_typed(world: World) -> None:
    person, browser = world.person(Role.OWNER, world.north), Client()
    for _try in range(3):
        browser.post("/accounts/login/", {"login": person.username, "password": "not-this-one-99"})
        browser.post("/accounts/login/", {"login": "not-a-name-but-a-password", "password": "x"})
    assert refused() == [
        ("nobody", f"user:{person.pk}", world.north, "password 127.0.0.1"),
        ("nobody", "unknown", None, "password 127.0.0.1"),
    ]
    for _try in range(9):
        browser.post("/accounts/login/", {"login": person.username, "password": "guess"})
    assert ("nobody", f"user:{person.pk}", world.north, "limit 127.0.0.1") in refused()
    assert audit.verify().broken_at is None


def test_a_wrong_code_leaves_an_entry(world: World) -> None:
    person, browser = world.person(Role.OWNER, world.north), Client()
    world.second_factor(person)
    browser.post("/accounts/login/", {"login": person.username, "password": PASSWORD})
    browser.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert ("nobody", f"user:{person.pk}", world.north, "factor 127.0.0.1") in refused()


def test_a_wrong_token_leaves_one_entry_an_address(world: World) -> None:
    for _try in range(3):
        assert Client().get("/api/v1/cases", headers={"authorization": "Bearer jlk_wrong"}).status_code == 401
    assert refused() == [("nobody", "unknown", None, "token 127.0.0.1")]


def test_what_is_refused_is_written_down_where_the_account_belongs_and_no_flood_fills_the_audit(world: World) -> None:
    analyst, stranger = world.actor(Role.ANALYST, world.north), world.actor(Role.OWNER, world.south)
    for actor, place in ((analyst, world.north), (stranger, world.north), (stranger, None)):
        with pytest.raises(NotFound) as error:
            access.require(actor, Permission.MANAGE_MEMBERS, place)
        note(actor, error.value, f"page:{place}")
    note(NOBODY, error.value, "page:x")
    assert refused() == [
        (analyst.name, f"page:{world.north}", world.north, "members.manage"),
        (stranger.name, f"page:{world.north}", world.south, ""),
        (stranger.name, "page:None", world.south, ""),
    ]
    for _try in range(120):
        note(stranger, error.value, "page:flood")
    assert [detail for _who, page, _place, detail in refused() if page == "page:flood"] == ["", "×10", "×100"]


def test_a_page_and_an_operation_are_named_as_they_are_declared_and_never_by_their_address(world: World) -> None:
    browser = signed_in(world.person(Role.DISPATCHER, world.north))
    for address in ("/console/people/4711/", "/console/people/4712/", "/api/v1/people/4711", "/console/cases/%E7%8E%8B"):
        assert browser.get(address).status_code == 404
    assert [(page, place) for _who, page, place, _detail in refused()] == [
        ("page:console:person", world.north),
        ("operation:read_person", world.north),
        ("page:console:case", world.north),
    ]
    assert audit.verify().broken_at is None


def signed_in(person: User) -> Client:
    browser = Client()
    browser.force_login(person, backend=BACKEND)
    return browser


def still(browser: Client) -> bool:
    request = HttpRequest()
    request.session = browser.session
    return bool(get_user(request).is_authenticated)


def test_sessions_end_where_a_membership_ends_or_shrinks_and_not_where_it_grows(world: World) -> None:
    owner, agent = world.actor(Role.OWNER, world.north), world.person(Role.AGENT, world.north)
    browser = signed_in(agent)
    actions.set_role(user=agent.pk, organisation=world.north, role=Role.AGENT, scope=Scope.SUBTREE, by=owner)
    actions.set_role(user=agent.pk, organisation=world.north, role=Role.SUPERVISOR, scope=Scope.SUBTREE, by=owner)
    assert still(browser)
    actions.set_role(user=agent.pk, organisation=world.north, role=Role.SUPERVISOR, scope=Scope.ORGANISATION, by=owner)
    assert not still(browser)
    browser = signed_in(User.objects.get(pk=agent.pk))
    actions.set_role(user=agent.pk, organisation=world.north, role=Role.ANALYST, scope=Scope.ORGANISATION, by=owner)
    assert not still(browser)
    browser = signed_in(User.objects.get(pk=agent.pk))
    members.remove_member(user=agent.pk, organisation=world.north, by=owner)
    assert not still(browser)


def test_an_invitation_holds_as_long_as_its_maker_may_still_invite(world: World) -> None:
    maker, system = world.person(Role.OWNER, world.north), access.system("test")

    def invited() -> str:
        return invitations.invite(organisation=world.north, name="王芳", role=Role.SUPERVISOR, by=access.actor_of(maker)).secret

    first, second = invited(), invited()
    actions.set_role(user=maker.pk, organisation=world.north, role=Role.SUPERVISOR, by=system)
    with pytest.raises(InvitationRefused):
        invitations.accept_with_password(secret=first, username="wang", password=PASSWORD)
    actions.set_role(user=maker.pk, organisation=world.north, role=Role.OWNER, by=system)
    invitations.accept_with_password(secret=first, username="wang", password=PASSWORD)
    actions.remove_user(username=maker.username, by=system)
    with pytest.raises(InvitationRefused):
        invitations.accept_with_password(secret=second, username="li", password=PASSWORD)


def test_nobody_is_not_the_installation(world: World) -> None:
    assert access.system("x").is_installation and not NOBODY.is_installation
    for do in (
        lambda: actions.add_user(username="wang", password=PASSWORD, by=NOBODY),
        lambda: actions.add_organisation(name="Top", by=NOBODY),
        lambda: actions.remove_user(username="wang", by=NOBODY),
    ):
        with pytest.raises(access.Refused):
            do()


@pytest.fixture
def chain(world: World) -> list[AuditEntry]:
    owner = world.actor(Role.OWNER, world.north)
    for number in range(6):
        audit.record(owner, "test.done", f"thing:{number}", world.north, at=NOW)
    return list(AuditEntry.objects.order_by("sequence"))


def written_anew(rows: list[AuditEntry]) -> None:
    """Do what somebody does who knows the code and can write every table."""
    AuditEntry.objects.all().delete()
    before = ""
    for place, row in enumerate(rows, start=1):
        row.pk, row.sequence, row.previous = None, place, before
        names = ("sequence", "at", "organisation", "actor", "action", "subject", "detail", "previous")
        row.digest = before = rules.link(**{name: getattr(row, name) for name in names})
        row.save()
    AuditHead.objects.update(sequence=len(rows), digest=before)


def test_two_entries_that_were_swapped_are_found(chain: list[AuditEntry]) -> None:
    one, two = chain[-3:-1]
    AuditEntry.objects.filter(pk=one.pk).update(sequence=10_000)
    AuditEntry.objects.filter(pk=two.pk).update(sequence=one.sequence)
    AuditEntry.objects.filter(pk=one.pk).update(sequence=two.sequence)
    assert audit.verify().broken_at == one.sequence


@pytest.mark.parametrize("how", ["changed", "cut off", "removed within"])
def test_a_chain_that_was_written_anew_as_a_whole_is_found_by_a_place_outside(chain: list[AuditEntry], tmp_path: Path, how: str) -> None:
    assert anchors.write(tmp_path, NOW) == anchors.current() and anchors.write(tmp_path, NOW) is None
    known = anchors.written(tmp_path)
    assert audit.verify(known).broken_at is None and anchors.read_anchor(str(known[0])) == known[0]
    if how == "changed":
        chain[-2].subject = "thing:99"
    written_anew({"changed": chain, "cut off": chain[:-1], "removed within": chain[:-3] + chain[-2:]}[how])
    assert audit.verify().broken_at is None, "hashes alone cannot tell"
    assert audit.verify(known).broken_at is not None


def test_what_comes_later_and_erasing_a_person_fit_the_places_outside(world: World, chain: list[AuditEntry], tmp_path: Path) -> None:
    person = people.add_person(organisation=world.north, data=people.PersonData(name="王芳"), by=access.system("test"), now=NOW)
    anchors.write(tmp_path, NOW)
    erase_person(person=person, by=world.actor(Role.OWNER, world.north))
    assert audit.verify(anchors.written(tmp_path)).broken_at is None
    anchors.write(tmp_path, NOW)
    assert len(anchors.written(tmp_path)) == 2 and "王芳" not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("text", ["", "12", "12:ab", f"x:{'a' * 64}"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(AnchorRefused):
        anchors.read_anchor(text)
    assert anchors.read_anchor(str(Anchor(7, "a" * 64))) == Anchor(7, "a" * 64)
