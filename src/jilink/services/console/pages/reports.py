"""Reports over cases: rates, a series drawn and in a table, cuts by unit, area and type, and the same as CSV and Excel."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

import xlsxwriter
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jilink.core.cases.reports import reads
from jilink.core.cases.reports.figures import SPANS, Step, Sums
from jilink.core.cases.reports.reads import Report, Split, Wanted
from jilink.core.parties.access import Actor
from jilink.kernel import sheets
from jilink.kernel.clock import CHINA, utc_now
from jilink.webkit.door import signed_in
from jilink.webkit.parts import Tile

USUAL_DAYS = 30
SPLIT_WORDS = {"unit": gettext_lazy("Units"), "area": gettext_lazy("Areas"), "type": gettext_lazy("Types")}
STEP_WORDS = {"day": gettext_lazy("Each day"), "week": gettext_lazy("Each week"), "month": gettext_lazy("Each month")}
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ReportForm(forms.Form):
    """What the address asks a report to cover."""

    first = forms.DateField(label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=gettext_lazy("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    organisation = forms.TypedChoiceField(label=gettext_lazy("Organisation"), required=False, coerce=int, empty_value=None)
    type = forms.ChoiceField(label=gettext_lazy("Type of case"), required=False)
    split = forms.ChoiceField(
        label=gettext_lazy("Compare"),
        required=False,
        choices=list(SPLIT_WORDS.items()),
    )
    step = forms.ChoiceField(
        label=gettext_lazy("Per"),
        required=False,
        choices=list(STEP_WORDS.items()),
    )

    def __init__(self, data: object, actor: Actor) -> None:
        super().__init__(data)  # type: ignore[arg-type] # -- a query's values
        places = [(str(pk), "　" * depth + name) for pk, name, depth in reads.reported(actor)]
        self.fields["organisation"].choices = [("", _("All")), *places]  # type: ignore[attr-defined] # -- a choice field
        kinds = reads.reported_types(actor)
        self.fields["type"].choices = [("", _("All")), *((key, label.in_(_language())) for key, label in kinds.items())]  # type: ignore[attr-defined] # -- a choice field

    def wanted(self, today: date) -> Wanted:
        """Return what is asked for; what cannot be read counts as not given."""
        self.is_valid()
        given = self.cleaned_data
        last: date = given.get("last") or today
        first: date = given.get("first") or last - timedelta(days=USUAL_DAYS - 1)
        organisation, kind = given.get("organisation"), given.get("type")
        return Wanted(
            first=first,
            last=last,
            organisations=(organisation,) if organisation else (),
            types=(kind,) if kind else (),
            split=Split(given.get("split") or Split.UNIT),
            step=Step(given.get("step") or Step.DAY),
        )


@dataclass(frozen=True, slots=True)
class Column:
    """One column of figures: its title, unit and value; `share` where it is a rate."""

    title: str
    value: Callable[[Sums], float | None]
    share: bool = False
    hours: bool = False


def columns() -> tuple[Column, ...]:
    """Return the columns of every table, named as the evaluation of city management names them."""

    def rate(name: str) -> Callable[[Sums], float | None]:
        return lambda sums: sums.rate(name)

    return (
        Column(_("Opened"), lambda sums: sums.opened),
        Column(_("Closed"), lambda sums: sums.closed),
        Column(_("Still open"), lambda sums: sums.open),
        Column(_("Handled, share"), rate("handled"), True),
        Column(_("Handled in time"), rate("handled_in_time"), True),
        Column(_("Closed, share"), rate("closed"), True),
        Column(_("Closed in time"), rate("closed_in_time"), True),
        Column(_("Reworked"), rate("reworked"), True),
        Column(_("Sent back"), rate("returned"), True),
        Column(_("Satisfied"), rate("satisfied"), True),
        Column(
            _("Time to handle"), lambda sums: sums.average_handling.total_seconds() / 3600 if sums.average_handling else None, hours=True
        ),
    )


def _language() -> str:
    return get_language() or "zh-hans"


@require_safe
@signed_in
def reports(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show a report."""
    form, wanted, report = _asked(request, actor)
    shown = columns()
    context = {
        "form": form,
        "wanted": wanted,
        "report": report,
        "tiles": _tiles(report),
        "titles": [column.title for column in shown],
        "groups": [(group.name.in_(_language()), _cells(group.sums, shown)) for group in report.groups],
        "whole": _cells(report.total, shown),
        "series": [(_period(begin, wanted.step), sums) for begin, sums in report.series],
        "ages": list(zip(_age_words(), report.ages, strict=True)),
        "chart": _chart(report, wanted),
        "csv": "?" + urlencode({**request.GET.dict(), "as": "csv"}),
        "excel": "?" + urlencode({**request.GET.dict(), "as": "xlsx"}),
    }
    return render(request, "console/reports.html", context)


