"""One of every noun in the north, each carrying words that nobody else may ever read, by the names that addresses give them."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta

from django.urls import URLPattern, URLResolver, get_resolver

from jilink.core.areas import actions as areas
from jilink.core.areas.geojson import read
from jilink.core.cases.models import Case, CaseType
from jilink.core.interactions import actions as interactions
from jilink.core.interactions.actions import Contact
from jilink.core.interactions.rules import Channel, Side
from jilink.core.knowledge import actions as knowledge
from jilink.core.observations import actions as alarms
from jilink.core.observations.actions import Raised, RuleData
from jilink.core.observations.conditions import Silence
from jilink.core.observations.models import Alarm
from jilink.core.parties import access
from jilink.core.parties.invitations import actions as invitations
from jilink.core.parties.models import ContactPoint
from jilink.core.parties.people import actions as people
from jilink.core.parties.people import merging
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Permission, Role
from jilink.core.parties.tokens import actions as tokens
from jilink.core.webhooks import actions as webhooks
from jilink.kernel.clock import utc_now
from jilink.kernel.texts import Text
from jilink.services.vehicles import actions as vehicles
from jilink.services.vehicles.actions import VehicleData
from tests.core.cases.office import office_of
from tests.core.world import NOW, World

CANARY = "金丝雀甲"
PLATE = "吉AWALL1"
PHONE, DRIVER = "13912345678", "13500001111"
SECRETS = (CANARY, PLATE, "AWALL1", "5678", "0001111", "example.com/canary")
"""What must never stand in an answer to somebody who may not know it: names, plates, the ends of numbers, addresses."""
OPEN = ("accounts/", "^accounts/", "i18n/", "basemap/", "healthz", "readyz", "api/", "static/")
"""Doors that everyone may pass and that hold nothing of anyone; operations of the API are asked by a test of their own."""
NOTHING = 987_654_321

Things = dict[str, object]


def patterns(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """Every address of the whole site, as declared."""
    for each in (resolver or get_resolver()).url_patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from patterns(each, route)
        elif isinstance(each, URLPattern):
            yield route


def pages() -> list[str]:
    """Every address that holds something of somebody."""
    return sorted({route for route in patterns() if not route.startswith(OPEN) and route != ""})


def plant(world: World) -> Things:
    """Make the things and return them by the name that an address gives them, after the beginning of the address where names repeat."""
    by, north = access.system("test"), world.north
    owner = world.actor(Role.OWNER, north)
    data = VehicleData(plate=PLATE, organisation=north, terminal_phone=PHONE, driver=CANARY, driver_phone=DRIVER)
    asset = vehicles.add_vehicle(data=data, by=owner, now=NOW)
    alarms.raise_alarms([Raised(organisation=north, asset=asset, condition="overspeed", at=NOW)])
    rule = alarms.add_rule(organisation=north, data=RuleData(name=CANARY, condition=Silence(for_s=600)), by=owner)
    contacts = (people.Contact(ContactKind.PHONE, PHONE),)
    person = people.add_person(organisation=north, data=PersonData(name=CANARY), contacts=contacts, by=by, now=NOW)
    double = people.add_person(organisation=north, data=PersonData(name=CANARY), by=by, now=NOW)
    consent = people.give_consent(person=person, purpose="news", evidence=CANARY, by=by, now=NOW)
    call = Contact(channel=Channel.CALL, contact=PHONE, subject=CANARY, person=person)
    contact = interactions.add_interaction(organisation=north, contact=call, by=by, now=NOW)
    interactions.add_part(interaction=contact, side=Side.THEIRS, text=CANARY, by=by, at=NOW)
    title = Text(CANARY, CANARY)
    case = office_of(world).sent(title=CANARY, description=CANARY)
    endpoint = webhooks.add_endpoint(
        organisation=north, url="https://example.com/canary", kinds="*", description=CANARY, by=by, now=NOW
    ).endpoint
    account = tokens.add_service_account(organisation=north, name=CANARY, by=by)
    member = world.person(Role.AGENT, north, also="x")
    member.first_name = CANARY
    member.save()
    until = utc_now() + timedelta(days=1)
    return {
        "asset": asset,
        "alarm": Alarm.objects.get(asset=asset).pk,
        "rule": rule,
        "person": person,
        "merge": merging.merge_people(keep=person, merge=double, by=by),
        "consent": consent,
        "contact": contact,
        "console/people/contact": ContactPoint.objects.filter(person=person)[0].pk,
        "case": case,
        "number": Case.objects.get(pk=case).number,
        "console/contacts/number": 1,
        "console/case-types/number": CaseType.objects.filter(organisation=north)[0].pk,
        "article": knowledge.add_article(organisation=north, title=title, body=title, by=by, now=NOW),
        "layer": _layer(world),
        "organisation": north,
        "user": member.pk,
        "team": world.team(north, CANARY),
        "invitation": invitations.invite(organisation=north, name=CANARY, role=Role.AGENT, by=by).id,
        "account": account,
        "token": tokens.issue_token(
            account=account, name=CANARY, permissions=frozenset({Permission.VIEW_CASES}), expires_at=until, by=by
        ).id,
        "endpoint": endpoint,
        "delivery": webhooks.send_test(endpoint=endpoint, by=by),
        "key": "canarykind",
    }


def _layer(world: World) -> int:
    ring = [[126.0, 43.0], [126.1, 43.0], [126.1, 43.1], [126.0, 43.0]]
    feature = {"type": "Feature", "properties": {"code": "g1", "name": CANARY}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    sheet = read(json.dumps({"type": "FeatureCollection", "features": [feature]}).encode())
    title, by = Text(CANARY, CANARY), access.system("test")
    return areas.load_layer(
        organisation=world.north, key="grid", title=title, sheet=sheet, source="test", valid_from=NOW.date(), by=by, now=NOW
    )


WORDS = {"name": "text", "deed": "remove", "step": "publish", "draft": "new", "level": "grid", "place": "first", "moment": 1777622400000000}
"""Names in addresses that stand for no thing of anyone."""
OWNED_BY_NOBODY = {"letter": 7, "media": 7, "file": 7, "run": 7, "view": 7, "console/assignment/number": 7}
"""Things of which none is planted: the address is asked all the same, and nothing but a refusal is an answer."""


def names_of(route: str) -> list[str]:
    """The names of the things in an address."""
    return re.findall(r"<\w+:(\w+)>", route)


def unknown(route: str, things: Things) -> list[str]:
    """Return the names in an address of which it is not said here what they are."""
    return [name for name in names_of(route) if name not in {**WORDS, **OWNED_BY_NOBODY, **things}]


def filled(route: str, things: Things) -> str:
    """The address of the planted things."""
    folder = "/".join(route.split("/")[:2])
    given = {**WORDS, **OWNED_BY_NOBODY, **things}

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        return str(given.get(f"{folder}/{name}", given.get(name, NOTHING)))

    return "/" + re.sub(r"<\w+:(\w+)>", value, route)


def missing(route: str, things: Things) -> str:
    """The same address with things that do not exist."""
    gone = re.sub(r"<int:(\w+)>", lambda found: found.group(0) if found.group(1) in WORDS else str(NOTHING), route)
    return filled(gone, {name: "none-such" for name in things})
