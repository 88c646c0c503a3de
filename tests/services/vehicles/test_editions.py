"""By which edition of JT/T 808 orders are made, on a page that was opened before the terminal said which one it speaks."""

import pytest

from jilink.core.assets import actions as assets
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import AssetId
from jilink.services.vehicles import actions
from jilink.services.vehicles.actions import VehicleData
from tests.core.world import World
from tests.services.conftest import signed_in

pytestmark = [pytest.mark.usefixtures("site"), pytest.mark.once]


def test_an_open_page_learns_the_edition_that_the_terminal_turns_out_to_speak(world: World) -> None:
    data = VehicleData(plate="吉A12345", organisation=world.north, terminal_phone="13912345678")
    asset = actions.add_vehicle(data=data, by=world.actor(Role.OWNER, world.north))
    browser = signed_in(world, Role.DISPATCHER, world.north)
    opened = browser.get(f"/vehicles/{asset}/", headers={"accept-language": "en"}).content.decode()
    assert "Orders follow JT/T 808-2019." in opened and f'hx-get="/vehicles/{asset}/latest?year=2019"' in opened
    assets.note_registered(asset=AssetId(asset), terminal_id="T1", maker="M", model="X", at=utc_now(), year=2013)
    polled = browser.get(f"/vehicles/{asset}/latest?year=2019", headers={"accept-language": "en"}).content.decode()
    assert 'hx-swap-oob="innerHTML:#command-year"' in polled
    assert f'This terminal speaks JT/T 808-2013, the orders below follow 2019. <a href="/vehicles/{asset}/?year=2013' in polled
    sent = browser.post(f"/vehicles/{asset}/commands/locate?year=2019")
    assert sent["Location"] == f"/vehicles/{asset}/?year=2019#commands-title"
    analyst = signed_in(world, Role.ANALYST, world.north).get(f"/vehicles/{asset}/latest?year=2019").content.decode()
    assert "command-year" not in analyst
