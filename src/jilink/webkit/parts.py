"""What pages hand to the parts of `templatetags/webkit.py`, and messages that a page or a fragment leaves behind."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise

Words = str | Promise
"""Text in the viewer's language, perhaps translated only when it is shown."""


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab over a page. `count` None shows none."""

    title: Words
    url: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One chip of a filter: the parameter's value ("" for everything), its word, how many it would show, and its state's mark."""

    value: str
    title: Words
    count: int | None = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure. `tone` as of `{% status %}`; with a `url` the tile leads to what was counted."""

    title: Words
    value: int | float | None
    unit: str = ""
    digits: int = 0
    note: Words = ""
    url: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Sort:
    """How a table is sorted."""

    key: str
    descending: bool = False

    @classmethod
    def asked(cls, request: HttpRequest, fields: Mapping[str, str] | Sequence[str], default: str) -> "Sort":
        """Return what the parameter `sort` asks for (`name`, or `-name` downwards); anything but the fields is the default."""
        given = request.GET.get("sort", default)
        known = given if given.removeprefix("-") in fields else default
        return cls(known.removeprefix("-"), known.startswith("-"))

    @property
    def parameter(self) -> str:
        """The parameter that asks for this."""
        return f"-{self.key}" if self.descending else self.key


def say(response: HttpResponse, text: Words, level: str = "success") -> HttpResponse:
    """Have the answer to an htmx request show a message (level success, info, warning or error), and return it."""
    response["HX-Trigger"] = json.dumps({"jl:say": {"text": str(text), "level": level}})
    return response


def undoable(request: HttpRequest, text: Words, url: str) -> None:
    """Leave a success message with a button that posts to `url` to undo what was done."""
    messages.success(request, str(text), extra_tags=f"undo:{url}")
