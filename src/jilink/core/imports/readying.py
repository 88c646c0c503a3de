"""From an upload to rows that batches can be read from: unpacked, decoded, headings understood; one JSON array a line.

A line is ``[row, values]``, or ``[row, null, field, message]`` for a row that cannot be read. What was readied lies whole on disk before
it has its name, so that readying again after a kill begins anew and ends alike.
"""

import codecs
import csv
import gzip
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import msgspec

from jilink.core.imports import rules
from jilink.core.imports.registry import Noun
from jilink.core.imports.rules import LARGEST_UNPACKED, LONGEST_LINE, MOST_ROWS, FileRefused, RowRefused
from jilink.core.imports.storage import HALF, PIECE, PLAIN, ROWS, UPLOAD, disk, path_of
from jilink.kernel import sheets
from jilink.kernel.texts import gettext_noop

Values = dict[str, object]
Read = tuple[int, Values | RowRefused]
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_BETWEEN = re.compile(r"[;；|\n]")


def ready(job: int, noun: Noun) -> int:
    """Ready the rows of an upload and return how many there are. Raises FileRefused, Unavailable; twice changes nothing."""
    rows, plain = path_of(job, ROWS), path_of(job, PLAIN)
    with disk():
        if rows.exists():
            return _counted(rows)
        if not path_of(job, UPLOAD).exists():
            raise FileRefused("The bytes of this upload are no longer there. Send the file again.")
        encoding = _unpack(path_of(job, UPLOAD), plain)
        half = path_of(job, HALF)
        with plain.open(encoding=encoding, newline="", errors="strict") as text, half.open("wb") as out:
            count = 0
            for count, line in enumerate(_lines(text, noun), 1):
                if count > MOST_ROWS:
                    raise FileRefused("A file may have %(most)d rows; split this one.", most=MOST_ROWS)
                out.write(line)
            out.flush()
            os.fsync(out.fileno())
        if not count:
            raise FileRefused("The file has no rows.")
        os.replace(half, rows)
        plain.unlink(missing_ok=True)
        path_of(job, UPLOAD).unlink(missing_ok=True)
    return count


def batch(job: int, position: int) -> Iterator[tuple[int, Read]]:
    """Yield the rows from a byte of the readied ones on, each with the byte at which the next begins. Raises FileRefused."""
    try:
        with path_of(job, ROWS).open("rb") as file:
            file.seek(position)
            for line in file:
                position += len(line)
                number, values, *wrong = msgspec.json.decode(line, type=list[object])
                row = cast("int", number)
                yield position, (row, RowRefused(str(wrong[1]), field=str(wrong[0])) if wrong else cast("Values", values))
    except FileNotFoundError:
        raise FileRefused("The bytes of this upload are no longer there. Send the file again.") from None


def _counted(rows: Path) -> int:
    with rows.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(PIECE), b""))


