"""What the demonstration shows of the contact service: queues of a hotline and of two clients, numbers; and everything out again.

The clients are organisations of their own below the office, so that it can be seen what stands behind a wall and who reaches over it.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from jilink.core.parties import access, audit
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.actions import add_organisation, set_role
from jilink.core.parties.rules import Permission, Role, Scope
from jilink.kernel.ids import OrganisationId
from jilink.kernel.texts import Text
from jilink.services.contact.actions.designing import add_queue, set_number
from jilink.services.contact.models import Agent, Capacity, CaseFeed, ChatSite, Contact, Conversation, Number, Phone, Queue, Spell, Trunk
from jilink.services.contact.rules.design import Code, QueueDesign, Recording
from jilink.services.contact.rules.needs import Softening

QUEUE = "hotline"
TO_FLOW, TO_QUEUE = "96000", "96001"
"""Numbers of the demonstration: the hotline in three languages, and its queue at once."""
IN_KOREAN, EMERGENCY = "96002", "96003"
"""A queue that needs a skill and a language, and the one of the buttons in vehicles."""
CLIENTS = (("演示：松江家电", "96010", "家电售后", "Appliance service"), ("演示：长白山旅行", "96011", "旅行咨询", "Travel desk"))
"""Clients with the number, and the name of the queue."""
CLIENT_QUEUE = "service"

_DESIGN = QueueDesign(
    name=Text("服务热线", "Service hotline"),
    target_s=20,
    softenings=(Softening(after_s=60, any_language=True),),
    codes=(
        Code(key="question", title=Text("咨询", "Question")),
        Code(key="report", title=Text("报修", "Report")),
        Code(key="complaint", title=Text("投诉", "Complaint")),
    ),
)
_KOREAN = QueueDesign(
    name=Text("政策咨询（朝鲜语）", "Policy questions in Korean"),
    skills=(("lang.ko", 1), ("policy", 2)),
    target_s=30,
    softenings=(Softening(after_s=60, without=("policy",)), Softening(after_s=120, any_language=True)),
    language="ko",
    overflow_to=QUEUE,
    codes=_DESIGN.codes,
)
_EMERGENCY = QueueDesign(
    name=Text("车辆紧急呼叫", "Emergency calls of vehicles"),
    emergency=True,
    target_s=5,
    ring_s=10,
    recording=Recording.ALL,
    codes=(Code(key="accident", title=Text("事故", "Accident")), Code(key="mistake", title=Text("误按", "Pressed by mistake"))),
)
_OWN: tuple[tuple[str, QueueDesign, str], ...] = (("korean", _KOREAN, IN_KOREAN), ("emergency", _EMERGENCY, EMERGENCY))


@transaction.atomic
def load(organisation: int, *, by: Actor, now: datetime) -> None:
    """Enter the hotline's queues, its clients with theirs, and numbers. Doing it again, or where a number is taken, adds nothing."""
    row = Queue.objects.filter(organisation_id=organisation, key=QUEUE).first()
    queue = row.pk if row else add_queue(organisation=organisation, key=QUEUE, design=_DESIGN, by=by, now=now)
    taken = set(Number.objects.values_list("dialled", flat=True))
    for key, design, dialled in _OWN:
        _queue(organisation, key, design, dialled, taken, by, now)
    _load_clients(organisation, taken, by, now)
    if TO_FLOW not in taken:
        set_number(organisation=organisation, dialled=TO_FLOW, flow=QUEUE, by=by, now=now)
    if TO_QUEUE not in taken:
        set_number(organisation=organisation, dialled=TO_QUEUE, queue=queue, by=by, now=now)


def _load_clients(organisation: int, taken: set[str], by: Actor, now: datetime) -> None:
    known = _clients(organisation)
    for name, dialled, chinese, english in CLIENTS:
        place = known.get(name)
        if place is None:
            place = int(add_organisation(name=name, parent=OrganisationId(organisation), by=by, now=now))
            by = access.system("demo")  # who reaches what was added a moment ago
        design = QueueDesign(name=Text(chinese, english), target_s=30, recording=Recording.ON_REQUEST, codes=_DESIGN.codes)
        _queue(place, CLIENT_QUEUE, design, dialled, taken, by, now)


def _clients(organisation: int) -> dict[str, int]:
    below, names, by = parties.below(organisation), {name for name, *_rest in CLIENTS}, access.system("demo")  # who reaches them by now
    return {one.name: int(one.id) for one in parties.choices(by, Permission.MANAGE_QUEUES) if one.name in names and one.id in below}


def _queue(place: int, key: str, design: QueueDesign, dialled: str, taken: set[str], by: Actor, now: datetime) -> None:
    row = Queue.objects.filter(organisation_id=place, key=key).first()
    queue = row.pk if row else add_queue(organisation=place, key=key, design=design, by=by, now=now)
    if dialled not in taken:
        set_number(organisation=place, dialled=dialled, queue=queue, by=by, now=now)


@transaction.atomic
def let_serve(organisation: int, *, agents: Sequence[int], client: int, by: Actor, now: datetime) -> None:
    """Let agents of the office serve its clients too, and `client` supervise the first of them and see nothing else."""
    places = list(_clients(organisation).values())
    for agent in agents:
        for place in places:
            set_role(user=agent, organisation=OrganisationId(place), role=Role.AGENT, scope=Scope.ORGANISATION, by=by, now=now)
    set_role(user=client, organisation=OrganisationId(places[0]), role=Role.SUPERVISOR, by=by, now=now)


@transaction.atomic
def remove(organisation: int, *, by: Actor) -> None:
    """Take away every queue, number, phone, agent and contact of an organisation. Raises NotFound for anybody but the command line."""
    if not by.is_installation:
        raise NotFound("There is no such thing, or you may not see it.")
    for table in (CaseFeed, Capacity, Conversation, ChatSite, Contact, Number, Queue, Spell, Agent, Phone, Trunk):
        table.objects.filter(organisation_id=organisation).delete()
    audit.record(by, "queue.removed_all", f"organisation:{organisation}", organisation)
