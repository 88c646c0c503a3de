"""An organisation's own systems are told of its events: signed, until they say that they have them, and of nobody else's."""

import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as configured
from standardwebhooks import Webhook, WebhookVerificationError

from jilink.core.assets import actions as assets
from jilink.core.assets.events import AssetAdded
from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Role
from jilink.core.webhooks import actions, reads, rules
from jilink.core.webhooks import reactions as reactions  # registers what hears everything
from jilink.core.webhooks.actions import EndpointStopped
from jilink.core.webhooks.courier import Courier
from jilink.core.webhooks.rules import AddressRefused, DeliveryState, KindRefused
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.spine.client import Spine
from jilink.spine.events import envelope
from tests.core.webhooks.conftest import Receiver
from tests.core.world import World, relay, until

pytestmark = pytest.mark.usefixtures("loopback_allowed")


def accepted(secret: str, request: tuple[dict[str, str], bytes]) -> dict[str, Any]:
    """Return the payload as the reference library of Standard Webhooks gives it; it raises where the signature is not right."""
    headers, body = request
    found: dict[str, Any] = Webhook(secret).verify(body.decode(), {key.lower(): value for key, value in headers.items()})
    return found


def happened(organisation: OrganisationId, number: int = 1) -> Any:
    now = utc_now()
    return envelope(AssetAdded(asset=number, kind="vehicle"), organisation=organisation, occurred_at=now, received_at=now)


async def deliver(now: Any = None) -> int:
    async with Courier(rules.networks(configured.JILINK.webhooks_allow)) as courier:
        return await courier.deliver_due(now or utc_now())


@pytest.fixture
def by(lasting_world: World) -> Actor:
    return access.system("test")


@sync_to_async
def make(world: World, receiver: Receiver, kinds: str = "*", organisation: OrganisationId | None = None) -> actions.Made:
    return actions.add_endpoint(organisation=organisation or world.north, url=receiver.url, kinds=kinds, by=access.system("test"))


@sync_to_async
def record(endpoint: int) -> list[reads.DeliveryView]:
    return reads.deliveries(access.system("test"), endpoint)


async def test_an_event_reaches_its_organisations_endpoint_signed(
    lasting_world: World, by: Actor, spine: Spine, receiver: Receiver
) -> None:
    world = lasting_world
    made = await make(world, receiver, "assets.*")
    async with relay(spine):
        await sync_to_async(assets.add_asset)(organisation=world.depot, kind="vehicle", label="吉A1", by=by)
        await sync_to_async(assets.add_asset)(organisation=world.south, kind="vehicle", label="吉A2", by=by)

        async def arrived() -> bool:
            return [each.state for each in await record(made.endpoint)] == [DeliveryState.DELIVERED]

        await until(arrived)
    told = accepted(made.secret, receiver.got[0])
    assert told["type"] == "assets.asset_added" and told["organisation"] == world.depot and told["data"]["kind"] == "vehicle"
    (delivery,) = await record(made.endpoint)
    assert delivery.state == DeliveryState.DELIVERED and delivery.status == 204
    assert receiver.got[0][0]["webhook-id"] == delivery.event
    with pytest.raises(WebhookVerificationError):
        accepted(made.secret, (receiver.got[0][0], receiver.got[0][1] + b" "))


async def test_an_event_told_twice_is_delivered_once(lasting_world: World, by: Actor, receiver: Receiver) -> None:
    await make(lasting_world, receiver)
    event = await sync_to_async(happened)(lasting_world.north)
    for _ in range(2):
        await sync_to_async(actions.take_in)(event, utc_now())
    assert await deliver() == 1 and await deliver() == 0
    assert len(receiver.got) == 1


async def test_an_endpoint_is_told_only_of_the_kinds_it_named_and_of_what_came_after_it(
    lasting_world: World, by: Actor, receiver: Receiver
) -> None:
    before = happened(lasting_world.north)
    made = await make(lasting_world, receiver, "cases.* assets.asset_removed")
    await sync_to_async(actions.take_in)(happened(lasting_world.north), utc_now())
    other = await make(lasting_world, receiver)
    await sync_to_async(actions.take_in)(before, utc_now())
    assert await record(made.endpoint) == [] and await record(other.endpoint) == []


