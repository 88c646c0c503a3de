"""Every read and action of the whole system that takes who asks, and arguments for it: the planted things wherever a thing is named."""

import inspect
import re
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

import jilink
from jilink.core.cases.models import Case
from jilink.core.cases.reads.one import CaseView
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.kernel.texts import Text
from tests.core.world import NOW
from tests.trust.planted import CANARY, Things

Function = Callable[..., object]
SOURCES = Path(jilink.__file__).parent
PROOFS = (Case, CaseView)
"""What only somebody holds who passed the door: functions that are given it go on from there, and no page or operation calls them."""


def public() -> dict[str, Function]:
    """Every public function of every module `reads` and `actions`, by its name from `core` or `services` on."""
    found: dict[str, Function] = {}
    for file in sorted([*SOURCES.glob("core/**/*.py"), *SOURCES.glob("services/**/*.py")]):
        parts = file.relative_to(SOURCES).with_suffix("").parts
        if {"reads", "actions"} & set(parts):
            module = ".".join(parts).removesuffix(".__init__")
            for name, value in vars(import_module(f"jilink.{module}")).items():
                if not name.startswith("_") and inspect.isfunction(value) and inspect.unwrap(value).__module__ == f"jilink.{module}":
                    found[f"{module}.{name}"] = value
    return found


def who(function: Function) -> str | None:
    """The name of the argument that says who asks, None where there is none."""
    return next((name for name, each in inspect.signature(function).parameters.items() if Actor in _kinds(each.annotation)), None)


def given_a_proof(function: Function) -> bool:
    """Whether it works on something that the door has let out already."""
    kinds = {kind for each in inspect.signature(function).parameters.values() for kind in _kinds(each.annotation)}
    return any(kind in PROOFS or getattr(kind, "__module__", "").endswith(("imports.models", "actions.desk")) for kind in kinds)


def _kinds(annotation: object) -> set[object]:
    parts = typing.get_args(annotation)
    if isinstance(annotation, list):  # of a Callable
        return {kind for part in annotation for kind in _kinds(part)}
    return {annotation} | {kind for part in parts for kind in _kinds(part)}


def asked() -> dict[str, Function]:
    """Those that take who asks."""
    return {name: function for name, function in public().items() if who(function) and not given_a_proof(function)}


WORDS: Mapping[str, object] = {
    "username": "somebody-new",
    "password": "lantern-over-songhua-8",
    "url": "https://example.com/other",
    "kinds": "*",
    "number": "110101199003074530",
    "level": "grid",
    "language": "en",
    "noun": "assets",
    "channel": "text",
    "state": "sent",
    "deed": "remove",
}
"""Texts that must be of a form."""


class Unknown(Exception):
    """It is not said in this module what to give for an argument."""


def arguments(name: str, function: Function, things: Things, special: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """What to call a function with, but for who asks. Raises Unknown."""
    room = name.split(".")[1]
    made = dict(special.get(name, {}))
    for key, each in inspect.signature(function).parameters.items():
        if key not in made and key != who(function) and each.default is inspect.Parameter.empty:
            made[key] = value(key, each.annotation, {**things, **_of_room(room, things)}, name)
    return made


def _of_room(room: str, things: Things) -> Things:
    """What the argument `number` stands for in a room."""
    named = {"interactions": "console/contacts/number", "observations": "rule", "webhooks": "endpoint", "parties": "person"}
    same = {"interaction": "contact", "type": "console/case-types/number", "assignee": "user"}
    return {mine: things[planted] for mine, planted in same.items()} | ({"number": things[named[room]]} if room in named else {})


def value(key: str, kind: Any, things: Things, of: str) -> object:
    """A value for an argument: a planted thing of that name, else one that fits its type."""
    bare = getattr(kind, "__supertype__", kind)
    inner = typing.get_args(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        first = next(part for part in inner if part is not type(None))
        return value(key, first, things, of)
    if typing.get_origin(kind) in (list, Sequence, Iterable, Collection, tuple, frozenset, set):
        single = value(_SINGULAR.get(key, key.removesuffix("s")), inner[0], things, of)
        return frozenset([single]) if typing.get_origin(kind) in (frozenset, set) else [single]
    if key in things and isinstance(things[key], bare if isinstance(bare, type) else object):
        return things[key]
    return _plain(key, bare, things, of)


_SINGULAR = {"ids": "asset", "numbers": "person", "cases": "case", "orders": "order", "views": "filter", "uploads": "upload"}
_SAME = {
    "into": "case",
    "other": "case",
    "keep": "person",
    "merge": "person",
    "unit": "organisation",
    "place_of": "organisation",
    "issuer": "organisation",
}


def _plain(key: str, kind: Any, things: Things, of: str) -> object:
    simple: dict[object, object] = {
        str: WORDS.get(key, CANARY),
        bytes: CANARY.encode(),
        bool: True,
        float: 43.5,
        datetime: NOW + timedelta(hours=1),
        date: NOW.date(),
        Text: Text(CANARY, CANARY),
        Permission: Permission.VIEW_CASES,
    }
    if kind is int:
        if key in _SAME:
            return things[_SAME[key]]
        if key in _COUNTS:
            return _COUNTS[key]
        raise Unknown(f"{of}: what is {key}? Plant one, or say in `_COUNTS` that it is a plain number.")
    if kind in simple:
        return simple[kind]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    if typing.get_origin(kind) is Mapping:
        return {}
    if typing.get_origin(kind) is np.ndarray:
        return np.array([43.5])
    if is_dataclass(kind) and isinstance(kind, type):
        needed = [each for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING]
        hints = typing.get_type_hints(kind)
        return kind(**{each.name: value(each.name, hints[each.name], things, of) for each in needed})
    raise Unknown(f"{of}: what is {key}, a {kind}?")


_COUNTS = {
    "amount": 1,
    "priority": 5,
    "based_on": 1,
    "after": 0,
    "offset": 0,
    "size": 10,
    "message": 0x8201,
    "days": 30,
    "most": 10,
    "limit": 10,
    "storm": 1,
    "notice": 1,
    "hop": 1,
    "side": 1,
}


def shown(result: object) -> str:
    """Everything that an answer says."""
    if isinstance(result, Iterator):
        result = list(result)
    if isinstance(result, bytes):
        return result.decode(errors="replace")
    return re.sub(r" at 0x[0-9a-f]+", "", repr(result))
