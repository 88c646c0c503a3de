"""Webhooks through their pages: endpoints, secrets, deliveries."""

import base64
import re
from datetime import timedelta

import pytest
from django.test import Client

from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import Role
from jilink.core.webhooks import actions, reads, rules
from jilink.core.webhooks.models import Delivery, Endpoint
from jilink.core.webhooks.rules import DeliveryState
from jilink.services.console.pages.webhooks_words import KIND_WORDS, NOUN_WORDS, STATE_WORDS
from tests.core.world import NOW, World
from tests.services.conftest import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
SECRET = re.compile(r'value="(whsec_[^"]+)"')


def owner(world: World) -> Client:
    return signed_in(world, Role.OWNER, world.north)


def added(browser: Client, world: World, **given: object) -> tuple[int, str]:
    form = {"organisation": world.north, "url": "https://example.com/hook", "description": "Ledger", "kinds": ["person.added"], **given}
    page = browser.post("/console/webhooks/add", form).content.decode()
    found = SECRET.search(page)
    assert found is not None
    return Endpoint.objects.get().pk, found.group(1)


def test_every_kind_that_may_leave_and_every_state_has_its_word() -> None:
    assert set(reads.kinds()) - set(KIND_WORDS) == set()
    assert {kind.partition(".")[0] for kind in reads.kinds()} - set(NOUN_WORDS) == set()
    assert set(STATE_WORDS) == set(DeliveryState)


def test_the_secret_is_shown_once_revealed_with_an_entry_and_renewed(world: World) -> None:
    browser = owner(world)
    endpoint, secret = added(browser, world)
    assert SECRET.search(browser.get(f"/console/webhooks/{endpoint}/").content.decode()) is None
    again = SECRET.search(browser.post(f"/console/webhooks/{endpoint}/reveal").content.decode())
    assert again is not None and again.group(1) == secret
    assert AuditEntry.objects.filter(action="webhook.revealed", subject=f"webhook:{endpoint}").count() == 1
    page = browser.post(f"/console/webhooks/{endpoint}/rotate").content.decode()
    new = SECRET.search(page)
    assert new is not None and new.group(1) != secret and "also signs until" in page
    assert browser.get(f"/console/webhooks/{endpoint}/reveal").status_code == 405


def test_events_and_address_are_edited_and_refused_with_the_reason(world: World) -> None:
    browser = owner(world)
    endpoint, _secret = added(browser, world)
    place = f"/console/webhooks/{endpoint}/edit"
    assert browser.post(place, {"url": "https://example.com/other", "everything": "on"}).status_code == 302
    assert reads.endpoint(world.actor(Role.OWNER, world.north), endpoint).kinds == ("*",)
    refused = browser.post(place, {"url": "http://example.com/", "kinds": ["person.added"]})
    assert refused.status_code == 400 and "must begin with https" in refused.content.decode()
    assert "Name 1 to 50" in browser.post(place, {"url": "https://example.com/"}).content.decode()
    assert (
        browser.post("/console/webhooks/add", {"organisation": world.south, "url": "https://a.example/", "everything": "on"}).status_code
        == 400
    )


def test_it_is_switched_off_and_on_and_removed(world: World) -> None:
    browser = owner(world)
    endpoint, _secret = added(browser, world)
    browser.post(f"/console/webhooks/{endpoint}/switch", {"on": "0"})
    assert not Endpoint.objects.get().active
    assert browser.post(f"/console/webhooks/{endpoint}/test").status_code == 400
    browser.post(f"/console/webhooks/{endpoint}/switch", {"on": "1"})
    assert Endpoint.objects.get().active
    browser.post(f"/console/webhooks/{endpoint}/remove")
    assert not Endpoint.objects.exists()


def given_up(delivery: int) -> None:
    Delivery.objects.filter(pk=delivery).update(attempts=10)
    actions.note_answer(delivery=delivery, status=500, failure="answered 500", now=NOW)


def test_what_was_given_up_is_seen_and_sent_again(world: World) -> None:
    browser = owner(world)
    endpoint, _secret = added(browser, world)
    for _each in range(3):
        browser.post(f"/console/webhooks/{endpoint}/test")
    for delivery in Delivery.objects.all():
        given_up(delivery.pk)
    page = browser.get(f"/console/webhooks/{endpoint}/?state=dead").content.decode()
    assert page.count("answered 500") == 3 and "Send all 3 given up again" in page
    assert "answered 500" not in browser.get(f"/console/webhooks/{endpoint}/?state=waiting").content.decode()
    first = Delivery.objects.order_by("pk")[0]
    browser.post(f"/console/webhooks/{endpoint}/deliveries/{first.pk}/replay")
    assert Delivery.objects.filter(state=DeliveryState.WAITING).count() == 1
    browser.post(f"/console/webhooks/{endpoint}/replay")
    assert Delivery.objects.filter(state=DeliveryState.WAITING).count() == 3


def test_deliveries_come_page_by_page(world: World) -> None:
    browser = owner(world)
    endpoint, _secret = added(browser, world)
    for number in range(60):
        actions.send_test(endpoint=endpoint, by=world.actor(Role.OWNER, world.north), now=NOW + timedelta(seconds=number))
    page = browser.get(f"/console/webhooks/{endpoint}/").content.decode()
    found = re.search(r'rel="next" href="([^"]+)"', page)
    assert found is not None and page.count("webhook-id:") == 50
    assert browser.get(f"/console/webhooks/{endpoint}/{found.group(1)}").content.decode().count("webhook-id:") == 10


def test_what_the_help_tells_receivers_to_do_accepts_a_delivery_and_no_forgery(world: World) -> None:
    browser = owner(world)
    endpoint, secret = added(browser, world)
    browser.post(f"/console/webhooks/{endpoint}/test")
    attempt = actions.claim_due(Delivery.objects.get().due_at, 1)[0]
    page = browser.get("/console/webhooks/").content.decode()
    found = re.search(r'<pre class="mono code" tabindex="0">(.*?)</pre>', page, re.DOTALL)
    assert found is not None
    source = found.group(1).replace("&gt;", ">").replace("&lt;", "<")
    sent_at = attempt.headers["webhook-timestamp"]
    room: dict[str, object] = {}
    exec(compile(source.replace("time.time()", sent_at), "help", "exec"), room)
    genuine = room["genuine"]
    assert callable(genuine)
    assert genuine(secret, attempt.headers, attempt.body)
    assert not genuine(secret, attempt.headers, attempt.body + b" ")
    assert not genuine(rules.new_secret(base64.b64decode(b"A" * 43 + b"=")), attempt.headers, attempt.body)


@pytest.mark.parametrize(("role", "side"), [(Role.SUPERVISOR, "north"), (Role.AUDITOR, "north"), (Role.OWNER, "south")])
def test_nobody_else_sees_or_touches_a_webhook(world: World, role: Role, side: str) -> None:
    endpoint, _secret = added(owner(world), world)
    browser = signed_in(world, role, getattr(world, side))
    for tail in ("", "edit"):
        assert browser.get(f"/console/webhooks/{endpoint}/{tail}").status_code == 404
    for tail in ("reveal", "rotate", "switch", "test", "replay", "remove", "deliveries/1/replay"):
        assert browser.post(f"/console/webhooks/{endpoint}/{tail}").status_code == 404
