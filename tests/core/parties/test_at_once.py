"""What is promised once stays so when many ask at the same moment."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.models import Model

from jilink.core.assets.inventory import actions as assets
from jilink.core.assets.kinds import Kind
from jilink.core.assets.models import AssetKind
from jilink.core.cases import actions as cases
from jilink.core.cases.models import CaseType
from jilink.core.flows import actions as flows
from jilink.core.flows.models import FlowVersion
from jilink.core.parties import access
from jilink.core.parties.access import NotFound
from jilink.core.parties.actions import NameTaken
from jilink.core.parties.invitations import actions as invitations
from jilink.core.parties.invitations.actions import InvitationRefused
from jilink.core.parties.members import actions as members
from jilink.core.parties.models import AuditEntry, Identity, Member, Merge, Team
from jilink.core.parties.people import actions, merging
from jilink.core.parties.people.actions import IdentityTaken, PersonData
from jilink.core.parties.people.merging import MergeRefused
from jilink.core.parties.refusals import note
from jilink.core.parties.rules import Role
from jilink.kernel.errors import Refused
from jilink.kernel.settings import Settings
from jilink.kernel.still import Still
from jilink.kernel.texts import Text
from tests.core.world import PASSWORD, World

HANDS = 8
NUMBER = "11010519491231002X"
WORDS = {"zh": "灯", "en": "Lamps"}


class Changed(Refused):
    """It is not as somebody saw it."""


@pytest.fixture(autouse=True)
def keys_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.JILINK = Settings.from_environment({"JILINK_DATA": str(tmp_path)})


def outcomes(attempt: Callable[[int], object], refusal: type[Refused]) -> list[bool]:
    """Try as many times at once, and return which were not refused; nothing but that refusal may come of it."""

    def one(number: int) -> bool:
        try:
            attempt(number)
        except refusal:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(HANDS) as hands:
        return list(hands.map(one, range(HANDS)))


def test_one_identity_number_is_given_to_one_person(lasting_world: World) -> None:
    by = access.system("test")
    people = [actions.add_person(organisation=lasting_world.north, data=PersonData(name=str(each)), by=by) for each in range(HANDS)]
    done = outcomes(lambda number: actions.set_identity(person=people[number], number=NUMBER, by=by), IdentityTaken)
    assert sum(done) == 1 and Identity.objects.count() == 1


def test_one_team_gets_a_name(lasting_world: World) -> None:
    by = access.system("test")
    done = outcomes(lambda _number: members.add_team(organisation=lasting_world.north, name="Night", by=by), NameTaken)
    assert sum(done) == 1 and Team.objects.count() == 1


def test_a_link_makes_one_account(lasting_world: World) -> None:
    link = invitations.invite(organisation=lasting_world.north, name="x", role=Role.AGENT, by=access.system("test"))
    done = outcomes(
        lambda number: invitations.accept_with_password(secret=link.secret, username=f"wang{number}", password=PASSWORD), InvitationRefused
    )
    assert sum(done) == 1 and Member.objects.filter(organisation=lasting_world.north).count() == 1


def test_a_person_is_merged_into_one_other(lasting_world: World) -> None:
    by = access.system("test")
    double, *others = [
        actions.add_person(organisation=lasting_world.north, data=PersonData(name=str(each)), by=by) for each in range(HANDS + 1)
    ]
    done = outcomes(lambda number: merging.merge_people(keep=others[number], merge=double, by=by), MergeRefused)
    assert sum(done) == 1 and Merge.objects.count() == 1


def test_of_refusals_at_once_each_is_counted(lasting_world: World) -> None:
    actor = access.actor_of(lasting_world.person(Role.ANALYST, lasting_world.north))
    for _round in range(2):
        outcomes(lambda _number: note(actor, NotFound("No."), "page:console:case"), Refused)
    entries = AuditEntry.objects.filter(action="access.refused", actor=actor.name).order_by("sequence")
    assert [entry.detail for entry in entries] == ["", "×10"]


def _save_type(world: World, still: Still) -> None:
    definition = {"label": WORDS, "priorities": [], "usual_priority": 1, "stages": [], "transitions": [], "closing_codes": []}
    cases.save_type(organisation=world.north, key="lamps", definition=json.dumps(definition), by=access.system("test"), still=still)


def _save_flow(world: World, still: Still) -> None:
    definition = {"label": WORDS, "steps": []}
    flows.save_flow(organisation=world.north, key="lamps", definition=json.dumps(definition), by=access.system("test"), still=still)


def _set_kind(world: World, still: Still) -> None:
    assets.set_kind(organisation=world.north, key="lamp", kind=Kind(title=Text(**WORDS)), by=access.system("test"), still=still)


@pytest.mark.parametrize(("save", "table"), [(_save_type, CaseType), (_save_flow, FlowVersion), (_set_kind, AssetKind)])
def test_of_many_who_saw_the_same_one_saves(lasting_world: World, save: Callable[[World, Still], None], table: type[Model]) -> None:
    def still_none() -> None:
        if table._default_manager.exists():
            raise Changed("Somebody else was first.")

    assert sum(outcomes(lambda _number: save(lasting_world, still_none), Changed)) == 1 and table._default_manager.count() == 1
