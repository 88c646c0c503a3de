"""Skills: who can do what, said by whoever manages teams, and looked at by the rules of assignment."""

import pytest
from django.test import Client

from jilink.core.cases.assignment import actions, reads
from jilink.core.cases.assignment.actions import SkillRefused
from jilink.core.cases.models import Skill
from jilink.core.parties.access import NotFound
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import Role, Scope
from tests.core.cases.office import Office, office_of
from tests.core.world import World
from tests.services.conftest import signed_in


@pytest.fixture
def office(world: World) -> Office:
    return office_of(world)


def place(office: Office, rest: str = "") -> str:
    return f"/console/organisations/{office.world.depot}/skills{rest}"


def test_skills_are_said_on_a_page_shown_in_words_and_kept_in_the_audit(office: Office) -> None:
    boss = signed_in(office.world, Role.SUPERVISOR, office.world.north)
    one = place(office, f"/{office.worker.user}")
    assert boss.get(one).status_code == 200
    assert boss.post(one, {"more": "electric， Water_pipes", "tongues": "ko, zh"}).status_code == 302
    assert reads.skills(office.boss, office.world.depot)[office.worker.user or 0] == ("electric", "lang.ko", "lang.zh", "water_pipes")
    page = boss.get(place(office), headers={"accept-language": "en"}).content.decode()
    assert "electric" in page and "Korean" in page
    form = boss.get(one).content.decode()
    assert form.count('name="known"') == 2 and 'value="ko, zh"' in form
    assert boss.post(one, {"known": ["electric"], "tongues": ""}).status_code == 302
    assert list(Skill.objects.values_list("key", flat=True)) == ["electric"]
    assert AuditEntry.objects.filter(action="skills.set").count() == 2


def test_a_skill_that_is_no_key_is_refused_and_what_was_typed_stays(office: Office) -> None:
    boss = signed_in(office.world, Role.SUPERVISOR, office.world.north)
    refused = boss.post(place(office, f"/{office.worker.user}"), {"more": "电工", "tongues": "ko"})
    assert refused.status_code == 400 and "电工" in refused.content.decode() and not Skill.objects.exists()
    with pytest.raises(SkillRefused):
        actions.set_skills(organisation=office.world.depot, user=office.worker.user or 0, skills=["a b"], by=office.boss)


def test_skills_stop_at_walls_roles_and_doors(office: Office) -> None:
    world, pages = office.world, (place(office), place(office, f"/{office.worker.user}"))
    lower = Client()
    person = world.person(Role.FIELD_WORKER, world.depot, Scope.ORGANISATION)
    lower.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    for browser in (signed_in(world, Role.OWNER, world.south), lower):
        assert [browser.get(page).status_code for page in pages] == [404, 404]
        assert browser.post(pages[1], {"more": "electric"}).status_code == 404
    assert Client().get(pages[0]).status_code == 302
    boss = signed_in(world, Role.SUPERVISOR, world.north)
    assert boss.post(place(office, f"/{office.stranger.user}"), {"more": "electric"}).status_code == 404
    for ask in (reads.skills, reads.skills_wanted):
        with pytest.raises(NotFound):
            ask(office.stranger, world.depot)
    assert not Skill.objects.exists()
