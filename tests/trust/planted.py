"""One of every noun in the north, each carrying words that nobody else may ever read, by the names that addresses give them."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from django.urls import URLPattern, URLResolver, get_resolver

from jilink.core.areas import actions as areas
from jilink.core.areas.geojson import read
from jilink.core.assets import actions as terminals
from jilink.core.assets.inventory import actions as inventory
from jilink.core.assets.inventory.actions import AssetData
from jilink.core.assets.kinds import Kind
from jilink.core.assets.models import SeenTerminal
from jilink.core.cases import actions as cases
from jilink.core.cases.actions import attaching, bulk
from jilink.core.cases.assignment import actions as assigning
from jilink.core.cases.models import Case, CaseType
from jilink.core.cases.rules.workflow import LinkKind
from jilink.core.files import actions as files
from jilink.core.flows import actions as flows
from jilink.core.flows.models import FlowHook
from jilink.core.flows.rules.state import Contact as Caller
from jilink.core.imports import actions as imports
from jilink.core.interactions import actions as interactions
from jilink.core.interactions.actions import Contact
from jilink.core.interactions.rules import Channel, Side
from jilink.core.knowledge import actions as knowledge
from jilink.core.observations import actions as alarms
from jilink.core.observations.actions import Raised, RuleData
from jilink.core.observations.conditions import Silence
from jilink.core.observations.models import Alarm
from jilink.core.outbox.models import DeadLetter
from jilink.core.parties import access
from jilink.core.parties.invitations import actions as invitations
from jilink.core.parties.members import actions as members
from jilink.core.parties.models import ContactPoint
from jilink.core.parties.people import actions as people
from jilink.core.parties.people import merging
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Permission, Role
from jilink.core.parties.tokens import actions as tokens
from jilink.core.webhooks import actions as webhooks
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import FileId, PersonId
from jilink.kernel.texts import Text
from jilink.services.console.actions import saved
from jilink.services.contact.actions import billing, do_not_call, serving, sites, writing
from jilink.services.contact.actions import campaigns as campaigning
from jilink.services.contact.actions import designing as queues
from jilink.services.contact.actions.trunks import add_trunk
from jilink.services.contact.models import Phone, Queue
from jilink.services.contact.rules.campaigns import CampaignDesign
from jilink.services.contact.rules.design import QueueDesign
from jilink.services.contact.rules.tariffs import Basis, Rate, TariffDesign
from jilink.services.contact.rules.trunks import TrunkDesign
from jilink.services.contact.rules.written import SiteDesign
from jilink.services.vehicles import actions as vehicles
from jilink.services.vehicles.actions import VehicleData
from jilink.services.vehicles.models import Media
from jilink.spine.terminals import MediaStored
from tests.core.cases.office import MONDAY, office_of
from tests.core.world import NOW, World
from tests.trust.recorded import recorded

CANARY = "金丝雀甲"
PLATE = "吉AWALL1"
PHONE, DRIVER = "13912345678", "13522208642"
SECRETS = (CANARY, PLATE, "AWALL1", "5678", "2208642", "example.com/canary")
"""What must never stand in an answer to somebody who may not know it: names, plates, the ends of numbers, addresses."""
OPEN = (
    "accounts/",
    "^accounts/",
    "i18n/",
    "basemap/",
    "healthz",
    "readyz",
    "api/",
    "static/",
    "rate/",
    "contact/chat/",
    "contact/widget.js",
)
"""Doors that everyone may pass and that hold nothing of anyone; operations of the API are asked by a test of their own."""
NOTHING = 987_654_321
PAPER = CANARY.encode()

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
    office = office_of(world)
    case = office.sent(title=CANARY, description=CANARY)
    endpoint = webhooks.add_endpoint(
        organisation=north, url="https://example.com/canary", kinds="*", description=CANARY, by=by, now=NOW
    ).endpoint
    account = tokens.add_service_account(organisation=north, name=CANARY, by=by)
    member = world.person(Role.AGENT, north, also="x")
    member.first_name = CANARY
    member.save()
    until = utc_now() + timedelta(days=1)
    article = knowledge.add_article(organisation=north, title=title, body=title, by=by, now=NOW)
    paper = FileId(
        files.keep_file(organisation=north, data=PAPER, name=f"{CANARY}.txt", permission=Permission.WORK_CASES, by=owner, now=NOW)
    )
    attaching.attach_file(case=case, file=paper, by=owner, now=NOW)
    told = MediaStored(
        asset=asset, name="1/1/20260501/ab.jpg", kind="image", content_type="image/jpeg", size=9, sha256="ab" * 32, cause="timer", channel=2
    )
    vehicles.note_media(stored=told, received_at=NOW)
    cases.add_note(case=case, text=CANARY, by=office.boss, now=MONDAY)
    cases.link_cases(case=case, kind=LinkKind.PART_OF, other=office.open(title=CANARY), by=office.boss, now=MONDAY)
    people.set_identity(person=person, number="11010519491231002X", by=owner, now=NOW)
    team = world.team(north, CANARY)
    members.put_in_team(team=team, user=member.pk, by=by, now=NOW)
    rules = assigning.save_rules(organisation=north, rules='{"rules": []}', by=office.boss, now=NOW)
    asked = cases.request_extension(case=case, amount=1, reason=CANARY, by=office.worker, now=MONDAY)
    letter = DeadLetter.objects.create(
        room="console", event="canary", subject=CANARY, organisation=north, envelope=b"{}", reason=CANARY, attempts=3, at=NOW
    )
    terminals.note_seen(phone="13900009999", terminal_id=CANARY, maker="X", model="Y", plate=CANARY, at=NOW)
    inventory.set_kind(organisation=north, key="canarykind", kind=Kind(title=Text(CANARY, CANARY)), by=by, now=NOW)
    return {
        "asset": asset,
        "console/assets/asset": inventory.register_asset(
            organisation=north, kind="canarykind", data=AssetData(label=CANARY), by=by, now=NOW
        ),
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
        "article": article,
        "file": paper,
        "console/knowledge/file": knowledge.attach_file(article=article, data=PAPER, name=f"{CANARY}.txt", by=owner, now=NOW),
        "request": asked.request,
        "reply": cases.send_reply(case=case, text=CANARY, recipient=CANARY, channel="text", by=office.worker, now=MONDAY),
        "media": Media.objects.get(asset=asset).pk,
        "letter": letter.pk,
        "seen": SeenTerminal.objects.get(phone="13900009999").pk,
        "view": saved.save_view(name=CANARY, query="view=all", by=office.boss, now=NOW),
        "run": bulk.prioritise_many(cases=[case], priority=5, by=office.boss, now=NOW).run,
        "rules": rules,
        "console/assignment/number": rules,
        "layer": _layer(world),
        "organisation": north,
        "user": member.pk,
        "team": team,
        "invitation": invitations.invite(organisation=north, name=CANARY, role=Role.AGENT, by=by).id,
        "account": account,
        "token": tokens.issue_token(
            account=account, name=CANARY, permissions=frozenset({Permission.VIEW_CASES}), expires_at=until, by=by
        ).id,
        "endpoint": endpoint,
        "job": imports.begin_import(organisation=north, noun="people", size=9, name=CANARY, by=owner),
        "delivery": webhooks.send_test(endpoint=endpoint, by=by),
        "key": "canarykind",
        **_flow(world),
        **_queue(world),
        **_campaign(world, person),
    }


def _flow(world: World) -> Things:
    """A flow in use, a contact in it, and an address that it may ask."""
    by, north = access.system("test"), world.north
    prompt = {"words": {"zh": CANARY}}
    steps = [{"kind": "wait", "key": "wait", "seconds": 60, "next": "say"}, {"kind": "say", "key": "say", "prompt": prompt, "next": "end"}]
    text = json.dumps({"label": {"zh": CANARY, "en": CANARY}, "steps": steps})
    number = flows.save_flow(organisation=north, key="canaryflow", definition=text, by=by, now=NOW)
    flows.publish_flow(flow=number, by=by, now=NOW)
    caller = Caller(caller=PHONE, name=CANARY)
    session = flows.begin_session(organisation=north, flow="canaryflow", key="canary-leg", contact=caller, by=by, now=NOW)
    flows.add_hook(organisation=north, key="canaryhook", url="https://example.com/canary", by=by, now=NOW)
    draft = flows.save_flow(organisation=north, key="canarydraft", definition=text, by=by, now=NOW)
    return {"flow": number, "console/flows/number": draft, "session": session.id, "hook": FlowHook.objects.get(organisation=north).pk}


def _statement(world: World) -> Things:
    """A tariff of a client below the north, and a month counted by it."""
    by, month = access.system("test"), NOW.date().replace(day=1)
    rate = Rate(title=Text(CANARY, CANARY), basis=Basis.ANSWERED, price=Decimal(1))
    tariff = billing.set_tariff(
        issuer=world.north, organisation=world.depot, valid_from=month, design=TariffDesign(rates=(rate,)), by=by, now=NOW
    )
    statement = billing.draft_statement(issuer=world.north, organisation=world.depot, month=month, by=by, now=NOW)
    return {"tariff": tariff, "statement": statement, "contact/statements/line": 0}


def _queue(world: World) -> Things:
    """A queue, a number that leads there, a phone and a trunk, a site and what somebody wrote."""
    by, north = access.system("test"), world.north
    number = queues.add_queue(organisation=north, key="canaryqueue", design=QueueDesign(name=Text(CANARY, CANARY)), by=by, now=NOW)
    line = queues.set_number(organisation=north, dialled=PHONE, queue=number, by=by, now=NOW)
    queues.add_phone(organisation=north, extension="305678", by=by, now=NOW)
    design = TrunkDesign(host="canary.example", user="line7", register=True)
    trunk = add_trunk(organisation=north, name=CANARY, design=design, password=CANARY, by=by, now=NOW)
    site = sites.add_site(queue=number, design=SiteDesign(name=CANARY, origins=("https://www.example.com",)), by=by, now=NOW)
    talk = writing.begin_text(organisation=north, queue=number, address=PHONE, reference="canary", by=by, now=NOW)
    writing.hear(conversation=talk, words=CANARY, client="1", by=by, now=NOW)
    return {
        **recorded(world, number, CANARY),
        **_statement(world),
        "site": site,
        "conversation": talk,
        "queue": number,
        "contact/contacts/contact": serving.enqueue(arrival=serving.Arrival(queue=number, channel="call"), by=by, now=NOW),
        "line": line,
        "phone": Phone.objects.get(organisation=north).pk,
        "trunk": trunk,
    }


def _campaign(world: World, person: PersonId) -> Things:
    """A campaign with somebody to call, and a number that nobody calls."""
    by, design = access.system("test"), CampaignDesign(name=Text(CANARY, CANARY), purpose="news", who=Text(CANARY, CANARY))
    campaign = campaigning.add_campaign(queue=Queue.objects.get(key="canaryqueue").pk, design=design, by=by, now=NOW)
    target = campaigning.add_target(campaign=campaign, person=person, by=by, now=NOW)
    entry = do_not_call.add_do_not_call(organisation=world.north, number=DRIVER, reason=CANARY, by=by, now=NOW)
    return {"campaign": campaign, "target": target, "entry": entry}


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


def names_of(route: str) -> list[str]:
    """The names of the things in an address."""
    return re.findall(r"<\w+:(\w+)>", route)


def unknown(route: str, things: Things) -> list[str]:
    """Return the names in an address of which it is not said here what they are."""
    return [name for name in names_of(route) if name not in {**WORDS, **things}]


def filled(route: str, things: Things) -> str:
    """The address of the planted things."""
    folder = "/".join(route.split("/")[:2])
    given = {**WORDS, **things}

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        return str(given.get(f"{folder}/{name}", given.get(name, NOTHING)))

    return "/" + re.sub(r"<\w+:(\w+)>", value, route)


def missing(route: str, things: Things) -> str:
    """The same address with things that do not exist."""
    gone = re.sub(r"<int:(\w+)>", lambda found: found.group(0) if found.group(1) in WORDS else str(NOTHING), route)
    return filled(gone, {name: "none-such" for name in things})
