"""What is promised once stays so when many ask at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from jilink.core.parties import access
from jilink.core.parties.actions import NameTaken
from jilink.core.parties.invitations import actions as invitations
from jilink.core.parties.invitations.actions import InvitationRefused
from jilink.core.parties.members import actions as members
from jilink.core.parties.models import Identity, Member, Merge, Team
from jilink.core.parties.people import actions, merging
from jilink.core.parties.people.actions import IdentityTaken, PersonData
from jilink.core.parties.people.merging import MergeRefused
from jilink.core.parties.rules import Role
from jilink.kernel.errors import Refused
from jilink.kernel.settings import Settings
from tests.core.world import PASSWORD, World

HANDS = 8
NUMBER = "11010519491231002X"


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
