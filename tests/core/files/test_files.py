"""Whatever is uploaded is kept clean, once, and inside its organisation's wall."""

import dataclasses
import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from jilink.core.files import actions, reads, rules, storage
from jilink.core.files.actions import SWEPT_AFTER
from jilink.core.files.rules import FileRefused
from jilink.core.parties.access import NOBODY, Actor, NotFound
from jilink.core.parties.rules import Permission, Role
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import FileId
from tests.core.world import NOW, World

UNDER = Permission.VIEW_MEDIA
SECRET = b"Made by a camera whose owner has a name"


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, settings: Any) -> Path:
    settings.JILINK = dataclasses.replace(settings.JILINK, data=tmp_path)
    return tmp_path


@pytest.fixture
def owner(world: World) -> Actor:
    return world.actor(Role.OWNER, world.north)


def photograph(
    *, size: tuple[int, int] = (400, 300), orientation: int = 1, taken: str = "2026:04:30 09:15:00", offset: str = "", place: bool = True
) -> bytes:
    """Return a JPEG as a telephone makes it at 43 degrees 53 minutes 30 seconds N, 125 degrees 19 minutes 12 seconds E."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x013B] = SECRET.decode()
    inner = exif.get_ifd(0x8769)
    inner[0x9003] = taken
    if offset:
        inner[0x9011] = offset
    if place:
        gps = exif.get_ifd(0x8825)
        gps[1], gps[2], gps[3], gps[4] = "N", (43.0, 53.0, 30.0), "E", (125.0, 19.0, 12.0)
    out = io.BytesIO()
    picture = Image.new("RGB", size, "red")
    picture.paste("blue", (0, 0, size[0] // 2, size[1]))
    picture.save(out, "JPEG", exif=exif, comment=SECRET, quality=95)
    return out.getvalue()


def keep(world: World, by: Actor, data: bytes, name: str = "照片 1.jpg") -> FileId:
    return actions.keep_file(organisation=world.north, data=data, name=name, permission=UNDER, by=by, now=NOW)


def test_time_and_place_of_a_photograph_are_read_and_then_removed(world: World, owner: Actor) -> None:
    file, data = reads.content(owner, keep(world, owner, photograph()), UNDER)
    assert file.taken_at == datetime(2026, 4, 30, 1, 15, tzinfo=UTC)  # a camera without an offset shows the time of China
    assert (file.latitude, file.longitude) == (pytest.approx(43.891667, abs=1e-6), pytest.approx(125.32, abs=1e-6))
    assert SECRET not in data
    kept = Image.open(io.BytesIO(data))
    assert not kept.getexif()
    assert (kept.size, kept.info.get("comment")) == ((400, 300), None)
    assert (file.content_type, file.name, file.inline) == ("image/jpeg", "照片 1.jpg", True)


def test_a_photograph_taken_abroad_keeps_its_moment(world: World, owner: Actor) -> None:
    file = reads.file(owner, keep(world, owner, photograph(offset="-05:30")), UNDER)
    assert file.taken_at == datetime(2026, 4, 30, 14, 45, tzinfo=UTC)


def test_a_camera_that_says_nonsense_says_nothing(world: World, owner: Actor) -> None:
    file = reads.file(owner, keep(world, owner, photograph(taken="0000:00:00 00:00:00", place=False)), UNDER)
    assert (file.taken_at, file.latitude, file.longitude) == (None, None, None)


def test_a_photograph_taken_sideways_stands_upright(world: World, owner: Actor) -> None:
    file, data = reads.content(owner, keep(world, owner, photograph(orientation=6)), UNDER)
    assert (file.width, file.height) == (300, 400)
    top = Image.open(io.BytesIO(data)).convert("RGB").getpixel((150, 20))
    assert isinstance(top, tuple)
    assert top[2] > 200 > top[0]  # the blue left half of the sensor is the top


def test_a_large_photograph_is_kept_smaller_and_has_a_small_picture(world: World, owner: Actor) -> None:
    file = keep(world, owner, photograph(size=(5000, 3000)))
    view = reads.file(owner, file, UNDER)
    assert (view.width, view.height) == (2560, 1536)
    assert Image.open(io.BytesIO(reads.thumbnail(owner, file, UNDER))).size == (360, 216)


@pytest.mark.parametrize("side", [8_000, 30_000])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(world: World, owner: Actor, side: int) -> None:
    out = io.BytesIO()
    Image.new("1", (side, side)).save(out, "PNG")
    with pytest.raises(FileRefused, match="60 million pixels"):
        keep(world, owner, out.getvalue())


def test_a_drawing_keeps_its_transparency_and_loses_its_text(world: World, owner: Actor) -> None:
    from_tool = io.BytesIO()
    picture = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    picture.putpixel((5, 5), (255, 0, 0, 255))
    picture.info["Author"] = SECRET.decode()
    picture.save(from_tool, "PNG", exif=Image.Exif())
    file, data = reads.content(owner, keep(world, owner, from_tool.getvalue(), "plan.png"), UNDER)
    assert file.content_type == "image/png"
    assert Image.open(io.BytesIO(data)).getpixel((0, 0)) == (0, 0, 0, 0)
    assert SECRET not in data


@pytest.mark.parametrize(
    ("data", "content_type", "name"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf", "a.pdf"),
        (b"#!AMR\n" + b"\x3c" * 32, "audio/amr", "a.amr"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav", "a.wav"),
        (b"\x00\x00\x00\x20ftypM4A \x00", "audio/mp4", "a.m4a"),
        ("玉米 2.31\n".encode(), "text/plain", "a.txt"),
    ],
)
def test_sound_and_documents_are_kept_byte_for_byte_by_what_they_are(
    world: World, owner: Actor, data: bytes, content_type: str, name: str
) -> None:
    file, kept = reads.content(owner, keep(world, owner, data, "../../a.exe"), UNDER)
    assert (file.content_type, file.name, kept) == (content_type, name, data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MZ\x90\x00" + b"\x00" * 60,
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"  <svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>",
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
        b"PK\x03\x04" + b"\x00" * 30,
        photograph()[:200],
        b"\x89PNG\r\n\x1a\nnot a picture",
    ],
)
def test_what_cannot_be_kept_clean_is_refused_and_leaves_nothing(world: World, owner: Actor, data_folder: Path, data: bytes) -> None:
    with pytest.raises(FileRefused):
        keep(world, owner, data)
    assert not [path for path in data_folder.glob("files/??/*") if path.is_file()]


def test_a_file_that_is_too_large_is_refused_with_the_limit(world: World, owner: Actor) -> None:
    with pytest.raises(FileRefused, match="25 MB"):
        keep(world, owner, b"%PDF-1.7" + b"\x00" * rules.LARGEST["document"])


@hypothesis_settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cut=st.integers(0, 2000), noise=st.binary(max_size=40), at=st.integers(0, 2000))
def test_a_damaged_photograph_is_kept_or_refused_and_never_breaks(world: World, owner: Actor, cut: int, noise: bytes, at: int) -> None:
    whole = photograph(size=(40, 30))
    damaged = whole[:at] + noise + whole[at + len(noise) : len(whole) - cut]
    try:
        reads.content(owner, keep(world, owner, damaged), UNDER)
    except FileRefused:
        return


def test_nobody_across_the_wall_learns_that_a_file_exists(world: World, owner: Actor) -> None:
    file = keep(world, owner, photograph())
    stranger = world.actor(Role.OWNER, world.south)
    low = world.actor(Role.ANALYST, world.north)
    for asking in (stranger, low, NOBODY):
        for ask in (reads.file, reads.content, reads.thumbnail):
            with pytest.raises(NotFound):
                ask(asking, file, UNDER)
            with pytest.raises(NotFound):
                ask(asking, FileId(file + 999), UNDER)
        assert reads.files(asking, [file], UNDER) == {}
        with pytest.raises(NotFound):
            keep(world, asking, photograph())
        with pytest.raises(NotFound):
            actions.remove_file(file=file, permission=UNDER, by=asking)
    assert set(reads.files(owner, [file], UNDER)) == {file}


def test_equal_bytes_are_kept_once_and_go_with_the_last_row(world: World, owner: Actor, data_folder: Path) -> None:
    first, second = (keep(world, owner, "同样的话".encode()) for _ in range(2))
    digest = reads.file(owner, first, UNDER).digest
    assert storage.path_of(digest).exists()
    later = utc_now() + SWEPT_AFTER + timedelta(minutes=1)
    actions.remove_file(file=first, permission=UNDER, by=owner)
    assert actions.sweep(now=later) == 0
    assert reads.content(owner, second, UNDER)[1] == "同样的话".encode()
    actions.remove_file(file=second, permission=UNDER, by=owner)
    assert actions.sweep(now=utc_now()) == 0  # it could belong to an upload in progress
    assert actions.sweep(now=later) == 1
    assert not storage.path_of(digest).exists()


def test_a_file_put_again_while_it_is_swept_stays(data_folder: Path) -> None:
    digest = storage.put(b"once more")
    yesterday = utc_now() - timedelta(days=2)
    os.utime(storage.path_of(digest), (yesterday.timestamp(),) * 2)
    moment = utc_now() - SWEPT_AFTER
    assert list(storage.names_older_than(moment)) == [digest]
    storage.put(b"once more")
    assert not storage.remove(digest, moment)
    assert storage.get(digest) == b"once more"
