"""What is refused and written down: attempts at what somebody may not do, and attempts to sign in.

Nobody can flood the audit: what is refused again within five minutes, of the same account or from the same address, is no new entry.
"""

from hashlib import sha256

from django.core.cache import cache
from django.db import transaction

from jilink.core.parties import audit, walls
from jilink.core.parties.access import NOBODY, Actor, NotFound
from jilink.core.parties.models import Member, User
from jilink.core.parties.rules import SENSITIVE

SAID_AGAIN_AFTER_S = 300


def note(actor: Actor, error: NotFound) -> None:
    """Write down that somebody asked for what they may not: where their role grants it nowhere, or where it is sensitive.

    What does not exist and what a wall hides are written down alike, so that neither the entry nor the time it takes tells which.
    Call it outside of the transaction that the refusal ended.
    """
    permission = error.permission
    if permission is None or actor.user is None or (permission not in SENSITIVE and actor.may(permission)):
        return
    place = error.organisation if error.organisation in actor.organisations else None
    if _first(f"{actor.name} {permission} {place}"):
        audit.record(actor, "access.refused", f"permission:{permission.value}", place)


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
    return bool(cache.add(f"refused:{sha256(what.encode()).hexdigest()}", 1, SAID_AGAIN_AFTER_S))
