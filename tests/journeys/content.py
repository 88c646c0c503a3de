"""What journeys begin with: organisations, people and things, entered within the installation under test by the actions of the core."""

import io
import json
from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from PIL import Image

from jilink.core.areas import actions as areas
from jilink.core.assets.inventory import actions as inventory
from jilink.core.assets.inventory.actions import AssetData
from jilink.core.assets.kinds import ChoiceAttribute, Kind, NumberAttribute
from jilink.core.cases import actions as cases
from jilink.core.cases import reads as known
from jilink.core.cases.actions import NewCase, Recipient, StepData
from jilink.core.cases.assignment import actions as assignment
from jilink.core.cases.rules.definition import write_definition
from jilink.core.cases.rules.form import Place
from jilink.core.cases.rules.workflow import LinkKind
from jilink.core.flows import actions as flows
from jilink.core.flows.actions.demonstration import example
from jilink.core.flows.rules.definition import write_flow
from jilink.core.interactions import actions as interactions
from jilink.core.interactions.actions import Contact as Talk
from jilink.core.interactions.rules import Channel, Side
from jilink.core.knowledge import actions as knowledge
from jilink.core.knowledge.rules import Audience
from jilink.core.parties import access
from jilink.core.parties import actions as parties
from jilink.core.parties.access import Actor
from jilink.core.parties.models import Member, User
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import Contact, PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Role, Scope
from jilink.core.webhooks import actions as webhooks
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import OrganisationId
from jilink.kernel.texts import Text
from jilink.services.console.actions import attaching
from jilink.services.console.reads.channels import CARRIED
from jilink.services.contact.actions import designing as contact
from jilink.services.contact.actions import sites
from jilink.services.contact.reads import sites as site_reads
from jilink.services.contact.rules.design import Code, QueueDesign
from jilink.services.contact.rules.written import SiteDesign
from tests.core.world import World
from tests.journeys.staff import PASSWORD
from tests.journeys.system import Things
from tests.trust.planted import plant

NONGAN = "220122"
DEHUI = "220183"
"""Two counties of Changchun."""


def maker() -> Actor:
    """The installation itself: it may do everything in every organisation that there is by now."""
    return access.system("journey")


def _person(name: str, role: Role, place: OrganisationId, scope: Scope) -> None:
    user = parties.add_user(username=name, password=PASSWORD, by=maker())
    parties.set_role(user=user, organisation=place, role=role, scope=scope, by=maker())


@transaction.atomic
def city() -> Things:
    """A city with two county units, who answers for water where, and those who work: the stage of the journey of a case type."""
    top = parties.add_organisation(name="Songjiang", by=maker())
    unit = parties.add_organisation(name="Nong'an Water", parent=top, by=maker())
    other = parties.add_organisation(name="Dehui Water", parent=top, by=maker())
    for code, answers in ((NONGAN, unit), (DEHUI, other)):
        areas.set_responsibility(organisation=top, layer_key=areas.DIVISIONS, area_code=code, category="water", unit=answers, by=maker())
    _person("sj-supervisor", Role.SUPERVISOR, top, Scope.SUBTREE)
    _person("sj-agent", Role.AGENT, top, Scope.SUBTREE)
    _person("sj-head", Role.SUPERVISOR, unit, Scope.ORGANISATION)
    return {"top": top, "unit": unit, "other": other}


@transaction.atomic
def desk() -> Things:
    """An office with the types that come with the program, two agents, and a handful of open cases that nobody has."""
    top = parties.add_organisation(name="Desk", by=maker())
    cases.load_examples(organisation=top, by=maker())
    for name in ("desk-one", "desk-two"):
        _person(name, Role.AGENT, top, Scope.ORGANISATION)
    _carried(top)
    numbers = [_fault(top, f"Lid {number} on Renmin Street is loose") for number in range(1, 6)]
    return {"top": top, "first": numbers[0]}


def _carried(top: OrganisationId) -> None:
    """Somebody outside is told of replies and sends them, so that the pages offer them."""
    webhooks.add_endpoint(organisation=top, url="https://carrier.example.cn/replies", kinds=CARRIED, by=maker())


