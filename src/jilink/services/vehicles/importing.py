"""Fleets from CSV files: which columns there are, and what is wrong with each row, before anything is written."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from jilink.core.assets import reads as assets
from jilink.core.assets.rules import terminal_phone
from jilink.core.parties.access import Actor, require
from jilink.core.parties.rules import Permission
from jilink.kernel import sheets
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.protocols.jt808.vendors import PROFILES
from jilink.services.vehicles import rules
from jilink.services.vehicles.actions import VehicleData
from jilink.services.vehicles.reads.fleet import KIND, Record
from jilink.services.vehicles.rules import Kind, PlateColour
from jilink.webkit.door import said

COLUMNS = ("plate", "plate_colour", "vin", "kind", "driver", "driver_phone", "terminal_phone", "profile", "note")
CHINESE = {
    "车牌": "plate",
    "车牌号": "plate",
    "车牌颜色": "plate_colour",
    "车架号": "vin",
    "车辆类型": "kind",
    "驾驶员": "driver",
    "驾驶员电话": "driver_phone",
    "终端手机号": "terminal_phone",
    "终端型号": "profile",
    "备注": "note",
}
"""Headings that are understood beside the English ones."""
COLOURS = {"蓝": 1, "蓝色": 1, "黄": 2, "黄色": 2, "黑": 3, "黑色": 3, "白": 4, "白色": 4, "绿": 5, "绿色": 5}
KINDS = {
    "轿车": "car",
    "小型客车": "car",
    "客车": "bus",
    "货车": "truck",
    "出租车": "taxi",
    "危险品运输车": "hazardous",
    "农业机械": "farm",
    "其他": "other",
}
"""Kinds that are understood beside the English ones."""
MOST_ROWS = 20_000


class FileRefused(Refused):
    """The file as a whole cannot be read."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row: its number in the file, what it says, and what is wrong with it ("" where nothing is)."""

    number: int
    data: VehicleData
    error: str


def read(content: bytes, organisation: OrganisationId, by: Actor) -> list[Line]:
    """Return every row with its verdict; nothing is written. Raises FileRefused, NotFound.

    UTF-8 (with or without mark) and GB 18030, comma, semicolon or tab; the first row names the columns.
    """
    require(by, Permission.MANAGE_VEHICLES, organisation)
    rows = list(_rows(content))
    if not rows:
        raise FileRefused("The file has no rows below its headings.")
    lines = [_line(number, row, organisation) for number, row in enumerate(rows, 2)]
    return _checked(lines, organisation)


def text_of(content: bytes) -> str:
    """Return the file as text: UTF-8 (with or without mark), else GB 18030."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030", "replace")


def _rows(content: bytes) -> Iterable[dict[str, str]]:
    text = text_of(content)
    if "\0" in text:
        raise FileRefused("This is not a CSV file. Save the table as CSV and choose it again.")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    names = [CHINESE.get(name.strip(), name.strip().lower().replace(" ", "_")) for name in next(reader, [])]
    if "plate" not in names:
        raise FileRefused("The first row must name the columns, one of them plate (车牌).")
    try:
        for count, row in enumerate(reader, 1):
            if count > MOST_ROWS:
                raise FileRefused(_("A file may have %(count)d rows; split this one.") % {"count": MOST_ROWS})
            if any(cell.strip() for cell in row):
                yield {name: sheets.text(cell.strip()) for name, cell in zip(names, row, strict=False) if name in COLUMNS}
    except csv.Error as error:
        raise FileRefused(_("The file is damaged: %(error)s") % {"error": error}) from error


def _line(number: int, row: dict[str, str], organisation: OrganisationId) -> Line:
    data = VehicleData(plate=row.get("plate", "")[:60], organisation=organisation)
    try:
        if row.get("plate_colour"):
            data = replace(data, plate_colour=colour(row["plate_colour"]))
        if row.get("kind"):
            data = replace(data, kind=kind(row["kind"]))
        data = replace(
            data,
            plate=rules.plate(row.get("plate", "")),
            vin=rules.vin(row.get("vin", "")),
            driver=row.get("driver", "")[:60],
            driver_phone=row.get("driver_phone", "").lstrip("'")[:20],
            terminal_phone=terminal_phone(row["terminal_phone"].lstrip("'")) if row.get("terminal_phone") else "",
            profile=profile(row.get("profile") or "standard"),
            note=row.get("note", "")[:200],
        )
    except Refused as error:
        return Line(number, data, said(error))
    return Line(number, data, "")


def colour(text: str) -> PlateColour:
    """Return the colour that a code or a Chinese word stands for. Raises Refused."""
    code = COLOURS.get(text) or (int(text) if text.isascii() and text.isdecimal() else None)
    if code is None or code not in set(PlateColour):
        raise Refused("The plate colour must be one of 0, 1, 2, 3, 4, 5, 9.")
    return PlateColour(code)


def profile(text: str) -> str:
    """Return the name of a terminal profile that there is. Raises Refused."""
    if text not in PROFILES:
        raise Refused(_("The terminal profile must be one of %(names)s.") % {"names": ", ".join(PROFILES)})
    return text


def kind(text: str) -> Kind:
    """Return the kind that an English or Chinese word stands for. Raises Refused."""
    text = KINDS.get(text, text)
    if text not in set(Kind):
        raise Refused("The kind must be one of car, bus, truck, taxi, hazardous, farm, other.")
    return Kind(text)


def _checked(lines: Sequence[Line], organisation: OrganisationId) -> list[Line]:
    """Add what only shows when rows are seen together or beside what is entered already."""
    labels = assets.labels_taken(organisation, KIND, [line.data.plate for line in lines])
    phones = assets.phones_taken([line.data.terminal_phone for line in lines if line.data.terminal_phone])
    seen: set[str] = set()
    found = []
    for line in lines:
        plate, phone = line.data.plate, line.data.terminal_phone
        error = line.error
        if not error and (plate in labels or f"plate {plate}" in seen):
            error = _("This plate is already entered, or twice in the file.")
        elif not error and phone and (phone in phones or f"phone {phone}" in seen):
            error = _("This terminal is already entered, or twice in the file.")
        seen.update({f"plate {plate}", f"phone {phone}"})
        found.append(replace(line, error=error))
    return found


def write(records: Iterable[Record]) -> Iterable[str]:
    """Yield a CSV file line by line, in the columns that `read` understands; UTF-8 with mark, for spreadsheets."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(["organisation", *COLUMNS])
    for record in records:
        values = [record.organisation_name, *(str(getattr(record, name)) for name in COLUMNS)]
        writer.writerow([sheets.cell(value) for value in values])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()
