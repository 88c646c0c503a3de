"""Pages of the vehicles service, through the front door."""

import io
from dataclasses import replace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from jilink.core.assets.models import Terminal
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import Role
from jilink.services.vehicles import actions, orders
from jilink.services.vehicles.actions import VehicleData
from jilink.services.vehicles.command_forms import form_for
from jilink.services.vehicles.models import Command, Vehicle
from jilink.services.vehicles.rules import Year
from tests.core.world import World
from tests.ports import free_run
from tests.services.conftest import signed_in

pytestmark = pytest.mark.usefixtures("site")


def add(world: World, plate: str = "吉A12345", phone: str = "13912345678") -> int:
    data = VehicleData(plate=plate, organisation=world.north, terminal_phone=phone)
    return actions.add_vehicle(data=data, by=world.actor(Role.OWNER, world.north))


def test_the_list_is_complete_while_the_watch_is_silent(world: World) -> None:
    add(world)
    text = signed_in(world, Role.ANALYST, world.north).get("/vehicles/").content.decode()
    assert "吉A12345" in text


def test_a_search_finds_by_part_of_a_plate_and_names_what_it_found(world: World) -> None:
    first, _second = add(world), add(world, "吉B99999", "13912345679")
    browser = signed_in(world, Role.ANALYST, world.north)
    text = browser.get("/vehicles/", {"q": "a123"}, headers={"HX-Request": "true"}).content.decode()
    assert f'data-matches="{first}"' in text and "吉B99999" not in text


def test_odd_addresses_are_answered_without_fault(world: World) -> None:
    add(world)
    browser = signed_in(world, Role.OWNER, world.north)
    for query in ("page=0", "page=-1", "page=x", "page=99999999999999999999", "state=nonsense", "q=%00", "q=" + "x" * 500, "page=２"):
        assert browser.get(f"/vehicles/?{query}").status_code == 200, query
    for asset in (0, 2**62, 2**70):
        assert browser.get(f"/vehicles/{asset}/").status_code == 404


def test_a_vehicle_is_added_edited_and_removed(world: World) -> None:
    browser = signed_in(world, Role.OWNER, world.north)
    form = {"organisation": world.north, "plate": "吉 a-123 45", "plate_colour": 2, "kind": "bus", "terminal_phone": "013912345678"}
    response = browser.post("/vehicles/add", {**form, "profile": "standard"})
    vehicle = Vehicle.objects.select_related("asset").get()
    assert response["Location"] == f"/vehicles/{vehicle.pk}/"
    assert (vehicle.asset.label, Terminal.objects.get().phone) == ("吉A12345", "13912345678")
    taken = browser.post("/vehicles/add", {**form, "plate": "吉A99999", "profile": "standard"})
    assert taken.status_code == 400 and Vehicle.objects.count() == 1
    edited = browser.post(f"/vehicles/{vehicle.pk}/edit", {**form, "plate": "吉A54321", "profile": "standard", "driver": "李"})
    assert edited.status_code == 302
    assert Vehicle.objects.get().driver == "李"
    browser.post(f"/vehicles/{vehicle.pk}/remove")
    assert Vehicle.objects.count() == Terminal.objects.count() == 0
    names = list(OutboxEvent.objects.order_by("id").values_list("name", flat=True))
    assert names[0] == "asset_added" and names[-1] == "asset_removed" and "terminal_dismissed" in names


def test_a_vehicle_cannot_be_put_into_another_organisation(world: World) -> None:
    browser = signed_in(world, Role.OWNER, world.north)
    form = {"organisation": world.south, "plate": "吉A12345", "plate_colour": 2, "kind": "bus", "profile": "standard"}
    assert browser.post("/vehicles/add", form).status_code == 400
    assert Vehicle.objects.count() == 0


def upload(text: str, encoding: str = "utf-8") -> SimpleUploadedFile:
    return SimpleUploadedFile("fleet.csv", text.encode(encoding))


def test_an_import_shows_every_wrong_row_and_writes_nothing(world: World) -> None:
    add(world)
    browser = signed_in(world, Role.OWNER, world.north)
    rows = "车牌,终端手机号,车架号\n吉A12345,1,\n吉C1,13900000001,\n吉C1,13900000002,\n吉C2,abc,\n吉C3,13912345678,\n吉C4,,SHORT\n吉C5,,\n"
    response = browser.post("/vehicles/import", {"organisation": world.north, "file": upload(rows, "gb18030")})
    assert [line.number for line in response.context["wrong"]] == [2, 4, 5, 6, 7]
    assert Vehicle.objects.count() == 1


def test_an_import_without_errors_is_loaded_whole_and_comes_back_by_export(world: World) -> None:
    browser = signed_in(world, Role.OWNER, world.north)
    rows = "plate,terminal_phone,kind,plate_colour,note\n" + "".join(f"吉D{n:04},1390000{n:04},truck,黄,=1+1\n" for n in range(30))
    preview = browser.post("/vehicles/import", {"organisation": world.north, "file": upload(rows)})
    assert (preview.context["total"], preview.context["failed"]) == (30, 0) and Vehicle.objects.count() == 0
    browser.post("/vehicles/import", {"organisation": world.north, "content": preview.context["text"], "load": "1"})
    assert Vehicle.objects.filter(kind="truck", plate_colour=2).count() == Terminal.objects.count() == 30
    exported = browser.get("/vehicles/export.csv").content.decode("utf-8-sig")
    assert len(exported.splitlines()) == 31 and "吉D0007" in exported and ",=1+1" not in exported
    again = browser.post("/vehicles/import", {"organisation": world.north, "file": io.BytesIO(exported.encode())})
    assert again.context["failed"] == 30


