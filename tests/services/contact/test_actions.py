"""Queues, numbers, phones, agents and contacts: what is kept of them, and who may touch it."""

from datetime import timedelta

import pytest

from jilink.core.flows import actions as flows
from jilink.core.flows import reads as flow_reads
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties import access
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Role, Scope
from jilink.kernel.texts import Text
from jilink.services.contact import demonstration
from jilink.services.contact.actions import designing, serving
from jilink.services.contact.actions.serving import Arrival
from jilink.services.contact.models import Contact, Fact, Phone
from jilink.services.contact.reads import desk, floor
from jilink.services.contact.reads.mine import HELD, UNHELD
from jilink.services.contact.rules.design import QueueDesign, QueueRefused
from jilink.services.contact.rules.states import AgentState, ContactState, End, WrongMove
from tests.core.world import NOW, World

BILLS = QueueDesign(name=Text("账单", "Bills"), target_s=20, short_s=5)


def boss(world: World) -> Actor:
    return world.actor(Role.OWNER, world.north)


def a_queue(world: World, key: str = "bills", **change: object) -> int:
    design = QueueDesign(**{"name": BILLS.name} | change)  # type: ignore[arg-type] -- fields of the design
    return designing.add_queue(organisation=world.north, key=key, design=design, by=boss(world), now=NOW)


def router() -> Actor:
    return access.system("router")


def test_a_queue_is_changed_only_by_who_saw_it_last_and_retired_only_when_nothing_leads_there(world: World) -> None:
    by, queue = boss(world), a_queue(world)
    designing.set_number(organisation=world.north, dialled="0431 12345", queue=queue, by=by)
    assert desk.leads_to("043112345") == (world.north, queue, "")
    designing.change_queue(queue=queue, design=QueueDesign(name=BILLS.name, ring_s=30), based_on=1, by=by, now=NOW)
    with pytest.raises(QueueRefused, match="meanwhile"):
        designing.change_queue(queue=queue, design=BILLS, based_on=1, by=by)
    with pytest.raises(QueueRefused, match="lead"):
        designing.retire_queue(queue=queue, by=by)
    designing.remove_number(line=floor.numbers(by)[0].id, by=by)
    designing.retire_queue(queue=queue, by=by)
    assert floor.queues(by) == [] and desk.queues() == {} and desk.leads_to("043112345") is None


def test_what_a_queue_cannot_be_is_refused(world: World) -> None:
    with pytest.raises(QueueRefused, match="ring_s"):
        a_queue(world, ring_s=1)
    with pytest.raises(QueueRefused, match="overflow"):
        a_queue(world, overflow_to="nowhere")
    with pytest.raises(QueueRefused, match="key"):
        a_queue(world, key="Bills!")
    queue = a_queue(world)
    with pytest.raises(QueueRefused, match="already"):
        a_queue(world)
    with pytest.raises(designing.NumberRefused):
        designing.set_number(organisation=world.north, dialled="10000", queue=queue, flow="menu", by=boss(world))
    designing.set_number(organisation=world.north, dialled="10000", queue=queue, by=boss(world))
    with pytest.raises(designing.NumberRefused, match="already"):
        stranger = world.actor(Role.OWNER, world.south)
        designing.set_number(organisation=world.south, dialled="10000", flow="menu", by=stranger)


def test_of_a_phone_only_a_digest_is_kept_and_its_password_is_shown_once(world: World) -> None:
    password = designing.add_phone(organisation=world.north, extension="3001", by=boss(world))
    row = Phone.objects.get()
    assert row.ha1 == designing.digest(f"o{world.north}-3001", password) and password not in str(vars(row))
    assert desk.phone_lines().keys() == {f"o{world.north}-3001"}
    designing.renew_phone(phone=row.pk, by=boss(world))
    assert Phone.objects.get().ha1 != row.ha1
    designing.remove_phone(phone=row.pk, by=boss(world))
    assert desk.phone_lines() == {} and OutboxEvent.objects.filter(noun="contact", name="phone_set").count() == 3


