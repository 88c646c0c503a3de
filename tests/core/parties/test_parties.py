"""Walls, roles and the audit chain."""

import pytest
from django.test import Client

from jilink.core.assets import actions as assets
from jilink.core.assets import reads as asset_reads
from jilink.core.observations import actions as alarms
from jilink.core.observations.actions import Cleared, Raised
from jilink.core.observations.models import Alarm
from jilink.core.parties import access, actions, audit
from jilink.core.parties.access import NOBODY, NotFound
from jilink.core.parties.actions import NameTaken, PasswordRefused
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import ROLES, Permission, Role, Scope
from jilink.kernel.errors import Refused
from tests.core.world import NOW, PASSWORD, World


@pytest.mark.parametrize("role", list(Role))
def test_a_role_grants_its_permissions_in_its_subtree_and_nowhere_else(world: World, role: Role) -> None:
    actor = world.actor(role, world.north, Scope.SUBTREE)
    for permission in Permission:
        granted = permission in ROLES[role]
        assert access.organisations_of(actor, permission) == (frozenset({world.north, world.depot}) if granted else frozenset())
        for organisation in (world.south, *(() if granted else (world.north, world.depot))):
            with pytest.raises(NotFound):
                access.require(actor, permission, organisation)


def test_nobody_gives_a_role_that_grants_more_than_he_holds_or_to_nobody(world: World) -> None:
    owner, other = world.actor(Role.OWNER, world.north), world.person(Role.ANALYST, world.north)
    with pytest.raises(NotFound):
        actions.set_role(user=other.pk, organisation=world.north, role=Role.OPERATOR, by=owner)
    with pytest.raises(NotFound):
        actions.set_role(user=999_999, organisation=world.north, role=Role.ANALYST, by=owner)
    actions.set_role(user=other.pk, organisation=world.north, role=Role.DISPATCHER, by=owner)
    assert not access.actor_of(other).may(Permission.VIEW_OPERATIONS)
    assert access.actor_of(other).may(Permission.COMMAND_VEHICLES)


def test_nobody_may_nothing(world: World) -> None:
    for permission in Permission:
        with pytest.raises(NotFound):
            access.require(NOBODY, permission, world.north)


def test_every_action_across_a_wall_is_refused(world: World) -> None:
    owner, stranger = world.actor(Role.OWNER, world.north), world.actor(Role.OWNER, world.south)
    asset = assets.add_asset(
        organisation=world.north, kind="vehicle", label="A", by=owner, terminal=assets.TerminalData(phone="13900000001")
    )
    alarms.raise_alarms([Raised(organisation=world.north, asset=asset, condition="sos", at=NOW)])
    attempts = [
        lambda: asset_reads.asset(stranger, asset),
        lambda: assets.edit_asset(asset=asset, label="B", organisation=world.south, terminal=assets.NO_TERMINAL, by=stranger),
        lambda: assets.edit_asset(asset=asset, label="B", organisation=world.south, terminal=assets.NO_TERMINAL, by=owner),
        lambda: assets.remove_asset(asset=asset, by=stranger),
        lambda: assets.record_frames(asset=asset, until=None, by=stranger),
        lambda: assets.add_asset(organisation=world.north, kind="vehicle", label="C", by=stranger),
        lambda: assets.add_assets(organisation=world.north, kind="vehicle", rows=[], by=stranger),
        lambda: alarms.acknowledge_alarms(alarms=[Alarm.objects.get().pk], by=stranger),
        lambda: actions.set_quarantine(organisation=world.north, on=True, by=stranger),
        lambda: actions.set_role(user=1, organisation=world.north, role=Role.OWNER, by=stranger),
        lambda: actions.add_organisation(name="Under", parent=world.north, by=stranger),
        lambda: audit.entries(stranger, world.north),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
    assert asset_reads.assets(stranger, [asset]) == []
    assert asset_reads.search(stranger, kind="vehicle") == (0, [])
    assert asset_reads.asset(owner, asset).label == "A"


def test_the_chain_is_whole_until_someone_touches_it(world: World) -> None:
    owner = world.actor(Role.OWNER, world.north)
    for number in range(5):
        audit.record(owner, "test.done", f"thing:{number}", world.north, at=NOW)
    before = audit.verify()
    assert before.broken_at is None and before.entries >= 5
    entry = AuditEntry.objects.order_by("-sequence")[2]
    AuditEntry.objects.filter(pk=entry.pk).update(subject="thing:99")
    verdict = audit.verify()
    assert verdict.broken_at == entry.sequence and "changed" in verdict.why and "thing:99" in verdict.entry
    AuditEntry.objects.filter(pk=entry.pk).update(subject=entry.subject)
    assert audit.verify().broken_at is None


@pytest.mark.parametrize("place", [0, 2, 4])
def test_a_removed_entry_is_found_at_the_beginning_inside_and_at_the_end(world: World, place: int) -> None:
    owner = world.actor(Role.OWNER, world.north)
    AuditEntry.objects.all().delete()
    audit.AuditHead.objects.all().delete()
    for number in range(5):
        audit.record(owner, "test.done", f"thing:{number}", world.north, at=NOW)
    AuditEntry.objects.get(sequence=place + 1).delete()
    assert audit.verify().broken_at is not None


def test_names_and_passwords_are_checked(world: World) -> None:
    maker = access.system("test")
    with pytest.raises(NameTaken):
        actions.add_organisation(name="North Fleet", by=maker)
    with pytest.raises(PasswordRefused):
        actions.add_user(username="weak", password="12345", by=maker)
    with pytest.raises(Refused):
        actions.add_organisation(name="Own", by=world.actor(Role.OWNER, world.north))


def test_signing_in_takes_the_password_and_out_ends_it(world: World) -> None:
    person = world.person(Role.OWNER, world.north)
    browser = Client()
    wrong = browser.post("/accounts/login/", {"login": person.username, "password": "not-this-one-99"})
    assert wrong.status_code == 200 and "_auth_user_id" not in browser.session
    right = browser.post("/accounts/login/", {"login": person.username, "password": PASSWORD})
    assert right.status_code == 302 and browser.session["_auth_user_id"] == str(person.pk)
    browser.post("/accounts/logout/")
    assert "_auth_user_id" not in browser.session


def test_strangers_cannot_register_and_guessing_is_slowed(world: World) -> None:
    browser = Client()
    assert "password1" not in browser.get("/accounts/signup/").content.decode()
    person = world.person(Role.OWNER, world.north)
    for number in range(12):
        browser.post("/accounts/login/", {"login": person.username, "password": f"guess-{number}"})
    browser.post("/accounts/login/", {"login": person.username, "password": PASSWORD})
    assert "_auth_user_id" not in browser.session


def test_alarms_are_opened_once_and_closed_once(world: World) -> None:
    owner = world.actor(Role.OWNER, world.north)
    asset = assets.add_asset(organisation=world.north, kind="vehicle", label="A", by=owner)
    raised = [Raised(organisation=world.north, asset=asset, condition="sos", at=NOW)]
    assert (alarms.raise_alarms(raised), alarms.raise_alarms(raised)) == (1, 0)
    cleared = [Cleared(asset=asset, condition="sos", at=NOW)]
    assert (alarms.clear_alarms(cleared), alarms.clear_alarms(cleared)) == (1, 0)
    assert alarms.raise_alarms(raised) == 0
