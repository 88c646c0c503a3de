"""Every read and action of every room, asked by strangers, by a member who may do nothing, and by nobody."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from django.db import connection, transaction

from jilink.core.areas import reads as areas
from jilink.core.areas.geojson import Sheet
from jilink.core.areas.models import Area
from jilink.core.assets.kinds import Kind
from jilink.core.cases.assignment.rules import RuleBook
from jilink.core.cases.reads.lists import Filter
from jilink.core.flows.rules.effects import Silent
from jilink.core.flows.rules.state import Contact as Caller
from jilink.core.observations.actions import RuleData
from jilink.core.observations.conditions import Silence
from jilink.core.parties import access
from jilink.core.parties.access import NOBODY, Actor
from jilink.core.parties.rules import Permission, Role
from jilink.kernel.errors import Malformed, Refused, Unavailable
from jilink.kernel.ids import AreaId
from jilink.kernel.texts import Text
from jilink.services.contact.actions.recordings import Arrived
from jilink.services.contact.reads.contacts import Sought
from jilink.services.contact.reads.recordings import Wanted
from jilink.services.contact.rules.campaigns import CampaignDesign
from jilink.services.contact.rules.design import QueueDesign
from jilink.services.contact.rules.quality import Answers, Card
from jilink.services.contact.rules.sampling import Plan
from jilink.services.contact.rules.tariffs import TariffDesign
from jilink.services.contact.rules.trunks import TrunkDesign
from jilink.services.contact.rules.written import SiteDesign
from tests.core.world import NOW, World
from tests.trust.functions import Unknown, arguments, asked, public, shown, who
from tests.trust.planted import SECRETS, Things, plant

pytestmark = [pytest.mark.usefixtures("site"), pytest.mark.once]

OWN = ("console_", "cases_bulkrun", "jilink_cache", "parties_audit", "webkit_")
"""Tables of what is one's own alone, of the audit, and of counters."""
_WRITE = re.compile(r'^(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')


CAMPAIGN = CampaignDesign(name=Text("x", "x"), purpose="x", who=Text("x", "x"))
ARRIVED = Arrived(name="c1", source="x", seconds=1.0, sha256="", ended_at=NOW)
ALLOWED = {("core.parties.actions.add_user", "a stranger")}
"""An owner may make an account; it is nobody's until somebody gives it a role."""


@pytest.fixture
def things(world: World) -> Things:
    return plant(world)


def strangers(world: World) -> dict[str, Actor]:
    owner = world.actor(Role.OWNER, world.north)
    return {"a stranger": world.actor(Role.OWNER, world.south), "a powerless": owner.limited(frozenset(), name="user:0"), "nobody": NOBODY}


@contextmanager
def written() -> Iterator[set[str]]:
    """Gather the tables that are written to."""
    tables: set[str] = set()

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        found = _WRITE.match(sql)
        if found and not found[1].startswith(OWN):
            tables.add(found[1])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield tables


def fault(name: str, by: Actor, things: Things) -> str:
    """Call one function and say what is wrong with what came of it, "" for nothing."""
    function = public()[name]
    with written() as tables, transaction.atomic():
        try:
            told = shown(function(**{str(who(function)): by, **arguments(name, function, things, special(things))}))
        except (Refused, Malformed, Unavailable) as error:
            told, done = str(error), False
        else:
            done = True
        transaction.set_rollback(True)
    leaks = [secret for secret in SECRETS if secret in told]
    if done and tables:
        return f"writes {sorted(tables)}"
    return f"tells {leaks}" if leaks else ""


