"""Cells, days and identities."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from jilink.history import cells
from jilink.history.columns import STORED, day_from_number, prepare, restore
from tests.history.fixes import NOON, fix, table


@given(st.integers(-90_000_000, 89_999_999), st.integers(-180_000_000, 179_999_999), st.integers(0, 7))
def test_a_cell_holds_the_position_it_was_made_of_at_every_level(latitude: int, longitude: int, level: int) -> None:
    code = cells.encode(np.array([latitude], np.int32), np.array([longitude], np.int32))
    south, west = cells.south_west(code >> (2 * level), level)
    assert code[0] >= 0
    assert south[0] <= latitude / 1e6 < south[0] + cells.size_deg(level)
    assert west[0] <= longitude / 1e6 < west[0] + cells.size_deg(level)


def test_stored_rows_come_back_as_they_were() -> None:
    extremes = {
        "alarm": 2**32 - 1,
        "odometer": 2**32 - 1,
        "serial": 65535,
        "altitude": -400,
        "satellites": 255,
        "items": b"\xe1\x02\x00\x01",
    }
    rows = table([fix(NOON, **extremes), fix(NOON, latitude=None, longitude=None, measured_at=None)])
    stored = prepare(rows).table
    assert stored.schema.equals(STORED)
    assert stored["cell"].to_pylist()[1] is None
    assert restore(stored).equals(rows)


def test_no_stored_column_is_unsigned_and_every_unit_stays_known() -> None:
    assert not any(pa.types.is_unsigned_integer(f.type) for f in STORED)
    assert STORED.field("speed").metadata[b"unit"] == b"km/h"
    assert STORED.field("latitude").metadata[b"scale"] == b"1e-6"


def test_a_day_begins_at_midnight_of_utc_plus_8() -> None:
    midnight = NOON.replace(hour=0)
    days = prepare(table([fix(midnight - timedelta(milliseconds=1)), fix(midnight)])).days
    assert [day_from_number(int(d)) for d in days] == [date(2026, 11, 19), date(2026, 11, 20)]


def test_a_clock_that_cannot_be_right_gives_way_to_the_time_of_receipt() -> None:
    received = NOON
    cases = {
        received - timedelta(days=90): date(2026, 8, 22),
        received - timedelta(days=90, milliseconds=1): date(2026, 11, 20),
        received + timedelta(days=1): date(2026, 11, 21),
        received + timedelta(days=1, milliseconds=1): date(2026, 11, 20),
        None: date(2026, 11, 20),
    }
    rows = prepare(table([fix(NOON, received_at=received, measured_at=measured) for measured in cases]))
    assert [day_from_number(int(d)) for d in rows.days] == list(cases.values())
