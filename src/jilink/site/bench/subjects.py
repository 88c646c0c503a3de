"""The subjects of the bench, in the order they are measured, each with what it needs."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from jilink.site.bench import arrival, browser, cases, decode, gateway, history, livemap, matcher, memory
from jilink.site.bench.figures import Figure

Say = Callable[[str], None]


class Subject(NamedTuple):
    """One subject: what it measures, and the function that does."""

    name: str
    measures: str
    measure: Callable[[int, Say], list[Figure]]
    compiler: bool = False
    """True where the load generator must be built."""


def subjects(rows: int = history.ROWS) -> tuple[Subject, ...]:
    """Return all subjects; `rows` is how many the history is measured on."""
    return (
        Subject("gateway", "messages a core and acknowledgement, against plain C", gateway.measure, compiler=True),
        Subject("decode", "frames a core, by columns and one by one", decode.measure),
        Subject("memory", "an idle connection, ours and the kernel's", memory.measure, compiler=True),
        Subject("history", "writing, compaction and questions", partial(history.measure, rows=rows)),
        Subject("livemap", "map frames of 100,000 vehicles", livemap.measure),
        Subject("arrival", "from a terminal's socket to an open map under load", arrival.measure, compiler=True),
        Subject("matcher", "who serves whom: decisions with 10,000 waiting", matcher.measure),
        Subject("cases", "reports over a million cases, and rules tried on a thousand", cases.measure),
        Subject("browser", "100,000 vehicles in Chromium", browser.measure),
    )
