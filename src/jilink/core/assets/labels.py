"""Sheets of QR labels as PDF (A4): what is stuck on a lamp post or a manhole, so that a photo of it names the thing. Pure."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import segno
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

FONT = "STSong-Light"
"""One of the Asian fonts every PDF reader brings (ISO 32000-1, 9.7.5.2, Adobe-GB1), so that no font travels with the sheet."""
ACROSS, DOWN = 3, 8
MARGIN, GAP = 10 * mm, 3 * mm
MOST = 2_400


@dataclass(frozen=True, slots=True)
class Label:
    """What one label says. `address` is where its code leads."""

    title: str
    kind: str
    code: str
    owner: str
    address: str


def sheet(labels: Sequence[Label]) -> bytes:
    """Return a PDF with 24 labels a page, in the order given."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, pageCompression=1)
    canvas.setTitle("QR labels")
    width = (A4[0] - 2 * MARGIN - (ACROSS - 1) * GAP) / ACROSS
    height = (A4[1] - 2 * MARGIN - (DOWN - 1) * GAP) / DOWN
    for number, label in enumerate(labels):
        place = number % (ACROSS * DOWN)
        if number and not place:
            canvas.showPage()
        row, column = divmod(place, ACROSS)
        _draw(canvas, label, MARGIN + column * (width + GAP), A4[1] - MARGIN - height - row * (height + GAP), width, height)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _draw(canvas: Canvas, label: Label, x: float, y: float, width: float, height: float) -> None:
    canvas.setLineWidth(0.3)
    canvas.setStrokeGray(0.7)
    canvas.roundRect(x, y, width, height, 2 * mm)
    side = height - 6 * mm
    _code(canvas, label.address, x + 3 * mm, y + 3 * mm, side)
    left, room = x + side + 6 * mm, width - side - 8 * mm
    for line, (text, size) in enumerate(((label.title, 10.0), (label.kind, 7.5), (label.code, 7.5), (label.owner, 7.5))):
        canvas.setFont(FONT, size)
        canvas.drawString(left, y + height - 7 * mm - line * 5 * mm, _fitting(text, size, room))


def _code(canvas: Canvas, address: str, x: float, y: float, side: float) -> None:
    """Draw the address as a QR code with its quiet zone (ISO/IEC 18004, error correction M: 15 % may be damaged)."""
    matrix = [bytes(row) for row in segno.make_qr(address, error="m").matrix_iter(border=2)]
    dot = side / len(matrix)
    canvas.setFillGray(0)
    path = canvas.beginPath()
    for row, line in enumerate(matrix):
        for column, dark in enumerate(line):
            if dark:
                path.rect(x + column * dot, y + side - (row + 1) * dot, dot, dot)
    canvas.drawPath(path, stroke=0, fill=1)


def _fitting(text: str, size: float, room: float) -> str:
    """Return as much of the text as fits, with an ellipsis where it was cut."""
    if pdfmetrics.stringWidth(text, FONT, size) <= room:
        return text
    while text and pdfmetrics.stringWidth(f"{text}…", FONT, size) > room:
        text = text[:-1]
    return f"{text}…"
