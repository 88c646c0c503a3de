"""Forecasts of a queue from its contacts: what is shown, corrected by hand with a reason, and hidden from strangers."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from jilink.core.parties.access import NotFound
from jilink.core.parties.rules import Role
from jilink.kernel.clock import CHINA, utc_now
from jilink.kernel.texts import Text
from jilink.services.contact.actions import designing
from jilink.services.contact.actions import planning as actions
from jilink.services.contact.actions.planning import CorrectionRefused
from jilink.services.contact.models import Contact
from jilink.services.contact.reads import planning
from jilink.services.contact.rules.design import QueueDesign
from tests.core.world import World

pytestmark = pytest.mark.once


def history(world: World, now: datetime) -> int:
    """Add a queue that got four contacts in each half-hour from ten to twelve, for four weeks."""
    queue = designing.add_queue(
        organisation=world.north, key="service", design=QueueDesign(name=Text("客服", "Service")), by=world.actor(Role.OWNER, world.north)
    )
    midnight = now.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    at = [
        midnight - timedelta(days=day) + timedelta(hours=10, minutes=30 * half + 7 * one)
        for day in range(1, 29) for half in range(4) for one in range(4)
    ]  # fmt: skip
    Contact.objects.bulk_create(
        Contact(
            organisation_id=world.north, queue_id=queue, channel="call", state="ended", end="served", enqueued_at=moment, offered_at=moment,
            answered_at=moment, left_at=moment + timedelta(seconds=150), ended_at=moment + timedelta(seconds=180),
        )
        for moment in at
    )  # fmt: skip
    return queue


def test_a_queues_day_is_foreseen_staffed_and_corrected_with_a_reason(world: World, client: Client) -> None:
    now, boss = utc_now(), world.person(Role.OWNER, world.north)
    queue, by = history(world, now), world.actor(Role.OWNER, world.north)
    day = now.astimezone(CHINA).date() + timedelta(days=1)
    shown = planning.forecast(by, queue, day, now=now)
    ten, nine = shown.half_hours[20], shown.half_hours[18]
    assert ten.expected.count == pytest.approx(4, rel=0.3) and nine.expected.count == 0 and shown.handling_s == 180
    assert ten.need is not None and ten.need.agents >= 2 and ten.need.rostered > ten.need.agents
    assert shown.errors is None or shown.errors.off < 0.5
    with pytest.raises(CorrectionRefused, match="why"):
        actions.correct_forecast(queue=queue, day=day, first=20, last=21, percent=300, reason=" ", by=by)
    actions.correct_forecast(queue=queue, day=day, first=20, last=21, percent=300, reason="Power cut announced", by=by)
    again = planning.forecast(by, queue, day, now=now).half_hours
    assert again[20].expected.count == pytest.approx(3 * ten.expected.count, abs=0.01) and again[20].corrected == "Power cut announced"
    assert again[21].corrected == ""
    world.second_factor(boss)
    client.force_login(boss)
    page = client.get(f"/contact/planning/?queue={queue}&day={day.isoformat()}")
    assert page.status_code == 200 and "Power cut announced" in page.content.decode()
    given = {"day": day.isoformat(), "first": "20", "last": "21", "percent": "100"}
    assert client.post(f"/contact/planning/{queue}/correct", given).status_code == 302
    assert planning.forecast(by, queue, day, now=now).half_hours[20].corrected == ""


def test_no_stranger_sees_or_corrects_a_forecast(world: World) -> None:
    now = utc_now()
    queue, stranger = history(world, now), world.actor(Role.OWNER, world.south)
    day = now.astimezone(CHINA).date()
    with pytest.raises(NotFound):
        planning.forecast(stranger, queue, day, now=now)
    with pytest.raises(NotFound):
        planning.history(stranger, queue, now=now)
    with pytest.raises(NotFound):
        actions.correct_forecast(queue=queue, day=day, first=1, last=2, percent=100, reason="", by=stranger)
