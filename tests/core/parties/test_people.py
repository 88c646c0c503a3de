"""The people an organisation serves: kept, found, masked, revealed."""

import json
import os
import stat
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties import access, audit
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.models import AuditEntry, ContactPoint, Identity
from jilink.core.parties.people import actions, merging, reads, rights, rules, sealing
from jilink.core.parties.people.actions import ChangedMeanwhile, Contact, IdentityTaken, PersonData
from jilink.core.parties.people.holdings import Holding, hold
from jilink.core.parties.people.merging import MergeRefused
from jilink.core.parties.people.rules import ContactKind, ContactRefused, IdentityRefused, PersonRefused
from jilink.core.parties.rules import Role
from jilink.kernel.errors import Refused
from jilink.kernel.ids import ContactId, OrganisationId, PersonId
from jilink.kernel.settings import Settings
from tests.core.world import NOW, World

PHONE, MAIL = ContactKind.PHONE, ContactKind.EMAIL
NUMBER = "11010519491231002X"
"""The example of GB 11643-1999, 4.3; it belongs to nobody."""
OTHER_NUMBER = "440524188001010014"
"""The standard's second example."""


@pytest.fixture(autouse=True)
def keys_of_its_own(settings: Any, tmp_path: Path) -> Path:
    """Let identity keys lie in a folder of the test."""
    settings.JILINK = Settings.from_environment({"JILINK_DATA": str(tmp_path)})
    return tmp_path


def add(by: Actor, organisation: OrganisationId, name: str = "李雷", phone: str = "13900001111", **more: str) -> PersonId:
    data = PersonData(name=name, languages=("zh", "ko"), **more)
    return actions.add_person(organisation=organisation, data=data, contacts=(Contact(PHONE, phone),), by=by, now=NOW)


@pytest.fixture
def owner(world: World) -> Actor:
    return world.actor(Role.OWNER, world.north)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("139 0000 1111", "+8613900001111"),
        ("+86-139-0000-1111", "+8613900001111"),
        ("(0431) 8512 3456", "+8643185123456"),
        ("+1 650 253 0000", "+16502530000"),
        ("12345", "12345"),
        ("12316", "12316"),
        ("95598", "95598"),
        ("110", "110"),
    ],
)
def test_a_telephone_number_has_one_form(text: str, kept: str) -> None:
    assert rules.phone(text) == kept


@pytest.mark.parametrize("text", ["", "hello", "85123456", "1390000", "99999999999", "12399", "+"])
def test_what_is_no_telephone_number_is_refused(text: str) -> None:
    with pytest.raises(ContactRefused):
        rules.phone(text)


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        kept = rules.phone(text)
    except ContactRefused:
        return
    assert rules.phone(kept) == kept


def test_every_single_mistake_in_an_identity_number_is_found() -> None:
    today = date(2026, 5, 1)
    for number in (NUMBER, OTHER_NUMBER):
        assert rules.identity_number(number.lower(), today) == number
        for place in range(17):
            for digit in "0123456789":
                if digit != number[place]:
                    with pytest.raises(IdentityRefused):
                        rules.identity_number(number[:place] + digit + number[place + 1 :], today)
    for wrong in ("", "110105491231002", NUMBER + "1", "1101051949023000" + "2X", "110105203012310020"):
        with pytest.raises(IdentityRefused):
            rules.identity_number(wrong, today)


def test_a_person_is_kept_and_shown_masked(world: World, owner: Actor) -> None:
    number = add(owner, world.north, notes="Prefers mornings", other_names="이뢰\n이뢰\nLi Lei")
    actions.add_contact(person=number, contact=Contact(MAIL, "Li.Lei@Example.cn"), by=owner)
    actions.set_identity(person=number, number=NUMBER, by=owner)
    view = reads.person(owner, number)
    assert (view.name, view.other_names, view.languages, view.notes) == ("李雷", ("이뢰", "Li Lei"), ("zh", "ko"), "Prefers mornings")
    assert [(each.kind, each.masked, each.preferred) for each in view.contacts] == [
        (PHONE, "139****1111", True),
        (MAIL, "l***@example.cn", False),
    ]
    assert view.identity == "11***************X"


