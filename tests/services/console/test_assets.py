"""Assets are listed, entered, loaded, labelled and given credentials on pages; nobody beside or below does more than they may."""

import io

import pytest
from django.test import Client

from jilink.core.assets.inventory import actions, reads
from jilink.core.assets.inventory.actions import AssetData
from jilink.core.assets.kinds import ChoiceAttribute, FlagAttribute, Kind, NumberAttribute
from jilink.core.assets.models import Asset, AssetKind, Credential
from jilink.core.parties.rules import Role
from jilink.kernel.ids import AssetId
from jilink.kernel.texts import Text
from tests.core.world import NOW, World
from tests.services.conftest import signed_in

LAMP = Kind(
    title=Text("路灯", "Street lamp"),
    code="[0-9]{6}",
    attributes=(
        NumberAttribute(key="height", title=Text("高度", "Height"), unit="m", least=2, most=20, required=True),
        ChoiceAttribute(
            key="source", title=Text("光源", "Source"), choices={"led": Text("LED 灯", "LED"), "sodium": Text("钠灯", "Sodium")}
        ),
        FlagAttribute(key="solar", title=Text("太阳能", "Solar")),
    ),
)
HEAD = "名称,编码,纬度,经度,标签,高度,光源,太阳能\n"


@pytest.fixture
def lamp(world: World) -> AssetId:
    owner = world.actor(Role.OWNER, world.north)
    actions.set_kind(organisation=world.north, key="lamp", kind=LAMP, by=owner, now=NOW)
    data = AssetData(
        label="人民大街 12 号灯",
        code="000012",
        attributes={"height": 8, "source": "led"},
        tags=("主干道",),
        latitude=43.88,
        longitude=125.32,
    )
    return actions.register_asset(organisation=world.north, kind="lamp", data=data, by=owner, now=NOW)


