"""Recordings: taken in once whatever is killed, sealed, heard by those who may, and really gone when their time is over."""

import dataclasses
import io
import wave
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.test import Client

from jilink.core.interactions import actions as interactions
from jilink.core.interactions.actions import Contact as Caller
from jilink.core.interactions.rules import Channel
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.people import actions as people
from jilink.core.parties.people import rights, sealing
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.rules import Role, Scope
from jilink.kernel.texts import Text
from jilink.services.contact import reactions as reactions
from jilink.services.contact.actions import designing, recordings, serving
from jilink.services.contact.actions.recordings import Arrived
from jilink.services.contact.actions.serving import Arrival
from jilink.services.contact.models import Contact, Queue, Recording
from jilink.services.contact.reads import recordings as heard
from jilink.services.contact.reads.recordings import Wanted
from jilink.services.contact.recordings import sound, vault
from jilink.services.contact.rules import recordings as rules
from jilink.services.contact.rules.design import QueueDesign
from jilink.services.contact.rules.design import Recording as What
from jilink.services.contact.rules.recordings import RecordingRefused
from jilink.spine.client import Spine
from tests.core.world import NOW, World, relay, until

RATE = 8000
AGENT, OFFICER, ORGANISATION = Role.AGENT, Role.SUPERVISOR, Scope.ORGANISATION


def tones(seconds: float, left: float, right: float) -> bytes:
    """A WAV as the engine writes it: the caller's tone in the first half, the agent's in the second."""
    at = np.arange(int(RATE * seconds)) / RATE
    sides = np.stack([np.sin(2 * np.pi * left * at) * (at < seconds / 2), np.sin(2 * np.pi * right * at) * (at >= seconds / 2)], axis=1)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((sides * 12_000).astype("<i2").tobytes())
    return out.getvalue()


WAV = tones(12.0, 440, 1000)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.JILINK = dataclasses.replace(settings.JILINK, data=tmp_path)
    return tmp_path / "recordings"


def router() -> Actor:
    return access.system("router")


def served(world: World, *, keep_days: int | None = None, interaction: int | None = None, leg: str = "l1") -> int:
    """A call that an agent of the north served, and its recording told of."""
    by, agent = router(), world.actor(AGENT, world.north, ORGANISATION)
    known = Queue.objects.filter(key="hot").first()
    design = QueueDesign(name=Text("热线", "Hotline"), recording=What.ALL, keep_days=keep_days)
    queue = known.pk if known else designing.add_queue(organisation=world.north, key="hot", design=design, by=by, now=NOW)
    arrival = Arrival(queue=queue, channel="call", node="own", leg=leg, interaction=interaction)
    contact = serving.enqueue(arrival=arrival, by=by, now=NOW)
    serving.note_ringing(contact=contact, agent=agent.user or 0, agent_leg=f"a{leg}", by=by, now=NOW)
    serving.note_answered(contact=contact, by=by, now=NOW)
    serving.note_in_call(contact=contact, what=recordings.BEGUN, by=by, now=NOW)
    serving.note_in_call(contact=contact, what="held", by=by, now=NOW + timedelta(seconds=4))
    return contact


def told(contact: int) -> int:
    name = f"c{contact}"
    arrived = Arrived(name=name, source=f"calls/{name}.wav", seconds=12.0, sha256="0" * 64, ended_at=NOW + timedelta(seconds=13))
    number = recordings.note_arrived(arrived=arrived, by=router(), now=NOW)
    assert number is not None and recordings.note_arrived(arrived=arrived, by=router(), now=NOW) == number
    return number


def kept(world: World, **how: Any) -> int:
    number = told(served(world, **how))
    recordings.keep(recording=number, data=WAV, by=router(), now=NOW)
    return number


def played(number: int) -> bytes:
    row = Recording.objects.get(pk=number)
    return b"".join(heard.heard(router(), number, 0, row.size - 1))


