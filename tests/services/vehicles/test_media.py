"""Photos and attachments: kept once, shown to those who may see them, served so that nothing in them can run."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils.module_loading import autodiscover_modules
from PIL import Image

from jilink.core.observations import actions as alarms
from jilink.core.observations.actions import Raised
from jilink.core.parties.access import NotFound
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import Role
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.services.vehicles import actions, trimming
from jilink.services.vehicles.actions import VehicleData
from jilink.services.vehicles.models import Media
from jilink.services.vehicles.reads import media
from jilink.services.vehicles.rules import RecordingsRefused
from jilink.spine import events
from jilink.spine.bridge import SpineThread
from jilink.spine.client import Spine
from jilink.spine.records import CommandReply
from jilink.spine.terminals import MediaStored
from tests.core.world import NOW, World, relay, until
from tests.services.conftest import signed_in

autodiscover_modules("reactions")
LABEL = "5430303030303031260501160000000200"


def photo_with_place() -> bytes:
    """Return a picture whose Exif says where it was taken."""
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (43.0, 53.0, 0.0), 3: "E", 4: (125.0, 19.0, 0.0)})
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "navy").save(out, "JPEG", exif=exif)
    return out.getvalue()


JPEG = photo_with_place()


def add(world: World) -> AssetId:
    data = VehicleData(plate="吉A12345", organisation=world.north, terminal_phone="13912345678")
    return actions.add_vehicle(data=data, by=world.actor(Role.OWNER, world.north), now=NOW)


def stored(asset: int, name: str = "1/1/20260501/ab.jpg", **more: object) -> MediaStored:
    fields = {"kind": "image", "content_type": "image/jpeg", "size": len(JPEG), "sha256": "ab" * 32, "cause": "timer", "channel": 2}
    return MediaStored(asset=asset, name=name, **{**fields, **more})  # type: ignore[arg-type]  # -- fields of the event by name


async def test_a_recording_told_twice_is_one_row(lasting_world: World, spine: Spine) -> None:
    asset = await sync_to_async(add)(lasting_world)
    told = [stored(asset, media_id=5), stored(asset, media_id=5), stored(asset, media_id=6), stored(999_999)]

    async def kept() -> bool:
        return {row async for row in Media.objects.values_list("media_id", flat=True)} == {5, 6}

    async with relay(spine):
        for event in told:
            envelope = events.envelope(event, organisation=OrganisationId(1), occurred_at=NOW, received_at=NOW)
            await spine.publish(events.subject(envelope), events.encode_envelope(envelope))
        await until(kept)
    row = await Media.objects.aget(media_id=5)
    assert (row.asset_id, row.organisation_id, row.channel, row.taken_at) == (asset, lasting_world.north, 2, NOW)


@pytest.mark.usefixtures("site")
def test_a_photo_that_was_ordered_is_shown_under_its_order_in_whatever_order_word_comes(world: World) -> None:
    asset = add(world)
    dispatcher = world.actor(Role.DISPATCHER, world.north)
    photo = {"channel": 1, "command": 1, "interval": 0, "save": 0, "resolution": 2, "quality": 3}
    command = actions.give_command(asset=asset, message=0x8801, fields=photo, by=dispatcher, now=NOW)
    actions.note_media(stored=stored(asset, media_id=77), received_at=NOW + timedelta(seconds=5))
    actions.note_media(stored=stored(asset, media_id=77, sha256="cd" * 32), received_at=NOW + timedelta(days=3))
    actions.begin_sending(command=command, now=NOW)
    answer = CommandReply(command=command, state="answered", reply_message=0x0805, reply={"result": {"value": 0}, "media": [{"value": 77}]})
    actions.note_reply(reply=answer, now=NOW)
    first, later = Media.objects.order_by("received_at")
    text = signed_in(world, Role.DISPATCHER, world.north).get(f"/vehicles/{asset}/commands").content.decode()
    assert f"/vehicles/{asset}/media/{first.pk}" in text and f"/vehicles/{asset}/media/{later.pk}" not in text


@pytest.mark.usefixtures("site")
def test_attachments_are_shown_under_their_alarm(world: World) -> None:
    asset = add(world)
    conditions = (("adas.forward_collision", LABEL), ("dsm.phone", "00"))
    alarms.raise_alarms(
        [
            Raised(organisation=world.north, asset=asset, condition=name, at=NOW, ended_at=NOW, level=2, label=label)
            for name, label in conditions
        ]
    )
    actions.note_media(stored=stored(asset, cause="alarm", alarm_label=LABEL, alarm_number="secret"), received_at=NOW)
    media = Media.objects.get().pk
    text = signed_in(world, Role.DISPATCHER, world.north).get(f"/vehicles/{asset}/alarms").content.decode()
    assert text.count(f"/vehicles/{asset}/media/{media}?download") == 1
    assert "media/" not in signed_in(world, Role.ANALYST, world.north).get(f"/vehicles/{asset}/alarms").content.decode()


@pytest.mark.usefixtures("site")
def test_a_recording_is_served_in_a_sandbox_and_each_look_is_audited(world: World, settings: Any) -> None:
    asset = add(world)
    page = "/vehicles/{}/media/{}"
    gateway = SpineThread(settings.JILINK, "gateway", lay_out=True)
    gateway.wait_ready(20)
    gateway.put_object("1/1/20260501/ab.jpg", JPEG)
    gateway.put_object("1/1/20260501/ab.bin", b"<script>alert(1)</script>")
    gateway.stop()
    actions.note_media(stored=stored(asset), received_at=NOW)
    page_like = stored(asset, "1/1/20260501/ab.bin", content_type="text/html", kind="other", sha256="cd" * 32)
    actions.note_media(stored=page_like, received_at=NOW)
    actions.note_media(stored=stored(asset, "nowhere", sha256="ef" * 32), received_at=NOW)
    photo, script, lost = Media.objects.order_by("pk").values_list("pk", flat=True)
    browser = signed_in(world, Role.DISPATCHER, world.north)
    answer = browser.get(page.format(asset, photo))
    assert answer["Content-Type"] == "image/jpeg"
    seen = Image.open(io.BytesIO(answer.content))
    assert seen.size == (64, 48) and not seen.getexif().get_ifd(0x8825), "what is shown says nothing of the place"
    assert answer["Content-Disposition"].startswith("inline")
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox" and answer["X-Content-Type-Options"] == "nosniff"
    saved = browser.get(page.format(asset, photo) + "?download=1")
    assert saved.content == JPEG and saved["Content-Disposition"].startswith("attachment"), "evidence is saved as it came"
    assert saved["Content-Type"] == "application/octet-stream" and saved["Content-Disposition"].endswith('.jpg"')
    risky = browser.get(page.format(asset, script))
    assert risky["Content-Type"] == "application/octet-stream" and risky["Content-Disposition"].startswith("attachment")
    assert browser.get(page.format(asset, lost)).status_code == 404
    assert AuditEntry.objects.filter(action="media.read", subject=f"media:{photo}", organisation=world.north).count() == 2
    gallery = browser.get(f"/vehicles/{asset}/media").content.decode()
    assert page.format(asset, photo) in gallery and f"/vehicles/{asset}/media" in browser.get(f"/vehicles/{asset}/").content.decode()
    stranger = signed_in(world, Role.OWNER, world.south)
    assert {stranger.get(page.format(asset, photo)).status_code, stranger.get(f"/vehicles/{asset}/media").status_code} == {404}
    other = actions.add_vehicle(data=VehicleData(plate="吉A2", organisation=world.south), by=world.actor(Role.OWNER, world.south))
    assert stranger.get(page.format(other, photo)).status_code == 404, "another vehicle's number opens nothing"


@pytest.mark.usefixtures("site")
def test_a_damaged_picture_is_only_ever_saved(world: World, settings: Any) -> None:
    asset = add(world)
    gateway = SpineThread(settings.JILINK, "gateway", lay_out=True)
    gateway.wait_ready(20)
    gateway.put_object("1/1/20260501/torn.jpg", JPEG[:200])
    gateway.stop()
    actions.note_media(stored=stored(asset, "1/1/20260501/torn.jpg"), received_at=NOW)
    answer = signed_in(world, Role.DISPATCHER, world.north).get(f"/vehicles/{asset}/media/{Media.objects.get().pk}")
    assert answer.content == JPEG[:200] and answer["Content-Disposition"].startswith("attachment")


async def test_recordings_past_their_retention_leave_store_and_table(lasting_world: World, spine: Spine) -> None:
    world = lasting_world
    asset = await sync_to_async(add)(world)
    owner = await sync_to_async(world.actor)(Role.OWNER, world.north)
    stranger = await sync_to_async(world.actor)(Role.OWNER, world.south)
    for number, name in enumerate(("old.jpg", "shared.jpg", "shared.jpg", "new.jpg")):
        await spine.put_object(name, JPEG)
        at = NOW - timedelta(days=(40, 40, 1, 1)[number])
        event = stored(asset, name, sha256=f"{number:064x}")
        await sync_to_async(actions.note_media)(stored=event, received_at=at)
    assert await trimming.trim(spine, NOW) == 0, "nobody has said how long"
    with pytest.raises(NotFound):
        await sync_to_async(actions.set_media_retention)(organisation=world.north, days=30, by=stranger)
    with pytest.raises(RecordingsRefused):
        await sync_to_async(actions.set_media_retention)(organisation=world.north, days=4000, by=owner)
    await sync_to_async(actions.set_media_retention)(organisation=world.north, days=30, by=owner)
    assert await trimming.trim(spine, NOW) == 2 and await trimming.trim(spine, NOW) == 0
    assert [await spine.get_object(name) for name in ("old.jpg", "shared.jpg", "new.jpg")] == [None, JPEG, JPEG]
    assert [row async for row in Media.objects.order_by("pk").values_list("name", flat=True)] == ["shared.jpg", "new.jpg"]
    assert await AuditEntry.objects.filter(action="media.expired", organisation=world.north, detail="2 recordings").acount() == 1
    assert (await sync_to_async(media.kept_days)([world.depot, world.south])) == {world.depot: 30, world.south: 0}


@pytest.mark.usefixtures("site")
def test_an_owner_says_how_long_recordings_are_kept(world: World) -> None:
    browser = signed_in(world, Role.OWNER, world.north)
    for days in ("45", "", "9999"):
        assert browser.post("/vehicles/settings/recordings", {"organisation": world.depot, "days": days}).status_code == 302
        assert media.own_days() == ({world.depot: 45} if days == "45" else {})
    assert (
        signed_in(world, Role.OWNER, world.south)
        .post("/vehicles/settings/recordings", {"organisation": world.depot, "days": "1"})
        .status_code
        == 404
    )
    assert 'name="days"' in browser.get("/vehicles/settings").content.decode()


@pytest.mark.usefixtures("site")
def test_orders_and_answers_are_told_in_words(world: World) -> None:
    asset = add(world)
    dispatcher = world.actor(Role.DISPATCHER, world.north)
    command = actions.give_command(asset=asset, message=0x8300, fields={"flag": 12, "text": "慢行"}, by=dispatcher, year=2013)
    actions.begin_sending(command=command, now=NOW)
    reply = {"position": {"speed": {"value": 61.5, "unit": "km/h"}, "status": {"value": 3, "set": ["acc"], "load": "full"}}}
    browser = signed_in(world, Role.DISPATCHER, world.north)
    browser.post("/i18n/setlang/", {"language": "en", "next": "/"})
    answered = CommandReply(command=command, state="answered", reply_message=0x0201, reply=json.loads(json.dumps(reply)))
    actions.note_reply(reply=answered, now=NOW)
    text = browser.get(f"/vehicles/{asset}/commands").content.decode()
    assert "慢行" in text and "Show, Speak" in text and "61.5 km/h" in text and "Full" in text
    assert "{" not in text
