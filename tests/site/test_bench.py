"""The bench: its page, and one small subject from the load to the page that the command writes."""

from pathlib import Path

import pytest
from msgspec import structs

from jilink.site import cli
from jilink.site.bench import decode, livemap
from jilink.site.bench.figures import Figure, Target
from jilink.site.bench.installation import Installation, MapReader
from jilink.site.bench.page import AnotherMachine, Measured, kept, merged, page
from tests.site.installation import prepared

MACHINE = {"processor": "test, 2 cores", "load average before": "0.1, 0.2, 0.3"}
GATEWAY = Measured(
    "gateway",
    "2026-01-05 10:00 UTC+8",
    MACHINE,
    ("A short run: 1 of 5 runs.",),
    (
        Figure("Gateway", "ratio to C", "", (0.8, 0.9, 0.7), Target("at least", 0.85)),
        Figure("Gateway", "99 of 100 within", "ms", (61.0,), Target("at most", 100)),
    ),
)
HISTORY = Measured(
    "history",
    "2026-01-05 10:10 UTC+8",
    MACHINE,
    (),
    (Figure("History", "compacted", "rows/s a core", (1_234_567.0, 1_000_000.0, 2_000_000.0)),),
)


def test_the_page_tells_median_range_target_and_what_is_missed() -> None:
    text = page([GATEWAY, HISTORY])
    assert "| ratio to C | 0.800 | 0.700 to 0.900 | at least 0.850 | **no** |" in text
    assert "| 99 of 100 within | 61.0 ms | one run | at most 100 | yes |" in text
    assert "| compacted | 1,234,567 rows/s a core | 1,000,000 to 2,000,000 |  |  |" in text
    assert "1 of 2 targets are kept." in text
    assert "- missed: Gateway, ratio to C: 0.800, should be at least 0.850" in text
    assert text.index("A short run") < text.index("## Gateway") < text.index("## History")
    assert "Measured on 2026-01-05 10:10 UTC+8, load average before 0.1, 0.2, 0.3." in text
    assert text.endswith("|\n")


def test_a_subject_measured_again_replaces_its_own_figures_only() -> None:
    again = structs.replace(GATEWAY, figures=(Figure("Gateway", "ratio to C", "", (0.9,), Target("at least", 0.85)),), notes=())
    assert merged([HISTORY, GATEWAY], [again], ["gateway", "history"]) == [again, HISTORY]


def test_figures_of_two_machines_do_not_stand_on_one_page() -> None:
    elsewhere = structs.replace(GATEWAY, machine=MACHINE | {"processor": "another"})
    with pytest.raises(AnotherMachine, match="measure everything again"):
        merged([HISTORY], [elsewhere], ["gateway", "history"])


def test_the_viewer_of_the_bench_reads_the_live_map(tmp_path: Path) -> None:
    prepared(tmp_path / "data")
    installation = Installation(tmp_path / "data")
    with installation.spine(None):
        installation.prepare("--spine")
        with installation.processes(("watch", "web")):
            reader = MapReader()
            organisation, slots = reader.take(next(installation.viewer().live()))
    assert list(reader.shown) == [organisation]
    assert slots.size == 0


def test_decoding_is_measured_by_columns_and_one_by_one() -> None:
    figures = decode.measure(2, lambda _: None, batch=50, seconds=0.01)
    assert [len(figure.runs) for figure in figures] == [2] * 5
    assert all(run > 0 for figure in figures for run in figure.runs)
    assert [figure.target is not None for figure in figures] == [True, False, False, False, False]


def test_a_tenth_of_a_fleet_that_moves_is_a_tenth_of_its_snapshot() -> None:
    found = {figure.name: figure.median for figure in livemap.measure(1, lambda _: None, vehicles=1_000)}
    assert 10 <= 1000 * found["frames to every viewer"] / 100 <= 12
    assert 12 <= found["snapshot for a new viewer"] <= 12.1


def test_the_command_writes_the_page_it_is_told_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "performance.md"
    with pytest.raises(SystemExit) as left:
        cli.main(["bench", "--only", "livemap", "--runs", "1", "--page", str(path)])
    assert left.value.code == 0
    assert "## Live map" in path.read_text()
    assert "A short run: 1 of 5 runs" in path.read_text()
    assert [one.subject for one in kept(path)] == ["livemap"]
    assert "frames to every viewer" in capsys.readouterr().out


def test_an_unknown_subject_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["bench", "--only", "speed"])
    assert left.value.code == 2
    assert "gateway, decode, memory" in capsys.readouterr().err


def test_without_a_compiler_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit) as left:
        cli.main(["bench", "--only", "gateway"])
    assert left.value.code == 2
    assert "apt-get install gcc libc6-dev" in " ".join(capsys.readouterr().err.split())
