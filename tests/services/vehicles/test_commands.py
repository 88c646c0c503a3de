"""What becomes of an order: every way it can end is seen, and nothing ends in silence."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.utils.module_loading import autodiscover_modules

from jilink.core.parties.access import NotFound
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from jilink.services.vehicles import actions, rules
from jilink.services.vehicles.actions import VehicleData
from jilink.services.vehicles.models import Command
from jilink.services.vehicles.reads import orders
from jilink.services.vehicles.rules import CommandRefused, CommandState, WrongMove
from jilink.spine import subjects
from jilink.spine.client import Request, Spine
from jilink.spine.records import CommandReply, CommandRequest
from tests.core.world import NOW, World, relay, until

autodiscover_modules("reactions")
Handler = Callable[[Request], Awaitable[bytes | None]]


def give(world: World, role: Role = Role.DISPATCHER) -> tuple[int, str]:
    owner = world.actor(Role.OWNER, world.north)
    asset = actions.add_vehicle(data=VehicleData(plate="吉A12345", organisation=world.north, terminal_phone="13912345678"), by=owner)
    return asset, actions.give_command(asset=asset, message=0x8201, fields={}, by=world.actor(role, world.north))


def gateway(*replies: CommandReply) -> Handler:
    """A worker that holds the terminal and says these things; `command` is filled in."""

    async def handle(request: Request) -> bytes | None:
        asked = msgspec.json.decode(request.data, type=CommandRequest)
        for reply in replies:
            await request.reply(msgspec.json.encode(msgspec.structs.replace(reply, command=asked.command)))
        return None

    return handle


def says(state: str, reason: str = "", **more: object) -> CommandReply:
    return CommandReply(command="", state=state, reason=reason, **more)  # type: ignore[arg-type]  # -- fields of the record by name


ENDS = [
    ([says("sent"), says("answered", reply={"result": 0}, reply_message=1)], "answered", ""),
    ([says("sent"), says("failed", "timed_out")], "failed", "timed_out"),
    ([says("refused", "terminal_unsupported")], "refused", "terminal_unsupported"),
    (None, "failed", "offline"),
]


@pytest.mark.parametrize(("replies", "state", "reason"), ENDS, ids=[end[1] + end[2] for end in ENDS])
async def test_an_order_ends_as_the_gateway_says(
    lasting_world: World, spine: Spine, replies: list[CommandReply] | None, state: str, reason: str
) -> None:
    _asset, command = await sync_to_async(give)(lasting_world)
    if replies is not None:
        await spine.serve(subjects.COMMANDS, gateway(*replies))

    async def ended() -> bool:
        row = await Command.objects.aget(pk=command)
        return (row.state, row.reason) == (state, reason) and row.ended_at is not None

    async with relay(spine):
        await until(ended)


async def test_an_order_under_way_when_everything_died_is_said_to_be_of_unknown_outcome(lasting_world: World, spine: Spine) -> None:
    _asset, command = await sync_to_async(give)(lasting_world)
    asked = asyncio.Event()

    async def silent(request: Request) -> bytes | None:
        await request.reply(msgspec.json.encode(CommandReply(command=command, state="sent")))
        asked.set()
        return None

    await spine.serve(subjects.COMMANDS, silent)

    async def sent() -> bool:
        return (await Command.objects.aget(pk=command)).state == "sent"

    async def unknown() -> bool:
        row = await Command.objects.aget(pk=command)
        return (row.state, row.reason) == ("failed", "outcome_unknown")

    async with relay(spine):
        await until(sent)
    async with relay(spine):
        await until(unknown)


def test_every_move_that_the_table_does_not_have_is_refused() -> None:
    for state in CommandState:
        for to in CommandState:
            if to in rules.NEXT[state]:
                assert rules.move(state, to) is to
            else:
                with pytest.raises(WrongMove):
                    rules.move(state, to)


def test_a_delivery_again_or_late_never_sends(world: World) -> None:
    _asset, command = give(world)
    assert actions.begin_sending(command=command, now=utc_now()) is not None
    assert actions.begin_sending(command=command, now=utc_now()) is None
    assert Command.objects.get().reason == "outcome_unknown"
    assert actions.begin_sending(command=command, now=utc_now()) is None
    _other, late = (
        actions.add_vehicle,
        Command.objects.create(
            id="late", organisation_id=world.north, asset_id=Command.objects.get().asset_id, message=0x8201, fields=b"{}", given_at=NOW
        ),
    )
    assert actions.begin_sending(command=late.pk, now=NOW + timedelta(minutes=6)) is None
    late.refresh_from_db()
    assert (late.state, late.reason) == ("failed", "stale")


def test_a_reply_that_comes_again_or_after_the_end_changes_nothing(world: World) -> None:
    _asset, command = give(world)
    actions.begin_sending(command=command, now=NOW)
    sent, answered = CommandReply(command=command, state="sent"), CommandReply(command=command, state="answered", reply={"a": 1})
    for reply in (sent, sent, answered, answered, sent, CommandReply(command=command, state="failed", reason="x")):
        actions.note_reply(reply=reply, now=NOW)
    row = Command.objects.get()
    assert (row.state, row.reason, bytes(row.reply)) == ("answered", "", b'{"a":1}')


def test_fields_that_do_not_fit_the_declaration_are_refused_and_nothing_is_queued(world: World) -> None:
    asset, _command = give(world)
    owner = world.actor(Role.OWNER, world.north)
    wrong: list[tuple[int, dict[str, object]]] = [
        (0x8300, {"nonsense": 1}),
        (0x8202, {"interval": 70_000}),
        (0x8202, {"interval": "soon"}),
        (0x8300, {"text": 5}),
        (0x8600, {"areas": {}}),
        (0x8001, {}),
        (0x0200, {}),
    ]
    for message, fields in wrong:
        with pytest.raises(CommandRefused):
            actions.give_command(asset=asset, message=message, fields=fields, by=owner)
    assert Command.objects.count() == 1


def test_orders_stay_inside_the_wall_take_a_role_and_are_audited(world: World) -> None:
    asset, command = give(world)
    for actor in (world.actor(Role.OWNER, world.south), world.actor(Role.ANALYST, world.north)):
        with pytest.raises(NotFound):
            actions.give_command(asset=asset, message=0x8201, fields={}, by=actor)
        with pytest.raises(NotFound):
            orders.of_asset(actor, asset)
    with pytest.raises(NotFound):
        actions.give_command(asset=asset, message=0x8108, fields={}, by=world.actor(Role.DISPATCHER, world.north))
    assert AuditEntry.objects.filter(action="command.given", subject=f"asset:{asset}", detail__endswith=command).count() == 1
