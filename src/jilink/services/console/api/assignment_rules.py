"""Rules of assignment, which are data: drafted, tried on past cases, published."""

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from jilink.core.cases.assignment import actions, reads
from jilink.core.cases.assignment.rules import RulesRefused
from jilink.kernel.errors import Refused
from jilink.services.console.api.case_types import KEY, ProblemOut
from jilink.webkit.api import cursors, problems
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Page, Paging
from jilink.webkit.api.problems import Fault
from jilink.webkit.api.shapes import Id, In, MadeOut, Out

router = Router(tags=["assignment rules"])


def _problems(error: Refused) -> list[Fault]:
    found = error.problems if isinstance(error, RulesRefused) else ()
    return [Fault(detail=f"{each.place}: {each.words}", pointer="/book") for each in found]


problems.explains(RulesRefused, _problems)


class RulesOut(Out):
    """One version of an organisation's rules for a case type ("" for every type without rules of its own)."""

    id: int
    organisation: int
    type_key: str
    version: int
    state: str
    book: dict[str, Any]
    problems: list[ProblemOut]
    edited_at: datetime
    published_at: datetime | None


class RulesIn(In):
    """A draft: the rules in their order, and the unit for what none of them decides."""

    organisation: Id
    type_key: str = Field("", pattern=rf"^$|{KEY}")
    book: dict[str, Any]


def _out(view: reads.RulesView) -> dict[str, object]:
    named = {name: getattr(view, name) for name in RulesOut.model_fields}
    found = [{"place": each.place, "reason": each.words} for each in view.problems]
    return named | {"book": msgspec.to_builtins(view.book), "problems": found}


@router.get("/organisations/{int:organisation}/assignment-rules", response=Page[RulesOut], operation_id="list_assignment_rules")
def list_assignment_rules(request: HttpRequest, organisation: Id, paging: Query[Paging]) -> dict[str, object]:
    """Return every version of an organisation's rules."""
    cut = cursors.of_all(request, paging, reads.versions(actor_of(request), organisation), lambda row: row.id)
    return {"items": [_out(view) for view in cut.items], "next": cut.next}


@router.post("/assignment-rules", response={201: MadeOut}, operation_id="save_assignment_rules")
def save_assignment_rules(request: HttpRequest, given: RulesIn) -> Status[dict[str, int]]:
    """Keep a draft of rules; it decides nothing until it is published."""
    book = msgspec.json.encode(given.book)
    made = actions.save_rules(organisation=given.organisation, type_key=given.type_key, rules=book, by=actor_of(request))
    return Status(201, {"id": made})


@router.get("/assignment-rules/{int:book}", response=RulesOut, operation_id="read_assignment_rules")
def read_assignment_rules(request: HttpRequest, book: Id) -> dict[str, object]:
    """Return one version of rules, with everything that is wrong with it."""
    return _out(reads.rules(actor_of(request), book))


@router.post("/assignment-rules/{int:book}/publish", response={204: None}, operation_id="publish_assignment_rules")
def publish_assignment_rules(request: HttpRequest, book: Id) -> Status[None]:
    """Decide by a draft from now on. 422 names everything that is wrong with it."""
    actions.publish_rules(rules=book, by=actor_of(request))
    return Status(204, None)


@router.delete("/assignment-rules/{int:book}", response={204: None}, operation_id="drop_assignment_rules")
def drop_assignment_rules(request: HttpRequest, book: Id) -> Status[None]:
    """Throw a draft of rules away."""
    actions.drop_rules(rules=book, by=actor_of(request))
    return Status(204, None)
