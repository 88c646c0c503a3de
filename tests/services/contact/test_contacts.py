"""Contacts are found by what is asked, shown with all that happened, and only to whoever may read them."""

from datetime import timedelta

import pytest

from jilink.core.interactions import actions as interactions
from jilink.core.interactions import reads as interaction_reads
from jilink.core.interactions.rules import Channel
from jilink.core.parties import access
from jilink.core.parties.access import NotFound
from jilink.core.parties.rules import Role
from jilink.services.contact.actions import serving
from jilink.services.contact.actions.serving import Arrival
from jilink.services.contact.reads import contacts
from jilink.services.contact.reads.contacts import Sought
from jilink.services.contact.rules.states import End
from tests.core.world import NOW, World
from tests.services.conftest import signed_in
from tests.services.contact.test_actions import a_queue, boss, router

CALLER = "13904310001"
SECOND = timedelta(seconds=1)


def served(world: World, queue: int, agent: int, leg: str = "leg-1") -> int:
    """One call that was answered after 30 s, talked for 60 s and wrapped up."""
    given = interactions.Contact(channel=Channel.CALL, contact=CALLER, source="call", reference=leg)
    interaction = interactions.add_interaction(organisation=world.north, contact=given, by=router(), now=NOW)
    by, arrival = router(), Arrival(queue=queue, channel="call", node="n", leg=leg, interaction=interaction)
    contact = serving.enqueue(arrival=arrival, by=by, now=NOW)
    serving.note_ringing(contact=contact, agent=agent, agent_leg="a", by=by, now=NOW + 20 * SECOND)
    serving.note_answered(contact=contact, by=by, now=NOW + 30 * SECOND)
    serving.note_left(contact=contact, end=End.SERVED, by=by, now=NOW + 90 * SECOND)
    serving.wrap_up(contact=contact, code="=report", note="burst pipe", by=by, now=NOW + 100 * SECOND)
    return contact


def test_contacts_are_found_by_what_is_asked_and_each_filter_narrows(world: World) -> None:
    agent, queue = world.person(Role.AGENT, world.north), a_queue(world)
    contact, by = served(world, queue, agent.pk), boss(world)
    lost = serving.enqueue(arrival=Arrival(queue=queue, channel="chat"), by=router(), now=NOW + SECOND)
    serving.note_left(contact=lost, end=End.ABANDONED, by=router(), now=NOW + 11 * SECOND)

    def ids(**asked: object) -> list[int]:
        return [row.id for row in contacts.contacts(by, Sought(**asked))]  # type: ignore[arg-type] # -- fields of what is sought

    assert ids() == [lost, contact]
    assert [row.id for row in contacts.contacts(by, Sought(), before=lost)] == [contact]
    assert ids(channel="chat") == ids(outcome="abandoned") == ids(begin=NOW + SECOND) == [lost]
    assert ids(outcome="answered") == ids(agent=agent.pk) == ids(code="=report") == ids(waited_s=29) == [contact]
    assert ids(waited_s=30) == ids(queue=queue + 1) == ids(number="13904310002") == []
    shown = contacts.contact(by, contact)
    assert [step.what for step in shown.steps] == ["queued", "rang", "answered", "left", "served"]
    assert (shown.row.wait_s, shown.row.talk_s, shown.hops) == (30, 60, ())


def test_an_agent_reads_their_own_contacts_and_strangers_none(world: World) -> None:
    agent, queue = world.person(Role.AGENT, world.north), a_queue(world)
    contact = served(world, queue, agent.pk)
    mine, other = access.actor_of_account(agent.pk), world.actor(Role.AGENT, world.north, also="b")
    assert contacts.contact(mine, contact).row.id == contact and contacts.contacts(other, Sought()) == []
    for stranger in (other, world.actor(Role.OWNER, world.south)):
        with pytest.raises(NotFound):
            contacts.contact(stranger, contact)


@pytest.mark.once
@pytest.mark.usefixtures("site")
def test_the_page_shows_the_number_masked_until_it_is_revealed_and_exports_are_no_formulas(world: World) -> None:
    agent, queue = world.person(Role.AGENT, world.north), a_queue(world)
    contact = served(world, queue, agent.pk)
    client = signed_in(world, Role.SUPERVISOR, world.north)
    page = client.get(f"/contact/contacts/{contact}/").content.decode()
    assert CALLER not in page and "burst pipe" in page
    assert CALLER in client.post(f"/contact/contacts/{contact}/reveal").content.decode()
    listed = client.get(f"/contact/contacts/?first={NOW:%Y-%m-%d}&last={NOW + timedelta(days=1):%Y-%m-%d}").content.decode()
    assert f"/contact/contacts/{contact}/" in listed
    table = client.get(f"/contact/contacts/export?first={NOW:%Y-%m-%d}&last={NOW + timedelta(days=1):%Y-%m-%d}").content.decode("utf-8-sig")
    assert "'=report" in table and CALLER not in table
    book = client.get("/contact/contacts/export?as=xlsx")
    assert book.content.startswith(b"PK")
    assert interaction_reads.interactions(boss(world))
