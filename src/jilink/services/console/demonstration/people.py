"""Whom the office serves: invented people with telephone numbers that reach nobody, and the places where they live."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

import numpy as np

from jilink.core.areas import actions as areas
from jilink.core.areas import reads as places
from jilink.core.areas.rules import Level
from jilink.core.assets.inventory import reads as things
from jilink.core.assets.inventory.reads import ThingView
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import Contact, PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.kernel.clock import CHINA
from jilink.kernel.ids import OrganisationId, PersonId
from jilink.services.console.demonstration.data import City, County, cities, names

NUMBERS = 13_490_000_000
"""Telephones are counted on from here: 1349 is a block for satellite telephones, the beginning of which nobody was given."""
_DEGREE_M = 111_000.0


@dataclass(frozen=True, slots=True)
class Served:
    """Somebody the office serves."""

    id: PersonId
    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where something happens: address in words, point (degrees, WGS-84), path of the area, and a thing that stands there."""

    words: dict[str, str]
    address: str
    latitude: float
    longitude: float
    area: str
    korean: bool
    asset: int | None = None


def add_people(organisation: OrganisationId, count: int, random: Random, *, by: Actor, now: datetime) -> list[Served]:
    """Add invented people; every tenth speaks Korean."""
    found = []
    for number in range(count):
        korean = number % 10 == 9
        family, given = (names().korean_family, names().korean_given) if korean else (names().family, names().given)
        name, phone = random.choice(family) + random.choice(given), str(NUMBERS + 11 * number + 1)
        data = PersonData(name=name, languages=("ko", "zh") if korean else ("zh",))
        made = people.add_person(organisation=organisation, data=data, contacts=(Contact(ContactKind.PHONE, phone),), by=by, now=now)
        found.append(Served(made, name, phone))
    return found


class Map:
    """Places in the counties of the office: real townships and villages by name, invented addresses in them."""

    def __init__(self, organisation: OrganisationId, random: Random, *, by: Actor, now: datetime) -> None:
        self._random, self._by, self._day = random, by, now.astimezone(CHINA).date()
        self._things = {kind: things.things(by, kind=kind, organisation=organisation) for kind in ("street_lamp", "manhole")}
        self._counties = [(city, county) for city in cities() for county in city.counties]
        self._weights = [8 if city.code == cities()[0].code else 5 if county.worker else 2 for city, county in self._counties]
        self._villages: dict[str, list[tuple[str, str]]] = {}

    def spots(self, wanted: Sequence[tuple[str, str]]) -> list[Spot]:
        """Return a spot for each (kind of place, kind of asset), with the county it truly lies in."""
        spots = [self._spot(where, asset) for where, asset in wanted]
        try:
            column = places.locate_many(
                self._by,
                np.array([spot.longitude for spot in spots]),
                np.array([spot.latitude for spot in spots]),
                key=areas.DIVISIONS,
                level=Level.COUNTY,
                on=self._day,
            )
        except NotFound:  # the divisions are not loaded here
            return spots
        return [
            Spot(s.words, s.address, s.latitude, s.longitude, column.areas[at].path if at >= 0 else "", s.korean, s.asset)
            for s, at in zip(spots, column.place.tolist(), strict=True)
        ]

    def _spot(self, where: str, asset: str) -> Spot:
        if asset and self._random.random() < 0.6:
            return self._at_thing(self._random.choice(self._things[asset]))
        ((city, county),) = self._random.choices(self._counties, self._weights)
        words = {"road": self._random.choice(names().roads), "estate": self._random.choice(names().estates)}
        words["building"] = f"{self._random.randint(1, 28)}号楼"
        spread = 900.0
        if where == "village":
            township, village = self._village(county)
            words["village"], spread = f"{township}{village}", 3_000.0
        latitude = county.latitude + self._random.uniform(-spread, spread) / _DEGREE_M
        longitude = county.longitude + self._random.uniform(-spread, spread) / _DEGREE_M / 0.72
        return Spot(words, _address(city, county, where, words), round(latitude, 6), round(longitude, 6), "", city.code == "2224")

    def _at_thing(self, thing: ThingView) -> Spot:
        road = thing.label.split()[0]
        return Spot({"road": road}, f"长春市{thing.label}", thing.latitude or 0.0, thing.longitude or 0.0, "", False, thing.id)

    def _village(self, county: County) -> tuple[str, str]:
        if county.code not in self._villages:
            try:
                whole = places.by_code(self._by, areas.DIVISIONS, county.code, on=self._day)
                townships = places.below(self._by, whole)
            except NotFound:
                townships = []
            rural = [each for each in townships if each.name.zh.endswith(("镇", "乡"))] or townships
            chosen = self._random.sample(rural, min(2, len(rural)))
            named = [(each.name.zh, below.name.zh) for each in chosen for below in places.below(self._by, each)]
            self._villages[county.code] = [(township, _short(name)) for township, name in named if "村" in name]
        return self._random.choice(self._villages[county.code] or [("", "中心村")])


def _short(village: str) -> str:
    """Return a village's name without the committee that the register has behind it."""
    return village.removesuffix("村民委员会").removesuffix("村委会").removesuffix("村") + "村"


def _address(city: City, county: County, where: str, words: dict[str, str]) -> str:
    place = city.name.removesuffix("服务中心") + county.name.removesuffix("分中心")
    tail = {"street": words["road"], "estate": words["estate"] + words["building"], "village": words.get("village", "")}
    return place + tail.get(where, "")
