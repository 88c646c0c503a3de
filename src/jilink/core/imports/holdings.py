"""What this room holds about a person: by what key whoever sent them calls them."""

import msgspec

from jilink.core.imports.actions import forget_keys
from jilink.core.imports.models import KnownKey
from jilink.core.parties.people.holdings import Holding, hold
from jilink.kernel.ids import PersonId

NOUN = "people"


class _Key(msgspec.Struct, frozen=True):
    key: str


def _export(person: PersonId) -> list[_Key]:
    rows = KnownKey.objects.filter(noun=NOUN, subject=person).order_by("pk")
    return [_Key(row.key.partition(":")[2]) for row in rows]


def _move(source: PersonId, target: PersonId) -> list[int]:
    moved = list(KnownKey.objects.filter(noun=NOUN, subject=source).values_list("pk", flat=True))
    KnownKey.objects.filter(pk__in=moved).update(subject=target)
    return moved


hold(
    Holding(
        "keys of imports",
        export=_export,
        erase=lambda person: forget_keys(NOUN, person),
        move=_move,
        put_back=lambda numbers, person: KnownKey.objects.filter(pk__in=numbers).update(subject=person),
    )
)