def special(things: Things) -> dict[str, dict[str, object]]:
    """Arguments that cannot be guessed from their names and types."""
    area = areas.area(access.system("test"), AreaId(Area.objects.get(layer=things["layer"]).pk))
    rule = RuleData(name="Silence", condition=Silence(for_s=600))
    wanted = Filter()
    return {
        "core.areas.actions.load_layer": {"sheet": Sheet((), ())},
        "core.areas.reads.area": {"area": area.id},
        "core.areas.reads.above": {"area": area},
        "core.areas.reads.below": {"area": area},
        "core.areas.reads.who_answers": {"areas": [area]},
        "core.assets.inventory.actions.set_kind": {"kind": Kind(title=Text("x", "x"))},
        "core.cases.assignment.reads.try_rules": {"book": RuleBook()},
        "core.cases.reads.lists.condition": {"wanted": wanted},
        "core.cases.reads.lists.cases": {"wanted": wanted},
        "core.cases.reads.lists.count_views": {"views": [wanted]},
        "core.flows.actions.stepping.begin_session": {"flow": "canaryflow", "key": "another-leg", "contact": Caller()},
        "core.flows.actions.stepping.advance_session": {"key": "canary-leg", "happening": "x", "happened": Silent(turn=1)},
        "core.flows.actions.stepping.end_session": {"key": "canary-leg"},
        "core.flows.reads.session": {"key": "canary-leg"},
        "core.imports.actions.receive": {"read": lambda _most: b""},
        "core.observations.reads.open_alarms_before": {"before": None},
        "services.contact.actions.campaigns.add_campaign": {"design": CAMPAIGN},
        "services.contact.actions.campaigns.change_campaign": {"design": CAMPAIGN},
        "services.contact.actions.dialling.place_calls": {"agents": [1]},
        "services.contact.actions.dialling.place_shown": {"agent": 1},
        "services.contact.actions.dialling.note_picked_up": {"attempt": 1},
        "services.contact.actions.dialling.note_connected": {"attempt": 1, "agent": 1},
        "services.contact.actions.dialling.note_abandoned": {"attempt": 1},
        "services.contact.actions.dialling.note_over": {"attempt": 1, "cause": 16},
        "services.contact.actions.dialling.note_stop_key": {"attempt": 1},
        "services.contact.reads.campaigns.foreseen": {"agents": 5},
        "services.contact.actions.quality.add_card": {"card": Card(name=Text("x", "x")), "key": "x"},
        "services.contact.actions.quality.save_card": {"design": Card(name=Text("x", "x")), "based_on": 1},
        "services.contact.actions.quality.add_plan": {"plan": Plan(name=Text("x", "x"), number=1)},
        "services.contact.actions.quality.evaluate": {"answers": Answers(points={"greeted": 1})},
        "services.contact.actions.quality.decide": {"answers": None},
        "services.contact.actions.recordings.note_arrived": {"arrived": ARRIVED},
        "services.contact.actions.recordings.keep": {"data": b""},
        "services.contact.actions.recordings.set_keeping": {"days": 30},
        "services.contact.actions.recordings.note_satisfaction": {"rating": 5},
        "services.contact.reads.recordings.recordings": {"wanted": Wanted()},
        "services.contact.reads.recordings.heard": {"first": 0, "last": 9},
        "services.contact.reads.recordings.in_reach": {"permission": Permission.LISTEN_RECORDINGS},
        "services.contact.actions.serving.hand_over": {"agent": 1},
        "services.contact.actions.sides.begin_side": {"agent": 1},
        "services.contact.reads.contacts.contacts": {"sought": Sought()},
        "services.contact.actions.designing.add_queue": {"design": QueueDesign(name=Text("x", "x"))},
        "services.contact.actions.designing.change_queue": {"design": QueueDesign(name=Text("x", "x"))},
        "services.contact.actions.billing.set_tariff": {"design": TariffDesign(), "valid_from": date(2026, 8, 1)},
        "services.contact.actions.planning.correct_forecast": {"first": 1, "last": 2, "percent": 120},
        "services.contact.actions.trunks.add_trunk": {"design": TrunkDesign(addresses=("10.0.0.1",))},
        "services.contact.actions.trunks.change_trunk": {"design": TrunkDesign(addresses=("10.0.0.1",))},
        "services.contact.actions.sites.add_site": {"design": SiteDesign(name="x", origins=("https://x.example",))},
        "services.contact.actions.sites.change_site": {"design": SiteDesign(name="x", origins=("https://x.example",))},
        "services.contact.actions.writing.mark_read": {"upto": 1},
        "services.contact.actions.writing.note_delivery": {"number": 1},
        "services.contact.reads.writing.file_for_agent": {"number": 1},
        "services.contact.actions.sites.set_capacity": {"most": {}},
        "services.contact.actions.serving.set_agent_state": {"agent": 1},
        "services.contact.actions.serving.note_ringing": {"agent": 1},
        "services.vehicles.reads.fleet.page_after": {"after": None},
        "core.observations.actions.rules.add_rule": {"data": rule},
        "core.observations.actions.rules.change_rule": {"data": rule},
        "services.vehicles.reads.media.of_orders": {"orders": []},
    }


@pytest.mark.parametrize("kind", ["a stranger", "a powerless", "nobody"])
def test_every_read_and_action_tells_nothing_to_and_changes_nothing_for(world: World, things: Things, kind: str) -> None:
    by = strangers(world)[kind]
    wrong = {name: found for name in asked() if (name, kind) not in ALLOWED and (found := fault(name, by, things))}
    assert wrong == {}


def test_of_every_read_and_action_it_is_known_what_to_give(things: Things) -> None:
    lacking = []
    for name, function in asked().items():
        try:
            arguments(name, function, things, special(things))
        except Unknown as error:
            lacking.append(str(error))
    assert lacking == [] and len(asked()) > 200
