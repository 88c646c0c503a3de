"""Row-level security in PostgreSQL, one policy a table, kept by itself after every migration.

Each model with a field `organisation` (a foreign key or a whole number) is behind the wall: `core.parties.walls` says what is in scope.
A model whose rows concern several organisations names the fields: ``SEEN_BY = ("organisation", "unit")``; any of them in scope is
enough. A model without such fields stands behind the wall of the row it belongs to: the first foreign key that must be set, is
deleted along (CASCADE) and leads to a table behind the wall; ``SEEN_THROUGH = ("case", "other")`` names others, of which any is enough.
``SEEN_BY = ()`` leaves a table open, with the reason beside it. Nothing is written in migrations.
"""

from hashlib import sha256
from typing import Any

from django.apps import apps
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CASCADE, ForeignKey, Model

from jilink.core.parties.walls import VARIABLE

POLICY = "wall"

_EXISTING = """
SELECT c.relname, coalesce(obj_description(p.oid, 'pg_policy'), ''), c.relrowsecurity AND c.relforcerowsecurity
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE p.polname = %s AND c.relnamespace = current_schema()::regnamespace
"""


def columns_of(model: type[Model]) -> tuple[str, ...]:
    """Return the columns that say which organisations a row concerns; () for a table that has none, or is left open."""
    options = model._meta
    own = {field.name: field.column or field.name for field in options.local_concrete_fields}
    if options.proxy or not options.managed:
        return ()
    named: tuple[str, ...] = getattr(model, "SEEN_BY", ("organisation",) if "organisation" in own else ())
    return tuple(own[name] for name in named if name in own)


def parents_of(model: type[Model]) -> tuple[ForeignKey[Any, Any], ...]:
    """Return the fields that lead to the rows behind whose walls a row stands; () where it has a wall of its own, or none."""
    options = model._meta
    if columns_of(model) or hasattr(model, "SEEN_BY") or options.proxy or not options.managed:
        return ()
    keys = [field for field in options.local_concrete_fields if isinstance(field, ForeignKey) and _behind_a_wall(model, field)]
    named: tuple[str, ...] | None = getattr(model, "SEEN_THROUGH", None)
    if named is not None:
        return tuple(field for field in keys if field.name in named)
    return tuple(field for field in keys if not field.null and field.remote_field.on_delete is CASCADE)[:1]


def _behind_a_wall(model: type[Model], field: ForeignKey[Any, Any]) -> bool:
    target = field.related_model
    return isinstance(target, type) and target is not model and bool(columns_of(target) or parents_of(target))


def walled() -> dict[str, str]:
    """Return, by table, the condition of every model behind the wall."""
    found = {model._meta.db_table: condition(model) for model in apps.get_models(include_auto_created=True)}
    return {table: words for table, words in found.items() if words}


def condition(model: type[Model]) -> str:
    """Return the policy's condition: true in an open scope, else where a column holds an organisation in scope, or none does.

    Of a row that belongs to another: where that one is seen, which its own policy decides (a policy's queries are walled themselves).
    "" for a model that is not behind the wall. Sub-selects that name no column of ours run once a statement (PostgreSQL, "InitPlan").
    """
    told = f"current_setting('{VARIABLE}', true)"
    columns, parents = columns_of(model), parents_of(model)
    if columns:
        scope = f"(SELECT string_to_array(nullif(nullif({told}, '*'), ''), ',')::bigint[])::bigint[]"
        inside = " OR ".join(f'"{column}" = ANY ({scope})' for column in columns)
        nobodys = " AND ".join(f'"{column}" IS NULL' for column in columns)
        return f"(SELECT {told} = '*') OR {inside} OR ({nobodys})"
    belongs = [
        f'EXISTS (SELECT 1 FROM "{above}" WHERE "{above}"."{key}" = "{model._meta.db_table}"."{field.column}")'  # noqa: S608 -- names of our own models
        for field in parents
        for above, key in [(field.target_field.model._meta.db_table, field.target_field.column)]
    ]
    return " OR ".join([f"(SELECT {told} = '*')", *belongs]) if belongs else ""


def differing(using: str = "default") -> tuple[list[str], list[str]]:
    """Return the tables whose policy is not what the model says, and those that have one and should not. Nothing on SQLite."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return [], []
    wanted = walled()
    with connection.cursor() as cursor:
        cursor.execute(_EXISTING, [POLICY])
        standing = {table: (mark, forced) for table, mark, forced in cursor.fetchall()}
        cursor.execute("SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')")
        there = {row[0] for row in cursor.fetchall()}
    changed = [table for table, words in wanted.items() if table in there and standing.get(table) != (_mark(words), True)]
    return changed, [table for table in standing if table not in wanted]


def keep(using: str = "default") -> list[str]:
    """Make the policies what the models say, and return the tables that were changed; none when all stood. Nothing on SQLite.

    The owner of the tables is bound too (FORCE); only superusers and roles with BYPASSRLS are not (PostgreSQL, "Row Security Policies").
    """
    connection, wanted = connections[using], walled()
    changed, gone = differing(using)
    for table in changed:
        _build(connection, table, wanted[table])
    for table in gone:
        _take_down(connection, table)
    return changed + gone


def _mark(words: str) -> str:
    return sha256(words.encode()).hexdigest()[:16]


def _build(connection: BaseDatabaseWrapper, table: str, words: str) -> None:
    name = connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP POLICY IF EXISTS {POLICY} ON {name}")
        cursor.execute(f"CREATE POLICY {POLICY} ON {name} USING ({words}) WITH CHECK ({words})")
        cursor.execute(f"COMMENT ON POLICY {POLICY} ON {name} IS '{_mark(words)}'")
        cursor.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")


def _take_down(connection: BaseDatabaseWrapper, table: str) -> None:
    name = connection.ops.quote_name(table)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP POLICY {POLICY} ON {name}")
        cursor.execute(f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY")
