"""What the tables say of terminals reaches the gateway's bucket, whatever happens in between."""

import msgspec
from asgiref.sync import sync_to_async
from django.utils.module_loading import autodiscover_modules

from jilink.core.assets import actions, projection, reads
from jilink.core.assets.actions import NO_TERMINAL, TerminalData
from jilink.core.outbox import registry
from jilink.core.parties import actions as parties
from jilink.core.parties.rules import Role
from jilink.spine.client import Spine
from jilink.spine.records import Admission, AdmissionPolicy, digest
from jilink.spine.subjects import ADMISSION
from tests.core.world import NOW, World, relay, until

autodiscover_modules("reactions")
PHONE = "013912345678"
TERMINAL = TerminalData(phone=PHONE)


async def admission(spine: Spine, phone: str) -> Admission | None:
    value = await spine.bucket(ADMISSION).get(digest(phone))
    return msgspec.json.decode(value, type=Admission) if value else None


async def test_a_terminal_is_admitted_changed_and_dismissed_in_the_bucket(lasting_world: World, spine: Spine) -> None:
    owner = await sync_to_async(lasting_world.actor)(Role.OWNER, lasting_world.north)
    add = sync_to_async(actions.add_asset)
    asset = await add(organisation=lasting_world.north, kind="vehicle", label="吉A00001", by=owner, terminal=TERMINAL)

    async def shown(plate: str, organisation: int) -> bool:
        value = await admission(spine, PHONE)
        return value is not None and (value.plate, value.organisation, value.asset) == (plate, organisation, asset)

    async with relay(spine):
        await until(lambda: shown("吉A00001", lasting_world.north))
        edit = sync_to_async(actions.edit_asset)
        await edit(asset=asset, label="吉A00002", organisation=lasting_world.depot, terminal=TERMINAL, by=owner)
        await until(lambda: shown("吉A00002", lasting_world.depot))
        await edit(asset=asset, label="吉A00002", organisation=lasting_world.depot, terminal=NO_TERMINAL, by=owner)

        async def gone() -> bool:
            return await admission(spine, PHONE) is None

        await until(gone)


async def test_the_policy_for_unknown_terminals_reaches_the_bucket(lasting_world: World, spine: Spine) -> None:
    owner = await sync_to_async(lasting_world.actor)(Role.OWNER, lasting_world.north)
    await sync_to_async(parties.set_quarantine)(organisation=lasting_world.north, on=True, by=owner)

    async def waits() -> bool:
        value = await spine.bucket(ADMISSION).get("policy")
        return value is not None and msgspec.json.decode(value, type=AdmissionPolicy).quarantine_unknown

    async with relay(spine):
        await until(waits)


async def test_rebuilding_repairs_what_is_missing_stale_or_left_over(lasting_world: World, spine: Spine) -> None:
    owner = await sync_to_async(lasting_world.actor)(Role.OWNER, lasting_world.north)
    rows = [actions.Row(f"吉B{n:05}", TerminalData(phone=f"1390000{n:04}")) for n in range(20)]
    await sync_to_async(actions.add_assets)(organisation=lasting_world.north, kind="vehicle", rows=rows, by=owner, now=NOW)
    assert await projection.project_all(spine) == 21
    assert await projection.project_all(spine) == 0
    bucket = spine.bucket(ADMISSION)
    await bucket.delete(digest("13900000003"))
    await bucket.put(digest("13900000004"), b"{}")
    await bucket.put(digest("13999999999"), b"{}")
    assert await projection.project_all(spine) == 3
    wanted = await sync_to_async(reads.admissions)()
    assert {key: value for key, value in (await bucket.all()).items() if key != "policy"} == {
        key: msgspec.json.encode(value) for key, value in wanted.items()
    }


def test_every_reaction_of_the_core_is_registered() -> None:
    assert {"TerminalAdmitted", "TerminalChanged", "TerminalDismissed"} <= {
        reaction.event.__name__ for reaction in registry.rooms()["core_assets"].values()
    }
