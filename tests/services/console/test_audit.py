"""The audit, through its pages: filters, cursors, the check of the chain, the file, and words for everything that is recorded."""

import ast
import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation

import jilink
from jilink.core.parties import access, actions, audit, trail
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.people.rights import erase_person
from jilink.core.parties.rules import Role
from jilink.core.parties.trail import Asked
from jilink.services.console.pages.audit_words import AREAS, SENTENCES, THINGS, actions_of
from tests.core.world import NOW, World
from tests.services.conftest import signed_in

pytestmark = pytest.mark.usefixtures("english")
SOURCES = Path(jilink.__file__).parent


def recorded() -> tuple[set[str], set[str]]:
    """Every action and every kind of subject that is written anywhere into the audit."""
    names: set[str] = set()
    kinds: set[str] = set()
    trees = [
        ast.parse(path.read_text())
        for path in [*SOURCES.glob("core/**/*.py"), *SOURCES.glob("services/**/*.py"), *SOURCES.glob("site/**/*.py")]
    ]
    calls = [each for tree in trees for each in ast.walk(tree) if isinstance(each, ast.Call)]
    for tree in trees:
        for call in (each for each in ast.walk(tree) if isinstance(each, ast.Call) and ast.unparse(each.func) == "audit.record"):
            names |= named(call.args[1], tree, calls)
            kinds |= {found.group(1) for found in [re.match(r"f?'([a-z_-]+)", ast.unparse(call.args[2]))] if found}
    return names, kinds


