"""Clocks that jump: a terminal's wrong time neither hides its later fixes nor puts them on another day, in history and watch alike."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from jilink.core.observations.columns import Fleet
from jilink.history.columns import china_day
from jilink.history.reads import Reads
from jilink.history.tables import History
from tests.history.fixes import NOON, fix, new_history, store, table

JUMPS = {
    "years ahead": timedelta(days=5 * 365),
    "two days ahead": timedelta(days=2),
    "years behind": -timedelta(days=20 * 365),
    "hours behind": -timedelta(hours=8),
}


@pytest.fixture
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return new_history(tmp_path_factory.mktemp("history"))


def row(second: int, jump: timedelta = timedelta()) -> dict[str, object]:
    received = NOON + timedelta(seconds=second)
    return fix(received + jump, received_at=received, serial=second, speed=second)


@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS.keys())
@pytest.mark.parametrize("order", [1, -1], ids=["in order", "reversed"])
def test_a_clock_that_jumps_hides_no_later_fix(history: History, jump: timedelta, order: int) -> None:
    batches = [[row(0)], [row(10, jump), row(20, jump)], [row(30)]][::order]
    store(history, *batches)
    fleet = Fleet()
    for batch in batches:
        for one in table(batch).to_batches():
            fleet.apply_positions(one)
    reads = Reads(history)
    assert fleet.latest(fleet.rows_of(np.array([1]))).column("serial").to_pylist() == [30]
    assert reads.last_known([1])["serial"].to_pylist() == [30]
    assert reads.track(1, 1, NOON - timedelta(days=1), NOON + timedelta(minutes=1)).num_rows == 4
    day = china_day(NOON)
    assert reads.daily_summary(1, 1, day, day)["fixes"].to_pylist() == [4]


def test_a_gateway_whose_own_clock_jumps_loses_no_fix(history: History) -> None:
    """The time of receipt may go back (the server's clock was set): every fix stays, in the order of the terminal's clock."""
    rows = [row(second) | {"received_at": datetime(2026, 11, 20, 5, 0, tzinfo=UTC) - timedelta(hours=second)} for second in range(5)]
    store(history, rows)
    track = Reads(history).track(1, 1, NOON - timedelta(minutes=1), NOON + timedelta(minutes=1))
    assert track["serial"].to_pylist() == list(range(5))
