"""The nouns that can be imported: each service says how one row of a noun is found, made and changed.

A service says so in a module `importers` of its own, which is imported when somebody first asks:

    imports(Noun(key="assets", row=AssetRow, permission=Permission.MANAGE_ASSETS, title=..., columns=..., natural=..., find=..., ...))
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from django.utils.module_loading import autodiscover_modules

from jilink.core.imports.rules import ImportRefused
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import OrganisationId
from jilink.kernel.texts import Text


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of any noun. `key` is what the sender calls it: sent again with the same key, it changes what was made of it then."""

    key: str = ""


@dataclass(frozen=True, slots=True)
class Into:
    """Where a row goes, and for whom."""

    organisation: OrganisationId
    options: Mapping[str, str]
    by: Actor
    now: datetime


@dataclass(frozen=True, slots=True)
class Column:
    """What a column is called in headings beside its own name, and what may stand there."""

    title: Text
    example: str = ""


@dataclass(frozen=True, kw_only=True)
class Noun:
    """How rows of one noun are taken. Every function asks the walls itself, as the actions do that it calls, and raises Refused."""

    key: str
    title: Text
    row: type[Row]
    permission: Permission
    columns: Mapping[str, Column]
    create: Callable[[Any, Into], int]
    """Return the number of what was made."""
    change: Callable[[int, Any, Into], object]
    """Change what was made of a row before. Raises NotFound where it is gone: then it is made anew."""
    look: Callable[[int, Into], object]
    """Raises NotFound where something is gone."""
    natural: Callable[[Any, Into], str] = lambda row, into: ""
    """Return by what a row without a key is known, "" where by nothing: then each row makes one more."""
    find: Callable[[Any, Into], int | None] = lambda row, into: None
    """Return the number of what is there already without an import having made it."""
    options: Mapping[str, Column] = field(default_factory=dict)
    """What is said once for all rows; every option is needed."""
    nested: frozenset[str] = frozenset()
    """Fields of named values: in CSV a column each, ``attributes.height``."""

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """Return the names of a row's fields."""
        return tuple(each.name for each in msgspec.structs.fields(self.row))

    @cached_property
    def needed(self) -> frozenset[str]:
        """Return the fields that every row must have."""
        return frozenset(each.name for each in msgspec.structs.fields(self.row) if each.required)

    @cached_property
    def lists(self) -> frozenset[str]:
        """Return the fields that are lists; in CSV their parts stand between semicolons, bars or line breaks."""
        hints = get_type_hints(self.row)
        return frozenset(name for name, kind in hints.items() if tuple in {get_origin(part) for part in (kind, *get_args(kind))})

    @cached_property
    def headings(self) -> Mapping[str, str]:
        """Return the field of every heading that is understood, in small letters."""
        found = {name: name for name in self.fields}
        for name, column in self.columns.items():
            found |= {words.lower(): name for words in (column.title.zh, column.title.en) if words}
        return found


_nouns: dict[str, Noun] = {}


def imports(noun: Noun) -> None:
    """Register a noun; saying it again replaces it. Raises TypeError where a field has no column."""
    if set(noun.columns) != set(noun.fields) - {"key"}:
        raise TypeError(f"the columns of {noun.key} are not its fields")
    _nouns[noun.key] = noun


def nouns() -> tuple[Noun, ...]:
    """Return every noun that can be imported, by its key."""
    autodiscover_modules("importers")
    return tuple(_nouns[key] for key in sorted(_nouns))


def noun_of(key: str) -> Noun:
    """Return one noun. Raises ImportRefused."""
    found = next((noun for noun in nouns() if noun.key == key), None)
    if found is None:
        raise ImportRefused("There is no noun “%(noun)s” to be imported.", noun=key)
    return found
