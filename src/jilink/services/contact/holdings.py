"""What this room holds about a person: which campaigns called them."""

from datetime import datetime

import msgspec

from jilink.core.parties.people.holdings import Holding, hold
from jilink.kernel.ids import PersonId
from jilink.services.contact.models import Target
from jilink.services.contact.rules.campaigns import OPEN_TARGETS, Reason, TargetState, read_campaign


class _Called(msgspec.Struct, frozen=True):
    campaign: str
    purpose: str
    state: str
    attempts: list[datetime]


def _export_called(person: PersonId) -> list[_Called]:
    rows = Target.objects.filter(person=person).select_related("campaign").order_by("pk")
    return [
        _Called(
            str(read_campaign(row.campaign.design).name),
            read_campaign(row.campaign.design).purpose,
            row.state,
            list(row.tried.order_by("pk").values_list("dialled_at", flat=True)),
        )
        for row in rows
    ]


def _erase_called(person: PersonId) -> int:
    """Keep that somebody was called and what came of it; who it was goes, and nobody calls them."""
    rows = Target.objects.filter(person=person)
    rows.filter(state__in=OPEN_TARGETS).update(state=TargetState.LEFT_OUT, reason=Reason.ERASED, next_at=None, agent=None)
    return rows.update(person=None, note="")


def _move_called(source: PersonId, target: PersonId) -> list[int]:
    """Campaigns that call the other too stay with the one merged away, whom nobody calls: they have no telephone then."""
    known = set(Target.objects.filter(person=target).values_list("campaign", flat=True))
    moved = [row.pk for row in Target.objects.filter(person=source).order_by("pk") if row.campaign_id not in known]
    Target.objects.filter(pk__in=moved).update(person=target)
    return moved


hold(
    Holding(
        "campaigns",
        export=_export_called,
        erase=_erase_called,
        move=_move_called,
        put_back=lambda numbers, person: Target.objects.filter(pk__in=numbers).update(person=person),
    )
)
