"""The connection: before a query runs, the database knows the scope that holds here (`core.parties.walls`).

The scope is a variable of the session. It is told again after anything that may have taken it back (a rollback undoes SET; PostgreSQL,
"SET"), so a connection pooler between us and the server must keep a session on one server connection (pgbouncer: pool_mode = session).
"""

from collections.abc import Callable
from typing import Any

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from jilink.core.parties import walls

_TELL = f"SELECT set_config('{walls.VARIABLE}', %s, false)"


class DatabaseWrapper(base.DatabaseWrapper):
    """One connection, and the scope that its session was last told."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- Django's own signature
        super().__init__(*args, **kwargs)
        self._told: str | None = None
        self.execute_wrappers.append(self._tell_and_run)

    def init_connection_state(self) -> None:
        """Begin a session that was told nothing."""
        self._told = None
        super().init_connection_state()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]  # -- the stubs leave it out
        finally:
            self._told = None

    def _savepoint_rollback(self, sid: str) -> None:
        try:
            super()._savepoint_rollback(sid)  # type: ignore[misc]  # -- the stubs leave it out
        finally:
            self._told = None

    def _tell_and_run(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,  # noqa: ANN401 -- Django's own signature
        many: bool,
        context: dict[str, Any],
    ) -> Any:  # noqa: ANN401 -- Django's own signature
        words = walls.words()
        session = self.connection
        if words != self._told and session.info.transaction_status != TransactionStatus.INERROR:
            with self.wrap_database_errors, session.cursor() as cursor:
                cursor.execute(_TELL, [words])
            self._told = words
        return execute(sql, params, many, context)
