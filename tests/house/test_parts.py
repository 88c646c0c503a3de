"""`make test` leaves nothing out: every file of tests belongs to one part, and its failure is told."""

import sys
from pathlib import Path

import pytest

from tests import parts

FILES = sorted(parts.ROOT.glob("tests/**/test_*.py"))


def test_every_file_of_tests_belongs_to_one_part() -> None:
    held = {file: [part.name for part in parts.PARTS if not part.postgresql and part.holds(file)] for file in FILES}
    assert {str(file): names for file, names in held.items() if len(names) != 1} == {}
    assert len({part.name for part in parts.PARTS}) == len(parts.PARTS)


def test_what_runs_on_postgresql_runs_on_sqlite_too_and_once_on_either() -> None:
    for file in FILES:
        assert sum(part.postgresql and part.holds(file) for part in parts.PARTS) <= 1, file


def test_every_path_of_a_part_is_there_and_no_part_asks_for_more_places_than_there_are() -> None:
    for part in parts.PARTS:
        assert 1 <= part.places <= parts.PLACES
        assert [path for path in part.paths if not (parts.ROOT / path).exists()] == []


class Made(parts.Part):
    """A part that says something and ends."""

    def command(self, folder: Path, *, required: bool) -> list[str]:
        return [sys.executable, "-c", self.paths[0]]


def made(*programs: str) -> list[parts.Part]:
    return [Made(f"part-{number}", (program,)) for number, program in enumerate(programs)]


def test_a_part_that_fails_is_named_its_log_is_shown_and_the_status_is_not_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = made("print('=== 2 passed in 1.00s ===')", "print('SKIPPED: no browser')", "print('what is wrong'); raise SystemExit(3)", "")
    assert parts.main([], table, tmp_path) == 1
    told = capsys.readouterr().out
    assert "part-0" in told and "2 passed" in told and "part-1: SKIPPED: no browser" in told and "what is wrong" in told
    assert told.splitlines()[-1].startswith("FAILED: part-2; ")


def test_parts_can_be_run_by_name_and_an_unknown_name_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = made("print('first')", "raise SystemExit(3)")
    assert parts.main(["part-0"], table, tmp_path) == 0
    assert "nothing was skipped\nevery part is well; " in capsys.readouterr().out
    assert parts.main(["part-9"], table, tmp_path) == 2
