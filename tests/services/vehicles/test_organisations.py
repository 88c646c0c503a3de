"""What owners decide for their organisations, through the front door, and that the history hears of it."""

import pytest
from asgiref.sync import sync_to_async
from django.utils.module_loading import autodiscover_modules

from jilink.core.assets import actions as assets
from jilink.core.assets import projection
from jilink.core.parties import access, actions
from jilink.core.parties.actions import QuarantineRefused
from jilink.core.parties.models import AuditEntry, Organisation
from jilink.core.parties.rules import Role
from jilink.spine.client import Spine
from jilink.spine.subjects import RETENTION
from tests.core.world import NOW, World, relay, until
from tests.services.conftest import signed_in

autodiscover_modules("reactions")


async def test_retention_reaches_the_history_for_an_organisation_and_those_below_that_say_nothing(
    lasting_world: World, spine: Spine
) -> None:
    world = lasting_world
    owner = await sync_to_async(world.actor)(Role.OWNER, world.north)
    set_retention = sync_to_async(actions.set_retention)

    def holds(north: bytes | None, depot: bytes | None):  # type: ignore[no-untyped-def]  # -- a condition for until
        async def same() -> bool:
            bucket = spine.bucket(RETENTION)
            return (await bucket.get(str(world.north)), await bucket.get(str(world.depot))) == (north, depot)

        return same

    async with relay(spine):
        await set_retention(organisation=world.north, days=30, by=owner)
        await until(holds(b"30", b"30"))
        await set_retention(organisation=world.depot, days=0, by=owner)
        await until(holds(b"30", b"0"))
        late = await sync_to_async(actions.add_organisation)(name="Late", parent=world.north, by=owner)
        await set_retention(organisation=world.depot, days=None, by=owner)
        await set_retention(organisation=world.north, days=None, by=owner)
        await until(holds(None, None))
    assert await spine.bucket(RETENTION).get(str(late)) is None
    await spine.bucket(RETENTION).put(str(world.north), b"5")
    await spine.bucket(RETENTION).put("999", b"1")
    await projection.project_all(spine)
    assert await spine.bucket(RETENTION).all() == {"999": b"1"}, "a rebuilt projection keeps what holds for organisations that are gone"


@pytest.mark.usefixtures("site")
def test_an_owner_sets_the_days_on_a_page_and_nobody_else_can(world: World) -> None:
    browser = signed_in(world, Role.OWNER, world.north)
    for text, kept in (("400", 400), ("0", 0), ("", None), ("99999", None), ("-1", None), ("many", None)):
        browser.post("/vehicles/settings/retention", {"organisation": world.north, "days": text})
        assert Organisation.objects.get(pk=world.north).retention_days == kept
    assert AuditEntry.objects.filter(action="organisation.retention", organisation=world.north).count() == 3
    page = browser.get("/vehicles/settings").content.decode()
    assert "North Fleet" in page and "Depot" in page and "South Fleet" not in page
    for other in (signed_in(world, Role.SUPERVISOR, world.north), signed_in(world, Role.OWNER, world.south)):
        assert other.post("/vehicles/settings/retention", {"organisation": world.north, "days": "1"}).status_code == 404
    assert signed_in(world, Role.SUPERVISOR, world.north).get("/vehicles/settings").status_code == 404


def note_seen() -> None:
    assets.note_seen(phone="013900001234", terminal_id="T1", maker="M", model="X", plate="吉E00001", at=NOW)


@pytest.mark.usefixtures("site")
def test_waiting_terminals_are_seen_only_where_unknown_terminals_are_listed(world: World) -> None:
    note_seen()
    north, depot, south = (signed_in(world, Role.OWNER, one) for one in (world.north, world.depot, world.south))

    def sees() -> list[bool]:
        return ["吉E00001" in one.get("/vehicles/waiting").content.decode() for one in (north, depot, south)]

    assert sees() == [False, False, False]
    north.post("/vehicles/settings/admission", {"organisation": world.north, "on": "1"})
    assert sees() == [True, False, False]
    for browser, organisation in ((depot, world.depot), (south, world.south)):
        browser.post("/vehicles/settings/admission", {"organisation": organisation, "on": "1"})
        assert browser.post("/vehicles/waiting/admit", {"terminal": 1, "organisation": organisation, "plate": "吉X1"}).status_code == 404
        assert browser.post("/vehicles/waiting/dismiss", {"terminal": 1}).status_code == 404
    assert sees() == [True, False, False]
    north.post("/vehicles/settings/admission", {"organisation": world.depot, "on": "1"})
    assert sees() == [True, True, False], "the organisation above may delegate"
    north.post("/vehicles/settings/admission", {"organisation": world.north, "on": "0"})
    north.post("/vehicles/settings/admission", {"organisation": world.depot, "on": "0"})
    assert sees() == [False, False, False]


def test_who_may_not_list_unknown_terminals_is_told_why(world: World) -> None:
    actions.set_quarantine(organisation=world.north, on=True, by=access.system("test"))
    for organisation in (world.depot, world.south):
        with pytest.raises(QuarantineRefused):
            actions.set_quarantine(organisation=organisation, on=True, by=world.actor(Role.OWNER, organisation))
