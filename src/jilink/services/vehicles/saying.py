"""Fields of orders and of answers in people's words: each value under its name, with its unit, choices and flags spelt out."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from jilink.protocols.wire.groups import Repeat, Switch, Tagged, When
from jilink.protocols.wire.joined import Joined
from jilink.protocols.wire.kinds import AnyKind, Bytes, Flags, Number
from jilink.protocols.wire.records import Nested, Record
from jilink.services.vehicles.reasons import WANTED
from jilink.services.vehicles.words import unit, word

UNTOLD = frozenset({"reply_serial"})
"""Bookkeeping of the wire that tells people nothing."""
LONGEST_HEX = 64
NO_LABELS: Mapping[str, str | Promise] = {}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00")
Shown = Any  # JSON as declarations render it


@dataclass(frozen=True, slots=True)
class Said:
    """One field: what it is called, and its value as text."""

    name: str
    text: str
    key: str = ""
    """What code calls it."""


def of_fields(form: type[Record], given: str, labels: Mapping[str, str | Promise] = NO_LABELS) -> list[Said]:
    """Return the fields of an order (its JSON, the integers of the wire) as its declaration explains them; `labels` go before words."""
    fields = msgspec.json.decode(given, type=dict[str, object])
    own = {name.rpartition(".")[2]: str(label) for name, label in labels.items()}
    return [Said(own.get(said.key, said.name), said.text) for said in _record(form, fields)]


def _said(key: str, text: str) -> Said:
    return Said(word(key), text, key)


def _record(form: type[Record], fields: Mapping[str, object]) -> Iterator[Said]:
    declared = form.fields()
    for name, value in fields.items():
        if name in declared and value is not None:
            yield from _field(declared[name], name, value, fields)


def _field(kind: AnyKind, name: str, value: object, beside: Mapping[str, object]) -> Iterator[Said]:
    if isinstance(kind, When):
        yield from _field(kind.kind, name, value, beside)
    elif isinstance(kind, Switch):
        on = beside.get(kind.on)
        yield from _field(kind.kinds.get(on, kind.otherwise) if isinstance(on, int) else kind.otherwise, name, value, beside)
    elif isinstance(kind, Nested) and isinstance(value, Mapping):
        yield from _record(kind.record, value)
    elif isinstance(kind, Repeat) and isinstance(value, list) and isinstance(kind.kind, Nested):
        for element in value:
            yield from _field(kind.kind, name, element, beside)
    elif isinstance(kind, Tagged) and isinstance(value, Mapping):
        items = {one.name: one for kinds in kind.kinds.values() for one in kinds}
        for key, each in value.items():
            yield from _field(items[key], key, each, value) if key in items else [_said(str(key), str(each))]
    elif isinstance(kind, Bytes) and isinstance(value, str):
        yield _said(name, _("%(size)d bytes") % {"size": len(value) // 2})
    elif isinstance(kind, Number) and isinstance(value, int):
        yield from _leaf(name, kind.render(value))
    elif isinstance(value, list):
        yield _said(name, ", ".join(str(each) for each in value))
    elif value != "":
        yield _said(name, str(value))


def of_reply(answer: str) -> list[Said]:
    """Return what a terminal answered (JSON as its declaration renders it). A bare success says nothing more."""
    shown = msgspec.json.decode(answer)
    if "detail" in shown:  # of the gateway, which refused the order
        return [_gateways(shown)]
    return [] if shown == {"result": 0} else [said for name, value in shown.items() for said in _shown(name, value)]


def _gateways(shown: Mapping[str, Shown]) -> Said:
    field, wanted = str(shown.get("field", "")), WANTED.get(str(shown.get("wanted", "")))
    if wanted is not None:
        return Said(word(field), _("“%(given)s” does not fit: %(wanted)s") % {"given": shown.get("given", ""), "wanted": wanted})
    if field.isidentifier():
        return Said(word(field), _("This value does not fit its field."))
    return Said(_("Detail"), str(shown["detail"]))


def _shown(name: str, value: Shown) -> Iterator[Said]:
    if name in UNTOLD or value is None:
        return
    if isinstance(value, list) and all(isinstance(each, Mapping) and "value" in each for each in value):
        yield _said(name, ", ".join(_text(each) for each in value))
    elif isinstance(value, list):
        for each in value:
            yield from _shown(name, each)
    elif not isinstance(value, Mapping):
        yield _said(name, str(value))
    elif "value" in value:
        yield from _leaf(name, value)
    else:
        for key, each in value.items():
            if key != "id":
                yield from _shown(key, each)


def _leaf(name: str, value: Shown) -> Iterator[Said]:
    yield _said(name, _text(value))
    for part, meaning in value.items():
        if part not in ("id", "value", "unit", "meaning", "set", "encoding"):
            yield _said(part, word(meaning) if isinstance(meaning, str) else str(meaning))


def _text(value: Shown) -> str:
    if "set" in value:
        return _(", ").join(word(name) for name in value["set"]) or "—"
    if value.get("encoding") == "hex":
        return str(value["value"])[:LONGEST_HEX] or "—"
    if isinstance(meaning := value.get("meaning"), str):
        return word(meaning)
    plain = value["value"]
    number = "—" if plain in (None, "") else f"{plain:.10g}" if isinstance(plain, float) else str(plain)
    if _MOMENT.fullmatch(number):
        return number[:19].replace("T", " ")
    return f"{number} {unit(value['unit'])}" if value.get("unit") else number


def vocabulary(form: type[Record]) -> Iterator[str]:
    """Yield every name of code that `of_fields` and `of_reply` may put into words for a message: for the catalogue."""
    for name, kind in form.fields().items():
        yield name
        yield from _names(kind)


def _names(kind: AnyKind) -> Iterator[str]:
    if isinstance(kind, Flags):
        yield from kind.bits.values()
        for part, (_low, _width, meanings) in kind.parts.items():
            yield from (part, *meanings.values())
    elif isinstance(kind, Number):
        yield from kind.choices.values()
    elif isinstance(kind, Nested):
        yield from vocabulary(kind.record)
    elif isinstance(kind, When | Repeat):
        yield from _names(kind.kind)
    elif isinstance(kind, Switch):
        for each in (*kind.kinds.values(), kind.otherwise):
            yield from _names(each)
    elif isinstance(kind, Joined):
        yield from kind.names
    elif isinstance(kind, Tagged):
        for each in (one for kinds in kind.kinds.values() for one in kinds):
            yield each.name
            yield from _names(each)