async def gathered(response: Any) -> bytes:
    return b"".join([piece async for piece in response.streaming_content])


def files(folder: Path) -> list[Path]:
    return list(folder.glob("??/*"))


@pytest.mark.once
def test_what_is_kept_sounds_as_what_was_recorded_and_any_range_of_it_is_the_same_bytes(world: World, folder: Path) -> None:
    number = kept(world)
    whole = played(number)
    codes = np.frombuffer(whole[sound.HEADER :], np.uint8)
    values = sound._alaw() if whole[20] == sound.ALAW else sound._ulaw()
    wanted = np.frombuffer(WAV[44:], "<i2").astype(np.int32)
    assert len(codes) == len(wanted) and np.abs(values[codes] - wanted).max() <= 256 + np.abs(wanted).max() // 32
    for first, last in ((0, 0), (58, 70_000), (vault.CHUNK - 1, vault.CHUNK), (len(whole) - 9, len(whole) + 99)):
        assert b"".join(heard.heard(router(), number, first, last)) == whole[first : last + 1]
    raw = files(folder)[0].read_bytes()
    assert whole[:40] not in raw and whole[30_000:30_040] not in raw
    files(folder)[0].write_bytes(raw[:500] + bytes([raw[500] ^ 1]) + raw[501:])
    with pytest.raises(vault.Damaged):
        played(number)
    peaks = np.frombuffer(heard.recording(router(), number).peaks, np.uint8).reshape(-1, 2)
    half = len(peaks) // 2
    assert peaks[: half - 1, 0].min() > 100 > 3 > peaks[: half - 1, 1].max() and peaks[half + 1 : -1, 1].min() > 100


@pytest.mark.once
async def test_a_recording_leaves_the_spine_once_it_is_kept_and_told_again_it_is_kept_once(
    lasting_world: World, spine: Spine, folder: Path
) -> None:
    number = await sync_to_async(lambda: told(served(lasting_world, keep_days=0)))()  # or the relay removes it, for its day is long past
    source = (await Recording.objects.aget(pk=number)).source
    await spine.put_object(source, WAV)

    async def gone() -> bool:
        return await spine.get_object(source) is None and await Recording.objects.filter(pk=number, state="kept").aexists()

    async with relay(spine):
        await until(gone)
        await OutboxEvent.objects.filter(name="recording_arrived").aupdate(published_at=None)
        await until(gone)
    assert len(files(folder)) == 1
    await sync_to_async(lambda: recordings.keep(recording=number, data=WAV, by=router(), now=NOW))()
    assert len(files(folder)) == 1 and [mark.what for mark in (await sync_to_async(lambda: heard.recording(router(), number))()).marks] == [
        "held"
    ]


