"""What this room holds about a person: recordings of their calls, and what they thought of them.

Which contacts were theirs stands in their interactions: this part is named so that it is erased before those forget who it was.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from jilink.core.interactions.reads import numbers_of
from jilink.core.parties.people.holdings import Holding, hold
from jilink.kernel.ids import PersonId
from jilink.services.contact.actions import recordings
from jilink.services.contact.models import Contact, Recording, Satisfaction, Target
from jilink.services.contact.rules.campaigns import OPEN_TARGETS, Reason, TargetState, read_campaign
from jilink.services.contact.rules.recordings import RecordingRefused


class _Recorded(msgspec.Struct, frozen=True):
    begun_at: datetime
    seconds: float
    keep_until: datetime | None
    rating: int | None


def _export(person: PersonId) -> list[_Recorded]:
    rows = Recording.objects.filter(contact__interaction__in=numbers_of(person)).order_by("begun_at", "pk")
    rated = dict(Satisfaction.objects.filter(contact__in=rows.values("contact")).values_list("contact", "rating"))
    return [_Recorded(row.begun_at, round(row.seconds, 1), row.keep_until, rated.get(row.contact_id)) for row in rows]


def _erase(person: PersonId) -> int:
    contacts = Contact.objects.filter(interaction__in=numbers_of(person))
    rows = Recording.objects.filter(contact__in=contacts)
    if (held := rows.filter(held_by__isnull=False).first()) is not None:
        raise RecordingRefused("A recording has to be kept: %(reason)s. Release it first.", reason=held.held_reason)
    noted = contacts.exclude(note="").update(note="")
    return recordings.remove_all(list(rows.values_list("pk", flat=True))) + noted


def _nothing_moves(_source: PersonId, _target: PersonId) -> Sequence[int]:
    return ()


hold(Holding("calls", export=_export, erase=_erase, move=_nothing_moves, put_back=lambda _numbers, _person: None))


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