def _fault(top: OrganisationId, title: str, person: int | None = None) -> str:
    answers = {"sort": "part", "part": "road", "place": {"address": "Renmin Street"}}
    new = NewCase(type="city_fault", title=title, answers=answers, person=person)
    return cases.open_case(organisation=top, new=new, by=maker()).number


def fault(top: str, title: str) -> Things:
    """One more case."""
    return {"number": _fault(OrganisationId(int(top)), title)}


@transaction.atomic
def everything(viewer: str) -> Things:
    """One of every noun, in an organisation whose owner, "everywhere", also may what `viewer` may: pages that are not empty."""
    top = parties.add_organisation(name="样板市", by=maker())
    unit = parties.add_organisation(name="样板县城市管理局", parent=top, by=maker())
    world = World(top, unit, parties.add_organisation(name="邻市", by=maker()))
    user = parties.add_user(username="everywhere", password=PASSWORD, by=maker())
    known_places = Member.objects.filter(user__username=viewer).values_list("organisation_id", "role")
    for place, role in [*known_places, (top, Role.OWNER)]:
        parties.set_role(user=user, organisation=OrganisationId(place), role=Role(role), by=maker())
    planted = plant(world)
    _carried(top)
    definition = known.types_in_use(maker(), top)["city_fault"]
    draft = cases.save_type(organisation=top, key="draft_type", definition=write_definition(definition), by=maker())
    own = _case(world)
    by = access.actor_of(User.objects.get(pk=user))
    own["run"] = cases.prioritise_many(cases=[int(own["case"])], priority=5, by=by).run or 0
    found = {**planted, **own, "type": planted["console/case-types/number"], "console/case-types/number": draft}
    rule = {"key": "roads", "label": {"zh": "道路归县局", "en": "Roads to the county"}, "outcome": {"to": "unit", "unit": unit}}
    found["console/assignment/number"] = assignment.save_rules(organisation=top, rules=json.dumps({"rules": [rule]}), by=maker())
    found["console/flows/number"] = flows.save_flow(organisation=top, key="draft_flow", definition=write_flow(example()), by=maker())
    return {name: value for name, value in found.items() if isinstance(value, str | int)}


def _case(world: World) -> Things:
    """A case on which everything happened that a case knows."""
    top, boss = world.north, world.actor(Role.SUPERVISOR, world.north)
    worker = world.actor(Role.FIELD_WORKER, world.depot, Scope.ORGANISATION)
    lamp = _lamp(world)
    contacts = (Contact(ContactKind.PHONE, "13904310009"), Contact(ContactKind.EMAIL, "wangfang@example.com"))
    person = people.add_person(organisation=top, data=PersonData(name="王芳", languages=("zh", "ko")), contacts=contacts, by=maker())
    talk = Talk(channel=Channel.CALL, contact="13904310009", subject="路灯不亮", person=person)
    contact = interactions.add_interaction(organisation=top, contact=talk, by=maker())
    interactions.add_part(interaction=contact, side=Side.THEIRS, text="人民大街的路灯三天没亮了。", by=maker())
    place = Place(latitude=43.88, longitude=125.32, accuracy_m=30, address="人民大街 3 号")
    new = NewCase(
        type="city_fault",
        title="人民大街 3 号路灯不亮",
        description="三天没亮，夜里有人差点摔倒。",
        answers={"sort": "part", "part": "road", "place": place, "danger": "yes", "danger_text": "夜里看不见"},
        person=person,
        interaction=contact,
        asset=lamp,
        priority=9,
    )
    opened = cases.open_case(organisation=top, new=new, by=boss)
    case, sent = opened.case, StepData(recipient=Recipient(unit=world.depot, why=("Chosen by the dispatcher.",)))
    cases.take_step(case=case, key="dispatch", data=sent, by=boss)
    cases.add_note(case=case, text="已电话联系养护队。", by=boss)
    cases.send_reply(case=case, text="我们今晚派人查看。", recipient="王芳", channel="text", by=boss)
    cases.request_extension(case=case, amount=1, reason="等待备件", by=worker)
    attaching.attach_uploads(view=known.case(boss, case, now=utc_now()), uploads=[(_photo(), "lamp.jpg")], by=boss)
    beside = replace(new, title="旁边的灯也不亮", interaction=None, asset=None)
    other = cases.open_case(organisation=top, new=beside, by=boss)
    cases.link_cases(case=other.case, kind=LinkKind.DUPLICATE_OF, other=case, by=boss)
    found = {"number": opened.number, "case": case, "asset": lamp, "person": int(person), "contact": int(contact), "article": _article(top)}
    return {**found, "console/assets/key": "lamp"}