def _unpack(upload: Path, plain: Path) -> str:
    """Write the upload unpacked, and return its encoding: UTF-8, else GB 18030. Raises FileRefused."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    encoding = "utf-8-sig"
    with upload.open("rb") as packed, plain.open("wb") as out:
        first = packed.read(4)
        packed.seek(0)
        if first == _ZIP:
            raise FileRefused("This is a workbook or an archive. Save the table as CSV, or pack it with gzip.")
        source = cast("BinaryIO", gzip.GzipFile(fileobj=packed)) if first[:2] == _GZIP else packed
        total = 0
        try:
            while piece := source.read(PIECE):
                total += len(piece)
                if total > LARGEST_UNPACKED:
                    raise FileRefused("Unpacked the file has more than %(most)d MiB; split it.", most=LARGEST_UNPACKED >> 20)
                if b"\0" in piece:
                    raise FileRefused("This is not text. Save the table as CSV in UTF-8.")
                out.write(piece)
                encoding = _still(decoder, piece, encoding)
        except (OSError, EOFError, zlib.error) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise FileRefused("The file cannot be unpacked: it is damaged or ends early.") from error
    return _still(decoder, b"", encoding, final=True)


def _still(decoder: codecs.IncrementalDecoder, piece: bytes, encoding: str, final: bool = False) -> str:
    if encoding == "utf-8-sig":
        try:
            decoder.decode(piece, final)
        except UnicodeDecodeError:
            return "gb18030"
    return encoding


def _lines(text: TextIO, noun: Noun) -> Iterator[bytes]:
    """Yield every row as it is readied. Raises FileRefused."""
    first = text.read(4096).lstrip()
    text.seek(0)
    try:
        for number, found in _json(text, noun) if first.startswith("{") else _csv(text, noun, first):
            line = [number, None, found.field, found.message] if isinstance(found, RowRefused) else [number, found]
            yield msgspec.json.encode(line) + b"\n"
    except UnicodeDecodeError as error:
        raise FileRefused("The file is neither UTF-8 nor GB 18030.") from error
    except csv.Error as error:
        raise FileRefused("The file is damaged: %(error)s", error=str(error)) from error


def _json(text: TextIO, noun: Noun) -> Iterator[Read]:
    """Read lines of JSON objects (ndjson.org); empty lines are passed over."""
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if len(line) >= LONGEST_LINE:
            raise FileRefused("Row %(row)d is longer than %(most)d characters.", row=number, most=LONGEST_LINE)
        if not line.strip():
            continue
        try:
            yield number, msgspec.json.decode(line.encode(), type=Values)
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):  # the last: lists in lists without end
            yield number, RowRefused(gettext_noop("This line is no JSON object."))


def _csv(text: TextIO, noun: Noun, first: str) -> Iterator[Read]:
    """Read comma, semicolon or tab separated values whose first row names the columns (RFC 4180)."""
    heading = first.partition("\n")[0]
    reader = csv.reader(_short(text), delimiter=max(",;\t", key=heading.count))
    names = _columns(next(reader, []), noun)
    for number, cells in enumerate(reader, 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
            yield number, RowRefused(gettext_noop("This row has more cells than there are headings."))
            continue
        yield number, _values(zip(names, cells, strict=False), noun)


def _short(text: TextIO) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) >= LONGEST_LINE:
            raise FileRefused("A line is longer than %(most)d characters.", most=LONGEST_LINE)
        yield line


def _columns(headings: list[str], noun: Noun) -> list[str]:
    """Return the field of each heading. Raises FileRefused for one that is not known, is there twice, or is missing."""
    found = []
    for heading in headings:
        words = heading.strip().lower()
        name = noun.headings.get(words) or noun.headings.get(words.replace(" ", "_"), "")
        outer, _dot, inner = heading.strip().partition(".")
        if not name and outer in noun.nested and inner:
            name = heading.strip()
        if not name or name in noun.nested:
            known = ", ".join(f"{each}.…" if each in noun.nested else each for each in noun.fields)
            raise FileRefused("There is no column “%(heading)s”. There are: %(known)s.", heading=heading.strip()[:40], known=known)
        if name in found:
            raise FileRefused("The column “%(heading)s” is there twice.", heading=heading.strip()[:40])
        found.append(name)
    lacking = sorted(noun.needed - set(found))
    if lacking:
        raise FileRefused("The column “%(heading)s” is missing.", heading=lacking[0])
    return found


def _values(cells: Iterable[tuple[str, str]], noun: Noun) -> Values:
    """Return what a row says; an empty cell says nothing, and an apostrophe before what looks like a formula is none of the text."""
    found: Values = {}
    for name, cell in cells:
        text = sheets.text(cell.strip())
        outer, _dot, inner = name.partition(".")
        if not text:
            continue
        if inner and outer in noun.nested:
            cast("Values", found.setdefault(outer, {}))[inner] = text
        else:
            found[name] = [part.strip() for part in _BETWEEN.split(text) if part.strip()] if name in noun.lists else text
    return found


def row_of(noun: Noun, values: Mapping[str, object]) -> msgspec.Struct:
    """Return a row in the shape of its noun; words that stand for numbers, days and the like are read as such. Raises RowRefused."""
    try:
        return msgspec.convert(values, type=noun.row, strict=False)
    except msgspec.ValidationError as error:
        raise rules.misfit(error) from None
