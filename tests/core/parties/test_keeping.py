"""The retention job."""

from datetime import datetime, timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from jilink.core.parties import access, keeping
from jilink.core.parties.models import Token
from jilink.core.parties.people import actions as people
from jilink.core.parties.rules import Permission, Role
from jilink.core.parties.tokens import actions as tokens
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Unavailable
from tests.core.world import World


def test_what_is_past_its_time_goes_and_the_rest_stays(world: World) -> None:
    owner, now = world.actor(Role.OWNER, world.north), utc_now()
    day = timedelta(days=1)
    account = tokens.add_service_account(organisation=world.north, name="Hotline", by=owner)
    for days in (1, 300):
        tokens.issue_token(
            account=account, name="x", permissions=frozenset({Permission.VIEW_PEOPLE}), expires_at=now + days * day, by=owner, now=now
        )
    person = people.add_person(organisation=world.north, data=people.PersonData(name="a"), by=access.system("test"))
    for days in (1, 4000):
        people.give_consent(person=person, purpose="p", evidence="e", by=owner, expires_at=now + days * day, now=now)
    for age in (-1, 5000):
        session = SessionStore()
        session.create()
        Session.objects.filter(pk=session.session_key).update(expire_date=now + age * day)
    first = keeping.run(now + 100 * day)
    assert (first["tokens"], first["consents"]) == (1, 0) and Token.objects.count() == 1
    assert keeping.run(now + 1200 * day)["consents"] == 1
    assert first["sessions"] == 1 and Session.objects.count() == 1
    assert not any(keeping.run(now + 1 * day).values())


def test_a_rule_that_fails_holds_up_no_other(world: World) -> None:
    ran: list[datetime] = []

    @keeping.kept_for_a_time("a-failing")
    def fail(_now: datetime) -> int:
        raise Unavailable("not now")

    @keeping.kept_for_a_time("b-working")
    def go_on(now: datetime) -> int:
        ran.append(now)
        return 0

    try:
        keeping.run(utc_now())
    finally:
        for name in ("a-failing", "b-working"):
            keeping.kept_for_a_time(name)(lambda _now: 0)
    assert len(ran) == 1


@pytest.mark.parametrize("data", ["tokens", "sessions", "consents"])
def test_every_kind_of_data_of_this_room_has_its_rule(data: str) -> None:
    assert data in {rule.data for rule in keeping.rules()}
