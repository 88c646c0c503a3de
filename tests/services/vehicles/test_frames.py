"""Raw frames and frames nobody could read, through the front door; and a word for every reason."""

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.utils import translation

import jilink.edges.terminals
from jilink.core.assets.models import Terminal
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.protocols.jt808 import registry
from jilink.protocols.jt808.tolerances import REASONS
from jilink.services.vehicles import reasons
from jilink.services.vehicles.message_words import message_title
from jilink.spine import subjects
from jilink.spine.bridge import SpineThread
from jilink.spine.records import RawFrame
from tests.core.world import World
from tests.services.conftest import signed_in
from tests.services.vehicles.test_pages import add

GATEWAY = Path(jilink.edges.terminals.__file__).parent
HEARTBEAT = "7e000200000139123456780001027e"


@pytest.fixture
def stream(site: None, settings: Any) -> Iterator[SpineThread]:
    """A spine whose streams exist, and pages that ask it."""
    spine = SpineThread(settings.JILINK, "frames-test", lay_out=True)
    spine.wait_ready(20.0)
    yield spine
    spine.stop()


def literals(name: str, place: int) -> set[str]:
    """Return the texts that the gateway's sources hand to calls of a name, at one place of the arguments."""
    found = set()
    for path in GATEWAY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == name and len(node.args) > place:
                found |= {
                    each.value for each in ast.walk(node.args[place]) if isinstance(each, ast.Constant) and isinstance(each.value, str)
                }
    return found - {"", "-", "_"}


def test_every_reason_of_a_malformed_frame_is_told_in_both_languages() -> None:
    given = {key.replace("-", "_") for key in REASONS} | literals("quarantine", 2) | {"no_delimiter", "too_long"}
    assert {"checksum", "unknown_terminal", "foreign_phone"} <= given <= reasons.FRAMES.keys()
    for key in given:
        with translation.override("en"):
            english = reasons.of_frame(key)
        with translation.override("zh-hans"):
            assert reasons.of_frame(key) != english != key, key


def test_every_reason_of_an_order_is_told_in_both_languages() -> None:
    given = literals("refuse", 0) | literals("_settle", 4) | {"offline", "stale", "outcome_unknown", "other_organisation", "wrong_request"}
    assert {"not_supported", "wrong_fields", "disconnected", "timed_out"} <= given
    for key in given:
        with translation.override("en"):
            english = reasons.of_order(key)
        with translation.override("zh-hans"):
            assert reasons.of_order(key) != english, key


def test_every_message_has_a_name_in_both_languages() -> None:
    for number in {number for number, _direction, _year in registry.MESSAGES}:
        with translation.override("en"):
            english = message_title(number)
        with translation.override("zh-hans"):
            assert len(english) > 6 and message_title(number) != english, hex(number)


def keep(stream: SpineThread, subject: str, organisation: int | None, frame: str = HEARTBEAT, reason: str = "") -> None:
    raw = RawFrame(at=utc_now(), peer="192.0.2.7:1000", direction="up", reason=reason, frame=frame, organisation=organisation)
    stream.publish(subject, msgspec.json.encode(raw))


def audited() -> int:
    return AuditEntry.objects.filter(action="frames.read").count()


def test_frames_are_refreshed_while_recording_and_audited_once_an_opening(world: World, stream: SpineThread) -> None:
    asset = add(world)
    browser = signed_in(world, Role.OWNER, world.north)
    page = f"/vehicles/{asset}/frames"
    assert "hx-trigger" not in browser.get(page).content.decode().split('id="frames"')[1].split(">")[0]
    browser.post(f"/vehicles/{asset}/record", {"on": "1"})
    before = audited()
    opened = browser.get(page)
    assert audited() == before + 1 and opened.context["minutes_left"] == 60
    keep(stream, subjects.recorded(AssetId(asset)), world.north)
    again = {"opening": opened.context["opening"]}
    for _time in range(2):
        part = browser.get(page, again, headers={"HX-Request": "true"})
        assert part.status_code == 200 and HEARTBEAT in part.content.decode() and "<html" not in part.content.decode()
    assert audited() == before + 1


def test_a_refresh_that_nobody_opened_is_audited_like_an_opening(world: World, stream: SpineThread) -> None:
    asset, other = add(world), add(world, "吉B99999", "13912345679")
    browser = signed_in(world, Role.OWNER, world.north)
    opening = browser.get(f"/vehicles/{other}/frames").context["opening"]
    before = audited()
    for query in ({}, {"opening": "x"}, {"opening": opening}):
        browser.get(f"/vehicles/{asset}/frames", query, headers={"HX-Request": "true"})
    assert audited() == before + 3


def test_refreshing_ends_with_the_recording(world: World, stream: SpineThread) -> None:
    asset = add(world)
    browser = signed_in(world, Role.OWNER, world.north)
    browser.post(f"/vehicles/{asset}/record", {"on": "1"})
    Terminal.objects.update(recording_until=utc_now() - timedelta(seconds=1))
    part = browser.get(f"/vehicles/{asset}/frames", headers={"HX-Request": "true"})
    assert part.status_code == 286, "htmx stops asking at this status"


def test_an_unreadable_frame_is_shown_with_its_bytes_its_origin_and_why(world: World, stream: SpineThread, settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"
    keep(stream, subjects.quarantine(OrganisationId(world.north)), world.north, "7e0002ff7e", "checksum")
    text = signed_in(world, Role.OWNER, world.north).get("/vehicles/quarantine").content.decode()
    assert "7e0002ff7e" in text and "192.0.2.7" in text and "Wrong checksum" in text
