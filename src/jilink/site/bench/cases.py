"""Reports over a million cases, and rules of assignment tried on a thousand of them.

A year of made-up cases of one province (20 units, 60 counties, four types) is poured into a throw-away database: PostgreSQL where
`tools/postgresql` can start one, else SQLite, and the subject says which. Their sums are made anew by `jilink reports rebuild`'s own
function; then reports are asked as their page asks. A run is one asking; nothing is kept in memory between two.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from jilink.site.bench.figures import Figure, NotMeasured, Target

CASES = 1_000_000
WITHIN_S = 3_600.0
CHILD = "import django; django.setup(); from jilink.site.bench.cases_run import main; main()"
ROOT = Path(__file__).resolve().parents[4]
TARGETS = {"report": Target("at most", 300)}


def measure(runs: int, say: Callable[[str], None], *, cases: int = CASES) -> list[Figure]:
    """Return the figures of reports and trials. Raises NotMeasured with what the measuring process said."""
    server = ROOT / "tools" / "postgresql"
    with tempfile.TemporaryDirectory(prefix="jilink-bench-") as folder:
        found = Path(folder) / "figures.json"
        child = [sys.executable, "-c", CHILD, str(cases), str(runs), str(found)]
        environment = os.environ | {"JILINK_DATA": folder, "DJANGO_SETTINGS_MODULE": "jilink.site.settings"}
        environment.pop("JILINK_DATABASE_URL", None)
        say(f"cases: pouring {cases:,} cases into a database, some minutes")
        if server.is_file():
            _run([sys.executable, str(server), *child], environment)
        if not found.exists():
            _run(child, environment)
        if not found.exists():
            raise NotMeasured("no database could be filled with cases")
        told = json.loads(found.read_text())
    subject = f"Cases: {cases:,} of them, {told['database']}"
    return [
        Figure(subject, name, unit, tuple(values), TARGETS["report"] if name.startswith("report") else None)
        for name, unit, values in told["figures"]
    ]


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    if done.returncode:
        raise NotMeasured(f"the measuring process ended with status {done.returncode}: {done.stderr.strip()[-400:]}")
