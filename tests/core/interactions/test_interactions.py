"""Contacts: kept once, in order, within reach of those who handle them."""

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from jilink.core.assets.models import Asset
from jilink.core.files.models import File
from jilink.core.interactions import actions, reads
from jilink.core.interactions.actions import Contact
from jilink.core.interactions.models import Interaction
from jilink.core.interactions.rules import Channel, InteractionRefused, Outcome, Side
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties.access import NOBODY, Actor, NotFound
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.people import actions as people
from jilink.core.parties.people import merging, rights
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.people.rules import ContactKind, ContactRefused
from jilink.core.parties.rules import Permission, Role
from jilink.kernel.ids import AssetId, InteractionId, PersonId
from tests.core.world import NOW, World

PHONE = "13912345678"
CALL = Contact(channel=Channel.CALL, contact=PHONE, subject="路灯不亮", source="voice", reference="call-1", started_at=NOW)


@pytest.fixture
def owner(world: World) -> Actor:
    return world.actor(Role.OWNER, world.north)


def person(world: World, by: Actor, phone: str = PHONE) -> PersonId:
    contacts = (people.Contact(ContactKind.PHONE, phone),)
    number = people.add_person(organisation=world.north, data=PersonData(name="王小明"), by=by, now=NOW)
    for contact in contacts:
        people.add_contact(person=number, contact=contact, by=by, now=NOW)
    return number


def add(world: World, by: Actor, contact: Contact = CALL) -> InteractionId:
    return actions.add_interaction(organisation=world.north, contact=contact, by=by, now=NOW)


def test_a_contact_added_again_by_its_source_is_the_same(world: World, owner: Actor) -> None:
    first = add(world, owner)
    assert add(world, owner) == first
    assert add(world, owner, dataclasses.replace(CALL, reference="call-2")) != first
    assert OutboxEvent.objects.filter(noun="interaction", name="began").count() == 2


def test_a_caller_known_by_exactly_one_number_is_found(world: World, owner: Actor) -> None:
    known = person(world, owner)
    assert reads.interaction(owner, add(world, owner, dataclasses.replace(CALL, contact="+86 139 1234 5678"))).person == known
    person(world, owner)
    assert reads.interaction(owner, add(world, owner, dataclasses.replace(CALL, reference="2"))).person is None
    with pytest.raises(ContactRefused):
        add(world, owner, dataclasses.replace(CALL, reference="3", contact="12ab"))


@pytest.mark.parametrize(
    "changes",
    [
        {"latitude": 43.9},
        {"accuracy_m": 5.0},
        {"latitude": 91.0, "longitude": 125.0},
        {"latitude": 43.0, "longitude": 125.0, "accuracy_m": -1.0},
        {"latitude": float("nan"), "longitude": 125.0},
        {"source": "s" * 41},
        {"reference": "r" * 121},
    ],
)
def test_a_contact_that_cannot_be_kept_is_refused(world: World, owner: Actor, changes: dict[str, Any]) -> None:
    with pytest.raises(InteractionRefused):
        add(world, owner, dataclasses.replace(CALL, **changes))
    assert Interaction.objects.count() == 0


def test_one_contact_added_by_many_at_once_is_one(lasting_world: World) -> None:
    owner = lasting_world.actor(Role.OWNER, lasting_world.north)

    def once(_number: int) -> InteractionId:
        try:
            return add(lasting_world, owner)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(once, range(6)))) == 1
    assert Interaction.objects.count() == 1


def test_numbers_are_masked_and_revealing_one_is_audited(world: World, owner: Actor) -> None:
    call = add(world, owner)
    assert "1234" not in reads.interaction(owner, call).masked
    assert reads.reveal_contact(owner, call).endswith(PHONE)
    assert AuditEntry.objects.filter(action="interaction.revealed", subject=f"interaction:{call}").count() == 1
    worker = world.actor(Role.FIELD_WORKER, world.north)
    actions.hand_over(interaction=call, team=None, assignee=worker.user, by=owner)
    assert reads.interaction(worker, call).subject == "路灯不亮"
    with pytest.raises(NotFound):
        reads.reveal_contact(worker, call)


