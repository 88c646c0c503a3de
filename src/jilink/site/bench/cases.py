"""Cases by the million: reports, lists, counts and search as four kinds of members ask them, each behind their own walls.

Two made-up years of a province (`core.cases.reports.synthetic`) are poured into a throw-away database with their people, clocks,
timelines, ratings, requests, notes, replies and the index of words: PostgreSQL where `tools/postgresql` can start one, as the tests do
(128 MB of shared buffers, nothing synced), and SQLite. A figure is one asking with nothing kept in our memory between two; `cold` is
the first after the caches of database and system were emptied as far as who is no administrator of the server can. The median of
every group is shown, and its slowest question.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from jilink.site.bench.figures import Figure, NotMeasured, Target

CASES = 1_000_000
WITHIN_S = 7_200.0
CHILD = "import django; django.setup(); from jilink.site.bench.cases_run import main; main()"
ROOT = Path(__file__).resolve().parents[4]
WITHIN_MS = Target("at most", 300)
SLOWEST = 8
"""Questions that are shown one by one, the slowest first; all others by their worst."""


def measure(runs: int, say: Callable[[str], None], *, cases: int = CASES) -> list[Figure]:
    """Return the figures on both databases. Raises NotMeasured with what the measuring process said."""
    server = ROOT / "tools" / "postgresql"
    figures: list[Figure] = []
    for database, starter in (("PostgreSQL", [sys.executable, str(server), "--required"]), ("SQLite", [])):
        if starter and not server.is_file():
            say("cases: not measured on PostgreSQL: a private server is started by tools/postgresql of a source checkout only")
            continue
        say(f"cases: pouring {cases:,} cases into {database}, some minutes")
        told = _told(starter, cases, runs)
        figures += shown(f"Cases: {cases:,} of them, {database}", told)
    return figures


def shown(subject: str, told: Sequence[tuple[str, str, list[float]]]) -> list[Figure]:
    """Return what is shown of what was measured: everything that is no question, the slowest questions, and the worst of all others."""
    others = [Figure(subject, name, unit, tuple(values)) for name, unit, values in told if not _is_question(name)]
    asked = sorted(
        (Figure(subject, name, unit, tuple(values), WITHIN_MS) for name, unit, values in told if _is_question(name)), key=_slowness
    )
    found = [*others, *asked[:SLOWEST]]
    if asked[SLOWEST:]:
        rest = tuple(figure.median for figure in asked[SLOWEST:])
        found.append(Figure(subject, f"each of {len(rest)} other questions", "ms", rest, WITHIN_MS))
        found.append(Figure(subject, "the slowest single asking of any question", "ms", (max(max(one.runs) for one in asked),), WITHIN_MS))
    return found


def _is_question(name: str) -> bool:
    return name.endswith(")")


def _slowness(figure: Figure) -> float:
    return -max(figure.runs)


def _told(starter: Sequence[str], cases: int, runs: int) -> list[tuple[str, str, list[float]]]:
    with tempfile.TemporaryDirectory(prefix="jilink-bench-") as folder:
        found = Path(folder) / "figures.json"
        child = [sys.executable, "-c", CHILD, str(cases), str(runs), str(found), "--cold"]
        environment = os.environ | {"JILINK_DATA": folder, "DJANGO_SETTINGS_MODULE": "jilink.site.settings"}
        environment.pop("JILINK_DATABASE_URL", None)
        done = subprocess.run([*starter, *child], env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False)
        if done.returncode:
            raise NotMeasured(f"the measuring process ended with status {done.returncode}: {done.stderr.strip()[-400:]}")
        return [(name, unit, values) for name, unit, values in json.loads(found.read_text())["figures"]]
