"""Assets of every kind: what is known of them fits their kind, and a label on a lamp post leads to it."""

import dataclasses
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jilink.core.assets import kinds
from jilink.core.assets.actions import LabelTaken
from jilink.core.assets.inventory import actions, reads
from jilink.core.assets.inventory.actions import AssetData, AssetRefused, ChangedMeanwhile
from jilink.core.assets.inventory.reads import SheetRefused
from jilink.core.assets.kinds import (
    AttributeRefused,
    ChoiceAttribute,
    DateAttribute,
    FlagAttribute,
    Kind,
    KindRefused,
    NumberAttribute,
    TextAttribute,
)
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties.access import NOBODY, Actor, NotFound
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import Role
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.kernel.texts import Text
from tests.core.world import NOW, World

LAMP = Kind(
    title=Text("路灯", "Street lamp"),
    code="[0-9]{16}",
    attributes=(
        NumberAttribute(key="power", title=Text("功率", "Power"), unit="W", least=1, most=1000, required=True),
        ChoiceAttribute(key="light", title=Text("光源", "Light"), choices={"led": Text("LED"), "sodium": Text("钠灯", "Sodium")}),
        DateAttribute(key="built", title=Text("安装日期", "Built")),
        FlagAttribute(key="solar", title=Text("太阳能", "Solar")),
        TextAttribute(key="pole", title=Text("灯杆号", "Pole"), pattern="P[0-9]+"),
    ),
)
ONE = AssetData(
    label="人民大街 001",
    code="2201020101000001",
    attributes={"power": "150", "light": "led", "built": "2024-05-01", "solar": "no", "pole": " P12 "},
    tags=("主干道", " 冬季  重点 ", "主干道"),
    latitude=43.89,
    longitude=125.32,
)


@pytest.fixture
def owner(world: World) -> Actor:
    by = world.actor(Role.OWNER, world.north)
    actions.set_kind(organisation=world.north, key="lamp", kind=LAMP, by=by, now=NOW)
    return by


def add(world: World, by: Actor, data: AssetData = ONE, organisation: OrganisationId | None = None) -> AssetId:
    return actions.register_asset(organisation=organisation or world.north, kind="lamp", data=data, by=by, now=NOW)


def test_what_is_known_of_an_asset_is_kept_as_its_kind_says(world: World, owner: Actor) -> None:
    view = reads.thing(owner, add(world, owner))
    assert view.attributes == {"power": 150.0, "light": "led", "built": "2024-05-01", "solar": False, "pole": "P12"}
    assert view.tags == ("主干道", "冬季 重点")
    assert (view.latitude, view.longitude, view.version) == (43.89, 125.32, 1)
    assert OutboxEvent.objects.filter(noun="assets", name="asset_added").count() == 1


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({}, "Power is missing"),
        ({"power": ""}, "Power is missing"),
        ({"power": "viel"}, "not a number"),
        ({"power": "nan"}, "between 1"),
        ({"power": 1001}, "between 1"),
        ({"power": 1, "light": "gas"}, "one of led, sodium"),
        ({"power": 1, "built": "2024-13-01"}, "not a day"),
        ({"power": 1, "solar": "perhaps"}, "yes or no"),
        ({"power": 1, "pole": "12"}, "does not look like"),
        ({"power": 1, "colour": "red"}, "have no “colour”"),
    ],
)
def test_what_does_not_fit_the_kind_is_refused(world: World, owner: Actor, attributes: dict[str, object], reason: str) -> None:
    with pytest.raises(AttributeRefused, match=reason):
        add(world, owner, AssetData(label="x", attributes=attributes))


@pytest.mark.parametrize(
    "data",
    [
        AssetData(label=" ", attributes={"power": 1}),
        AssetData(label="x" * 61, attributes={"power": 1}),
        AssetData(label="x", latitude=1.0, attributes={"power": 1}),
        AssetData(label="x", latitude=91.0, longitude=0.0, attributes={"power": 1}),
        AssetData(label="x", tags=("a|b",), attributes={"power": 1}),
    ],
)
def test_labels_places_and_tags_that_cannot_be_are_refused(world: World, owner: Actor, data: AssetData) -> None:
    with pytest.raises(AssetRefused):
        add(world, owner, data)