def test_what_is_said_is_kept_in_order_and_once(world: World, owner: Actor, tmp_path: Path, settings: Any) -> None:
    settings.JILINK = dataclasses.replace(settings.JILINK, data=tmp_path)
    chat = add(world, owner, Contact(channel=Channel.CHAT))
    actions.add_part(interaction=chat, side=Side.THEIRS, text="你好\r\n\x07在吗", reference="m1", by=owner, at=NOW)
    assert actions.add_part(interaction=chat, side=Side.THEIRS, text="你好", reference="m1", by=owner, at=NOW) == 1
    actions.add_part(interaction=chat, side=Side.OURS, text="在", by=owner, at=NOW)
    actions.add_part(interaction=chat, side=Side.THEIRS, text="", file=("玉米".encode(), "a.txt"), by=owner, at=NOW)
    said = reads.parts(owner, chat)
    assert [(p.number, p.side, p.text) for p in said] == [(1, "theirs", "你好\n在吗"), (2, "ours", "在"), (3, "theirs", "")]
    assert (said[0].by, said[1].by) == ("", owner.name)
    assert [p.number for p in reads.parts(owner, chat, after=2)] == [3]
    assert reads.part_file(owner, chat, 3)[1] == "玉米".encode()
    worker = world.actor(Role.FIELD_WORKER, world.north)
    actions.hand_over(interaction=chat, team=None, assignee=worker.user, by=owner)
    assert reads.part_file(worker, chat, 3)[1] == "玉米".encode()  # whoever sees a contact sees what was sent in it
    with pytest.raises(NotFound):
        reads.part_file(owner, chat, 1)
    with pytest.raises(InteractionRefused, match="Nothing was said"):
        actions.add_part(interaction=chat, side=Side.OURS, text=" \n", by=owner)


def test_nothing_is_added_after_the_end(world: World, owner: Actor) -> None:
    call = add(world, owner)
    with pytest.raises(InteractionRefused, match="before it began"):
        actions.end_interaction(interaction=call, outcome=Outcome.ANSWERED, by=owner, now=NOW - timedelta(seconds=1))
    actions.end_interaction(interaction=call, outcome=Outcome.CASE, by=owner, now=NOW + timedelta(minutes=3))
    actions.end_interaction(interaction=call, outcome=Outcome.CASE, by=owner, now=NOW + timedelta(minutes=9))
    view = reads.interaction(owner, call)
    assert (view.ended_at, view.outcome) == (NOW + timedelta(minutes=3), Outcome.CASE)
    assert OutboxEvent.objects.filter(noun="interaction", name="ended").count() == 1
    with pytest.raises(InteractionRefused, match="has ended"):
        actions.add_part(interaction=call, side=Side.OURS, text="还有", by=owner)
    with pytest.raises(InteractionRefused, match="has ended"):
        actions.end_interaction(interaction=call, outcome=Outcome.NOTHING, by=owner)


