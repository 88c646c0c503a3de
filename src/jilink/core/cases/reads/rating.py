"""The link by which whoever was served rates a case: signed, for a time, and telling as little as it can."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core import signing

from jilink.core.cases.models import Case, Rating
from jilink.core.cases.reads.ground import HIDDEN, definition_of
from jilink.core.cases.rules import allowed
from jilink.core.cases.rules.form import AnyQuestion
from jilink.core.parties import walls
from jilink.core.parties.access import NotFound
from jilink.kernel.texts import Text

KEPT = timedelta(days=30)
_SIGNER = signing.Signer(sep=".", salt="jilink.rating")


@dataclass(frozen=True, slots=True)
class RatingLink:
    """What a link ends with, and until when it leads anywhere."""

    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class RatingAsked:
    """What whoever follows a link may know: which case it is, and what is asked. No title, no words, no place, no name."""

    number: str
    type: Text
    organisation: str
    questions: tuple[AnyQuestion, ...]
    rated: bool


def make(row: Case, now: datetime) -> RatingLink:
    """Return a link for the round that a case is in."""
    until = (now + KEPT).replace(microsecond=0)
    value = ".".join(signing.b62_encode(part) for part in (row.pk, row.round, int(until.timestamp())))
    return RatingLink(_SIGNER.sign(value), until)


def read(token: str, now: datetime) -> tuple[int, int]:
    """Return the case and the round that a link stands for. Raises NotFound for one we did not make, and for one that has run out."""
    try:
        case, round, until = (signing.b62_decode(part) for part in _SIGNER.unsign(token).split("."))
    except (signing.BadSignature, ValueError) as error:
        raise NotFound(HIDDEN) from error
    if now > datetime.fromtimestamp(until, UTC):
        raise NotFound(HIDDEN)
    return case, round


def asked_by_link(token: str, *, now: datetime) -> RatingAsked:
    """Return what a link asks. No wall is asked: the link is the proof. Raises NotFound also where the round it asks about is over."""
    case, round = read(token, now)
    with walls.everything():
        row = Case.objects.select_related("type", "organisation").filter(pk=case, round=round).first()
        rated = Rating.objects.filter(case=case, round=round).exists()
        if row is None or not (rated or allowed.rateable(row.state, row.round, ())):
            raise NotFound(HIDDEN)
        definition = definition_of(row.type.definition)
        return RatingAsked(row.number, definition.label, row.organisation.name, definition.questions, rated)