async def test_what_fails_is_tried_again_with_growing_pauses_then_given_up_and_sent_again_on_request(
    lasting_world: World, by: Actor, receiver: Receiver
) -> None:
    made = await make(lasting_world, receiver)
    receiver.answers = [500] * (len(rules.SCHEDULE) + 1)
    await sync_to_async(actions.take_in)(happened(lasting_world.north), utc_now())
    pauses = []
    for _ in range(len(rules.SCHEDULE)):
        assert await deliver(utc_now() + timedelta(days=2)) == 1
        (delivery,) = await record(made.endpoint)
        assert delivery.state == DeliveryState.WAITING and delivery.status == 500 and delivery.due_at is not None
        pauses.append(delivery.due_at - utc_now())
    assert pauses == sorted(pauses) and pauses[0] < timedelta(seconds=6) and pauses[-1] > timedelta(hours=23)
    await deliver(utc_now() + timedelta(days=2))
    (delivery,) = await record(made.endpoint)
    assert delivery.state == DeliveryState.DEAD and delivery.attempts == len(rules.SCHEDULE) + 1
    assert await deliver(utc_now() + timedelta(days=9)) == 0
    assert await sync_to_async(actions.replay_dead)(endpoint=made.endpoint, by=by) == 1
    assert await deliver() == 1
    assert (await record(made.endpoint))[0].state == DeliveryState.DELIVERED
    assert len({headers["webhook-id"] for headers, _body in receiver.got}) == 1


async def test_both_secrets_sign_while_one_is_replaced_and_only_the_new_one_later(
    lasting_world: World, by: Actor, receiver: Receiver
) -> None:
    made = await make(lasting_world, receiver)
    new = await sync_to_async(actions.rotate_secret)(endpoint=made.endpoint, by=by)
    await sync_to_async(actions.send_test)(endpoint=made.endpoint, by=by)
    await deliver()
    assert accepted(made.secret, receiver.got[0]) == accepted(new, receiver.got[0])
    later = utc_now() - rules.ROTATION - timedelta(minutes=1)
    new = await sync_to_async(actions.rotate_secret)(endpoint=made.endpoint, by=by, now=later)
    await sync_to_async(actions.send_test)(endpoint=made.endpoint, by=by)
    await deliver()
    assert len(receiver.got[1][0]["webhook-signature"].split()) == 1
    assert accepted(new, receiver.got[1])["type"] == "webhooks.test"


async def test_a_receiver_that_says_gone_is_told_no_more(lasting_world: World, by: Actor, receiver: Receiver) -> None:
    made = await make(lasting_world, receiver)
    receiver.answers = [410]
    await sync_to_async(actions.take_in)(happened(lasting_world.north), utc_now())
    await deliver()
    view = await sync_to_async(reads.endpoint)(by, made.endpoint)
    assert not view.active and "410" in view.stopped_because and view.dead == 1
    with pytest.raises(EndpointStopped):
        await sync_to_async(actions.replay_dead)(endpoint=made.endpoint, by=by)


async def test_a_redirection_is_no_delivery_and_is_not_followed(lasting_world: World, by: Actor, receiver: Receiver) -> None:
    made = await make(lasting_world, receiver)
    receiver.answers = [302]
    await sync_to_async(actions.take_in)(happened(lasting_world.north), utc_now())
    await deliver()
    assert len(receiver.got) == 1 and (await record(made.endpoint))[0].state == DeliveryState.WAITING


async def test_a_name_that_leads_into_the_own_network_is_not_connected_to(
    lasting_world: World, by: Actor, receiver: Receiver, settings: Any
) -> None:
    made = await make(lasting_world, receiver)
    port = receiver.url.rstrip("/").rpartition(":")[2]
    change = {"endpoint": made.endpoint, "kinds": "*", "active": True, "by": by}
    for number, url in enumerate((f"https://localhost:{port}/", f"http://localhost:{port}/")):
        await sync_to_async(actions.change_endpoint)(url=url, **change)
        await sync_to_async(actions.take_in)(happened(lasting_world.north, number), utc_now())
    async with Courier(()) as courier:
        await courier.deliver_due(utc_now())
    found = await record(made.endpoint)
    assert receiver.got == [] and len(found) == 2
    assert all("private network" in delivery.failure and delivery.status is None for delivery in found)