def named(given: ast.expr, tree: ast.Module, calls: list[ast.Call]) -> set[str]:
    """What a recorded action may be: said there, or by whoever calls the function that records it, in whatever module."""
    if isinstance(given, ast.Name):
        around = {
            each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and given.id in {one.arg for one in each.args.args}
        }
        callers = [each for each in calls if ast.unparse(each.func).split(".")[-1] in around]
        found = [one.value for call in callers for one in call.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        assert found, f"nobody says what {given.id} is"
        return {each for each in found if re.fullmatch(r"[a-z_]+\.[a-z_]+", each)}
    return {str(each.value) for each in ast.walk(given) if isinstance(each, ast.Constant)}


def test_everything_that_is_recorded_has_a_sentence_in_both_languages() -> None:
    names, kinds = recorded()
    assert len(names) > 60 and names - set(SENTENCES) == set() and kinds - set(THINGS) == set()
    for language in ("en", "zh-hans"):
        with translation.override(language):
            for words in SENTENCES.values():
                assert re.findall(r"\{(\w+)\}", str(words).replace("{what}", "").strip()) == ["who"], str(words)
                assert (re.search(r"[一-鿿]", str(words)) is not None) == (language == "zh-hans")


def test_every_sentence_belongs_to_an_area_that_can_be_asked_for() -> None:
    assert {action for area in AREAS for action in actions_of(area)} == set(SENTENCES)


@pytest.fixture
def told(world: World) -> World:
    """Entries of both sides of the wall, of several people and days."""
    owner, stranger = world.actor(Role.OWNER, world.north), world.actor(Role.OWNER, world.south)
    for day in range(120):
        audit.record(owner, "track.read", f"asset:{day % 3}", world.north, at=NOW + timedelta(days=day))
    audit.record(stranger, "track.read", "asset:777", world.south, at=NOW)
    audit.record(owner, "member.role", f"user:{owner.user}", world.depot, detail="agent team", at=NOW)
    return world


def auditor(world: World) -> Client:
    return signed_in(world, Role.AUDITOR, world.north)


def shown(client: Client, query: str = "") -> str:
    answer = client.get(f"/console/audit/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_auditor_reads_sentences_of_his_side_of_the_wall_only(told: World) -> None:
    browser = auditor(told)
    page = shown(browser, f"?area=members&organisation={told.depot}")
    assert f"<strong>owner-{told.north}</strong> gave a role to owner-{told.north}" in page and "Agent, Their teams" in page
    assert "777" not in shown(browser, "?subject=asset:777").split("</form>")[-1]
    assert browser.get(f"/console/audit/?organisation={told.south}").content.decode().count("South Fleet") == 0


def test_filters_narrow_by_who_what_thing_and_day(told: World) -> None:
    owner = told.actor(Role.OWNER, told.north)
    reader = told.actor(Role.AUDITOR, told.north)

    def count(**asked: object) -> int:
        return len(trail.entries(reader, Asked(**asked), limit=500))  # type: ignore[arg-type]  # -- each test names its own

    assert count(subject="asset:1") == 40 and count(subject="asset") == 120
    assert count(start=NOW, end=NOW + timedelta(days=2), actions=("track.read",)) == 2
    assert count(actor=owner.name, actions=actions_of("seen")) == 120
    assert count(actor="system", actions=("organisation.added",)) == 2
    assert count(organisation=told.depot, actions=("member.role",)) == 1
    page = shown(auditor(told), f"?who={owner.name}&start=2026-05-03&end=2026-05-03")
    assert page.count("looked at where") == 1


def test_a_field_that_says_nonsense_is_marked_and_no_error(told: World) -> None:
    browser = auditor(told)
    for query in (
        "?start=yesterday",
        "?subject=DROP",
        "?who=user:999999",
        "?area=x",
        "?organisation=x",
        "?before=x",
        f"?before={'9' * 30}",
    ):
        assert browser.get(f"/console/audit/{query}").status_code == 200


def test_pages_follow_each_other_without_gap_or_repetition(told: World) -> None:
    browser, query, seen = auditor(told), "?subject=asset", []
    while query:
        page = shown(browser, query)
        seen += [int(each) for each in re.findall(r"#(\d+)<", page)]
        found = re.search(r'rel="next" href="([^"]+)"', page)
        query = found.group(1).replace("&amp;", "&") if found else ""
    assert len(seen) == 120 and seen == sorted(set(seen), reverse=True)


def test_the_check_says_how_many_entries_hold_and_finds_a_touched_one(told: World) -> None:
    browser = auditor(told)
    assert re.search(r"The chain is intact: [\d,]+ entries", browser.post("/console/audit/verify").content.decode())
    stranger = AuditEntry.objects.get(organisation=told.south, action="track.read")
    AuditEntry.objects.filter(pk=stranger.pk).update(detail="touched")
    page = browser.post("/console/audit/verify").content.decode()
    assert f"broken at entry {stranger.sequence}" in page and "777" not in page


def test_the_file_holds_what_was_asked_for_and_is_an_entry_itself(told: World) -> None:
    browser = auditor(told)
    answer = browser.post("/console/audit/export.csv?subject=asset:2")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]  # -- of a streaming response
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 40 and {row["subject"] for row in rows} == {"asset:2"} and "looked at where" in rows[0]["sentence"]
    assert AuditEntry.objects.order_by("-sequence").values_list("action", flat=True)[0] == "audit.exported"
    assert browser.get("/console/audit/export.csv").status_code == 405


def test_a_cell_never_begins_a_formula(world: World) -> None:
    audit.record(world.actor(Role.OWNER, world.north), "asset.removed", "asset:5", world.north, detail='=HYPERLINK("http://x")')
    answer = auditor(world).post("/console/audit/export.csv?subject=asset:5")
    assert "'=HYPERLINK" in b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]  # -- of a streaming response


@pytest.mark.parametrize("role", [Role.AGENT, Role.DISPATCHER, Role.ANALYST])
def test_who_may_not_read_the_audit_finds_nothing(world: World, role: Role) -> None:
    browser = signed_in(world, role, world.north)
    assert browser.get("/console/audit/").status_code == 404
    assert {browser.post(f"/console/audit/{tail}").status_code for tail in ("verify", "export.csv")} == {404}


def test_what_concerns_no_organisation_is_for_those_who_run_the_installation(world: World) -> None:
    actions.add_user(username="somebody", password="lantern-over-songhua-8", by=access.system("test"))
    assert "made the account" not in shown(signed_in(world, Role.OWNER, world.north), "?area=members")
    assert "made the account" in shown(signed_in(world, Role.OPERATOR, world.north), "?area=members")


def test_erasing_a_person_leaves_the_chain_whole_and_no_name_in_it(world: World) -> None:
    owner = world.actor(Role.OWNER, world.north)
    person = people.add_person(organisation=world.north, data=PersonData(name="王小明"), by=owner)
    erase_person(person=person, by=owner)
    assert audit.verify().broken_at is None
    assert not AuditEntry.objects.filter(detail__contains="王小明").exists()
    assert "erased" in shown(auditor(world), "?area=people")
