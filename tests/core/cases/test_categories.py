"""Categories of responsibility are those that case types know and that are named already; words of a type stand in both languages."""

import msgspec
import pytest

from jilink.core.areas.models import Responsibility
from jilink.core.cases import reads
from jilink.core.cases.assignment.categories import categories
from jilink.core.cases.rules.wording import NO_CHINESE, NO_ENGLISH, half_said
from jilink.core.parties.access import NotFound
from jilink.kernel.texts import Text
from tests.core.cases.office import Office


def test_categories_come_from_types_of_case_and_from_what_is_named_already(office: Office) -> None:
    north = office.world.north
    Responsibility.objects.create(
        organisation_id=north, layer_key="grids", area_code="N1", category="old.words", unit_id=office.world.depot
    )
    found = {each.key: each.label for each in categories(office.boss, north)}
    assert found["hotline.heat"] == Text("12345 诉求 · 供热", "12345 request · Heating") and found["city_fault"].zh == "城市部件事件"
    assert found["old.words"] == Text() and "breakdown.yes" not in found
    with pytest.raises(NotFound):
        categories(office.stranger, north)


def test_every_type_that_ships_is_said_in_both_languages_and_what_is_not_is_named(office: Office) -> None:
    types = reads.types_in_use(office.boss, office.world.north)
    assert len(types) == 4 and {key: half_said(each) for key, each in types.items()} == dict.fromkeys(types, ())
    first = types["hotline"]
    label = msgspec.structs.replace(first.stages[1], label=Text(zh="派遣"))
    changed = msgspec.structs.replace(first, label=Text(en="Hotline"), stages=(first.stages[0], label))
    assert [(each.place, each.reason) for each in half_said(changed)] == [("$.label", NO_CHINESE), ("$.stages[1].label", NO_ENGLISH)]
