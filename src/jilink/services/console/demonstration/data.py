"""What stands in `data/demonstration` as data: the units of the office, and the stories that its cases tell. Knows no Django."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec

CASES = 150
"""How many cases the office has unless somebody says otherwise."""
PREFIX = "demo-"
"""Of every account of the demonstration."""


@dataclass(frozen=True, slots=True)
class Login:
    """An account that can be tried: its name, whose it is, what they do, and the role that they have."""

    username: str
    name: str
    place: str
    role: str


class County(msgspec.Struct, frozen=True, kw_only=True):
    """A unit of one county, at its seat (degrees, WGS-84); `login` and `worker` where somebody of its own works there."""

    code: str
    name: str
    latitude: float
    longitude: float
    login: str = ""
    worker: str = ""


class City(msgspec.Struct, frozen=True, kw_only=True):
    """A unit of one prefecture, whose desk hands out what comes to it and to its counties."""

    code: str
    name: str
    login: str
    desk: str
    counties: tuple[County, ...]


class _Office(msgspec.Struct, frozen=True):
    cities: tuple[City, ...]


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What people report, and what is done about it. Texts of one story fit each other by their place in the lists."""

    key: str
    type: str
    weight: int
    where: str
    """``street``, ``estate`` or ``village``; "" for nowhere."""
    titles: tuple[str, ...]
    said: tuple[str, ...]
    answers: dict[str, str | list[str]]
    finish: tuple[str, ...]
    replies: tuple[str, ...]
    priorities: tuple[int, ...]
    notes: tuple[str, ...] = ()
    picture: str = ""
    asset: str = ""
    months: tuple[int, ...] = tuple(range(1, 13))


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Of what invented names and addresses are put together."""

    family: str
    given: tuple[str, ...]
    korean_family: str
    korean_given: tuple[str, ...]
    roads: tuple[str, ...]
    estates: tuple[str, ...]


def _text(name: str) -> bytes:
    return (files("jilink.services.console") / "data" / "demonstration" / name).read_bytes()


@cache
def cities() -> tuple[City, ...]:
    """Return the units of the office, city by city."""
    return msgspec.json.decode(_text("office.json"), type=_Office).cities


@cache
def stories() -> tuple[Story, ...]:
    """Return every story."""
    return msgspec.json.decode(_text("stories.json"), type=tuple[Story, ...])


@cache
def names() -> Names:
    """Return the parts of invented names and addresses."""
    return msgspec.json.decode(_text("names.json"), type=Names)
