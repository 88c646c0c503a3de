"""What cases are found by: number, title, description, address, notes, replies, and the person's name by those who may see people.

Everything here runs in the transaction that changed the words; `rebuild` makes the index anew.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from jilink.core.cases.models import Case, Note, Reply
from jilink.core.cases.rules import numbers
from jilink.core.cases.rules.numbers import NumberMisread
from jilink.core.parties import access, walls
from jilink.core.parties.access import Actor
from jilink.core.parties.models import Organisation, Person
from jilink.core.parties.rules import Permission
from jilink.core.search.index import Document, Hit, Index

INDEX = Index("case_index")
TOGETHER = 500


def put(cases: Sequence[int]) -> None:
    """Let these cases be found by what stands in them now; one that is gone is found no more."""
    for start in range(0, len(cases), TOGETHER):
        some = cases[start : start + TOGETHER]
        INDEX.forget(some)
        INDEX.pour((case, [document]) for case, document in _documents(some))


@transaction.atomic
def rebuild() -> int:
    """Make the index anew from the cases, and return how many there were."""
    after = counted = 0
    with walls.everything():
        while keys := list(Case.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:TOGETHER]):
            put(keys)
            after, counted = keys[-1], counted + len(keys)
    return counted


def is_words(text: str) -> bool:
    """Return whether somebody typed words, not nothing and not a number of a case."""
    try:
        numbers.parse(text)
    except NumberMisread:
        return bool(text.strip())
    return False


def condition(actor: Actor, text: str) -> Q:
    """Return the cases that hold all of what somebody typed, or whose number it is, as a condition; the door is another."""
    if not text.strip():
        return Q()
    if not is_words(text):
        return Q(number=numbers.parse(text))
    found = INDEX.items(text, keys_of(actor))
    return Q(pk__in=found) if found is not None else Q(pk__in=())


@dataclass(frozen=True, slots=True)
class Likely:
    """Cases among which are all that hold what somebody typed; `holding` says which of some do."""

    condition: Q
    holding: Callable[[Collection[int]], set[int]]


def likely(actor: Actor, text: str) -> Likely | None:
    """Return what finds the first cases of a list sooner than `condition` where very many hold long words; None where nothing does."""
    if not is_words(text):
        return None
    keys = keys_of(actor)
    found = INDEX.likely(text, keys)
    return Likely(Q(pk__in=found), lambda cases: INDEX.holding(text, cases, keys)) if found is not None else None


def best(actor: Actor, text: str, readable: QuerySet[Model]) -> list[Hit]:
    """Return the cases among the readable ones that hold what somebody typed, the most fitting first, at most 200."""
    return INDEX.search(text, readable, keys_of(actor))


def keys_of(actor: Actor) -> Collection[int]:
    """Return the organisations by whose people's names the actor finds cases: those that know anybody, and let the actor see whom."""
    allowed = access.organisations_of(actor, Permission.VIEW_PEOPLE)
    known = Exists(Person.objects.filter(organisation=OuterRef("pk")))
    return frozenset(Organisation.objects.filter(known, pk__in=allowed).values_list("pk", flat=True))


def _documents(cases: Sequence[int]) -> Iterator[tuple[int, Document]]:
    with walls.everything():  # the words of a case are the same whoever of its two organisations wrote them
        rows = list(Case.objects.filter(pk__in=cases).values_list("pk", "number", "title", "description", "address", "person"))
        names = {
            pk: (place, name)
            for pk, place, name in Person.objects.filter(pk__in=[row[5] for row in rows if row[5]]).values_list(
                "pk", "organisation_id", "name"
            )
        }
        said: dict[int, list[str]] = defaultdict(list)
        for table in (Note, Reply):
            for case, words in table.objects.filter(case__in=cases).order_by("pk").values_list("case_id", "text"):
                said[case].append(words)
    for pk, number, title, description, address, person in rows:
        kept = (names[person],) if person in names and names[person][1] else ()
        yield pk, Document(title, (number, address, description, *said[pk]), kept)
