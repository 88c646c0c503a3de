"""Reports over cases: sums by day and the rates of city management (GB/T 30428.4), as the console's page shows them."""

from datetime import date

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, Field

from jilink.core.cases.reports import reads
from jilink.core.cases.reports.figures import NAMES, RATES, SPANS, Step, Sums
from jilink.core.cases.reports.reads import Split, Wanted
from jilink.kernel.clock import utc_now
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.shapes import Day, Id, Out, TextOut, Words

router = Router(tags=["reports"])


class SumsOut(Out):
    """What was counted. A case counts on the day it was opened; `ended` are closings by the day they happened."""

    opened: int
    closed: int
    open: int
    voided: int = Field(description="Void or merged.")
    dispatched: int
    due_work: int = Field(description="To be handled.")
    handled: int
    handled_in_time: int
    handle_seconds: int = Field(description="From dispatch until the unit said that it was done, of all that were handled.")
    closed_in_time: int
    reworked: int
    returned: int
    rated: int
    satisfied: int
    ended: int


class RatesOut(Out):
    """Shares between 0 and 1, null where there was nothing to count: each of what was to be handled, except where it says of what."""

    handled: float | None
    handled_in_time: float | None
    closed: float | None
    closed_in_time: float | None
    reworked: float | None = Field(description="Of those handled.")
    returned: float | None = Field(description="Of those dispatched.")
    satisfied: float | None = Field(description="Of the ratings.")


class FiguresOut(Out):
    """Sums, and the rates made of them."""

    sums: SumsOut
    rates: RatesOut


class PeriodOut(FiguresOut):
    """The figures of one day, week or month, by its first day."""

    begins: date


class GroupOut(FiguresOut):
    """The figures of one unit (`key` is its number), area (its path) or type (its key)."""

    key: str
    name: TextOut


class AgeOut(Out):
    """How many cases are open since so many days; without `most` since any number more."""

    least: int
    most: int | None
    open: int


class ReportOut(Out):
    """A report. `ages` and `overdue` are of now, whatever days the report covers."""

    total: FiguresOut
    series: list[PeriodOut]
    groups: list[GroupOut]
    ages: list[AgeOut]
    overdue: int


class ReportedOut(Out):
    """An organisation of which reports may be seen. `depth` is how deep it lies in the tree, 0 at the top."""

    id: int
    name: str
    depth: int


class ReportedTypeOut(Out):
    """A type of case that reports speak of."""

    key: str
    label: TextOut


class Covered(BaseModel):
    """What a report covers: days of China, both included."""

    first: Day
    last: Day
    organisation: list[Id] = Field([], max_length=200, description="Cases of these or that these units have; all, where none is named.")
    type: list[Words] = Field([], max_length=50)
    split: Split = Field(Split.UNIT, description="What the groups are.")
    step: Step = Field(Step.DAY, description="How long one point of the series is.")


def _figures(sums: Sums) -> dict[str, object]:
    counted = {name: getattr(sums, name) for name in (*NAMES, "open")}
    return {"sums": counted, "rates": {name: sums.rate(name) for name in RATES}}


@router.get("/reports/cases", response=ReportOut, operation_id="report_cases")
def report_cases(request: HttpRequest, covered: Query[Covered]) -> dict[str, object]:
    """Return a report over the cases of organisations and units of which reports may be seen; at most ten years."""
    wanted = Wanted(
        first=covered.first,
        last=covered.last,
        organisations=tuple(covered.organisation),
        types=tuple(covered.type),
        split=covered.split,
        step=covered.step,
    )
    found = reads.report(actor_of(request), wanted, now=utc_now())
    return {
        "total": _figures(found.total),
        "series": [{"begins": begins, **_figures(sums)} for begins, sums in found.series],
        "groups": [{"key": group.key, "name": group.name, **_figures(group.sums)} for group in found.groups],
        "ages": [{"least": least, "most": most, "open": count} for (least, most), count in zip(SPANS, found.ages, strict=True)],
        "overdue": found.overdue,
    }


@router.get("/reports/organisations", response=list[ReportedOut], operation_id="list_reported_organisations")
def list_reported_organisations(request: HttpRequest) -> list[dict[str, object]]:
    """Return the organisations of which reports may be seen, in the order of the tree."""
    return [{"id": place, "name": name, "depth": depth} for place, name, depth in reads.reported(actor_of(request))]


@router.get("/reports/types", response=list[ReportedTypeOut], operation_id="list_reported_types")
def list_reported_types(request: HttpRequest) -> list[dict[str, object]]:
    """Return the types of cases that reports speak of."""
    return [{"key": key, "label": label} for key, label in sorted(reads.reported_types(actor_of(request)).items())]
