"""The office of the demonstration: weeks of work in by one call, shown on pages, out without a row or a file left."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from structlog.testing import capture_logs

from jilink.core.areas import actions as areas
from jilink.core.areas import reads as places
from jilink.core.cases.models import Attachment, Case, Clock, Entry, Escalation, Link, Rating, Reply, Request
from jilink.core.cases.reports import reads as reports
from jilink.core.interactions.models import Interaction
from jilink.core.knowledge import reads as knowledge
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties import access, audit, reads
from jilink.core.parties.rules import Role
from jilink.services.console.demonstration import staff
from jilink.services.console.demonstration.data import PREFIX, cities
from jilink.services.console.demonstration.fates import Fate
from jilink.site import demo_logins, demonstration
from tests.core.world import World
from tests.services.conftest import signed_in

pytestmark = pytest.mark.once
NOW = datetime(2026, 3, 19, 3, 20, tzinfo=UTC)
KEPT = ("django_", "parties_audit", "parties_user", "parties_member", "areas_layer", "areas_area", "jilink_", "cases_numberkey")


def rows() -> dict[str, int]:
    return {model._meta.db_table: model.objects.count() for model in apps.get_models() if not model._meta.db_table.startswith(KEPT)}


def files(folder: Path) -> set[str]:
    return {path.name for path in (folder / "files").glob("??/*")}


def test_the_office_is_loaded_shown_and_removed_without_a_row_left(
    world: World, settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    settings.JILINK = replace(settings.JILINK, data=tmp_path)
    areas.load_divisions(by=access.system("test"), now=NOW)
    person = world.person(Role.OWNER, world.north)
    client = signed_in(world, Role.OWNER, world.north)
    before = rows()
    with capture_logs() as logged, django_capture_on_commit_callbacks(execute=True):
        office = demonstration.load_office(person.pk, NOW, cases=60)
    assert [line for line in logged if line["event"] == "demonstration.refused"] == []
    password, names = demo_logins.read(tmp_path)
    assert len(password) > 20 and f"{PREFIX}agent" in names and len(names) == len(set(names))

    _everything_is_there()
    _nobody_is_called_for_what_is_over()
    again = rows()
    assert demonstration.load_office(person.pk, NOW) == office and rows() == again

    actor = access.actor_of(person)
    assert {found.article.topics[0] for found in knowledge.find(actor, "稻瘟")} == {"水稻"}
    assert "人民大街 01 号灯" in client.get("/console/assets/?kind=street_lamp").content.decode()
    answers = client.get("/console/areas/?latitude=44.4&longitude=125.2&category=road.lamp").content.decode()
    assert f"<strong>{staff.LIGHT}</strong>" in answers

    with django_capture_on_commit_callbacks(execute=True):
        demonstration._remove_office()
    assert rows() == before and reads.organisation_named(demonstration.OFFICE) is None
    assert reads.user_id(f"{PREFIX}agent") is None and files(tmp_path) == set() and not demo_logins.path(tmp_path).exists()
    assert audit.verify().broken_at is None


def _everything_is_there() -> None:
    states = Counter(Case.objects.values_list("state", flat=True))
    assert set(states) == {"open", "closed", "void", "merged"} and sum(states.values()) >= 60
    kinds = set(Entry.objects.values_list("kind", flat=True))
    assert {"asked", "decided", "suspended", "resumed", "escalated", "rated", "called_back", "noted", "replied", "attached"} <= kinds
    asked = set(Request.objects.values_list("kind", "state"))
    assert {("extension", "asked"), ("extension", "approved"), ("return", "asked"), ("return", "approved")} <= asked
    assert {("return", "arbitration"), ("suspension", "approved"), ("extension", "refused")} <= asked
    assert Case.objects.filter(round=2).exists() and Case.objects.filter(suspended_at__isnull=False).exists()
    assert Case.objects.filter(state="open", due_at__lt=NOW).exists() and Clock.objects.filter(key="call_back").exists()
    assert Link.objects.filter(kind="about_asset").exists() and Link.objects.filter(kind="duplicate_of").exists()
    assert Attachment.objects.exists() and Rating.objects.exists() and Reply.objects.filter(state="sent").exists()
    assert {"call", "text"} <= set(Interaction.objects.values_list("channel", flat=True))
    assert not Case.objects.filter(updated_at__gt=NOW + timedelta(minutes=1)).exists()
    ids = list(Case.objects.order_by("pk").values_list("opened_at", flat=True))
    assert ids == sorted(ids)
    assert 1 <= Case.objects.filter(assignee__username__startswith="owner", state="open").count() <= 4
    why = Entry.objects.filter(kind="assigned", detail__contains='"decided":true')
    assert why.exists()
    day = NOW.date()
    wanted = reports.Wanted(split=reports.Split.UNIT, first=day - timedelta(days=60), last=day)
    report = reports.report(access.system("test"), wanted, now=NOW)
    assert len(report.groups) > 5


def _nobody_is_called_for_what_is_over() -> None:
    due = list(OutboxEvent.objects.filter(published_at=None, not_before__lte=NOW))
    timers = [row for row in due if row.name in {"clock_rang", "suspension_ended"}]
    assert timers == []
    assert [row for row in due if row.occurred_at < NOW - timedelta(hours=1)] == []
    assert OutboxEvent.objects.filter(published_at=None, not_before__gt=NOW, name="clock_rang").exists()
    assert Escalation.objects.filter(at__lt=NOW - timedelta(days=1)).exists()


def test_every_unit_lies_where_its_county_does(world: World) -> None:
    areas.load_divisions(by=access.system("test"), now=NOW)
    asker = access.system("test")
    for county in (each for city in cities() for each in city.counties):
        found = places.locate(asker, county.longitude, county.latitude, on=NOW.date()).areas
        assert county.code in [area.code for area in found], county.name


@pytest.mark.parametrize("moment", [datetime(2027, 2, 6, 20, tzinfo=UTC), datetime(2026, 10, 5, 1, tzinfo=UTC)])
def test_it_can_be_loaded_at_any_time_of_any_year(world: World, moment: datetime) -> None:
    areas.load_divisions(by=access.system("test"), now=moment)
    with capture_logs() as logged:
        demonstration.load_office(world.person(Role.OWNER, world.north).pk, moment, cases=len(Fate))
    assert [line for line in logged if line["event"] == "demonstration.refused"] == []
    assert Case.objects.filter(state="open").exists()