def test_strangers_see_no_queue_and_change_none(world: World) -> None:
    queue, stranger = a_queue(world), world.actor(Role.OWNER, world.south)
    designing.add_phone(organisation=world.north, extension="3001", by=boss(world))
    assert floor.queues(stranger) == floor.numbers(stranger) == floor.phones(stranger) == floor.agents(stranger) == []
    assert floor.figures(stranger, NOW, NOW + timedelta(days=1), NOW) == []
    for refused in (
        lambda: floor.queue(stranger, queue),
        lambda: designing.change_queue(queue=queue, design=BILLS, based_on=1, by=stranger),
        lambda: designing.set_number(organisation=world.south, dialled="10001", queue=queue, by=stranger),
        lambda: designing.remove_phone(phone=Phone.objects.get().pk, by=stranger),
        lambda: serving.enqueue(arrival=Arrival(queue=queue, channel="call"), by=boss(world), now=NOW),
    ):
        with pytest.raises(NotFound):
            refused()


def test_an_agent_below_the_outsourcer_serves_the_queues_their_membership_reaches(world: World) -> None:
    above, below = a_queue(world), designing.add_queue(organisation=world.depot, key="depot", design=BILLS, by=boss(world))
    agent = world.actor(Role.AGENT, world.north, Scope.SUBTREE)
    serving.begin_work(organisation=world.north, phone=None, state=AgentState.READY, by=agent, now=NOW)
    place = desk.place(agent.user or 0)
    assert place is not None and place.seat.queues == (above, below)
    local = world.actor(Role.AGENT, world.depot, Scope.ORGANISATION)
    serving.begin_work(organisation=world.depot, phone=None, state=AgentState.PAUSED, by=local, now=NOW, reason="training")
    assert [one.seat.queues for one in desk.places()] == [(above, below), (below,)]
    with pytest.raises(NotFound):
        serving.begin_work(organisation=world.south, phone=None, state=AgentState.READY, by=agent, now=NOW)


def test_an_agent_changes_by_the_table_and_a_supervisor_may_change_them(world: World) -> None:
    agent = world.actor(Role.AGENT, world.north, Scope.ORGANISATION)
    number = agent.user or 0
    serving.begin_work(organisation=world.north, phone=None, state=AgentState.READY, by=agent, now=NOW)
    serving.set_agent_state(agent=number, state=AgentState.MISSED, by=router(), now=NOW + timedelta(seconds=60))
    with pytest.raises(NotFound):
        serving.set_agent_state(agent=number, state=AgentState.OFF, by=world.actor(Role.OWNER, world.south), now=NOW)
    supervisor = world.actor(Role.SUPERVISOR, world.north)
    later = NOW + timedelta(seconds=90)
    serving.set_agent_state(agent=number, state=AgentState.OFF, by=supervisor, now=later, reason="went home")
    spans = floor.spells(supervisor, NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=1))
    assert [(one.state, (one.end - one.begin).total_seconds()) for one in spans[:2]] == [("ready", 60), ("missed", 30)]
    with pytest.raises(WrongMove):
        serving.set_agent_state(agent=number, state=AgentState.MISSED, by=router(), now=later)


def test_a_contact_is_served_by_the_table_and_what_is_told_twice_changes_nothing(world: World) -> None:
    queue, by = a_queue(world), router()
    agent = world.actor(Role.AGENT, world.north, Scope.ORGANISATION).user or 0
    arrival = Arrival(queue=queue, channel="call", node="n1", leg="leg-1")
    contact = serving.enqueue(arrival=arrival, by=by, now=NOW)
    assert serving.enqueue(arrival=arrival, by=by, now=NOW) == contact
    serving.note_ringing(contact=contact, agent=agent, agent_leg="a-1", by=by, now=NOW + timedelta(seconds=2))
    for _again in range(2):
        serving.note_returned(contact=contact, missed=True, by=by, now=NOW + timedelta(seconds=9))
    serving.note_ringing(contact=contact, agent=agent, agent_leg="a-2", by=by, now=NOW + timedelta(seconds=10))
    for _again in range(2):
        serving.note_answered(contact=contact, by=by, now=NOW + timedelta(seconds=12))
    assert serving.note_left(contact=contact, end=End.SERVED, by=by, now=NOW + timedelta(seconds=72)) is ContactState.WRAPPING
    for _again in range(2):
        serving.wrap_up(contact=contact, code="bill", by=by, now=NOW + timedelta(seconds=90))
    row = Contact.objects.get()
    assert (row.state, row.end, row.rings, row.code) == ("ended", "served", 2, "bill")
    facts = list(Fact.objects.order_by("pk").values_list("what", flat=True))
    assert facts == ["queued", "rang", "missed", "rang", "answered", "left", "served"]
    with pytest.raises(WrongMove):
        serving.note_ringing(contact=contact, agent=agent, agent_leg="a-3", by=by, now=NOW)


