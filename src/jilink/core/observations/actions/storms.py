"""Storms: many alarms of one condition in one organisation within a short time become one group. Called within the writing of alarms."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from jilink.core.observations import events
from jilink.core.observations.models import Alarm, Storm
from jilink.core.observations.rules import STORM_ALARMS, STORM_WITHIN, storm_is_over
from jilink.core.outbox import outbox


def gather(made: Sequence[Alarm], now: datetime) -> None:
    """Put new alarms into the storm that goes on in their organisation, or begin one where they are enough with those just before."""
    kinds: dict[tuple[int, str], list[Alarm]] = defaultdict(list)
    for alarm in made:
        kinds[alarm.organisation_id, alarm.condition].append(alarm)
    for (organisation, condition), alarms in kinds.items():
        first, last = alarms[0].raised_at, alarms[-1].raised_at
        storm = Storm.objects.select_for_update().filter(organisation_id=organisation, condition=condition, ended_at=None).first()
        if storm is not None and storm_is_over(storm.last_at, first):
            storm.ended_at = storm.last_at
            storm.save(update_fields=["ended_at"])
            storm = None
        if storm is None:
            storm = _begin(organisation, condition, last, now)
        else:
            storm.last_at = max(storm.last_at, last)
            storm.save(update_fields=["last_at"])
        if storm is not None:
            Alarm.objects.filter(pk__in=[alarm.pk for alarm in alarms]).update(storm=storm)
            for alarm in alarms:
                alarm.storm = storm


def _begin(organisation: int, condition: str, last: datetime, now: datetime) -> Storm | None:
    recent = Alarm.objects.filter(
        organisation_id=organisation, condition=condition, storm=None, raised_at__gt=last - STORM_WITHIN, raised_at__lte=last
    )
    began = list(recent.order_by("raised_at").values_list("pk", "raised_at"))
    if len(began) < STORM_ALARMS:
        return None
    told = Storm.objects.bulk_create(
        [Storm(organisation_id=organisation, condition=condition, began_at=began[0][1], last_at=last)], ignore_conflicts=True
    )
    storm = Storm.objects.select_for_update().filter(organisation_id=organisation, condition=condition, ended_at=None).get()
    Alarm.objects.filter(pk__in=[pk for pk, _at in began]).update(storm=storm)
    if told and storm.began_at == began[0][1]:
        event = events.StormBegan(storm=storm.pk, condition=condition, began_at=storm.began_at, alarms=len(began))
        outbox.add(event, organisation=organisation, aggregate=f"storm:{storm.pk}", now=now)
    return storm
