"""What a member was told: their own notices alone, with as much of each case as their walls let through now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from jilink.core.cases import reads as cases
from jilink.core.cases.reads import CaseRow
from jilink.core.parties.access import Actor
from jilink.services.console.models import Letterbox, Notice, NoticeWish
from jilink.services.console.rules.notices import CHOSEN, Kind, Way, usual

SHOWN = 100


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One notice of `count` cases; `case` is the last of them, None once it is out of the member's reach."""

    id: int
    kind: Kind
    case: CaseRow | None
    by: int | None
    at: datetime
    read: bool
    count: int


@dataclass(frozen=True, slots=True)
class Letter:
    """What a letter needs."""

    user: int
    address: str
    language: str
    notice: NoticeView


def unread(user: int | None) -> int:
    """Return how many notices a member has not read."""
    return Notice.objects.filter(user_id=user, read_at=None).count() if user is not None else 0


def notices(actor: Actor, *, now: datetime, limit: int = SHOWN) -> list[NoticeView]:
    """Return the last notices of whoever asks, the newest first."""
    rows = list(Notice.objects.filter(user_id=actor.user or 0).order_by("-pk")[: max(1, min(limit, SHOWN))])
    return _views(actor, rows, now)


def letterbox(actor: Actor) -> str:
    """Return where the actor wants letters; "" for nowhere."""
    return Letterbox.objects.filter(user_id=actor.user or 0).values_list("address", flat=True).first() or ""


def wishes(actor: Actor) -> dict[Kind, Way]:
    """Return how the actor hears of what concerns several people."""
    said = dict(NoticeWish.objects.filter(user_id=actor.user or 0).values_list("kind", "way"))
    return {kind: Way(said.get(kind.value, usual(kind))) for kind in CHOSEN}


def recipient_of(notice: int) -> int | None:
    """Return whose a notice is; None where it is gone. For letters."""
    return Notice.objects.filter(pk=notice).values_list("user_id", flat=True).first()


def letter(actor: Actor, notice: int, *, now: datetime) -> Letter | None:
    """Return the letter about a notice of this actor; None where they want none, have read it, or may not see the case any more."""
    row = Notice.objects.filter(pk=notice, user_id=actor.user or 0, read_at=None, mailed_at=None).first()
    box = Letterbox.objects.filter(user_id=actor.user or 0).first()
    if row is None or box is None:
        return None
    view = _views(actor, [row], now)[0]
    return Letter(box.user_id, box.address, box.language, view) if view.case is not None else None


def _views(actor: Actor, rows: Sequence[Notice], now: datetime) -> list[NoticeView]:
    seen = {row.id: row for row in cases.rows_of(actor, {row.case for row in rows}, now=now)}
    return [NoticeView(row.pk, Kind(row.kind), seen.get(row.case), row.by, row.at, row.read_at is not None, row.count) for row in rows]
