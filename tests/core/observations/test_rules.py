"""Rules of an organisation at work: one alarm of each asset and condition, whoever evaluates, how often it is told and what is killed."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection

from jilink.core.assets import actions as assets
from jilink.core.observations import actions, reads
from jilink.core.observations.actions import Cleared, Raised, RuleData
from jilink.core.observations.conditions import Condition, Geofence, RuleRefused, Silence, Threshold
from jilink.core.observations.models import Alarm, Rule, Storm
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import AssetId, OrganisationId
from tests.core.test_watch import Scene, alarms, watching
from tests.core.world import NOW, World, relay, until

SPEED = Threshold(value="speed", side="above", limit=80, clear=70)


def owner(world: World) -> Actor:
    return world.actor(Role.OWNER, world.north)


def add(world: World, condition: Condition = SPEED, name: str = "Too fast", **more: object) -> int:
    data = RuleData(name=name, condition=condition, **more)
    return actions.add_rule(organisation=world.north, data=data, by=owner(world))


def vehicle(world: World, label: str, organisation: OrganisationId | None = None) -> AssetId:
    return assets.add_asset(organisation=organisation or world.north, kind="vehicle", label=label, by=owner(world))


def raised(world: World, asset: int, second: float = 0, condition: str = "rule.1", **more: object) -> Raised:
    return Raised(organisation=world.north, asset=AssetId(asset), condition=condition, at=NOW + timedelta(seconds=second), **more)


def names() -> list[str]:
    return list(OutboxEvent.objects.filter(noun="observations").order_by("id").values_list("name", flat=True))


def test_rules_are_kept_by_those_who_may_and_hidden_from_others(world: World) -> None:
    number = add(world, level=2)
    for stranger in (world.actor(Role.OWNER, world.south), world.actor(Role.DISPATCHER, world.north)):
        assert reads.rules_of(stranger) == []
        for attempt in (
            lambda by: reads.rule(by, number),
            lambda by: actions.change_rule(rule=number, data=RuleData(name="x", condition=SPEED), by=by),
            lambda by: actions.remove_rule(rule=number, by=by),
            lambda by: actions.add_rule(organisation=world.north, data=RuleData(name="y", condition=SPEED), by=by),
        ):
            with pytest.raises(NotFound):
                attempt(stranger)
    supervisor = world.actor(Role.SUPERVISOR, world.north)
    actions.change_rule(rule=number, data=RuleData(name="Slow", condition=Silence(for_s=600)), by=supervisor)
    view = reads.rule(supervisor, number)
    assert (view.name, view.condition, view.level, Rule.objects.get().version) == ("Slow", Silence(for_s=600), None, 2)
    with pytest.raises(RuleRefused):
        add(world, name="Slow")
    with pytest.raises(RuleRefused):
        add(world, Threshold(value="speed", side="above", limit=1, clear=2), name="Wrong")
    actions.remove_rule(rule=number, by=supervisor)
    assert reads.rules_of(supervisor) == []
    assert list(AuditEntry.objects.filter(action__startswith="rule.").order_by("sequence").values_list("action", flat=True)) == [
        "rule.added",
        "rule.changed",
        "rule.removed",
    ]
    assert names() == ["rule_changed"] * 3


def test_an_alarm_is_told_once_when_it_begins_and_once_when_it_ends(world: World) -> None:
    asset = vehicle(world, "V1")
    for _ in range(3):
        actions.raise_alarms([raised(world, asset), raised(world, asset, 5)])
    for _ in range(2):
        actions.clear_alarms([Cleared(asset=asset, condition="rule.1", at=NOW + timedelta(seconds=9))])
    actions.raise_alarms([raised(world, asset)])
    assert Alarm.objects.count() == 1
    assert names() == ["alarm_raised", "alarm_cleared"]


def test_many_who_raise_and_clear_at_once_leave_one_open_alarm_of_each_condition(lasting_world: World) -> None:
    fleet = [vehicle(lasting_world, f"V{n}") for n in range(3)]
    start, wrong = threading.Barrier(4), []

    def work(number: int) -> None:
        start.wait()
        try:
            for turn in range(4):
                for asset in fleet:
                    patiently(lambda asset=asset, turn=turn: actions.raise_alarms([raised(lasting_world, asset, 10 * turn + number % 2)]))
                    end = NOW + timedelta(seconds=10 * turn + 5)
                    if turn < 3:
                        patiently(lambda asset=asset, end=end: actions.clear_alarms([Cleared(asset=asset, condition="rule.1", at=end)]))
        except BaseException as error:
            wrong.append(error)
            raise
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []
    opened = list(Alarm.objects.filter(cleared_at=None).values_list("asset_id", flat=True))
    assert sorted(opened) == sorted(fleet)
    told = names()
    assert told.count("alarm_raised") == Alarm.objects.count()
    assert told.count("alarm_cleared") == Alarm.objects.exclude(cleared_at=None).count()


def patiently(write: Callable[[], object]) -> None:
    """Write as the watch does: again while the database is busy."""
    while True:
        try:
            write()
        except OperationalError:
            continue
        return


def test_many_alike_within_a_minute_become_one_storm_and_later_ones_another(world: World) -> None:
    fleet = [vehicle(world, f"V{n}") for n in range(14)]
    for n, asset in enumerate(fleet[:9]):
        actions.raise_alarms([raised(world, asset, n)])
    assert Storm.objects.count() == 0
    actions.raise_alarms([raised(world, fleet[9], 9), raised(world, fleet[9], 9, "rule.2")])
    storm = Storm.objects.get()
    assert Alarm.objects.filter(storm=storm).count() == 10 and Alarm.objects.get(condition="rule.2").storm is None
    actions.raise_alarms([raised(world, asset, 200 + n) for n, asset in enumerate(fleet[10:12])])
    assert Alarm.objects.filter(storm=storm).count() == 12
    actions.raise_alarms([raised(world, fleet[12], 600)])
    storm.refresh_from_db()
    assert storm.ended_at == NOW + timedelta(seconds=201) and Alarm.objects.get(asset_id=fleet[12]).storm is None
    assert names().count("storm_began") == 1


async def ruled(scene: Scene, condition: Condition, **more: object) -> int:
    return await sync_to_async(add)(scene.world, condition, **more)


async def test_a_rule_raises_and_clears_through_the_spine_and_colours_its_asset(scene: Scene) -> None:
    a, b, _ = scene.north
    number = await ruled(scene, SPEED, level=1)
    at = [scene.start + timedelta(seconds=second) for second in range(60)]
    expected = [(a, f"rule.{number}", at[5], at[9])]
    rows = [scene.fix(a, 5, speed=900), scene.fix(b, 5, speed=790), scene.fix(scene.south[0], 5, speed=900)]

    async def written() -> bool:
        return await alarms() == expected

    async with watching(scene.settings):
        await scene.publish(*rows)
        expected[:] = [(a, f"rule.{number}", at[5], None)]
        await until(written)
        row = await Alarm.objects.aget()
        assert (row.title, row.level, row.rule_id, row.organisation_id) == ("Too fast", 1, number, scene.world.north)
        counts = (await scene.select(int(scene.world.north)))["counts"]
        assert counts == {"moving": 1, "idle": 0, "alarm": 1, "offline": 0}
    async with watching(scene.settings):
        await scene.publish(*rows)
        await scene.publish(scene.fix(a, 9, speed=700))
        expected[:] = [(a, f"rule.{number}", at[5], at[9])]
        await until(written)


async def test_two_watches_and_a_lost_checkpoint_write_every_alarm_once(scene: Scene) -> None:
    a, b, _ = scene.north
    number = await ruled(scene, Threshold(value="speed", side="above", limit=80, clear=70, for_s=2))
    at = [scene.start + timedelta(seconds=second) for second in range(60)]

    async def written() -> bool:
        return sorted(await alarms(), key=str) == sorted(expected, key=str)

    async with watching(scene.settings), watching(scene.settings):
        for second in range(1, 8):
            await scene.publish(scene.fix(a, second, speed=900), scene.fix(b, second, speed=900 if second < 5 else 100))
        expected = [(a, f"rule.{number}", at[3], None), (b, f"rule.{number}", at[3], at[5])]
        await until(written)
    for file in (scene.settings.data / "watch").iterdir():
        file.unlink()
    async with watching(scene.settings), watching(scene.settings):
        await scene.publish(scene.fix(a, 8, speed=900), scene.fix(b, 8, speed=100))
        await scene.publish(scene.fix(a, 9, speed=100), scene.fix(b, 9, speed=100))
        expected[0] = (a, f"rule.{number}", at[3], at[9])
        await until(written)
    assert await sync_to_async(names)() == ["rule_changed", "alarm_raised", "alarm_raised", "alarm_cleared", "alarm_cleared"]


async def test_a_time_that_runs_survives_a_restart(scene: Scene) -> None:
    a = scene.north[0]
    number = await ruled(scene, Threshold(value="speed", side="above", limit=80, clear=70, for_s=20))
    async with watching(scene.settings):
        await scene.publish(scene.fix(a, 1, speed=900))
        await until(lambda: heard(scene, a))
    async with watching(scene.settings):
        await scene.publish(scene.fix(a, 21, speed=900))

        async def written() -> bool:
            return await alarms() == [(a, f"rule.{number}", scene.start + timedelta(seconds=21), None)]

        await until(written)


async def heard(scene: Scene, asset: int) -> bool:
    return asset in await scene.latest(int(scene.world.north))


async def test_silence_is_told_and_ends_and_a_removed_rule_ends_what_it_raised(scene: Scene) -> None:
    a, b, _ = scene.north
    number = await ruled(scene, Silence(for_s=60))
    early = {"measured_at": scene.start - timedelta(seconds=30), "received_at": scene.start - timedelta(seconds=30)}

    async def state() -> list[tuple[int, bool]]:
        return [(row.asset_id, row.cleared_at is None) async for row in Alarm.objects.order_by("asset_id")]

    async with watching(scene.settings), relay(scene.spine):
        await scene.publish(scene.fix(a, 0, **early), scene.fix(b, 0, **early))
        await until(lambda: holds(state, [(a, True), (b, True)]))
        at = utc_now()
        await scene.publish(scene.fix(a, 0, measured_at=at, received_at=at))
        await until(lambda: holds(state, [(a, False), (b, True)]))
        await sync_to_async(lambda: actions.remove_rule(rule=number, by=owner(scene.world)))()
        await until(lambda: holds(state, [(a, False), (b, False)]))


async def holds(state: Callable[[], object], wanted: list[tuple[int, bool]]) -> bool:
    return await state() == wanted  # type: ignore[misc]  # -- a coroutine function


async def test_a_rule_removed_while_no_watch_runs_ends_its_alarms_at_the_next_start(scene: Scene) -> None:
    a = scene.north[0]
    number = await ruled(scene, Geofence(polygon=(((120.0, 40.0), (130.0, 40.0), (130.0, 50.0), (120.0, 50.0)),)))

    async def opened() -> int:
        return await Alarm.objects.filter(cleared_at=None).acount()

    async with watching(scene.settings):
        await scene.publish(scene.fix(a, 1))
        await until(lambda: count_is(opened, 1))
    await sync_to_async(lambda: actions.remove_rule(rule=number, by=owner(scene.world)))()
    async with watching(scene.settings):
        await until(lambda: count_is(opened, 0))


async def count_is(count: Callable[[], object], wanted: int) -> bool:
    return await count() == wanted  # type: ignore[misc]  # -- a coroutine function
