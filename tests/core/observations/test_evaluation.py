"""Rules over columns: when an alarm begins and ends, whatever the grouping and repetition of what is delivered."""

import random
from collections.abc import Iterable

import numpy as np
import pytest

from jilink.core.observations import conditions
from jilink.core.observations.conditions import Condition, Flags, Geofence, Rate, RuleRefused, Silence, Threshold
from jilink.core.observations.evaluation import Change, Evaluation, Rule
from tests.core.test_watch_columns import NOW_MS, Row, batch, fix

SQUARE = ((125.0, 43.0), (126.0, 43.0), (126.0, 44.0), (125.0, 44.0))
HOLE = ((125.4, 43.4), (125.6, 43.4), (125.6, 43.6), (125.4, 43.6))


def evaluation(condition: Condition, *, organisations: Iterable[int] = (1,), version: int = 1) -> Evaluation:
    made = Evaluation()
    made.set_rules([Rule(id=7, version=version, organisations=frozenset(organisations), condition=conditions.check(condition))], 0)
    return made


def take(made: Evaluation, *rows: Row) -> list[tuple[int, bool, int]]:
    return told(made.take(batch(*rows), np.array([row["organisation"] for row in rows])))


def told(changes: list[Change]) -> list[tuple[int, bool, int]]:
    return [(change.asset, change.raised, (change.at_ms - NOW_MS) // 1000) for change in changes]


def test_a_threshold_raises_after_its_duration_and_ends_below_its_hysteresis() -> None:
    made = evaluation(Threshold(value="speed", side="above", limit=80, clear=70, for_s=20))
    assert take(made, fix(1, 0, speed=810), fix(1, 10, speed=750), fix(1, 15, speed=None)) == []
    assert take(made, fix(1, 20, speed=805)) == [(1, True, 20)]
    assert take(made, fix(1, 30, speed=710), fix(1, 40, speed=None)) == []
    assert take(made, fix(1, 50, speed=700), fix(1, 60, speed=900)) == [(1, False, 50)]
    assert take(made, fix(1, 70, speed=690), fix(1, 95, speed=900)) == [], "a short excess begins anew"


def test_a_threshold_looks_below_too_and_in_the_unit_of_the_value() -> None:
    made = evaluation(Threshold(value="fuel", side="below", limit=10.5, clear=12))
    assert take(made, fix(1, 0, fuel=105), fix(1, 1, fuel=104), fix(1, 2, fuel=119), fix(1, 3, fuel=120)) == [(1, True, 1), (1, False, 3)]


def test_a_fence_tells_of_entering_leaving_and_staying() -> None:
    def at(second: float, lon: float, lat: float = 43.5) -> Row:
        return fix(1, second, longitude=int(lon * 1e6), latitude=int(lat * 1e6))

    way = [at(0, 124.9), at(10, 125.1), at(20, 125.5), at(30, 125.9), at(40, 126.1)]
    inside, outside = evaluation(Geofence(polygon=(SQUARE,))), evaluation(Geofence(polygon=(SQUARE,), side="outside"))
    assert take(inside, *way) == [(1, True, 10), (1, False, 40)]
    assert take(outside, *way) == [(1, True, 0), (1, False, 10), (1, True, 40)]
    assert take(evaluation(Geofence(polygon=(SQUARE,), for_s=15)), *way) == [(1, True, 30), (1, False, 40)]
    assert take(evaluation(Geofence(polygon=(SQUARE, HOLE))), *way) == [(1, True, 10), (1, False, 20), (1, True, 30), (1, False, 40)]
    assert take(inside, fix(1, 50, latitude=None, longitude=None)) == [], "without a place nothing can be said"


def test_a_rate_counts_change_over_its_time() -> None:
    made = evaluation(Rate(value="fuel", side="falling", per_minute=2.0, over_s=60))
    level = [fix(1, 30 * n, fuel=1000 - n) for n in range(6)]
    assert take(made, *level) == []
    assert take(made, fix(1, 180, fuel=960), fix(1, 210, fuel=955), fix(1, 240, fuel=950), fix(1, 400, fuel=949)) == [
        (1, True, 180),
        (1, False, 240),
    ]


def test_flags_look_at_any_bit_set_or_at_none() -> None:
    assert take(evaluation(Flags(word="status", mask=0b1000)), fix(1, 0, status=0b1011), fix(1, 1)) == [(1, True, 0), (1, False, 1)]
    assert take(evaluation(Flags(word="io", mask=1, set_=False)), fix(1, 0, io=0), fix(1, 1, io=None), fix(1, 2, io=1)) == [
        (1, True, 0),
        (1, False, 2),
    ]


def test_silence_begins_when_nothing_was_heard_for_so_long_and_ends_with_the_next_word() -> None:
    made = evaluation(Silence(for_s=300))
    assets, owners = np.array([1, 2, 3]), np.array([1, 1, 2])

    def listen(now: int, *heard: int) -> list[tuple[int, bool, int]]:
        return told(made.listen(assets, owners, np.array([NOW_MS + 1000 * each for each in heard]), NOW_MS + 1000 * now))

    assert listen(299, 0, 200, 0) == []
    assert listen(301, 0, 200, 0) == [(1, True, 300)], "the third belongs to others"
    assert listen(400, 0, 200, 0) == []
    assert listen(600, 450, 599, 0) == [(1, False, 450)]


def test_only_assets_of_the_rules_organisations_are_looked_at() -> None:
    made = evaluation(Threshold(value="speed", side="above", limit=10, clear=10), organisations=(2, 3))
    rows = [fix(1, 0, organisation=1), fix(2, 0, organisation=2), fix(3, 0, organisation=3)]
    assert take(made, *rows) == [(2, True, 0), (3, True, 0)]
    assert told(made.keep(np.array([2, 3]), np.array([2, 1]), NOW_MS + 5000)) == [(3, False, 5)], "the third was given to others"
    assert made.open_assets() == {2}


def test_a_changed_or_removed_rule_ends_its_alarms() -> None:
    made = evaluation(Threshold(value="speed", side="above", limit=10, clear=10))
    take(made, fix(1, 0))
    changed = Rule(id=7, version=2, organisations=frozenset({1}), condition=Threshold(value="speed", side="above", limit=20, clear=20))
    assert told(made.set_rules([changed], NOW_MS + 9000)) == [(1, False, 9)]
    assert take(made, fix(1, 10)) == [(1, True, 10)]
    assert told(made.set_rules([], NOW_MS + 11000)) == [(1, False, 11)]


def test_grouping_repetition_and_restarts_make_no_difference() -> None:
    condition = Threshold(value="speed", side="above", limit=80, clear=60, for_s=20)
    for seed in range(20):
        chance = random.Random(seed)
        rows = [fix(asset, 10 * n, speed=chance.randrange(500, 1000)) for n in range(60) for asset in (1, 2, 3)]
        steady = evaluation(condition)
        expected = [change for row in rows for change in take(steady, row)]
        made, found, place = evaluation(condition), [], 0
        while place < len(rows):
            size = chance.randrange(1, 40)
            again = rows[max(0, place - chance.randrange(20)) : place]
            found += take(made, *again, *rows[place : place + size])
            place += size
            if chance.random() < 0.3:
                state, made = made.export(), evaluation(condition)
                made.restore(state)
        assert sorted(found) == sorted(expected), seed


def test_a_hundred_rules_look_at_ten_thousand_assets_in_a_moment() -> None:
    made = Evaluation()
    condition = Threshold(value="speed", side="above", limit=80, clear=60, for_s=20)
    made.set_rules([Rule(id=n, version=1, organisations=frozenset({1}), condition=condition) for n in range(100)], 0)
    rows = batch(*(fix(asset, 0, speed=900) for asset in range(1, 10_001)))
    made.take(rows, np.ones(10_000, np.int64))
    assert made.export().num_rows == 1_000_000


@pytest.mark.parametrize(
    "wrong",
    [
        Threshold(value="speed", side="above", limit=80, clear=90),
        Threshold(value="speed", side="below", limit=80, clear=70),
        Threshold(value="items", side="above", limit=80, clear=70),
        Rate(value="speed", side="rising", per_minute=-1),
        Silence(for_s=1),
        Flags(word="latitude", mask=1),
        Flags(word="io", mask=0),
        Geofence(polygon=()),
        Geofence(polygon=(SQUARE[:2],)),
        Geofence(polygon=(((0, 0), (1, 1), (1, 0), (0, 1)),)),
        Geofence(polygon=(((0, 0), (200, 1), (1, 0)),)),
        Geofence(polygon=(tuple((n / 1e4, n % 7) for n in range(3000)),)),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_words(wrong: Condition) -> None:
    with pytest.raises(RuleRefused) as refused:
        conditions.check(wrong)
    assert str(refused.value).endswith(".")


def test_a_condition_comes_back_from_json_as_it_was() -> None:
    for condition in (
        Threshold(value="speed", side="above", limit=80, clear=70, for_s=5),
        Geofence(polygon=(SQUARE, HOLE), side="outside", area=3),
        Silence(for_s=600),
        Rate(value="fuel", side="falling", per_minute=1.5),
        Flags(word="alarm", mask=1 << 31, set_=False),
    ):
        assert conditions.load(conditions.dump(condition)) == condition
    for rubbish in ("", "{}", '{"kind":"x"}', '{"kind":"silence","for_s":60,"more":1}', "[]"):
        with pytest.raises(RuleRefused):
            conditions.load(rubbish)
