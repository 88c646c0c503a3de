"""One fact is kept once, however often and in whatever message it was sent; two facts of one second are both kept."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jilink.history.columns import china_day, prepare
from jilink.history.compaction import Compaction
from jilink.history.identity import CARRIAGE, VALUES, identities
from jilink.history.reads import Reads
from jilink.history.recent import Recent
from jilink.history.tables import History
from jilink.history.writer import Writer
from tests.history.fixes import NOON, fix, new_history, payload, store, table

SPAN = (NOON - timedelta(hours=1), NOON + timedelta(hours=1))
FIRST = fix(NOON, serial=7, odometer=100, items=b"\x64\x01\x01")
AGAIN = FIRST | {"message": 0x0704, "serial": 900, "part": 3, "backfill": True, "received_at": FIRST["received_at"] + timedelta(minutes=2)}
OTHERS = [FIRST | {"alarm": 2}, FIRST | {"items": b"\x64\x01\x02"}, FIRST | {"odometer": None}, FIRST | {"satellites": 0}]


def counts(history: History) -> list[int]:
    """Return how many fixes each kind of read finds."""
    reads, day = Reads(history), china_day(NOON)
    return [
        reads.track(1, 1, *SPAN).num_rows,
        reads.daily_summary(1, 1, day, day)["fixes"].to_pylist()[0],
        reads.mileage([1], day, day)["fixes"].to_pylist()[0],
        sum(reads.heat([1], *SPAN)["fixes"].to_pylist()),
    ]


def test_a_fix_sent_again_in_another_message_is_stored_once(history: History, tmp_path: Path) -> None:
    first = Writer(history, tmp_path / "aside", recent=Recent(1 << 12))
    first.add(1, payload([FIRST, *OTHERS, AGAIN]))
    assert first.commit().rows == 5
    first.add(2, payload([AGAIN, AGAIN | {"part": 4}]))
    assert (first.commit().repeated, counts(history)) == (2, [5, 5, 5, 5])
    restarted = Writer(history, tmp_path / "aside", recent=Recent(1 << 12))
    restarted.add(3, payload([AGAIN | {"serial": 1}]))
    assert restarted.commit().rows == 0


@pytest.mark.parametrize("commits", [[[FIRST, AGAIN, *OTHERS]], [[FIRST, *OTHERS], [AGAIN]], [[AGAIN], [*OTHERS, FIRST]]])
def test_a_fix_stored_twice_is_read_once_before_and_after_compaction(history: History, commits: list[list[dict[str, object]]]) -> None:
    store(history, *commits)
    assert counts(history) == [5, 5, 5, 5]
    assert Reads(history).track(1, 1, *SPAN)["message"].to_pylist() == [0x0200] * 5, "the first received stands"
    assert Compaction(history).compact(china_day(NOON)).rows == 5
    assert counts(history) == [5, 5, 5, 5]


def test_repetitions_are_found_across_the_pieces_of_a_compaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jilink.history.compaction.FILE_ROWS", 4)
    history = new_history(tmp_path)
    rows = [FIRST | {"received_at": NOON + timedelta(seconds=n), "serial": n, "alarm": n % 3} for n in range(40)]
    store(history, rows)
    assert Compaction(history).compact(china_day(NOON)).rows == 3


def test_the_tail_and_the_table_tell_a_fact_once(history: History) -> None:
    store(history, [FIRST])
    assert Reads(history).track(1, 1, *SPAN, tail=table([AGAIN, OTHERS[0]])).num_rows == 2


def _changes() -> Iterator[tuple[str, object]]:
    for name in VALUES:
        yield name, b"\x00" if name == "items" else 1
    yield "asset", 2
    yield "measured_at", NOON + timedelta(seconds=1)
    yield "measured_at", None


@pytest.mark.parametrize(("name", "value"), list(_changes()))
def test_every_measured_column_makes_a_fix_another_one(name: str, value: object) -> None:
    base = fix(NOON)
    both = identities(table([base, base | {name: value}]))
    assert both[0] != both[1]


@pytest.mark.parametrize("name", CARRIAGE)
def test_how_a_fix_came_makes_it_no_other(name: str) -> None:
    value = {"received_at": NOON + timedelta(hours=1), "backfill": True}.get(name, 77)
    both = identities(table([FIRST, FIRST | {name: value}]))
    assert both[0] == both[1]


@given(st.lists(st.one_of(st.none(), st.binary(max_size=40)), min_size=1, max_size=30))
def test_items_of_any_length_are_told_apart_stored_or_not(items: list[bytes | None]) -> None:
    rows = table([FIRST | {"items": value} for value in items])
    named = identities(rows)
    assert len(set(named.tolist())) == len(set(items))
    assert (identities(prepare(rows).table) == named).all()
    assert (identities(rows.slice(1)) == named[1:]).all()