def test_codes_look_like_their_kind_and_are_unique_in_it(world: World, owner: Actor) -> None:
    with pytest.raises(AttributeRefused, match=r"\[0-9\]\{16\}"):
        add(world, owner, dataclasses.replace(ONE, code="12"))
    add(world, owner)
    for double in (dataclasses.replace(ONE, label="另一盏"), dataclasses.replace(ONE, code="")):
        with pytest.raises(LabelTaken):
            add(world, owner, double)
    add(world, owner, dataclasses.replace(ONE, label="无编号 1", code=""))
    add(world, owner, dataclasses.replace(ONE, label="无编号 2", code=""))
    assert [view.label for view in reads.by_code(owner, ONE.code)] == [ONE.label]


def test_a_kind_holds_below_until_it_is_laid_down_there_again(world: World, owner: Actor) -> None:
    add(world, owner, organisation=world.depot)
    own = Kind(title=Text("县路灯", "County lamp"))
    actions.set_kind(organisation=world.depot, key="lamp", kind=own, by=owner)
    add(world, owner, AssetData(label="随便"), world.depot)
    with pytest.raises(AttributeRefused):
        add(world, owner, AssetData(label="不行"))
    assert {(view.organisation, view.kind.title.zh) for view in reads.kinds_of(owner)} == {(world.north, "路灯"), (world.depot, "县路灯")}
    with pytest.raises(NotFound):
        actions.register_asset(organisation=world.north, kind="bench", data=ONE, by=owner)


@pytest.mark.parametrize(
    "kind",
    [
        Kind(title=Text()),
        Kind(title=Text("a"), code="("),
        Kind(title=Text("a"), attributes=(FlagAttribute(key="A", title=Text("a")),)),
        Kind(title=Text("a"), attributes=(FlagAttribute(key="a", title=Text()),)),
        Kind(title=Text("a"), attributes=(FlagAttribute(key="a", title=Text("a")),) * 2),
        Kind(title=Text("a"), attributes=(ChoiceAttribute(key="a", title=Text("a"), choices={}),)),
        Kind(title=Text("a"), attributes=(NumberAttribute(key="a", title=Text("a"), least=2, most=0),)),
    ],
)
def test_a_kind_that_cannot_be_used_is_refused(world: World, owner: Actor, kind: Kind) -> None:
    with pytest.raises(KindRefused):
        actions.set_kind(organisation=world.north, key="thing", kind=kind, by=owner)


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_no_text_breaks_the_reading_of_a_kind(text: str | bytes) -> None:
    with pytest.raises(KindRefused):
        kinds.decode(text)


def test_a_kind_is_the_same_after_it_was_kept() -> None:
    assert kinds.decode(kinds.encode(LAMP)) == LAMP


def test_nothing_is_overwritten_when_two_change_one_asset(world: World, owner: Actor) -> None:
    lamp = add(world, owner)
    assert actions.change_asset(asset=lamp, data=dataclasses.replace(ONE, label="改名"), based_on=1, by=owner) == 2
    with pytest.raises(ChangedMeanwhile):
        actions.change_asset(asset=lamp, data=dataclasses.replace(ONE, label="又改"), based_on=1, by=owner)
    assert reads.thing(owner, lamp).label == "改名"


