"""The divisions of Jilin from the province to its villages, as this version brings them.

`data/jilin.csv` holds codes and names of 2023 as the National Bureau of Statistics published them, taken from the npm
package `china-division` 2.7.0; codes of 6 digits that end in 71 and above are statistical zones. Borders down to the counties come
from the optional data pack of `boundaries`.
"""

import csv
from datetime import date
from importlib.resources import files

from jilink.core.areas import boundaries
from jilink.core.areas.boundaries import NoBoundaries
from jilink.core.areas.geojson import Shape
from jilink.core.areas.place_names import COUNTIES, SEATS
from jilink.core.areas.rules import level_of_code, path_of_code
from jilink.kernel.texts import Text

TITLE = Text("行政区划", "Administrative divisions")
VALID_FROM = date(2023, 1, 1)
_EDITION = "divisions of 2023"


def source() -> str:
    """Return what names the edition: its year, and whether its borders are there."""
    try:
        boundaries.folder()
    except NoBoundaries:
        return f"{_EDITION}, without borders"
    return f"{_EDITION}, borders of counties"


def read() -> list[tuple[Shape, str]]:
    """Return every division with its path, parents first."""
    try:
        shapes = {_short(area.code): area.shape for area in (*boundaries.provinces(), *boundaries.prefectures(), *boundaries.counties())}
    except NoBoundaries:
        shapes = {}
    lines = (files("jilink.core.areas") / "data" / "jilin.csv").read_text(encoding="utf-8").splitlines()
    rows = [(row["code"], row["name"]) for row in csv.DictReader(lines)]
    return [(Shape(code, name, _english(code), level_of_code(code).value, "", shapes.get(code)), path_of_code(code)) for code, name in rows]


def _short(code: int) -> str:
    """Return a code of the boundaries (six digits, filled with zeros) as the statistical one (2, 4 or 6 digits)."""
    text = str(code)
    return text[:2] if text.endswith("0000") else text[:4] if text.endswith("00") else text


def _english(code: str) -> str:
    if len(code) == 6:
        return COUNTIES.get(int(code), "")
    if len(code) == 4:
        return SEATS[int(f"{code}00")][0]
    return "Jilin" if len(code) == 2 else ""