def test_revealing_is_a_permission_and_leaves_an_entry(world: World, owner: Actor) -> None:
    number = add(owner, world.north)
    actions.set_identity(person=number, number=NUMBER, by=owner)
    contact = reads.person(owner, number).contacts[0].id
    agent, expert = world.actor(Role.AGENT, world.north), world.actor(Role.EXPERT, world.north)
    assert reads.reveal_contact(agent, contact) == "+8613900001111"
    assert reads.reveal_identity(owner, number) == NUMBER
    revealed = (
        AuditEntry.objects.filter(action__contains="revealed").order_by("sequence").values_list("action", "actor", "subject", "detail")
    )
    assert list(revealed) == [
        ("person.contact_revealed", agent.name, f"person:{number}", f"contact:{contact}"),
        ("person.identity_revealed", owner.name, f"person:{number}", ""),
    ]
    for attempt in (lambda: reads.reveal_identity(agent, number), lambda: reads.reveal_contact(expert, contact)):
        with pytest.raises(NotFound):
            attempt()


def test_an_identity_number_lies_sealed_and_bound_to_its_row(world: World, owner: Actor, tmp_path: Path) -> None:
    first, second = add(owner, world.north), add(owner, world.north, "韩梅梅", "13900002222")
    actions.set_identity(person=first, number=NUMBER, by=owner)
    actions.set_identity(person=second, number=OTHER_NUMBER, by=owner)
    row, other = Identity.objects.get(person=first), Identity.objects.get(person=second)
    assert NUMBER.encode() not in bytes(row.sealed) and row.key == "k1"
    assert stat.S_IMODE(os.stat(tmp_path / "identity_keys").st_mode) == 0o600
    Identity.objects.filter(pk=row.pk).update(sealed=bytes(other.sealed))
    with pytest.raises(sealing.KeyMissing):
        reads.reveal_identity(owner, first)


def test_a_new_key_seals_everything_anew_and_the_old_one_is_dropped(world: World, owner: Actor, tmp_path: Path) -> None:
    number = add(owner, world.north)
    actions.set_identity(person=number, number=NUMBER, by=owner)
    before = bytes(Identity.objects.get().sealed)
    ring = sealing.begin_key()
    assert ring.current == "k2" and reads.reveal_identity(owner, number) == NUMBER
    assert [row.id for row in reads.find(owner, NUMBER)] == [number]
    assert (actions.seal_anew(), actions.seal_anew()) == (1, 0)
    sealing.drop_keys_before(ring.current)
    assert list(json.loads((tmp_path / "identity_keys").read_text())["keys"]) == ["k2"]
    row = Identity.objects.get()
    assert row.key == "k2" and bytes(row.sealed) != before and reads.reveal_identity(owner, number) == NUMBER
    assert [each.id for each in reads.find(owner, NUMBER)] == [number]


def test_keys_may_come_from_the_environment(world: World, owner: Actor, settings: Any, tmp_path: Path) -> None:
    texts = {"a": "A" * 43 + "=", "b": "B" * 42 + "A="}
    settings.JILINK = Settings.from_environment({"JILINK_DATA": str(tmp_path), "JILINK_IDENTITY_KEYS": f"a:{texts['a']},b:{texts['b']}"})
    number = add(owner, world.north)
    actions.set_identity(person=number, number=NUMBER, by=owner)
    assert Identity.objects.get().key == "b" and not (tmp_path / "identity_keys").exists()
    with pytest.raises(sealing.KeysRefused):
        sealing.begin_key()
    settings.JILINK = Settings.from_environment({"JILINK_DATA": str(tmp_path), "JILINK_IDENTITY_KEYS": "a:short"})
    with pytest.raises(sealing.KeysRefused):
        reads.reveal_identity(owner, number)


def test_two_people_of_one_organisation_cannot_have_one_identity_number(world: World, owner: Actor) -> None:
    first, second = add(owner, world.north), add(owner, world.north, "韩梅梅", "13900002222")
    actions.set_identity(person=first, number=NUMBER, by=owner)
    actions.set_identity(person=first, number=NUMBER, by=owner)
    with pytest.raises(IdentityTaken) as refusal:
        actions.set_identity(person=second, number=NUMBER, by=owner)
    assert refusal.value.person == first
    southern = world.actor(Role.OWNER, world.south)
    actions.set_identity(person=add(southern, world.south), number=NUMBER, by=southern)