PRIVATE = (
    "https://127.0.0.1/",
    "https://10.0.0.8/",
    "https://192.168.1.1/hook",
    "https://169.254.169.254/latest/meta-data",
    "https://100.64.0.1/",
    "https://[::1]/",
    "https://[fd00::1]/",
    "https://[::ffff:10.0.0.8]/",
    "https://[64:ff9b::a00:8]/",
    "https://[2002:a00:8::]/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
)


@pytest.mark.parametrize("url", [*PRIVATE, "http://example.cn/", "ftp://example.cn/", "https://user:pw@example.cn/", "https:///x", "hook"])
def test_an_address_in_a_private_network_or_without_tls_is_refused(world: World, settings: Any, url: str) -> None:
    with pytest.raises(AddressRefused):
        rules.address(url, ())


def test_a_public_address_and_an_allowed_private_one_are_taken() -> None:
    assert rules.address(" https://example.cn:8443/hook?x=1 ", ()) == "https://example.cn:8443/hook?x=1"
    assert rules.address("https://8.8.8.8/", ()) and rules.address("https://[2400:3200::1]/", ())
    assert rules.address("http://10.1.2.3/", rules.networks("10.1.0.0/16"))
    with pytest.raises(AddressRefused):
        rules.address("http://10.2.2.3/", rules.networks("10.1.0.0/16"))


@pytest.mark.parametrize("text", ["", "Assets.*", "assets", "*.added", "assets.added;drop", " ".join(f"a.b{n}" for n in range(51))])
def test_a_filter_that_names_no_kind_is_refused(text: str) -> None:
    with pytest.raises(KindRefused):
        rules.kinds(text)


def test_strangers_and_lower_roles_are_refused_at_every_door(world: World) -> None:
    made = actions.add_endpoint(organisation=world.north, url="https://example.cn/", kinds="*", by=world.actor(Role.OWNER, world.north))
    delivery = actions.send_test(endpoint=made.endpoint, by=world.actor(Role.OWNER, world.north))
    for other in (world.actor(Role.OWNER, world.south), world.actor(Role.SUPERVISOR, world.north), access.NOBODY):
        for call in (
            lambda by: actions.add_endpoint(organisation=world.north, url="https://example.cn/", kinds="*", by=by),
            lambda by: actions.change_endpoint(endpoint=made.endpoint, url="https://example.cn/", kinds="*", active=True, by=by),
            lambda by: actions.remove_endpoint(endpoint=made.endpoint, by=by),
            lambda by: actions.rotate_secret(endpoint=made.endpoint, by=by),
            lambda by: actions.reveal_secret(endpoint=made.endpoint, by=by),
            lambda by: actions.send_test(endpoint=made.endpoint, by=by),
            lambda by: actions.replay_delivery(delivery=delivery, by=by),
            lambda by: actions.replay_dead(endpoint=made.endpoint, by=by),
            lambda by: reads.endpoint(by, made.endpoint),
            lambda by: reads.deliveries(by, made.endpoint),
        ):
            with pytest.raises(NotFound):
                call(other)
        assert reads.endpoints(other) == []
    with pytest.raises(Refused):
        actions.replay_delivery(delivery=0, by=world.actor(Role.OWNER, world.north))


def test_a_secret_lies_sealed_and_is_revealed_to_its_owner(world: World) -> None:
    owner = world.actor(Role.OWNER, world.north)
    made = actions.add_endpoint(organisation=world.north, url="https://example.cn/", kinds="*", by=owner)
    assert actions.reveal_secret(endpoint=made.endpoint, by=owner) == made.secret
    assert "secret" not in json.dumps(reads.endpoint(owner, made.endpoint).kinds)
    assert made.secret not in repr(list(actions.Endpoint.objects.values()))


def test_a_failure_of_an_attempt_that_was_asked_for_again_meanwhile_waits_the_first_pause() -> None:
    assert rules.pause_after(0, 0.0) == rules.pause_after(1, 0.0) == rules.SCHEDULE[0]
