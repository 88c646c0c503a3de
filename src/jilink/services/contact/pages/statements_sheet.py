"""A statement as PDF (A4, with the Chinese fonts every reader brings) and as CSV."""

import csv
import io

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from jilink.kernel import sheets
from jilink.kernel.clock import CHINA
from jilink.services.contact.pages.statements_words import basis_words, quantity
from jilink.services.contact.reads.billing import StatementView
from jilink.services.contact.rules.tariffs import yuan

FONT = "STSong-Light"
"""One of the Asian fonts every PDF reader brings (ISO 32000-1, 9.7.5.2, Adobe-GB1)."""
LEFT, RIGHT, TOP, BOTTOM = 20 * mm, A4[0] - 20 * mm, A4[1] - 22 * mm, 25 * mm
QUANTITY, PRICE = RIGHT - 62 * mm, RIGHT - 32 * mm


def title_of(view: StatementView) -> str:
    """Return what a statement is called."""
    return _("Credit note") if view.row.is_credit else _("Monthly statement")


def pdf(view: StatementView, language: str) -> bytes:
    """Return a statement as PDF."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, pageCompression=1)
    canvas.setTitle(f"{title_of(view)} {view.row.number}")
    y = _head(canvas, view)
    y = _columns(canvas, y)
    for line in view.lines:
        if y < BOTTOM + 40 * mm:
            canvas.showPage()
            y = _columns(canvas, TOP)
        name = _fitting(line.title.in_(language), 10, QUANTITY - 22 * mm - LEFT)
        _text(canvas, LEFT, y, name, 10)
        _text(canvas, LEFT, y - 4.5 * mm, str(basis_words(line.basis)), 8, gray=0.35)
        for at, text in ((QUANTITY, quantity(line.quantity)), (PRICE, f"{line.price.normalize():f}"), (RIGHT, yuan(line.fen))):
            _text(canvas, at, y, text, 10, right=True)
        y -= 10.5 * mm
    _sums(canvas, view, y)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _head(canvas: Canvas, view: StatementView) -> float:
    row = view.row
    _text(canvas, LEFT, TOP, title_of(view), 20)
    _text(canvas, RIGHT, TOP, row.number or _("Draft"), 12, right=True)
    facts = [
        (_("From"), row.issuer_name),
        (_("For"), row.client),
        (_("Month"), date_format(row.month, "YEAR_MONTH_FORMAT")),
        (_("Issued"), date_format(row.issued_at.astimezone(CHINA), "DATE_FORMAT") if row.issued_at else "–"),
    ]
    if view.corrects_number:
        facts.append((_("Takes back"), f"{view.corrects_number}: {view.reason}"))
    y = TOP - 14 * mm
    for name, value in facts:
        _text(canvas, LEFT, y, name, 9, gray=0.35)
        _text(canvas, LEFT + 28 * mm, y, _fitting(value, 10, RIGHT - LEFT - 28 * mm), 10)
        y -= 6.5 * mm
    return float(y - 5 * mm)


def _columns(canvas: Canvas, y: float) -> float:
    _text(canvas, LEFT, y, _("Service"), 9, gray=0.35)
    for at, word in ((QUANTITY, _("Quantity")), (PRICE, _("Price, CNY")), (RIGHT, _("Amount, CNY"))):
        _text(canvas, at, y, word, 9, right=True, gray=0.35)
    _rule(canvas, y - 2.5 * mm)
    return float(y - 8.5 * mm)


def _sums(canvas: Canvas, view: StatementView, y: float) -> None:
    _rule(canvas, y + 5 * mm)
    sums = view.row.sums
    tax = _("VAT %(rate)s%%") % {"rate": view.vat_rate}
    for word, fen, size in ((_("Net"), sums.net, 10), (tax, sums.vat, 10), (_("Total"), sums.gross, 13)):
        _text(canvas, PRICE, y, word, size, right=True)
        _text(canvas, RIGHT, y, yuan(fen), size, right=True)
        y -= 7.5 * mm


def _rule(canvas: Canvas, y: float) -> None:
    canvas.setStrokeGray(0.6)
    canvas.setLineWidth(0.4)
    canvas.line(LEFT, y, RIGHT, y)


def _text(canvas: Canvas, x: float, y: float, text: str, size: float, *, right: bool = False, gray: float = 0) -> None:
    canvas.setFont(FONT, size)
    canvas.setFillGray(gray)
    (canvas.drawRightString if right else canvas.drawString)(x, y, text)


def _fitting(text: str, size: float, room: float) -> str:
    if pdfmetrics.stringWidth(text, FONT, size) <= room:
        return text
    while text and pdfmetrics.stringWidth(f"{text}…", FONT, size) > room:
        text = text[:-1]
    return f"{text}…"


def as_csv(view: StatementView, language: str) -> bytes:
    """Return a statement as CSV, with the mark that lets Excel read it as UTF-8; words that look like a formula are quoted."""
    out = io.StringIO()
    writer = csv.writer(out)
    row = view.row
    for name, value in (
        (title_of(view), row.number),
        (_("From"), row.issuer_name),
        (_("For"), row.client),
        (_("Month"), f"{row.month:%Y-%m}"),
    ):
        writer.writerow([name, sheets.cell(value)])
    writer.writerow([])
    writer.writerow([_("Service"), _("Counted by"), _("Contacts"), _("Free"), _("Quantity"), _("Price, CNY"), _("Amount, CNY")])
    for line, count in zip(view.lines, view.counts, strict=True):
        free, paid = quantity(line.free), quantity(line.quantity)
        money = f"{line.price.normalize():f}", yuan(line.fen).replace(",", "")
        writer.writerow([sheets.cell(line.title.in_(language)), basis_words(line.basis), count, free, paid, *money])
    for word, fen in (
        (_("Net"), row.sums.net),
        (_("VAT %(rate)s%%") % {"rate": view.vat_rate}, row.sums.vat),
        (_("Total"), row.sums.gross),
    ):
        writer.writerow([word, "", "", "", "", "", yuan(fen).replace(",", "")])
    return out.getvalue().encode("utf-8-sig")
