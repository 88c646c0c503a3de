"""Rules of alarms: what an organisation wants to be told of."""

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from jilink.core.observations import actions, conditions, reads
from jilink.core.observations.actions import RuleData
from jilink.kernel.ids import OrganisationId
from jilink.webkit.api import cursors
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Page, Paging
from jilink.webkit.api.shapes import Id, In, MadeOut, Out

router = Router(tags=["alarms"])
_CONDITION = "By `kind`: threshold, geofence, silence, rate or flags, as the reference of alarms says."


class RuleIn(In):
    """A rule as it is to be."""

    name: str = Field(min_length=1, max_length=80)
    condition: dict[str, Any] = Field(description=_CONDITION, examples=[{"kind": "silence", "for_s": 600}])
    level: int | None = Field(None, ge=1, le=2)
    enabled: bool = True


class NewRuleIn(RuleIn):
    """A new rule."""

    organisation: Id


class RuleOut(Out):
    """A rule. `open` is how many of its alarms go on."""

    id: int
    organisation: int
    name: str
    condition: dict[str, Any] = Field(description=_CONDITION)
    level: int | None
    enabled: bool
    changed_at: datetime
    changed_by: str
    open: int


def _data(given: RuleIn) -> RuleData:
    return RuleData(
        name=given.name, condition=conditions.load(msgspec.json.encode(given.condition)), level=given.level, enabled=given.enabled
    )


def _out(view: reads.RuleView) -> dict[str, object]:
    named = {name: getattr(view, name) for name in RuleOut.model_fields}
    return named | {"condition": msgspec.to_builtins(view.condition)}


@router.get("/alarm-rules", response=Page[RuleOut], operation_id="list_alarm_rules")
def list_alarm_rules(request: HttpRequest, paging: Query[Paging]) -> dict[str, object]:
    """Return the rules that may be managed."""
    cut = cursors.of_all(request, paging, reads.rules_of(actor_of(request)), lambda row: row.id)
    return {"items": [_out(view) for view in cut.items], "next": cut.next}


@router.post("/alarm-rules", response={201: MadeOut}, operation_id="add_alarm_rule")
def add_alarm_rule(request: HttpRequest, given: NewRuleIn) -> Status[dict[str, int]]:
    """Add a rule."""
    return Status(201, {"id": actions.add_rule(organisation=OrganisationId(given.organisation), data=_data(given), by=actor_of(request))})


@router.get("/alarm-rules/{int:rule}", response=RuleOut, operation_id="read_alarm_rule")
def read_alarm_rule(request: HttpRequest, rule: Id) -> dict[str, object]:
    """Return one rule."""
    return _out(reads.rule(actor_of(request), rule))


@router.put("/alarm-rules/{int:rule}", response={204: None}, operation_id="change_alarm_rule")
def change_alarm_rule(request: HttpRequest, rule: Id, given: RuleIn) -> Status[None]:
    """Change a rule; alarms of the old condition end."""
    actions.change_rule(rule=rule, data=_data(given), by=actor_of(request))
    return Status(204, None)


@router.delete("/alarm-rules/{int:rule}", response={204: None}, operation_id="remove_alarm_rule")
def remove_alarm_rule(request: HttpRequest, rule: Id) -> Status[None]:
    """Remove a rule; its open alarms end."""
    actions.remove_rule(rule=rule, by=actor_of(request))
    return Status(204, None)