@require_safe
@signed_in
def export(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Return the tables of a report as CSV, or as Excel with `as=xlsx`."""
    now = utc_now()
    wanted = ReportForm(request.GET, actor).wanted(now.astimezone(CHINA).date())
    name = f"cases-{wanted.first:%Y%m%d}-{wanted.last:%Y%m%d}"
    excel = request.GET.get("as") == "xlsx"
    body = exported(actor, wanted, now, excel=excel)
    response = HttpResponse(body, content_type=EXCEL if excel else "text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.{"xlsx" if excel else "csv"}"'
    return response


def _asked(request: HttpRequest, actor: Actor) -> tuple[ReportForm, Wanted, Report]:
    now = utc_now()
    form = ReportForm(request.GET, actor)
    wanted = form.wanted(now.astimezone(CHINA).date())
    filled = {
        "first": wanted.first.isoformat(),
        "last": wanted.last.isoformat(),
        "organisation": wanted.organisations[0] if wanted.organisations else "",
        "type": wanted.types[0] if wanted.types else "",
        "split": wanted.split.value,
        "step": wanted.step.value,
    }
    return ReportForm(filled, actor), wanted, reads.report(actor, wanted, now=now)


def _tiles(report: Report) -> list[Tile]:
    total = report.total

    def share(name: str) -> float | None:
        found = total.rate(name)
        return None if found is None else 100 * found

    hours = total.average_handling
    return [
        Tile(_("Opened"), total.opened),
        Tile(_("Still open"), total.open),
        Tile(_("Overdue now"), report.overdue, tone="bad" if report.overdue else ""),
        Tile(_("Handled in time"), share("handled_in_time"), "%", 1),
        Tile(_("Closed in time"), share("closed_in_time"), "%", 1),
        Tile(_("Satisfied"), share("satisfied"), "%", 1),
        Tile(_("Time to handle"), hours.total_seconds() / 3600 if hours else None, _("h"), 1),
    ]


def _cells(sums: Sums, shown: tuple[Column, ...]) -> list[tuple[str, str]]:
    """Return the figures of a line with their titles, written for people."""
    return [(column.title, _written(column, column.value(sums))) for column in shown]


def _written(column: Column, value: float | None) -> str:
    if value is None:
        return "–"
    if column.share:
        return f"{100 * value:.1f}%"
    return f"{value:,.1f} {_('h')}" if column.hours else f"{value:,.0f}"


def _period(begin: date, step: Step) -> str:
    if step == Step.MONTH:
        return date_format(begin, "YEAR_MONTH_FORMAT")
    return begin.isoformat()


def _age_words() -> list[str]:
    return [
        _("%(least)d to %(most)d days") % {"least": least, "most": most}
        if most is not None
        else _("More than %(days)d days") % {"days": least - 1}
        for least, most in SPANS
    ]


def _chart(report: Report, wanted: Wanted) -> dict[str, object]:
    return {
        "periods": [_period(begin, wanted.step) for begin, _sums in report.series],
        "opened": [sums.opened for _begin, sums in report.series],
        "ended": [sums.ended for _begin, sums in report.series],
        "told": any(sums.opened or sums.ended for _begin, sums in report.series),
        "words": {"opened": _("Opened"), "ended": _("Closed")},
    }


Cell = str | float | date | None


@dataclass(frozen=True, slots=True)
class Table:
    """One table that is taken away: its title, what its columns are called, what they hold, and its lines; the last one a total or not."""

    title: str
    heads: list[str]
    kinds: list[str]
    rows: list[list[Cell]]
    total: bool = False


def exported(actor: Actor, wanted: Wanted, now: datetime, *, excel: bool) -> bytes:
    """Return the tables of a report as a file: Excel, or CSV."""
    tables = _tables(reads.report(actor, wanted, now=now), wanted)
    return _excel(tables) if excel else _csv(tables)


def _tables(report: Report, wanted: Wanted) -> list[Table]:
    """Return what is exported: the comparison, the series and the ages; shares as fractions, times in hours, periods as their first day."""
    shown = columns()
    heads = [f"{column.title} ({_('h')})" if column.hours else column.title for column in shown]
    kinds = ["share" if column.share else "hours" if column.hours else "count" for column in shown]
    lines = [*((group.name.in_(_language()), group.sums) for group in report.groups), (_("Total"), report.total)]
    by: list[list[Cell]] = [[name, *(column.value(sums) for column in shown)] for name, sums in lines]
    over: list[list[Cell]] = [[begin, sums.opened, sums.ended] for begin, sums in report.series]
    ages: list[list[Cell]] = [[words, count] for words, count in zip(_age_words(), report.ages, strict=True)]
    period = "month" if wanted.step == Step.MONTH else "day"
    return [
        Table(_("Comparison"), [str(SPLIT_WORDS[wanted.split.value]), *heads], ["words", *kinds], by, total=True),
        Table(_("Over time"), [_("Period"), _("Opened"), _("Closed")], [period, "count", "count"], over),
        Table(_("Age of open cases"), [_("Age"), _("Still open")], ["words", "count"], ages),
    ]


def _csv(tables: list[Table]) -> bytes:
    """Return tables one below the other, with the mark that lets Excel read them as UTF-8. Words that a spreadsheet would take for a
    formula are quoted."""
    out = io.StringIO()
    writer = csv.writer(out)
    for number, table in enumerate(tables):
        if number:
            writer.writerow([])
        writer.writerow([table.title])
        writer.writerow(table.heads)
        writer.writerows([[_plain(cell, kind) for cell, kind in zip(row, table.kinds, strict=True)] for row in table.rows])
    return out.getvalue().encode("utf-8-sig")


def _plain(cell: Cell, kind: str) -> Cell:
    if isinstance(cell, date):
        return f"{cell:%Y-%m}" if kind == "month" else cell.isoformat()
    if isinstance(cell, float):
        return round(cell, 4)
    return sheets.cell(cell) if isinstance(cell, str) else cell


FORMATS = {"words": "@", "count": "#,##0", "share": "0.0%", "hours": "#,##0.0", "day": "yyyy-mm-dd", "month": "yyyy-mm"}


def _excel(tables: list[Table]) -> bytes:
    """Return a workbook, a sheet a table: numbers, shares and days as what they are, the first line held, printed a page wide."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "vcenter", "bg_color": "#E8EFEE"})
    formats = {kind: book.add_format({"num_format": words}) for kind, words in FORMATS.items()}
    totals = {kind: book.add_format({"num_format": words, "bold": True, "top": 1}) for kind, words in FORMATS.items()}
    for table in tables:
        sheet = book.add_worksheet(table.title[:31])
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&A&R&P / &N")
        sheet.write_row(0, 0, table.heads, head)
        for place, (title, kind) in enumerate(zip(table.heads, table.kinds, strict=True)):
            longest = max((_width(row[place]) for row in table.rows if isinstance(row[place], str)), default=0)
            sheet.set_column(place, place, min(40, max(11, _width(title) + 2, longest + 2)))
            for line, row in enumerate(table.rows, 1):
                form = (totals if table.total and line == len(table.rows) else formats)[kind]
                cell = row[place]
                if isinstance(cell, date):
                    sheet.write_datetime(line, place, cell, form)
                else:
                    sheet.write(line, place, cell, form)
    book.close()
    return out.getvalue()


def _width(words: Cell) -> int:
    """Return how wide words are in a sheet; a Chinese character is two wide."""
    return sum(1 if sign.isascii() else 2 for sign in str(words))


patterns = [path("", reports, name="reports"), path("export", export, name="reports-export")]