def test_many_are_loaded_at_once_or_none_with_the_row_that_is_wrong(world: World, owner: Actor) -> None:
    rows = [dataclasses.replace(ONE, label=f"灯 {n}", code=f"{n:016}") for n in range(1200)]
    wrong = [*rows[:700], dataclasses.replace(ONE, label="", code="")]
    with pytest.raises(AssetRefused, match="Row 701"):
        actions.load_assets(organisation=world.north, kind="lamp", rows=wrong, by=owner, now=NOW)
    assert reads.counts(owner) == {}
    assert len(actions.load_assets(organisation=world.north, kind="lamp", rows=rows, by=owner, now=NOW)) == 1200
    with pytest.raises(LabelTaken):
        actions.load_assets(organisation=world.north, kind="lamp", rows=rows[5:6], by=owner, now=NOW)
    assert reads.counts(owner) == {"lamp": 1200}
    first = reads.things(owner, kind="lamp", size=1000)
    rest = reads.things(owner, kind="lamp", size=1000, after=first[-1].id)
    assert [view.label for view in (*first, *rest)] == [row.label for row in rows]
    assert [view.label for view in reads.things(owner, text="灯 119", tag="主干道")] == ["灯 119", *(f"灯 {n}" for n in range(1190, 1200))]


def test_a_sheet_of_labels_has_24_a_page(world: World, owner: Actor) -> None:
    rows = [dataclasses.replace(ONE, label=f"很长很长很长的名称的路灯 {n}", code=f"{n:016}") for n in range(25)]
    ids = actions.load_assets(organisation=world.north, kind="lamp", rows=rows, by=owner, now=NOW)
    pdf = reads.label_sheet(owner, ids, address="https://city.example/a/", language="zh-hans")
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") == 2
    assert len(io.BytesIO(pdf).getvalue()) < 400_000
    for wrong in ([], ids * 100):
        with pytest.raises(SheetRefused):
            reads.label_sheet(owner, wrong, address="", language="en")


def test_a_device_speaks_for_its_asset_until_its_secret_ends(world: World, owner: Actor) -> None:
    lamp = add(world, owner)
    secret = actions.issue_credential(asset=lamp, name="控制器", by=owner, now=NOW, expires_at=NOW + timedelta(days=1))
    assert actions.asset_of_credential(secret, NOW) == lamp
    assert actions.asset_of_credential(secret[:-1] + "?", NOW) is None
    assert actions.asset_of_credential(secret, NOW + timedelta(days=1)) is None
    assert actions.asset_of_credential("", NOW) is None
    (known,) = reads.credentials(owner, lamp)
    assert secret.startswith(known.prefix)
    assert not AuditEntry.objects.filter(detail__contains=secret).exists()
    actions.revoke_credential(asset=lamp, prefix=known.prefix, by=owner, now=NOW)
    assert actions.asset_of_credential(secret, NOW) is None


def test_who_looks_after_an_asset_sees_it_and_nobody_across_the_wall_does(world: World, owner: Actor) -> None:
    lamp = add(world, owner, dataclasses.replace(ONE, maintainer=world.depot))
    keeper, stranger = world.actor(Role.AGENT, world.depot), world.actor(Role.OWNER, world.south)
    assert reads.thing(keeper, lamp).maintainer_name == "Depot"
    with pytest.raises(AssetRefused):
        add(world, owner, dataclasses.replace(ONE, label="x", code="", maintainer=world.south))
    asks: list[Callable[[Actor], object]] = [
        lambda who: actions.change_asset(asset=lamp, data=ONE, based_on=1, by=who),
        lambda who: actions.remove_asset(asset=lamp, by=who),
        lambda who: actions.issue_credential(asset=lamp, name="", by=who),
        lambda who: actions.revoke_credential(asset=lamp, prefix="x", by=who),
        lambda who: actions.set_kind(organisation=world.north, key="lamp", kind=LAMP, by=who),
        lambda who: actions.load_assets(organisation=world.north, kind="lamp", rows=[], by=who),
        lambda who: add(world, who),
        lambda who: reads.credentials(who, lamp),
    ]
    hidden: list[Callable[[Actor], object]] = [
        lambda who: reads.thing(who, lamp),
        lambda who: reads.label_sheet(who, [lamp], address="", language="en"),
    ]
    for asking in (keeper, stranger, NOBODY):
        for ask in asks if asking is keeper else [*asks, *hidden]:
            with pytest.raises(NotFound):
                ask(asking)
    assert reads.things(stranger) == []
    assert reads.by_code(stranger, ONE.code) == []
    actions.remove_asset(asset=lamp, by=owner)
    with pytest.raises(NotFound):
        reads.thing(owner, lamp)
