"""Cases pass from hand to hand through the API: taken, given up, moved, escalated, many at once, rated by a link; and skills."""

from typing import Any

import pytest
from django.test import Client

from jilink.core.assets import actions as assets
from jilink.core.cases import actions
from jilink.core.cases.actions import Recipient, StepData
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from tests.core.cases.office import Office, office_of
from tests.core.world import World
from tests.services.console.programs import asking, lift_limits, token_of


@pytest.fixture
def office(world: World, settings: Any) -> Office:
    lift_limits(settings)
    return office_of(world)


def here(office: Office, **values: object) -> int:
    """Open a case and send it to the office itself, where the program works."""
    case = office.open(now=utc_now(), **values)
    data = StepData(recipient=Recipient(unit=office.world.north), reason="ours")
    actions.take_step(case=case, key="dispatch", data=data, by=office.boss, now=utc_now())
    return case


def test_every_deed_of_a_case_has_its_operation(office: Office) -> None:
    ask = asking(token_of(office.world, Role.OWNER, office.world.north))
    lamp = assets.add_asset(organisation=office.world.north, kind="lamp", label="L", by=office.world.actor(Role.OWNER, office.world.north))
    case = here(office, asset=lamp)
    for method, path, body in (
        ("put", "claim", None),
        ("delete", "claim", None),
        ("post", "escalate", {"reason": "stuck", "raise_priority": True}),
        ("delete", f"assets/{lamp}", None),
        ("post", "move", {"unit": office.world.depot, "reason": "a crane"}),
    ):
        answer = ask(method, f"/cases/{case}/{path}", body)
        assert answer.status_code == 204, (path, answer.content)
    row = office.row(case)
    assert (row.assignee_id, row.asset_id, row.unit_id) == (None, None, office.world.depot)
    assert ask("post", f"/cases/{case}/move", {"unit": office.world.depot, "reason": "again"}).status_code == 422


def test_many_take_a_step_and_the_run_says_what_became_of_each(office: Office) -> None:
    ask, now = asking(token_of(office.world, Role.OWNER, office.world.north)), utc_now()
    ready, early = here(office), here(office)
    office.finish(ready, now, by=office.boss)
    code = office.view(ready).definition.closing_codes[0].key
    told = ask("post", "/cases/steps", {"cases": [ready, early], "key": "confirm", "code": code}).json()
    assert told["done"] == [ready] and list(told["refused"]) == [str(early)] and told["undo"] is None
    run = ask("get", f"/cases/bulk/{told['run']}").json()
    assert run["lasting"] and run["refused"] == told["refused"] and ask("post", f"/cases/bulk/{told['run']}/undo").status_code == 422
    moved = ask("post", "/cases/move", {"cases": [early], "unit": office.world.depot, "reason": "x"}).json()
    assert ask("post", f"/cases/bulk/{moved['undo']}/undo").json()["done"] == [early]
    assert ask("post", "/cases/claim", {"cases": [early]}).json()["done"] == [early]
    assert ask("post", "/cases/release", {"cases": [early]}).json()["done"] == [early]


def test_a_link_for_the_rating_leads_to_its_page(office: Office) -> None:
    ask = asking(token_of(office.world, Role.OWNER, office.world.north))
    case = office.closed(now=utc_now())
    link = ask("post", f"/cases/{case}/rating-link").json()
    assert Client().get(link["url"].removeprefix("http://testserver")).status_code == 200


def test_skills_and_notices_are_read_and_set(office: Office) -> None:
    ask, place = asking(token_of(office.world, Role.OWNER, office.world.north)), f"/organisations/{office.world.north}/skills"
    assert ask("put", f"{place}/{office.boss.user}", {"skills": ["electric", "lang.ko"]}).status_code == 204
    assert ask("get", place).json() == [{"user": office.boss.user, "skills": ["electric", "lang.ko"]}]
    assert ask("put", f"{place}/{office.boss.user}", {"skills": ["no key"]}).status_code == 422
    assert ask("get", "/notices").json() == [] and ask("post", "/notices/read", {"upto": 1}).status_code == 204