@pytest.mark.parametrize("content", ["", "nothing,here\n1,2\n", "plate\n", "plate\n\x00\n"])
def test_a_file_that_is_none_is_refused_with_words(world: World, content: str) -> None:
    response = signed_in(world, Role.OWNER, world.north).post("/vehicles/import", {"organisation": world.north, "file": upload(content)})
    assert response.status_code == 400 and response.context["form"].errors


@pytest.mark.parametrize("year", [2011, 2013, 2019])
@pytest.mark.parametrize("offer", orders.OFFERS, ids=lambda offer: offer.slug)
def test_every_order_has_a_form_that_says_what_is_missing(offer: orders.Offer, year: Year) -> None:
    form = form_for(orders.declaration(offer.message, year), {}, {})
    assert str(form.as_div()) or not form.fields
    assert form.is_valid() == all(not field.required for field in form.fields.values())


def test_an_order_from_the_page_is_queued_in_the_integers_of_the_wire(world: World) -> None:
    asset = add(world)
    browser = signed_in(world, Role.DISPATCHER, world.north)
    circle = {"action": "1", "areas.area": "7", "areas.attribute": ["1"], "areas.latitude": "43.8171", "areas.longitude": "125.3235"}
    more = {"areas.radius": "500", "areas.speed_limit": "60", "areas.overspeed_duration": "10", "areas.name": "市区"}
    lacking = browser.post(f"/vehicles/{asset}/commands/circle?year=2019", {**circle, **more})
    assert lacking.status_code == 400 and Command.objects.count() == 0, "an area with a top speed has one for the night too"
    asked = next(each["form"] for each in lacking.context["command_forms"] if each["name"] == "circle")
    assert list(asked.errors) == ["areas.night_speed_limit"], "the error stands beside the field that is missing"
    more["areas.night_speed_limit"] = "50"
    assert browser.post(f"/vehicles/{asset}/commands/circle?year=2019", {**circle, **more}).status_code == 302
    fields = bytes(Command.objects.get().fields).decode()
    assert '"latitude":43817100' in fields and '"attribute":2' in fields and '"speed_limit":60' in fields
    wrong = browser.post(f"/vehicles/{asset}/commands/circle", {**circle, "areas.latitude": "north"})
    assert wrong.status_code == 400 and Command.objects.count() == 1


def test_reading_a_track_leaves_an_audit_row_and_refuses_odd_times(world: World) -> None:
    asset = add(world)
    browser = signed_in(world, Role.DISPATCHER, world.north)
    assert browser.get(f"/vehicles/{asset}/track").status_code in (200, 503)
    assert AuditEntry.objects.filter(action="track.read", subject=f"asset:{asset}").count() == 1
    for query in ("start=x&end=y", "start=2026-05-02T00:00&end=2026-05-01T00:00", "start=2026-01-01T00:00&end=2026-05-01T00:00"):
        assert browser.get(f"/vehicles/{asset}/track.json?{query}").status_code == 400
    assert browser.get(f"/vehicles/{asset}/track?start=2026年5月1日 08:00&end=2026年5月1日 09:00").status_code in (200, 503)


def test_revealing_a_phone_is_a_permission_and_leaves_an_audit_row(world: World) -> None:
    asset = add(world)
    browser = signed_in(world, Role.SUPERVISOR, world.north)
    assert "13912345678" not in browser.get(f"/vehicles/{asset}/").content.decode()
    assert "13912345678" in browser.post(f"/vehicles/{asset}/reveal").content.decode()
    assert AuditEntry.objects.filter(action="contacts.revealed", subject=f"asset:{asset}").count() == 1


def test_the_latest_values_are_asked_for_again_without_an_audit_row(world: World) -> None:
    asset = add(world)
    browser = signed_in(world, Role.ANALYST, world.north)
    assert f'hx-get="/vehicles/{asset}/latest" hx-trigger="every 2s"' in browser.get(f"/vehicles/{asset}/").content.decode()
    before = AuditEntry.objects.count()
    text = browser.get(f"/vehicles/{asset}/latest").content.decode()
    assert "latest-title" in text and 'hx-swap-oob="innerHTML:#state"' in text and "<html" not in text
    assert AuditEntry.objects.count() == before
    assert signed_in(world, Role.OWNER, world.south).get(f"/vehicles/{asset}/latest").status_code == 404


def test_the_operations_page_shows_what_is_down(world: World, settings: Any) -> None:
    settings.JILINK = replace(settings.JILINK, health_port=free_run(16))
    text = signed_in(world, Role.OPERATOR, world.north).get("/operations/").content.decode()
    assert "relay" in text and "badge-down" in text


def test_the_installation_is_its_operators_affair_and_no_owners(world: World) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    assert owner.get("/operations/").status_code == 404
    assert "/operations/" not in owner.get("/vehicles/").content.decode()


def test_the_language_is_switched_on_every_page(world: World) -> None:
    browser = signed_in(world, Role.OWNER, world.north)
    browser.post("/i18n/setlang/", {"language": "en", "next": "/vehicles/"})
    assert 'lang="en"' in browser.get("/vehicles/").content.decode()
