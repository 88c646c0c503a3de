"""Active-safety alarms on the map, ends that were lost, clocks that are ahead, and fleets larger than one message."""

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from jilink.core.observations import rules
from jilink.core.observations.columns import Edge, Fleet
from jilink.core.observations.live import Boards
from jilink.core.observations.safety import SafetyAlarms, flashes
from jilink.core.observations.service import Answers, all_latest
from jilink.core.observations.tail import Tail
from jilink.kernel.ids import AssetId
from jilink.protocols.jt808.safety import Adas, Dsm, Tpms, Tyre
from jilink.spine.measurements import LATEST, POSITIONS
from tests.core.test_watch import safety_item
from tests.core.test_watch_columns import NOW, NOW_MS, Row, batch, fix, sessions, states, table

ON = 3
OFF = 2


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def told(edges: list[Edge]) -> list[tuple[str, bool, float]]:
    return [(edge.condition, edge.raised, (edge.at - NOW).total_seconds()) for edge in edges]


def smoking(second: float, state: int) -> Row:
    return fix(1, second, status=ON, items=safety_item(Dsm, at(second), state=state, type=3, level=1))


def tyres(second: float, *faults: int, state: int = 1) -> Row:
    wheels = [Tyre(wheel=number, type=fault) for number, fault in enumerate(faults)]
    return fix(1, second, items=safety_item(Tpms, at(second), state=state, wheels=wheels))


def test_an_alarm_whose_end_was_lost_is_over_when_the_ignition_goes_off() -> None:
    alarms = SafetyAlarms()
    alarms.edges(batch(smoking(0, 1)))
    assert alarms.edges(batch(fix(1, 30, status=ON), fix(2, 40, status=OFF))) == []
    assert alarms.lasting.assets() == [1]
    ends = alarms.edges(batch(fix(1, 60, status=OFF), fix(1, 70, status=OFF)))
    assert told(ends) == [("dsm.smoking", False, 60)]
    assert alarms.lasting.assets() == []
    late = alarms.edges(batch(smoking(0, 1)))
    assert [edge.ended_at for edge in late] == [at(60)], "a redelivered beginning opens nothing again"


def test_an_alarm_that_is_not_told_again_for_ten_minutes_is_over_with_the_next_report() -> None:
    alarms = SafetyAlarms()
    alarms.edges(batch(smoking(0, 1)))
    assert told(alarms.edges(batch(smoking(500, 1)))) == [("dsm.smoking", True, 500)]
    assert alarms.edges(batch(fix(1, 1099))) == [], "it was told again meanwhile"
    assert told(alarms.edges(batch(fix(1, 1101)))) == [("dsm.smoking", False, 1101)]


def test_a_fault_of_a_tyre_is_over_when_a_later_report_of_the_tyres_does_not_name_it() -> None:
    alarms = SafetyAlarms()
    assert told(alarms.edges(batch(tyres(0, 0b100, 0b1000000)))) == [("tpms.under_pressure", True, 0), ("tpms.slow_leak", True, 0)]
    assert alarms.edges(batch(fix(1, 5000, status=OFF))) == [], "a flat tyre stays flat while the ignition is off"
    assert sorted(told(alarms.edges(batch(tyres(6000, 0b100))))) == [("tpms.slow_leak", False, 6000), ("tpms.under_pressure", True, 6000)]


def test_alarms_open_in_the_database_are_known_after_a_restart() -> None:
    alarms = SafetyAlarms({AssetId(1): {"dsm.smoking": at(0), "overspeed": at(0)}, AssetId(2): {"emergency": at(0)}})
    assert alarms.lasting.assets() == [1]
    assert told(alarms.edges(batch(fix(1, 9, status=OFF)))) == [("dsm.smoking", False, 9)]


def test_active_safety_alarms_colour_their_asset_while_they_last_and_for_two_minutes_where_they_only_happened() -> None:
    fleet, alarms = Fleet(), SafetyAlarms()

    def take(*rows: Row) -> None:
        fleet.apply_positions(batch(*rows))
        fleet.flash(flashes(alarms.edges(batch(*rows))))
        fleet.set_lasting(rules.SAFETY, alarms.lasting.assets())

    take(smoking(0, 1), fix(2, 0, items=safety_item(Adas, at(0), state=0, type=1, level=2)), fix(3, 0))
    assert states(fleet, 1) == [rules.ALARM, rules.ALARM, rules.MOVING]
    assert states(fleet, 119) == [rules.ALARM, rules.ALARM, rules.MOVING]
    assert states(fleet, 121) == [rules.ALARM, rules.MOVING, rules.MOVING]
    fleet = Fleet.restored(fleet.export())
    assert states(fleet, 122) == [rules.ALARM, rules.MOVING, rules.MOVING]
    take(smoking(130, 2))
    assert states(fleet, 131) == [rules.MOVING] * 3


def test_a_fix_from_a_clock_that_is_ahead_hides_no_later_one() -> None:
    fleet = Fleet()
    fleet.apply_positions(batch(fix(1, 3600, received_s=0, speed=100), fix(2, 240, received_s=0, speed=100)))
    assert [row["clock_off"] for row in table(fleet)] == [True, False]
    fleet.apply_positions(batch(fix(1, 10, received_s=11, speed=200), fix(2, 250, received_s=10, speed=200)))
    fleet.apply_positions(batch(fix(1, 3590, received_s=-10, speed=300)))
    rows = table(fleet, 12)
    assert [(row["speed"], row["clock_off"]) for row in rows] == [(200, False), (200, False)]
    assert rows[0]["located_at"] == at(10)


def test_a_terminal_that_only_sends_heartbeats_stays_online() -> None:
    fleet = Fleet()
    fleet.apply_positions(batch(fix(1, 0, received_s=0)))
    fleet.apply_sessions(sessions((1, 500, True, "alive")))
    assert states(fleet, 1099) == [rules.MOVING]
    assert states(fleet, 1100) == [rules.OFFLINE]
    fleet.apply_sessions(sessions((1, 1200, True, "alive"), (1, 1201, False, "idle")))
    assert states(fleet, 1202) == [rules.OFFLINE]


@pytest.mark.parametrize("items", [b"", b"\x51\xfa" + bytes(250)])
def test_latest_values_of_a_hundred_thousand_assets_are_told_in_messages_that_fit(items: bytes) -> None:
    fleet = Fleet()
    assets = np.arange(1, 100_001)
    template = batch(fix(1, 0, items=items)).take(pa.array(np.zeros(assets.size, np.int64)))
    columns = [pa.array(assets) if name == "asset" else template.column(name) for name in POSITIONS.names]
    fleet.apply_positions(pa.RecordBatch.from_arrays(columns, schema=POSITIONS))
    answers = Answers(fleet, Boards(fleet), Tail())
    asking = all_latest([1], None)
    question, sizes = next(asking), []
    while True:
        answer = answers.latest(question, NOW_MS)
        sizes.append(len(answer))
        try:
            question = asking.send(answer)
        except StopIteration as done:
            found = done.value
            break
    assert found.schema.equals(LATEST, check_metadata=True)
    assert (found["asset"].to_numpy() == assets).all()
    assert max(sizes) < 6 << 20
