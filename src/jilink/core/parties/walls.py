"""The second wall: which organisations' rows the database itself shows and takes (PostgreSQL, row-level security).

The first wall is `access`: every read and action asks it. Behind it, each table that says whose its rows are carries a policy
(`policies`), and every connection tells the database the scope that holds here, before its first query and whenever it changed
(`jilink.site.postgresql`). A query that forgot to ask then finds nothing. SQLite has no such means; there the scope has no effect.

A process begins with nothing in scope. Those that stand on no side of any wall (command line, relay, watch) say `open_process`
once. The web process never does: each request begins `closed`, and `access.actor_of` lets in the organisations of whoever asks.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

VARIABLE = "jilink.organisations"
"""The variable of a session that the policies read."""
EVERYTHING = "*"
INSTALLATION = 0
"""What rows carry that belong to no organisation; in scope for everyone, as are rows that say nothing."""

Scope = frozenset[int] | None
"""Organisations in scope; None stands for all there are and will be."""

_NOTHING: Scope = frozenset()
_process: list[Scope] = [_NOTHING]
_here: ContextVar[tuple[Scope] | None] = ContextVar("walls", default=None)


def scope() -> Scope:
    """Return what is in scope here: in this request, task or thread, else in this process."""
    held = _here.get()
    return _process[0] if held is None else held[0]


def words() -> str:
    """Return the scope as the database is told it: ``*``, or ids and commas, the installation's own rows first."""
    held = scope()
    return EVERYTHING if held is None else ",".join(map(str, (INSTALLATION, *sorted(held))))


def open_process() -> None:
    """Put everything in scope of this process, for good: it stands on no side of any wall."""
    _process[0] = None


@contextmanager
def _held(held: Scope) -> Iterator[None]:
    before = _here.get()
    _here.set((held,))
    try:
        yield
    finally:
        _here.set(before)


def everything() -> AbstractContextManager[None]:
    """Put everything in scope for the passage: for reads of the installation itself, such as who somebody is.

    Keep the passage short and let nothing out of it that `access` did not allow.
    """
    return _held(None)


def closed() -> AbstractContextManager[None]:
    """Put nothing in scope for the passage, until `let_in`. Every request begins so."""
    return _held(_NOTHING)


def let_in(organisations: Iterable[int]) -> None:
    """Put an actor's organisations in scope, where nothing is yet. Whoever was let in first stays: asking about others widens nothing."""
    if scope() == _NOTHING:
        _here.set((frozenset(organisations),))


def begin_anew() -> None:
    """Let nobody in any more, so that `let_in` counts again: for streams that ask afresh who they belong to."""
    if scope() is not None:
        _here.set((_NOTHING,))


def also(organisation: int) -> None:
    """Put one more organisation in scope: the one that an allowed action has just made."""
    held = scope()
    if held is not None:
        _here.set((held | {organisation},))
