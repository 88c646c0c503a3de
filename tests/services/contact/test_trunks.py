"""Lines to carriers: what is kept of them, who may touch them, and by which a call goes out."""

import pytest
from django.conf import settings

from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties.access import NotFound
from jilink.core.parties.rules import Role
from jilink.services.contact.actions import trunks
from jilink.services.contact.models import Trunk
from jilink.services.contact.reads import outside
from jilink.services.contact.rules.trunks import TrunkDesign, TrunkRefused, check
from jilink.spine.calls.sealing import unseal
from tests.core.world import NOW, World

LINE = TrunkDesign(host="sip.carrier.example", port=5080, user="line7", register=True, caller="043112345678")
GATEWAY = TrunkDesign(addresses=("10.0.0.7",), headers=True)


def test_a_trunks_password_is_kept_sealed_and_given_to_engines_alone(world: World) -> None:
    boss = world.actor(Role.OWNER, world.north)
    number = trunks.add_trunk(organisation=world.north, name="Carrier", design=LINE, password="correct horse", by=boss, now=NOW)
    assert "correct horse" not in str(vars(Trunk.objects.get())) and outside.trunk(boss, number).has_password
    line = outside.trunk_lines()[f"t{number}"]
    assert unseal(settings.SECRET_KEY, line.sealed) == "correct horse" and line.host == "sip.carrier.example:5080"
    trunks.change_trunk(trunk=number, name="Carrier", design=LINE, based_on=1, by=boss)
    assert outside.trunk_lines()[f"t{number}"].sealed == line.sealed
    with pytest.raises(TrunkRefused, match="meanwhile"):
        trunks.change_trunk(trunk=number, name="Carrier", design=LINE, based_on=1, by=boss)
    trunks.enable_trunk(trunk=number, enabled=False, by=boss)
    assert not outside.trunk_lines()[f"t{number}"].enabled and outside.way_out(world.north, "13900001111") is None
    trunks.remove_trunk(trunk=number, by=boss)
    assert outside.trunk_line(number) is None and OutboxEvent.objects.filter(name="trunk_set").count() == 4


def test_a_call_goes_out_by_the_nearest_trunk_that_goes_out(world: World) -> None:
    boss = world.actor(Role.OWNER, world.north)
    trunks.add_trunk(organisation=world.north, name="A gateway in", design=GATEWAY, by=boss)
    above = trunks.add_trunk(organisation=world.north, name="B carrier", design=LINE, by=boss)
    assert outside.way_out(world.depot, "139 0000-1111") == outside.WayOut(f"t{above}", "13900001111", "043112345678")
    own = trunks.add_trunk(organisation=world.depot, name="Z own", design=TrunkDesign(host="10.0.0.9", prefix="9"), by=boss)
    assert [way.endpoint for way in outside.ways_out(world.depot, "13900001111")] == [f"t{own}", f"t{above}"]
    assert outside.ways_out(world.depot, "13900001111")[0].number == "913900001111"
    assert outside.way_out(world.south, "13900001111") is None
    with pytest.raises(TrunkRefused):
        outside.way_out(world.north, "96000@evil.example")


def test_strangers_see_no_trunk_and_change_none(world: World) -> None:
    number = trunks.add_trunk(organisation=world.north, name="Carrier", design=LINE, by=world.actor(Role.OWNER, world.north))
    stranger = world.actor(Role.OWNER, world.south)
    assert outside.trunks(stranger) == []
    with pytest.raises(NotFound):
        trunks.enable_trunk(trunk=number, enabled=False, by=stranger)
    with pytest.raises(NotFound):
        trunks.add_trunk(organisation=world.north, name="Mine", design=GATEWAY, by=stranger)


@pytest.mark.parametrize(
    "design",
    [
        TrunkDesign(),
        TrunkDesign(host="a b"),
        TrunkDesign(host="carrier", port=70_000),
        TrunkDesign(host="carrier", register=True),
        TrunkDesign(addresses=("0.0.0.0/0",)),
        TrunkDesign(addresses=("nowhere",)),
        TrunkDesign(host="carrier", user="x\ny"),
        TrunkDesign(host="carrier", numbers=("12a",)),
        TrunkDesign(host="carrier", codecs=("mp3",)),
    ],
)
@pytest.mark.once
def test_what_a_trunk_cannot_be_is_refused(design: TrunkDesign) -> None:
    with pytest.raises(TrunkRefused):
        check(design)