def test_contacts_are_listed_newest_first_in_pages(world: World, owner: Actor) -> None:
    made = [
        add(world, owner, Contact(channel=Channel.WEB if n % 2 else Channel.COUNTER, started_at=NOW - timedelta(minutes=n // 2)))
        for n in range(6)
    ]
    page = [view.id for view in reads.interactions(owner, size=4)]
    rest = [view.id for view in reads.interactions(owner, size=4, before=page[-1])]
    assert sorted(page + rest) == made
    assert [view.started_at for view in reads.interactions(owner)] == sorted(
        (NOW - timedelta(minutes=n // 2) for n in range(6)), reverse=True
    )
    assert len(reads.interactions(owner, channel=Channel.WEB)) == 3
    actions.end_interaction(interaction=made[0], outcome=Outcome.NOTHING, by=owner, now=NOW)
    assert len(reads.interactions(owner, going_on=True)) == 5


def test_agents_see_what_is_in_their_hands_and_nobody_sees_across_the_wall(world: World, owner: Actor) -> None:
    agent, stranger = world.actor(Role.AGENT, world.north), world.actor(Role.OWNER, world.south)
    mine, other = add(world, agent), add(world, owner, dataclasses.replace(CALL, reference="x"))
    assert [view.id for view in reads.interactions(agent)] == [mine]
    assert {view.id for view in reads.interactions(owner)} == {mine, other}
    assert reads.interactions(stranger) == []
    asks: list[Callable[[Actor], object]] = [
        lambda who: reads.interaction(who, other),
        lambda who: reads.parts(who, other),
        lambda who: reads.part_file(who, other, 1),
        lambda who: reads.reveal_contact(who, other),
        lambda who: actions.add_part(interaction=other, side=Side.OURS, text="x", by=who),
        lambda who: actions.identify_person(interaction=other, person=None, by=who),
        lambda who: actions.hand_over(interaction=other, team=None, assignee=None, by=who),
        lambda who: actions.end_interaction(interaction=other, outcome=Outcome.NOTHING, by=who),
    ]
    for ask in asks:
        for asking in (agent, stranger, NOBODY):
            with pytest.raises(NotFound):
                ask(asking)
    for asking in (stranger, NOBODY):
        with pytest.raises(NotFound):
            add(world, asking)
    with pytest.raises(NotFound):
        reads.interactions(NOBODY)
    with pytest.raises(NotFound):
        actions.hand_over(interaction=other, team=None, assignee=stranger.user, by=owner)


def test_a_person_gets_erases_and_merges_all_their_contacts(world: World, owner: Actor, tmp_path: Path, settings: Any) -> None:
    settings.JILINK = dataclasses.replace(settings.JILINK, data=tmp_path)
    known = person(world, owner)
    call = add(world, owner)
    actions.add_part(interaction=call, side=Side.THEIRS, text="门口的路灯不亮", file=("家".encode(), "a.txt"), by=owner, at=NOW)
    assert "门口的路灯不亮" in rights.export_person(person=known, by=owner, now=NOW).decode()
    double = person(world, owner, "13900000001")
    merge = merging.merge_people(keep=double, merge=known, by=owner, now=NOW)
    assert reads.interaction(owner, call).person == double
    merging.undo_merge(merge=merge, by=owner, now=NOW)
    assert reads.interaction(owner, call).person == known
    rights.erase_person(person=known, by=owner, now=NOW)
    left = Interaction.objects.get(pk=call)
    assert (left.contact, left.subject, left.person, left.said.count()) == ("", "", None, 0)
    assert left.channel == "call"
    assert File.objects.count() == 0


def test_a_contact_names_no_asset_across_the_wall(world: World, owner: Actor) -> None:
    asset = {
        where: Asset.objects.create(organisation_id=where, kind="lamp", label="1", created_at=NOW).pk
        for where in (world.north, world.south)
    }
    assert reads.interaction(owner, add(world, owner, dataclasses.replace(CALL, asset=asset[world.north]))).asset == asset[world.north]
    for hidden in (asset[world.south], 999_999):
        with pytest.raises(NotFound):
            add(world, owner, dataclasses.replace(CALL, reference="call-2", asset=AssetId(hidden)))


def test_whoever_may_see_people_elsewhere_only_adds_a_contact_of_nobody(world: World, owner: Actor) -> None:
    person(world, owner)
    grants = {world.north: frozenset({Permission.ADD_INTERACTIONS}), world.south: frozenset({Permission.VIEW_PEOPLE})}
    add(world, Actor("user:1/token:1", owner.user, grants))
    assert Interaction.objects.get().person is None


def test_a_person_can_be_named_later_but_not_one_of_another_organisation(world: World, owner: Actor) -> None:
    call = add(world, owner)
    known = person(world, owner)
    actions.identify_person(interaction=call, person=known, by=owner)
    assert [view.id for view in reads.interactions(owner, person=known)] == [call]
    stranger = world.actor(Role.OWNER, world.south)
    theirs = people.add_person(organisation=world.south, data=PersonData(name="李"), by=stranger, now=NOW)
    with pytest.raises(NotFound):
        actions.identify_person(interaction=call, person=theirs, by=owner)