def test_a_recording_goes_when_its_time_is_over_unless_somebody_holds_it(
    world: World, folder: Path, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    officer = world.actor(OFFICER, world.north)
    recordings.set_keeping(organisation=world.north, days=30, by=officer, now=NOW)
    number = kept(world)
    later = NOW + timedelta(days=31)
    recordings.hold(recording=number, reason="a dispute", by=officer, now=NOW)
    assert recordings.forget_recordings(later) == 0 and heard.recording(officer, number).held_reason == "a dispute"
    recordings.release(recording=number, by=officer, now=NOW)
    assert recordings.forget_recordings(NOW + timedelta(days=29)) == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert recordings.forget_recordings(later) == 1
    assert not files(folder) and not Recording.objects.exists() and recordings.forget_recordings(later) == 0
    assert kept(world, leg="l2") and Recording.objects.get().keep_until == NOW + timedelta(days=30, seconds=13)


@pytest.mark.once
def test_old_recordings_open_after_the_keys_were_renewed(world: World) -> None:
    number = kept(world)
    before, ring = played(number), sealing.begin_key()
    assert recordings.wrap_anew() == 1 and recordings.wrap_anew() == 0
    sealing.drop_keys_before(ring.current)
    assert played(number) == before and Recording.objects.get().key == ring.current


def test_who_is_erased_takes_their_recordings_along_and_what_is_held_stops_it(
    world: World, folder: Path, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    owner = world.actor(Role.OWNER, world.north)
    person = people.add_person(organisation=world.north, data=PersonData(name="Li"), contacts=(), by=owner, now=NOW)
    call = interactions.add_interaction(
        organisation=world.north, contact=Caller(channel=Channel.CALL, contact="13904310001", person=person), by=owner, now=NOW
    )
    number = kept(world, interaction=call)
    assert b'"calls": [' in rights.export_person(person=person, by=owner, now=NOW)
    recordings.hold(recording=number, reason="the court asks", by=owner, now=NOW)
    with pytest.raises(RecordingRefused, match="the court asks"):
        rights.erase_person(person=person, by=owner, now=NOW)
    recordings.release(recording=number, by=owner, now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        rights.erase_person(person=person, by=owner, now=NOW)
    assert not Recording.objects.exists() and not files(folder)


def test_agents_hear_their_own_calls_teams_theirs_and_strangers_none(world: World) -> None:
    number, team = kept(world), world.team(world.north)
    own, other = world.actor(AGENT, world.north, ORGANISATION), world.actor(AGENT, world.north, ORGANISATION, also="b")
    whole, leader = world.actor(OFFICER, world.north), world.actor(OFFICER, world.north, Scope.TEAM, team)
    assert [one.id for one in heard.recordings(own, Wanted())[0]] == [number] == [one.id for one in heard.recordings(whole, Wanted())[0]]
    assert heard.recordings(other, Wanted()) == ([], 0) == heard.recordings(leader, Wanted())
    contact = Contact.objects.get().pk
    for stranger in (other, leader, world.actor(Role.OWNER, world.south)):
        assert heard.of_contact(stranger, contact) == []
        for refused in (
            lambda who=stranger: heard.recording(who, number),
            lambda who=stranger: recordings.open_recording(recording=number, by=who),
            lambda who=stranger: list(heard.heard(who, number, 0, 9)),
            lambda who=stranger: recordings.hold(recording=number, reason="x", by=who),
        ):
            with pytest.raises(NotFound):
                refused()


def test_listening_is_written_down_once_an_opening_and_nothing_is_cached(world: World, client: Client) -> None:
    number = kept(world)
    client.force_login(world.person(AGENT, world.north, ORGANISATION))
    address = f"/contact/recordings/{number}/"
    assert address in client.get("/contact/recordings/").content.decode()
    assert client.get(f"{address}sound").status_code == 404
    opened = client.post(f"{address}open")
    assert opened.status_code == 302
    page = client.get(opened["Location"])
    source = page.context["source"]
    part = client.get(source, headers={"Range": "bytes=0-57"})
    assert part.status_code == 206 and part.content[:4] == b"RIFF" and part["Content-Range"].startswith("bytes 0-57/")
    assert "no-store" in part["Cache-Control"] and client.get(source, headers={"Range": "bytes=9999999-"}).status_code == 416
    whole = client.get(source)
    assert async_to_sync(gathered)(whole) == played(number)
    assert list(AuditEntry.objects.filter(action__startswith="recording.").values_list("action", flat=True)) == ["recording.heard"]
    client.force_login(world.person(AGENT, world.north, ORGANISATION, also="b"))
    assert client.get(source).status_code == 404


@pytest.mark.once
@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("bytes=0-9", (0, 9)),
        ("bytes=90-", (90, 99)),
        ("bytes=-5", (95, 99)),
        ("bytes=100-", None),
        ("bytes=5-2", None),
        ("lines=1-2", None),
    ],
)
def test_ranges_are_read_as_http_says(asked: str, wanted: tuple[int, int] | None) -> None:
    assert rules.bounds(asked, 100) == wanted
