"""The only writers of rules: added, changed, switched and removed by those who may manage rules, each audited and told."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from jilink.core.observations import conditions, events
from jilink.core.observations.conditions import Condition, RuleRefused
from jilink.core.observations.models import Rule
from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import OrganisationId

MOST_RULES = 200
MANAGE = Permission.MANAGE_RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleData:
    """What is entered of a rule. Level 1 or 2, or None."""

    name: str
    condition: Condition
    level: int | None = None
    enabled: bool = True


def _checked(data: RuleData) -> RuleData:
    if not 1 <= len(data.name.strip()) <= 80:
        raise RuleRefused("A rule needs a name of at most 80 characters.")
    if data.level not in (None, 1, 2):
        raise RuleRefused("The level is 1 or 2, or none.")
    conditions.check(data.condition)
    return data


def add_rule(*, organisation: OrganisationId, data: RuleData, by: Actor, now: datetime | None = None) -> int:
    """Add a rule and return its id. Raises RuleRefused; NotFound without the permission."""
    require(by, MANAGE, organisation)
    _checked(data)
    moment = now or utc_now()
    if Rule.objects.filter(organisation_id=organisation).count() >= MOST_RULES:
        raise RuleRefused("An organisation can have at most 200 rules.")
    try:
        with transaction.atomic():
            row = Rule.objects.create(
                organisation_id=organisation,
                name=data.name.strip(),
                condition=conditions.dump(data.condition),
                level=data.level,
                enabled=data.enabled,
                changed_at=moment,
                changed_by_id=by.user,
            )
            _tell(row, "rule.added", by, moment)
    except IntegrityError as error:
        raise RuleRefused("There is already a rule of this name.") from error
    return row.pk


def change_rule(*, rule: int, data: RuleData, by: Actor, now: datetime | None = None) -> None:
    """Change a rule. Alarms of the old condition end. Raises RuleRefused; NotFound across a wall."""
    _checked(data)
    moment = now or utc_now()
    try:
        with transaction.atomic():
            row = _mine(rule, by)
            fresh = conditions.dump(data.condition)
            row.version += fresh != row.condition
            row.name, row.condition, row.level, row.enabled = data.name.strip(), fresh, data.level, data.enabled
            row.changed_at, row.changed_by_id = moment, by.user
            row.save()
            _tell(row, "rule.changed", by, moment)
    except IntegrityError as error:
        raise RuleRefused("There is already a rule of this name.") from error


@transaction.atomic
def remove_rule(*, rule: int, by: Actor, now: datetime | None = None) -> None:
    """Remove a rule; its open alarms end, and all of them stay in the list under its name. Raises NotFound across a wall."""
    row = _mine(rule, by)
    _tell(row, "rule.removed", by, now or utc_now(), removed=True)
    row.delete()


def _mine(rule: int, by: Actor) -> Rule:
    row = Rule.objects.select_for_update().filter(pk=rule).first()
    require(by, MANAGE, row.organisation_id if row else None)
    if row is None:
        raise NotFound("There is no such rule, or you may not see it.")
    return row


def _tell(row: Rule, action: str, by: Actor, now: datetime, *, removed: bool = False) -> None:
    audit.record(by, action, f"rule:{row.pk}", row.organisation_id, detail=row.condition[:200], at=now)
    told = events.RuleChanged(rule=row.pk, version=row.version, removed=removed)
    outbox.add(told, organisation=row.organisation_id, aggregate=f"rule:{row.pk}", now=now)