def _lamp(world: World) -> int:
    sources = {"led": Text("LED 灯", "LED"), "sodium": Text("高压钠灯", "Sodium")}
    height = NumberAttribute(key="height", title=Text("灯杆高度", "Height of the post"), unit="m", least=2, most=30)
    kind = Kind(
        title=Text("路灯", "Street lamp"),
        code="[0-9]{16}",
        attributes=(height, ChoiceAttribute(key="source", title=Text("光源", "Light source"), choices=sources)),
    )
    inventory.set_kind(organisation=world.north, key="lamp", kind=kind, by=maker())
    lamp = AssetData(
        label="人民大街 3 号灯",
        code="2201040118000003",
        maintainer=world.depot,
        attributes={"height": 10, "source": "led"},
        tags=("主干道",),
        latitude=43.88,
        longitude=125.32,
    )
    (asset,) = inventory.load_assets(organisation=world.north, kind="lamp", rows=[lamp], by=maker())
    return int(asset)


def _photo() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (640, 480), "navy").save(data, "JPEG")
    return data.getvalue()


def _article(top: OrganisationId) -> int:
    title = Text("路灯不亮怎么办", "What to do when a street lamp is dark")
    body = Text("## 先问\n\n- 哪一盏\n- 几天了\n\n> 夜里危险的，按紧急处理。", "## Ask first\n\n- Which lamp\n- Since when")
    article = knowledge.add_article(organisation=top, title=title, body=body, by=maker())
    review = (utc_now() + timedelta(days=90)).date()
    reviewer = access.system("journey-review")
    knowledge.describe_article(article=article, audience=Audience.PUBLIC, shared_below=True, topics=["路灯"], review_at=review, by=reviewer)
    knowledge.submit_article(article=article, by=maker())
    knowledge.publish_article(article=article, by=reviewer)
    return int(article)


@transaction.atomic
def hotline(top: str, dialled: str, caller: str) -> Things:
    """A queue that a number leads to, and somebody known by their telephone with an open case."""
    place = OrganisationId(int(top))
    codes = (Code(key="report", title=Text("报修", "Report")),)
    design = QueueDesign(name=Text("热线", "Hotline"), codes=codes, wrap_up_s=300, ring_s=60)
    queue = contact.add_queue(organisation=place, key="hotline", design=design, by=maker())
    contact.set_number(organisation=place, dialled=dialled, queue=queue, by=maker())
    reached = (Contact(ContactKind.PHONE, caller),)
    person = people.add_person(organisation=place, data=PersonData(name="Ma Li"), contacts=reached, by=maker())
    return {"queue": queue, "person": person, "case": _fault(place, "Her lamp is dark", person)}


def chat_site(top: str, origin: str) -> Things:
    """A site whose visitors write to a queue of its own, and a case to note on."""
    place = OrganisationId(int(top))
    design = QueueDesign(
        name=Text("网上咨询", "Web desk"), codes=(Code(key="price", title=Text("价格", "Price")),), wrap_up_s=300, ring_s=60
    )
    queue = contact.add_queue(organisation=place, key="web_desk", design=design, by=maker())
    site = sites.add_site(queue=queue, design=SiteDesign(name="Shop", origins=(origin,)), by=maker())
    return {"key": next(each.key for each in site_reads.sites(maker()) if each.id == site), "case": _fault(place, "Order is late", None)}
