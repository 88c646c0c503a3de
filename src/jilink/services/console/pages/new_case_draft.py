"""A new case while it is being written: kept after every page, until it is opened or dropped."""

import secrets

import msgspec
from django.http import HttpRequest

from jilink.core.parties.access import NotFound

KEY = "new_cases"
MOST = 12
Given = str | list[str] | int


class Draft(msgspec.Struct, kw_only=True):
    """What is known so far. Degrees WGS-84, accuracy in metres; `split` is the number of the case it is split from."""

    organisation: int
    person: int | None = None
    interaction: int | None = None
    split: str = ""
    type: str = ""
    title: str = ""
    description: str = ""
    priority: int | None = None
    answers: dict[str, Given] = {}
    photos: dict[str, list[int]] = {}
    latitude: float | None = None
    longitude: float | None = None
    accuracy_m: float | None = None
    address: str = ""
    area: str = ""


def begin(request: HttpRequest, draft: Draft) -> str:
    """Keep a new draft and return its key; beyond twelve the oldest goes."""
    key = secrets.token_hex(8)
    kept = dict(list(request.session.get(KEY, {}).items())[-MOST + 1 :])
    request.session[KEY] = {**kept, key: msgspec.to_builtins(draft)}
    return key


def load(request: HttpRequest, key: str) -> Draft:
    """Return a draft of this browser's. Raises NotFound."""
    held = request.session.get(KEY, {}).get(key)
    if held is None:
        raise NotFound("There is no such draft.")
    return msgspec.convert(held, Draft)


def save(request: HttpRequest, key: str, draft: Draft) -> None:
    """Keep a draft as it is now."""
    request.session[KEY] = {**request.session.get(KEY, {}), key: msgspec.to_builtins(draft)}


def drop(request: HttpRequest, key: str) -> None:
    """Forget a draft."""
    request.session[KEY] = {name: held for name, held in request.session.get(KEY, {}).items() if name != key}


def drafts(request: HttpRequest) -> list[tuple[str, Draft]]:
    """Return what was begun and not opened, the newest first."""
    return [(key, msgspec.convert(held, Draft)) for key, held in reversed(request.session.get(KEY, {}).items())]
