"""Taking away everything of cases that an organisation has, before it is removed itself. Only the installation does it."""

from django.db import transaction
from django.db.models import Q

from jilink.core.cases import finding
from jilink.core.cases.models import (
    AssignmentRules,
    Case,
    CaseDay,
    CaseFact,
    CaseType,
    NumberKey,
    NumberSerial,
    Skill,
    WorkCalendar,
)
from jilink.core.cases.rules import numbers
from jilink.core.cases.rules.workflow import State, StepRefused
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, require
from jilink.core.parties.rules import Permission
from jilink.kernel.texts import gettext_noop

TOGETHER = 500


@transaction.atomic
def remove_cases(*, organisation: int, by: Actor) -> dict[int, str]:
    """Remove all cases that an organisation answers for or has, its case types, rules, calendars and sums; return id and number of each.

    The numbers are never given again. Only the installation does it: people close cases. Raises NotFound, StepRefused.
    """
    require(by, Permission.MANAGE_CASE_TYPES, organisation)
    if not by.is_installation:
        raise StepRefused(gettext_noop("Cases are kept. Close what is done, void what was never one."))
    rows = Case.objects.filter(Q(organisation_id=organisation) | Q(unit_id=organisation))
    merged = Q(state=State.MERGED.value)
    known = list(rows.values_list("pk", "number"))
    Case.objects.filter(merged, Q(pk__in=rows) | Q(merged_into__in=rows)).update(state=State.VOID.value, merged_into=None)
    for start in range(0, len(known), TOGETHER):
        Case.objects.filter(pk__in=[pk for pk, _number in known[start : start + TOGETHER]]).delete()
    finding.put([pk for pk, _number in known])
    _forget_serials([number for _pk, number in known])
    whose = Q(organisation_id=organisation) | Q(unit_id=organisation)
    CaseFact.objects.filter(whose).delete()
    CaseDay.objects.filter(whose).delete()
    for rows_of in (AssignmentRules.objects, Skill.objects, WorkCalendar.objects, CaseType.objects):
        rows_of.filter(organisation_id=organisation).delete()
    if known:
        audit.record(by, "case.removed_all", f"organisation:{organisation}", organisation, detail=str(len(known)))
    return dict(known)


def _forget_serials(given: list[str]) -> None:
    """Remove the rows of serials; the counter goes on, so none comes again."""
    key = NumberKey.objects.filter(pk=1).first()
    if key is None:
        return
    serials = [numbers.serial_of(number, bytes(key.key)) for number in given]
    for start in range(0, len(serials), TOGETHER):
        NumberSerial.objects.filter(pk__in=serials[start : start + TOGETHER]).delete()
