"""The second wall: PostgreSQL itself shows and takes only the rows that are in scope."""

import asyncio
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from jilink.core.assets import actions as assets
from jilink.core.assets.models import Asset
from jilink.core.parties import access, actions, audit, policies, walls
from jilink.core.parties.models import AuditEntry, Member
from jilink.core.parties.requests import behind_walls
from jilink.core.parties.rules import Role
from jilink.kernel.ids import OrganisationId
from tests.core.world import World

ROWS = "SELECT label FROM assets_asset ORDER BY label"


@pytest.fixture
def two(world: World) -> World:
    """One asset on either side of the wall."""
    for organisation, label in ((world.north, "N"), (world.south, "S")):
        assets.add_asset(organisation=organisation, kind="vehicle", label=label, by=access.system("test"))
    return world


def labels() -> list[str]:
    """Ask as a query that forgot every rule of ours."""
    with connection.cursor() as cursor:
        cursor.execute(ROWS)
        return [row[0] for row in cursor.fetchall()]


def tables_with_an_organisation() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT table_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND column_name IN ('organisation', 'organisation_id')"
        )
        yield from (row[0] for row in cursor.fetchall())


@pytest.mark.postgresql
def test_every_table_with_an_organisation_is_behind_the_wall(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid"
            " WHERE c.relrowsecurity AND c.relforcerowsecurity AND p.polcmd = '*' AND p.polpermissive AND p.polname = %s",
            [policies.POLICY],
        )
        walled = {row[0] for row in cursor.fetchall()}
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)
    opened = {model._meta.db_table for model in apps.get_models() if getattr(model, "SEEN_BY", None) == ()}
    assert set(tables_with_an_organisation()) - opened <= walled
    assert walled == set(policies.walled())
    assert "assets_asset" in walled


@pytest.mark.postgresql
def test_a_query_that_asks_nobody_finds_only_what_is_in_scope(two: World) -> None:
    assert labels() == ["N", "S"]
    with walls.closed():
        assert labels() == []
        walls.let_in([two.north])
        assert labels() == ["N"]
        assert list(Asset.objects.values_list("label", flat=True)) == ["N"]
        assert [asset.label for asset in Asset.objects.iterator(chunk_size=1)] == ["N"]
        assert Member.objects.filter(organisation=two.south).count() == 0
        with walls.everything():
            assert labels() == ["N", "S"]
        assert labels() == ["N"]
    assert labels() == ["N", "S"]


@pytest.mark.postgresql
def test_a_change_across_the_wall_reaches_nothing_and_a_row_of_another_is_not_taken(two: World) -> None:
    with walls.closed():
        walls.let_in([two.north])
        assert Asset.objects.filter(label="S").update(label="T") == 0
        assert Asset.objects.filter(label="S").delete()[0] == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Asset.objects.filter(label="N").update(organisation_id=two.south)
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            row = Asset.objects.get(label="N")
            Asset.objects.create(organisation_id=two.south, kind="vehicle", label="X", created_at=row.created_at)
        assert labels() == ["N"]
    assert labels() == ["N", "S"]


@pytest.mark.postgresql
def test_the_scope_survives_what_a_rollback_takes_back(two: World) -> None:
    with walls.closed():
        walls.let_in([two.north])
        with pytest.raises(ZeroDivisionError), transaction.atomic(), walls.everything():
            assert labels() == ["N", "S"]
            raise ZeroDivisionError
        assert labels() == ["N"]
        with pytest.raises(DatabaseError), transaction.atomic(), walls.everything(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        assert labels() == ["N"]
    with pytest.raises(ZeroDivisionError), transaction.atomic(), walls.closed():
        assert labels() == []
        raise ZeroDivisionError
    assert labels() == ["N", "S"]


@pytest.mark.postgresql
def test_rows_of_the_installation_are_shown_to_everyone(two: World) -> None:
    audit.record(access.system("test"), "test.done", "installation", None)
    with walls.closed():
        assert [entry.subject for entry in AuditEntry.objects.all()] == ["installation"]


@pytest.mark.postgresql
def test_policies_that_somebody_changed_are_made_anew_and_those_that_stand_are_left(world: World) -> None:
    assert policies.keep() == []
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE assets_asset NO FORCE ROW LEVEL SECURITY")
        cursor.execute("DROP POLICY wall ON parties_member")
    assert sorted(policies.keep()) == ["assets_asset", "parties_member"]
    assert policies.keep() == []


def test_every_request_begins_with_nothing_in_scope_and_leaves_nothing_behind(rf: RequestFactory) -> None:
    seen = []

    def page(request: HttpRequest) -> HttpResponse:
        seen.append(walls.words())
        walls.let_in([7])
        return HttpResponse()

    async def async_page(request: HttpRequest) -> HttpResponse:
        return page(request)

    for _ in range(2):
        behind_walls(page)(rf.get("/"))
        asyncio.run(behind_walls(async_page)(rf.get("/")))
    assert seen == ["0"] * 4 and walls.words() == "*"


def test_whoever_was_let_in_first_stays_and_what_was_made_is_added(world: World) -> None:
    owner, other = world.person(Role.OWNER, world.north), world.person(Role.OWNER, world.south)
    with walls.closed():
        assert walls.scope() == frozenset()
        actor = access.actor_of(owner)
        access.actor_of(other)
        assert walls.scope() == {world.north, world.depot}
        yard = actions.add_organisation(name="Yard", parent=world.north, by=actor)
        assert walls.scope() == {world.north, world.depot, yard}
        walls.begin_anew()
        access.actor_of(other)
        assert walls.scope() == {world.south}


async def test_tasks_and_threads_of_a_request_stand_behind_its_walls() -> None:
    with walls.closed():
        walls.let_in([OrganisationId(7)])
        assert await asyncio.create_task(asyncio.to_thread(walls.words)) == "0,7"
        assert await sync_to_async(walls.words)() == "0,7"
    assert walls.words() == "*"