def text_of(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_the_list_is_narrowed_by_kind_text_tag_and_owner(world: World, lamp: AssetId) -> None:
    reader = signed_in(world, Role.ANALYST, world.north)
    label = "人民大街 12 号灯"
    for query in ("", "?kind=lamp", "?q=人民", "?q=0000", "?tag=主干道", f"?organisation={world.north}"):
        assert label in text_of(reader, f"/console/assets/{query}"), query
    for query in ("?kind=manhole", "?q=解放", "?tag=小路", f"?after={lamp}"):
        assert label not in text_of(reader, f"/console/assets/{query}"), query


def test_the_map_gets_places(world: World, lamp: AssetId) -> None:
    reader = signed_in(world, Role.ANALYST, world.north)
    assert 'data-map="things"' in text_of(reader, "/console/assets/?view=map")
    feature = reader.get("/console/assets/places.json?kind=lamp").json()["features"][0]
    assert feature["geometry"]["coordinates"] == [125.32, 43.88] and feature["properties"]["kind"] == "路灯"
    assert reader.get("/console/assets/places.json?kind=other").json()["features"] == []


def test_an_asset_shows_what_its_kind_knows(world: World, lamp: AssetId) -> None:
    shown = text_of(signed_in(world, Role.ANALYST, world.north), f"/console/assets/{lamp}")
    assert "8 m" in shown and "LED 灯" in shown and "43.88000" in shown and "credentials/issue" not in shown


def test_an_asset_is_added_by_the_attributes_of_its_kind(world: World, lamp: AssetId) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    address = f"/console/assets/add/?organisation={world.depot}&kind=lamp"
    assert "高度 (m)" in text_of(owner, address)
    wrong = owner.post(address, {"label": "灯二", "a_height": "50"})
    assert wrong.status_code == 400 and Asset.objects.count() == 1
    made = owner.post(address, {"label": "灯二", "code": "000013", "a_height": "6", "a_solar": "yes", "tags": "小区，新装"})
    assert made.status_code == 302
    view = reads.thing(world.actor(Role.OWNER, world.north), AssetId(int(made["Location"].split("/")[-1])))
    assert view.attributes == {"height": 6.0, "solar": True} and view.tags == ("小区", "新装") and view.organisation == world.depot


def test_two_who_change_an_asset_at_once_do_not_overwrite_each_other(world: World, lamp: AssetId) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    given = {"label": "人民大街 12 号灯", "code": "000012", "a_height": "9", "based_on": "1"}
    assert owner.post(f"/console/assets/{lamp}/edit/", given).status_code == 302
    late = owner.post(f"/console/assets/{lamp}/edit/", {**given, "a_height": "7"})
    shown = late.content.decode()
    assert late.status_code == 400 and "9 m" in shown and 'value="7"' in shown and 'name="based_on" value="2"' in shown
    assert owner.post(f"/console/assets/{lamp}/edit/", {**given, "a_height": "7", "based_on": "2"}).status_code == 302


def test_a_kind_is_laid_down_row_by_row_and_changed(world: World) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    rows = {
        "rows-TOTAL_FORMS": "3",
        "rows-INITIAL_FORMS": "0",
        "rows-0-key": "depth",
        "rows-0-type": "number",
        "rows-0-title_zh": "深度",
        "rows-0-unit": "m",
        "rows-0-required": "on",
        "rows-1-key": "cover",
        "rows-1-type": "choice",
        "rows-1-title_zh": "井盖",
        "rows-1-choices": "iron, 铸铁, Iron\nresin，树脂",
    }
    head = {"organisation": str(world.north), "key": "manhole", "title_zh": "窨井", "title_en": "Manhole", "code": "[0-9]{16}"}
    assert owner.post("/console/assets/kinds/add/", {**head, **rows}).status_code == 302
    kind = reads.kind_of(world.north, "manhole")
    assert [each.key for each in kind.attributes] == ["depth", "cover"] and kind.attributes[0].required
    assert isinstance(kind.attributes[1], ChoiceAttribute) and kind.attributes[1].choices["resin"].zh == "树脂"
    address = f"/console/assets/kinds/{world.north}/manhole/"
    assert "铸铁, Iron" in text_of(owner, address)
    assert owner.post(address, {"title_zh": "", "title_en": "", **rows}).status_code == 400
    assert owner.post(address, {"title_zh": "检查井", **rows}).status_code == 302
    assert reads.kind_of(world.north, "manhole").title.zh == "检查井"
    owner.post(f"{address}remove")
    assert not AssetKind.objects.exists()


def test_a_kind_that_something_is_of_is_not_removed(world: World, lamp: AssetId) -> None:
    signed_in(world, Role.OWNER, world.north).post(f"/console/assets/kinds/{world.north}/lamp/remove")
    assert AssetKind.objects.exists()


def upload(world: World, client: Client, text: str, **more: str) -> str:
    file = io.BytesIO(text.encode("gb18030"))
    file.name = "lamps.csv"
    answer = client.post("/console/assets/load/", {"organisation": world.north, "kind": "lamp", "file": file, **more})
    return answer.content.decode()


def test_a_table_is_checked_row_by_row_and_loaded_whole(world: World, lamp: AssetId) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    template = owner.get(f"/console/assets/load/template.csv?organisation={world.north}&kind=lamp").content.decode("utf-8-sig")
    assert template.strip() == HEAD.strip()
    wrong = upload(world, owner, HEAD + "甲灯,000020,43.8,125.3,,6,led,是\n乙灯,000020,43.8,,,99,led,\n")
    assert '<td class="fit">2</td><td>甲灯</td>' in wrong and '<td class="fit">3</td><td>乙灯</td>' in wrong and Asset.objects.count() == 1
    text = HEAD + "甲灯,000020,43.8,125.3,新装,6,led,yes\n乙灯,000021,,,,7,sodium,no\n"
    assert "000021" in upload(world, owner, text) and Asset.objects.count() == 1
    answer = owner.post("/console/assets/load/", {"organisation": world.north, "kind": "lamp", "content": text, "load": "1"})
    assert answer.status_code == 302 and Asset.objects.count() == 3
    again = owner.post("/console/assets/load/", {"organisation": world.north, "kind": "lamp", "content": text, "load": "1"})
    assert again.status_code == 400 and Asset.objects.count() == 3


def test_labels_of_the_chosen_or_of_the_filter_come_as_pdf(world: World, lamp: AssetId) -> None:
    reader = signed_in(world, Role.ANALYST, world.north)
    for given in ({"asset": [lamp]}, {"kind": "lamp"}):
        answer = reader.post("/console/assets/labels.pdf", given)
        assert answer["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF")
    assert reader.post("/console/assets/labels.pdf", {"kind": "none"}).status_code == 400
    assert signed_in(world, Role.OWNER, world.south).post("/console/assets/labels.pdf", {"asset": [lamp]}).status_code == 404


def test_a_credential_is_shown_once_and_revoked(world: World, lamp: AssetId) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    answer = owner.post(f"/console/assets/{lamp}/credentials/issue", {"name": "控制器"})
    secret = answer.content.decode().split("<code>")[1].split("</code>")[0]
    assert answer["Cache-Control"] == "no-store" and actions.asset_of_credential(secret, NOW) == lamp
    again = text_of(owner, f"/console/assets/{lamp}")
    assert secret not in again and secret[:12] in again
    owner.post(f"/console/assets/{lamp}/credentials/revoke", {"prefix": secret[:12]})
    assert actions.asset_of_credential(secret, NOW) is None


OF_ONE = ["{}", "{}/edit/", "{}/remove", "{}/credentials/issue", "{}/credentials/revoke"]
MANAGING = ["add/", "load/", "load/template.csv", "kinds/add/"]


def tails(world: World, lamp: AssetId) -> list[str]:
    return [*(each.format(lamp) for each in OF_ONE), f"kinds/{world.north}/lamp/", f"kinds/{world.north}/lamp/remove"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_another_organisation_learns_and_changes_nothing(world: World, lamp: AssetId, method: str) -> None:
    stranger = signed_in(world, Role.OWNER, world.south)
    for tail in ["", "?view=map", "places.json", "labels.pdf", "kinds/", *MANAGING, *tails(world, lamp)]:
        answer = getattr(stranger, method)(f"/console/assets/{tail}", {"organisation": world.north, "kind": "lamp"})
        text = answer.content.decode(errors="replace")
        assert "人民大街" not in text and "LED 灯" not in text, tail
        if tail in tails(world, lamp):
            assert answer.status_code in (404, 405), tail
    assert Asset.objects.count() == 1 and AssetKind.objects.count() == 1 and not Credential.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_reader_does_not_manage(world: World, lamp: AssetId, method: str) -> None:
    reader = signed_in(world, Role.ANALYST, world.north)
    for tail in [*MANAGING, *tails(world, lamp)[1:]]:
        assert getattr(reader, method)(f"/console/assets/{tail}").status_code in (404, 405), tail
    assert Asset.objects.count() == 1 and AssetKind.objects.count() == 1 and not Credential.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_whoever_is_signed_out_is_sent_to_the_door(world: World, lamp: AssetId, method: str) -> None:
    for tail in ["", "places.json", "labels.pdf", "kinds/", *MANAGING, *tails(world, lamp)]:
        assert getattr(Client(), method)(f"/console/assets/{tail}").status_code in (302, 405), tail