def test_people_are_found_by_what_a_caller_says(world: World, owner: Actor) -> None:
    lei = add(owner, world.north, "李雷", other_names="Li Lei")
    mei = add(owner, world.north, "韩梅梅", "0431-85123456")
    actions.add_contact(person=mei, contact=Contact(ContactKind.WECHAT, "meimei88"), by=owner)
    actions.set_identity(person=mei, number=NUMBER, by=owner)
    add(world.actor(Role.OWNER, world.south), world.south, "李雷")

    def found(text: str) -> list[int]:
        return [row.id for row in reads.find(owner, text)]

    assert found("雷") == found("li lei") == found("13900001111") == found("+86 139-0000-1111") == found("1111") == [lei]
    assert found("梅") == found("MeiMei88") == found("0431 8512 3456") == found(NUMBER.lower()) == [mei]
    assert found("") == [mei, lei] and found("nobody") == found("111") == found(OTHER_NUMBER) == []
    assert [row.id for row in reads.find(owner, "", before=mei)] == [lei]
    assert [row.id for row in reads.find(owner, "", limit=1)] == [mei]
    assert reads.by_contact(owner, world.north, PHONE, "139 0000 1111") == [lei]
    assert reads.names(owner, [lei, mei, 999]) == {lei: "李雷", mei: "韩梅梅"}


def test_an_edit_touches_only_what_it_names_and_notices_a_stale_reader(world: World, owner: Actor) -> None:
    number = add(owner, world.north, notes="first")
    assert actions.edit_person(person=number, data=PersonData(notes="second"), by=owner, version=1) == 2
    assert actions.edit_person(person=number, data=PersonData(name="李磊"), by=owner) == 3
    with pytest.raises(ChangedMeanwhile):
        actions.edit_person(person=number, data=PersonData(name="x"), by=owner, version=2)
    view = reads.person(owner, number)
    assert (view.name, view.notes, view.version) == ("李磊", "second", 3)
    wrong = (PersonData(name="x" * 121), PersonData(notes="x" * 10_001), PersonData(languages=("中文",)), PersonData(other_names="x" * 401))
    for data in wrong:
        with pytest.raises(PersonRefused):
            actions.edit_person(person=number, data=data, by=owner)


def test_contacts_are_kept_once_preferred_verified_and_removed(world: World, owner: Actor) -> None:
    number = add(owner, world.north)
    first = reads.person(owner, number).contacts[0].id
    assert actions.add_contact(person=number, contact=Contact(PHONE, "+8613900001111"), by=owner) == first
    second = actions.add_contact(person=number, contact=Contact(ContactKind.ADDRESS, "吉林省 长春市 人民大街 1 号"), by=owner)
    actions.prefer_contact(contact=second, by=owner)
    actions.verify_contact(contact=second, by=owner, now=NOW)
    assert [(each.id, each.preferred, each.verified_at, each.masked) for each in reads.person(owner, number).contacts] == [
        (second, True, NOW, "吉林省 长春…"),
        (first, False, None, "139****1111"),
    ]
    actions.remove_contact(contact=second, by=owner)
    assert [(each.id, each.preferred) for each in reads.person(owner, number).contacts] == [(first, True)]


def test_a_consent_holds_from_when_it_was_given_until_it_ends(world: World, owner: Actor) -> None:
    number = add(owner, world.north)
    day = timedelta(days=1)
    consent = actions.give_consent(
        person=number, purpose="recording", evidence="said on the line", by=owner, expires_at=NOW + 10 * day, now=NOW
    )
    holds = [reads.consents_to(number, "recording", NOW + days * day) for days in (-1, 0, 9, 10)]
    assert holds == [False, True, True, False] and not reads.consents_to(number, "marketing", NOW)
    actions.withdraw_consent(consent=consent, by=owner, now=NOW + day)
    actions.withdraw_consent(consent=consent, by=owner, now=NOW + 2 * day)
    assert not reads.consents_to(number, "recording", NOW + day)
    view = reads.person(owner, number, NOW + day).consents[0]
    assert (view.withdrawn_at, view.stands, view.evidence) == (NOW + day, False, "said on the line")
    for wrong in ({"purpose": "Big Words"}, {"evidence": " "}, {"given_at": NOW + day}, {"expires_at": NOW - day}):
        with pytest.raises(PersonRefused):
            actions.give_consent(**{"person": number, "purpose": "x", "evidence": "y", "by": owner, "now": NOW, **wrong})  # type: ignore[arg-type]  # -- one wrong value at a time
    assert actions.forget_consents(NOW + 3 * 365 * day) == 0
    assert actions.forget_consents(NOW + 3 * 365 * day + 2 * day) == 1


