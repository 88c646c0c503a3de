"""Find every string that pages show, and keep the Chinese catalogue complete.

Usage: python frontend/translations.py [--check]

Without options it adds new strings to src/jilink/webkit/locale/zh_Hans/LC_MESSAGES/django.po and drops those no longer
used; with --check it only lists what lacks its Chinese and ends with status 1 where anything does.
"""

import ast
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils import translation
from django.utils.translation.template import templatize

if not settings.configured:
    settings.configure(USE_I18N=False)

from jilink.core.observations.rules import CONDITIONS
from jilink.protocols.jt808 import registry
from jilink.services.vehicles import orders
from jilink.services.vehicles.command_forms import form_for
from jilink.services.vehicles.saying import vocabulary
from jilink.services.vehicles.words import spelling, word

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "jilink"
CATALOGUE = SOURCES / "webkit" / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
_CALL = re.compile(r"""\b(_|gettext|ngettext|pgettext|npgettext)\((.*?)\)(?=\s|$|X)""", re.DOTALL)
_SENTENCE = re.compile(r"[A-Z].* .*\.\Z", re.DOTALL)
_SHOWN = ("core", "services")
"""Rooms whose refusals reach people."""
SAID = (0x0104, 0x0201, 0x0500, 0x0805, *(offer.message for offer in orders.OFFERS))
"""Messages whose fields pages put into words: orders, and the terminals' answers to them."""
_WORDS = re.compile(r"[A-Za-z][a-z]")
_UNIT = re.compile(r" \([^()]*\)\Z")
_CHANGING = re.compile(rb'"(POT-Creation-Date|PO-Revision-Date|Generated-By|Last-Translator|Report-Msgid-Bugs-To|Language-Team)[^\n]*\n')
Found = tuple[str | tuple[str, str], str | None]
"""Message id (with its plural where it has one) and context."""


def _in_python(path: Path) -> Iterator[Found]:
    with path.open("rb") as file:
        for _line, name, text, _comments in extract_python(file, list(KEYWORDS), [], {}):
            parts = (text,) if isinstance(text, str) else tuple(text or ())
            if not parts or not all(isinstance(part, str) for part in parts[: 2 if name.startswith(("n", "p")) else 1]):
                continue
            if name.startswith("ngettext"):
                yield (parts[0], parts[1]), None
            elif name.startswith("pgettext"):
                yield parts[1], parts[0]
            else:
                yield parts[0], None


def _refusals(path: Path) -> Iterator[Found]:
    # What the rules refuse is said by the exception's own words (and values), which the page translates when it shows them.
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        call = node.exc if isinstance(node, ast.Raise) else None
        if isinstance(call, ast.Call) and len(call.args) == 1 and isinstance(call.args[0], ast.Constant):
            text = call.args[0].value
            if isinstance(text, str) and _SENTENCE.match(text):
                yield text, None


def _in_template(path: Path) -> Iterator[Found]:
    # Django turns a template into calls of gettext among filler; the calls are then read as Python.
    for name, arguments in _CALL.findall(templatize(path.read_text(encoding="utf-8"), origin=str(path))):
        try:
            value = ast.literal_eval(f"({re.sub(r', *count *$', '', arguments)},)")
        except (SyntaxError, ValueError):
            continue
        texts = [part for part in value if isinstance(part, str)]
        if name == "ngettext":
            yield (texts[0], texts[1]), None
        elif name == "pgettext":
            yield texts[1], texts[0]
        else:
            yield texts[0], None


def _declared() -> Iterator[Found]:
    """Yield what pages say for names that only the wire's declarations know: device alarms, and the forms of orders."""
    texts = [word(name) for name in CONDITIONS.values()]
    for offer in orders.OFFERS:
        for year in (2013, 2019):
            for field in form_for(orders.declaration(offer.message, year)).fields.values():
                texts.append(_UNIT.sub("", str(field.label)))
                texts += [_UNIT.sub("", str(label)) for _value, label in getattr(field, "choices", [])]
    for number in SAID:
        for year in (2013, 2019):
            texts += [spelling(name) for form in [registry.message(number, year)] if form for name in vocabulary(form)]
    for text in texts:
        if _WORDS.search(text):  # sizes and plain numbers are the same in every language
            yield text, None


def sources() -> Catalog:
    """Return a catalogue of every string in the sources, untranslated."""
    catalog = Catalog(fuzzy=False)
    paths = sorted(path for path in SOURCES.rglob("*") if path.suffix in (".py", ".html", ".txt") and "static" not in path.parts)
    for path in paths:
        found = list(_in_python(path) if path.suffix == ".py" else _in_template(path))
        if path.suffix == ".py" and path.relative_to(SOURCES).parts[0] in _SHOWN:
            found += _refusals(path)
        for text, context in found:
            if text and (isinstance(text, tuple) or text.strip()):
                catalog.add(text, context=context)
    with translation.override(None):
        for text, context in _declared():
            catalog.add(text, context=context)
    return catalog


def present() -> Catalog:
    """Return the Chinese catalogue as it is."""
    if not CATALOGUE.exists():
        return Catalog()
    return read_po(BytesIO(CATALOGUE.read_bytes()), locale="zh_Hans")


def missing() -> list[Message]:
    """Return the strings of the sources that have no finished Chinese."""
    known = present()
    lacking = []
    for message in sources():
        if not message.id:
            continue
        entry = known.get(message.id, message.context)
        done = entry is not None and not entry.fuzzy and all([entry.string] if isinstance(entry.string, str) else entry.string or [""])
        if not done:
            lacking.append(message)
    return lacking


def update() -> None:
    """Write the catalogue anew: the strings of the sources in alphabetical order, with the Chinese already there."""
    known = present()
    fresh = Catalog(locale="zh_Hans", project="Jilink", version="1", fuzzy=False, header_comment="# Simplified Chinese of Jilink's pages.")
    for message in sources():
        if message.id:
            entry = known.get(message.id, message.context)
            fresh.add(message.id, entry.string if entry else None, context=message.context)
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    out = BytesIO()
    write_po(out, fresh, width=120, no_location=True, sort_output=True, omit_header=False)
    stable = _CHANGING.sub(b"", out.getvalue())
    CATALOGUE.write_bytes(stable)


def main(arguments: list[str]) -> int:
    """Update or check the catalogue. Returns the exit status."""
    if "--check" not in arguments:
        update()
    lacking = missing()
    for message in lacking:
        print(f"no Chinese: {message.id!r}")  # noqa: T201 -- a command's output
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