def test_the_figures_of_a_day_agree_with_a_recount_from_the_facts(world: World) -> None:
    queue, by = a_queue(world), router()
    agent = world.actor(Role.AGENT, world.north, Scope.ORGANISATION).user or 0
    for number in range(12):
        come = NOW + timedelta(minutes=7 * number)
        contact = serving.enqueue(arrival=Arrival(queue=queue, channel="call", node="n", leg=str(number)), by=by, now=come)
        if number % 4 == 3:
            serving.note_left(contact=contact, end=End.ABANDONED, by=by, now=come + timedelta(seconds=number))
            continue
        serving.note_ringing(contact=contact, agent=agent, agent_leg="", by=by, now=come)
        serving.note_answered(contact=contact, by=by, now=come + timedelta(seconds=3 * number))
        if number % 4 == 0:
            serving.note_in_call(contact=contact, what=HELD, by=by, now=come + timedelta(seconds=40))
            serving.note_in_call(contact=contact, what=UNHELD, by=by, now=come + timedelta(seconds=55))
        if number == 1:  # the caller hangs up on hold
            serving.note_in_call(contact=contact, what=HELD, by=by, now=come + timedelta(seconds=90))
        serving.note_left(contact=contact, end=End.SERVED, by=by, now=come + timedelta(seconds=100))
        serving.wrap_up(contact=contact, by=by, now=come + timedelta(seconds=110))
    told = floor.figures(boss(world), NOW, NOW + timedelta(days=1), NOW + timedelta(days=1))
    when = {(fact.contact_id, fact.what): fact.at for fact in Fact.objects.all()}
    contacts = set(Contact.objects.values_list("pk", flat=True))
    waits = [(when[c, "answered"] - when[c, "queued"]).total_seconds() for c in contacts if (c, "answered") in when]
    gone = [(when[c, "abandoned"] - when[c, "queued"]).total_seconds() for c in contacts if (c, "abandoned") in when]
    assert sum(one.offered for one in told) == len(contacts) == 12
    assert sum(one.answered for one in told) == len(waits) == 9
    assert sum(one.in_target for one in told) == sum(wait <= 20 for wait in waits)
    assert sum(one.short for one in told) == sum(wait < 5 for wait in gone) == 1
    assert sum(one.abandoned for one in told) == 2
    assert sum(one.wrap_up_s for one in told) == 90
    assert sum(one.hold_s for one in told) == 3 * 15 + 10


def test_the_demonstrations_hotline_is_complete_and_leaves_without_a_trace(world: World) -> None:
    by = access.system("demo")
    for _again in range(2):
        demonstration.load(world.north, by=by, now=NOW)
    flow = flows.load_example(organisation=world.north, by=by, now=NOW)
    assert desk.leads_to(demonstration.TO_FLOW) == (world.north, None, "hotline")
    assert [fault.message for fault in flow_reads.flow(by, flow or 0).problems if "queue" in fault.place] == []
    with pytest.raises(NotFound):
        demonstration.remove(world.north, by=boss(world))
    assert {row.organisation for row in desk.queues().values()} > {world.north}  # its clients have their own
    for place in parties.below(world.north):
        demonstration.remove(place, by=by)
    assert desk.queues() == {} and desk.leads_to(demonstration.TO_QUEUE) is None