def test_two_rows_of_one_person_are_merged_and_parted_again(world: World, owner: Actor) -> None:
    kept, double = add(owner, world.north), add(owner, world.north, "小李")
    other_phone = actions.add_contact(person=double, contact=Contact(PHONE, "13900003333"), by=owner)
    actions.set_identity(person=double, number=NUMBER, by=owner)
    actions.give_consent(person=double, purpose="recording", evidence="letter", by=owner, now=NOW)
    before = reads.person(owner, kept), reads.person(owner, double)
    assert [row.id for row in reads.doubles(owner, kept)] == [double]
    merge = merging.merge_people(keep=kept, merge=double, by=owner, now=NOW)
    view = reads.person(owner, double, NOW)
    assert view.id == kept and view.identity is not None and [each.purpose for each in view.consents] == ["recording"]
    assert [each.masked for each in view.contacts] == ["139****1111", "139****3333"] and [each.merged for each in view.merges] == [double]
    for text in ("小李", "13900003333", NUMBER, "李雷", "13900001111"):
        assert [row.id for row in reads.find(owner, text)] == [kept]
    assert reads.doubles(owner, kept) == []
    assert merging.undo_merge(merge=merge, by=owner, now=NOW + timedelta(days=29)) == double
    after = reads.person(owner, kept), reads.person(owner, double)
    for was, now in zip(before, after, strict=True):
        assert (was.id, was.name, was.contacts, was.identity) == (now.id, now.name, now.contacts, now.identity)
    assert ContactPoint.objects.get(pk=other_phone).person_id == double and after[1].consents and not after[0].consents


def test_a_merge_that_cannot_be_is_refused(world: World, owner: Actor) -> None:
    first, second, third = (
        add(owner, world.north, name, phone) for name, phone in (("a", "13900001111"), ("b", "13900002222"), ("c", "13900003333"))
    )
    everyone = access.system("test")
    southern = add(everyone, world.south)
    actions.set_identity(person=first, number=NUMBER, by=owner)
    actions.set_identity(person=second, number=OTHER_NUMBER, by=owner)
    for keep, merge in ((first, first), (first, second), (first, southern)):
        with pytest.raises(MergeRefused):
            merging.merge_people(keep=keep, merge=merge, by=everyone)
    one = merging.merge_people(keep=third, merge=first, by=owner, now=NOW)
    with pytest.raises(MergeRefused):
        merging.merge_people(keep=second, merge=first, by=owner)
    fourth = add(owner, world.north, "d", "13900004444")
    two = merging.merge_people(keep=fourth, merge=third, by=owner, now=NOW)
    assert reads.person(owner, first).id == fourth
    for attempt in (
        lambda: merging.undo_merge(merge=one, by=owner, now=NOW),
        lambda: merging.undo_merge(merge=two, by=owner, now=NOW + timedelta(days=30)),
    ):
        with pytest.raises(MergeRefused):
            attempt()
    merging.undo_merge(merge=two, by=owner, now=NOW)
    merging.undo_merge(merge=one, by=owner, now=NOW)
    assert reads.reveal_identity(owner, first) == NUMBER
    with pytest.raises(MergeRefused):
        merging.undo_merge(merge=one, by=owner, now=NOW)


def test_a_person_gets_everything_held_in_every_room(world: World, owner: Actor) -> None:
    kept, double = add(owner, world.north, notes="n"), add(owner, world.north, "小李", "13900003333")
    actions.set_identity(person=kept, number=NUMBER, by=owner)
    actions.give_consent(person=kept, purpose="recording", evidence="letter", by=owner)
    merging.merge_people(keep=kept, merge=double, by=owner)
    told = json.loads(rights.export_person(person=kept, by=owner, now=NOW))
    assert [each["name"] for each in told["people"]] == ["李雷", "小李"]
    assert {each["value"] for each in told["contacts"]} == {"+8613900001111", "+8613900003333"}
    assert [each["number"] for each in told["identities"]] == [NUMBER]
    assert [each["purpose"] for each in told["consents"]] == ["recording"]
    assert AuditEntry.objects.filter(action="person.exported", subject=f"person:{kept}").count() == 1


