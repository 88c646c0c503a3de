"""The second wall: PostgreSQL itself shows and takes only the rows that are in scope."""

import asyncio
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from jilink.core.assets import actions as assets
from jilink.core.assets.models import Asset
from jilink.core.parties import access, actions, audit, policies, walls
from jilink.core.parties.members.work import may_be_given
from jilink.core.parties.models import AuditEntry, Member, Organisation, Team, User
from jilink.core.parties.requests import behind_walls
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import OrganisationId
from tests.core.world import World
from tests.trust.planted import plant

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
def test_whether_a_team_takes_work_does_not_depend_on_who_asks(two: World) -> None:
    team = Team.objects.create(organisation_id=two.north, name="Gate", created_at=utc_now())
    with walls.closed():
        walls.let_in([two.south])
        assert may_be_given(team.pk, two.north)
        assert not may_be_given(team.pk, two.south)


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


OPEN = {
    "auth": "Django's own permissions and groups, which grant nothing here",
    "contenttypes": "names of tables",
    "sessions": "found by a random key alone, before anybody is known",
    "account": "addresses for letters of an account: of a person, not of an organisation",
    "mfa": "second factors of an account, as above",
    "socialaccount": "the single sign-on of an account, as above",
    "webkit": "answers and counts kept for one account",
    "console": "views, drafts, notices and presence of one person",
    "outbox": "consumers' places",
    "Organisation": "the names that walls are made of; reads ask the door",
    "User": "accounts belong to no organisation",
    "User_groups": "Django's own",
    "User_user_permissions": "Django's own",
    "AuditHead": "one row: where the chain ends",
    "SeenTerminal": "terminals that nobody has entered are nobody's",
    "CaseType": "units elsewhere work on cases of the type",
    "WorkCalendar": "the same",
    "NumberKey": "secrets of numbering, one for all",
    "NumberSerial": "the same",
    "BulkRun": "what one person undoes",
}
"""What stands in no organisation, by application or model, and why."""


def leads_to_an_organisation(model: type[Model]) -> bool:
    """Whether a row is, by its own columns or by rows it must have, some organisation's."""
    own = [field for field in model._meta.local_concrete_fields if field.name == "organisation" or field.related_model is Organisation]
    ways = [field for field in model._meta.local_concrete_fields if field.is_relation and not field.null]
    further = [field.related_model for field in ways if field.related_model not in (model, User)]
    return bool(own) or any(isinstance(each, type) and leads_to_an_organisation(each) for each in further)


def open_for_a_reason(model: type[Model]) -> bool:
    return model.__name__ in OPEN or model._meta.app_label in OPEN


def test_every_model_with_a_way_to_an_organisation_is_behind_the_wall() -> None:
    walled, models = policies.walled(), apps.get_models(include_auto_created=True)
    known = [model for model in models if not open_for_a_reason(model)]
    assert [model.__name__ for model in known if model._meta.db_table not in walled] == []
    assert {model.__name__ for model in known if leads_to_an_organisation(model)} >= {
        "Clock",
        "ClockPause",
        "TeamMember",
        "Terminal",
        "Part",
    }


@pytest.mark.postgresql
def test_of_every_such_model_nobody_on_the_other_side_finds_changes_or_adds_a_row(world: World) -> None:
    plant(world)
    tables = policies.walled()
    mine = {model for model in apps.get_models(include_auto_created=True) if model._meta.db_table in tables}
    mine = {model for model in mine if leads_to_an_organisation(model) and model.objects.exists()}
    assert {"Clock", "Entry", "Reply", "Request", "Terminal", "Vehicle", "Part", "Version", "Attachment", "Area"} <= {
        one.__name__ for one in mine
    }
    wrong = [f"{model.__name__} {fault}" for model in mine for fault in faults(model, world)]
    assert wrong == []


def faults(model: type[Model], world: World) -> list[str]:
    """Ask, change and add as a query that forgot every rule of ours, with only the south in scope."""
    table, key = model._meta.db_table, model._meta.pk.column
    names = [field.column for field in model._meta.local_concrete_fields if not (field.primary_key and not field.is_relation)]
    copied, columns = ", ".join(f'"{name}"' for name in names), ", ".join(f'"{name}"' for name in [key, *names] if name)
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT {columns} FROM "{table}" WHERE {theirs(table)} LIMIT 1')
        row = cursor.fetchone()
        if row is None:
            return []
        found = []
        with walls.closed():
            walls.let_in([world.south])
            cursor.execute(f'SELECT count(*) FROM "{table}" WHERE "{key}" = %s', row[:1])
            found += ["is seen"] if cursor.fetchone() != (0,) else []
            cursor.execute(f'UPDATE "{table}" SET "{names[0]}" = "{names[0]}" WHERE "{key}" = %s', row[:1])
            found += ["is changed"] if cursor.rowcount else []
            cursor.execute(f'DELETE FROM "{table}" WHERE "{key}" = %s', row[:1])
            found += ["is removed"] if cursor.rowcount else []
            marks = ", ".join(["%s"] * len(names))
            try:
                with transaction.atomic():
                    cursor.execute(f'INSERT INTO "{table}" ({copied}) VALUES ({marks})', row[1:])
                    found.append("is added")
                    transaction.set_rollback(True)
            except DatabaseError as error:
                found += [] if "row-level security" in str(error) else [f"fails otherwise: {error}"]
    return found


def theirs(table: str) -> str:
    """A condition for rows of the north: those that name nobody are open to all."""
    return "organisation <> 0" if table in {"outbox_outboxevent", "outbox_deadletter", "parties_auditentry"} else "true"
