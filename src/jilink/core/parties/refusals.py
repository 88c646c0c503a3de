"""What is refused and written down: attempts at what somebody may not do, and attempts to sign in.

Nobody can flood the audit: of what one account is refused again and again, the 1st, 10th, 100th, ... time is an entry; it is counted anew
once five minutes have passed without another. Of attempts to sign in, those from the same address within five minutes are one entry.
"""

from hashlib import sha256

from django.core.cache import cache
from django.db import connection, transaction

from jilink.core.parties import audit, walls
from jilink.core.parties.access import NOBODY, Actor, NotFound
from jilink.core.parties.models import Member, User

SAID_AGAIN_AFTER_S = 300


def note(actor: Actor, error: NotFound, where: str) -> None:
    """Write down that somebody who is signed in was refused at a page or an operation.

    `where` names it as it is declared, ``page:console:case`` or ``operation:read_case``, never by its address: that may name a person.
    What does not exist and what a wall hides are written down alike, so that neither the entry nor the time it takes tells which.
    Call it outside of the transaction that the refusal ended, once for a request.
    """
    if actor.user is None:
        return
    count = _times(f"{actor.name} {where}")
    if count != 10 ** (len(str(count)) - 1):
        return
    inside = error.organisation in actor.organisations
    lacking = error.permission.value if inside and error.permission else ""
    times = f"×{count}" if count > 1 else ""
    detail = " ".join(part for part in (lacking, times) if part)
    with walls.everything(), transaction.atomic():  # who may do nothing at all reaches no organisation, the one of this entry neither
        audit.record(actor, "access.refused", where, error.organisation if inside else _home(actor.user), detail=detail)


def _home(user: int) -> int | None:
    """Return the organisation that answers for an account: that of its first membership."""
    return Member.objects.filter(user=user).order_by("pk").values_list("organisation", flat=True).first()


def _times(what: str) -> int:
    """Return how often this was refused, this time counted: two at once get two numbers."""
    key = _key(what)
    with transaction.atomic():
        if connection.vendor == "postgresql":  # where SQLite lets only one transaction write (PostgreSQL 15, 13.3.5 "Advisory Locks")
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        count = int(cache.get(key, 0)) + 1
        cache.set(key, count, SAID_AGAIN_AFTER_S)
    return count


def note_sign_in(why: str, *, account: int | None = None, address: str | None = None) -> None:
    """Write down that somebody was not let in, once for each organisation of the account; `why` is one word.

    What was typed as a name is never kept: it may be a password.
    """
    if not _first(f"sign-in {why} {account} {address}"):
        return
    subject, detail = f"user:{account}" if account else "unknown", f"{why} {address or ''}".strip()
    with walls.everything(), transaction.atomic():
        places = Member.objects.filter(user=account).order_by("pk").values_list("organisation", flat=True) if account else ()
        for place in [*places] or [None]:
            audit.record(NOBODY, "sign_in.refused", subject, place, detail=detail)


def account_named(username: str) -> int | None:
    """Return whose account somebody tries to get into, None where there is none of that name."""
    return User.objects.filter(username=username).values_list("pk", flat=True).first()


def _first(what: str) -> bool:
    return bool(cache.add(_key(what), 1, SAID_AGAIN_AFTER_S))


def _key(what: str) -> str:
    return f"refused:{sha256(what.encode()).hexdigest()}"