def test_erasing_takes_everything_out_and_leaves_numbers_and_the_chain_valid(world: World, owner: Actor) -> None:
    kept, double = add(owner, world.north, notes="secret-notes"), add(owner, world.north, "小李", "13900003333")
    actions.set_identity(person=kept, number=NUMBER, by=owner)
    merging.merge_people(keep=kept, merge=double, by=owner)
    rights.erase_person(person=double, by=owner, now=NOW)
    for number in (kept, double):
        view = reads.person(owner, number)
        assert (view.name, view.notes, view.contacts, view.identity, view.erased_at) == ("", "", (), None, NOW)
    assert reads.find(owner, "") == [] and not Identity.objects.exists() and not ContactPoint.objects.exists()
    for attempt in (
        lambda: rights.erase_person(person=kept, by=owner),
        lambda: actions.edit_person(person=kept, data=PersonData(name="back"), by=owner),
        lambda: actions.add_contact(person=kept, contact=Contact(PHONE, "13900001111"), by=owner),
    ):
        with pytest.raises(NotFound):
            attempt()
    assert audit.verify().broken_at is None
    written = " ".join(" ".join(entry) for entry in AuditEntry.objects.values_list("actor", "subject", "detail"))
    told = b" ".join(bytes(row.payload) for row in OutboxEvent.objects.filter(noun="person"))
    for word in ("李雷", "小李", "13900001111", "secret-notes", NUMBER):
        assert word not in written and word.encode() not in told


def test_a_room_that_must_keep_something_stops_the_whole_erasure(world: World, owner: Actor) -> None:
    class StillOpen(Refused):
        """A room's own reason."""

    def refuse(person: PersonId) -> int:
        raise StillOpen("An open case needs this person.")

    number = add(owner, world.north)
    hold(Holding("zz-test", export=lambda _person: [], erase=refuse, move=lambda _a, _b: [], put_back=lambda _rows, _person: None))
    try:
        with pytest.raises(StillOpen):
            rights.erase_person(person=number, by=owner)
    finally:
        hold(
            Holding(
                "zz-test", export=lambda _person: [], erase=lambda _person: 0, move=lambda _a, _b: [], put_back=lambda _rows, _person: None
            )
        )
    assert reads.person(owner, number).contacts


def test_people_are_hidden_across_the_wall_and_from_too_low_a_role(world: World, owner: Actor) -> None:
    number, double = add(owner, world.north), add(owner, world.north, "小李")
    actions.set_identity(person=number, number=NUMBER, by=owner)
    consent = actions.give_consent(person=number, purpose="p", evidence="e", by=owner)
    contact = reads.person(owner, number).contacts[0].id
    merge = merging.merge_people(keep=number, merge=double, by=owner)
    another = add(owner, world.north, "c", "13900005555")
    attempts: list[Callable[[Actor], object]] = [
        lambda by: add(by, world.north),
        lambda by: actions.edit_person(person=number, data=PersonData(), by=by),
        lambda by: actions.add_contact(person=number, contact=Contact(PHONE, "110"), by=by),
        lambda by: actions.remove_contact(contact=contact, by=by),
        lambda by: actions.prefer_contact(contact=contact, by=by),
        lambda by: actions.verify_contact(contact=contact, by=by),
        lambda by: actions.set_identity(person=number, number=NUMBER, by=by),
        lambda by: actions.remove_identity(person=number, by=by),
        lambda by: actions.give_consent(person=number, purpose="p", evidence="e", by=by),
        lambda by: actions.withdraw_consent(consent=consent, by=by),
        lambda by: merging.merge_people(keep=number, merge=another, by=by),
        lambda by: merging.undo_merge(merge=merge, by=by),
        lambda by: rights.export_person(person=number, by=by),
        lambda by: rights.erase_person(person=number, by=by),
        lambda by: reads.person(by, number),
        lambda by: reads.doubles(by, number),
        lambda by: reads.organisation_of(by, number),
        lambda by: reads.find(by, "李", organisation=world.north),
        lambda by: reads.by_contact(by, world.north, PHONE, "110"),
        lambda by: reads.reveal_contact(by, contact),
        lambda by: reads.reveal_identity(by, number),
    ]
    about_people = AuditEntry.objects.filter(action__startswith="person.")
    before = about_people.count()
    for by in (world.actor(Role.OWNER, world.south), world.actor(Role.ANALYST, world.north), access.NOBODY):
        for attempt in attempts:
            with pytest.raises(NotFound):
                attempt(by)
        assert reads.find(by, "李雷") == [] and reads.names(by, [number]) == {}
    assert about_people.count() == before
    for missing in (lambda: reads.person(owner, PersonId(999_999)), lambda: reads.reveal_contact(owner, ContactId(999_999))):
        with pytest.raises(NotFound):
            missing()
