"""What a flow stands on: versions that count for an organisation, what it may name, and what was carried when it was published."""

from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec

from jilink.core.cases.models import CaseType, WorkCalendar
from jilink.core.cases.reads.ground import definition_of
from jilink.core.cases.rules.problems import Problem
from jilink.core.flows.models import FlowHook, FlowVersion
from jilink.core.flows.rules.definition import Call, Flow, read_flow
from jilink.core.flows.rules.faults import Known
from jilink.core.parties.models import Organisation
from jilink.kernel.texts import gettext_noop

QueueReader = Callable[[int], frozenset[str]]
_queues: list[QueueReader] = []


class Carried(msgspec.Struct, frozen=True):
    """A flow that a published version carries, and which version of it that was."""

    version: int
    flow: Flow


def queues_come_from(reader: QueueReader) -> None:
    """Say who knows the keys of the queues of an organisation. Until somebody does, no queue that a flow names is refused."""
    _queues[:] = [reader]


def line_of(organisation: int) -> list[int]:
    """Return an organisation with all above it, from the top down."""
    path = Organisation.objects.values_list("path", flat=True).get(pk=organisation)
    return [int(part) for part in path.split("/") if part]


def known_of(organisation: int) -> Known:
    """Return what flows of an organisation may name: queues, calendars, case types, addresses and published flows."""
    line = line_of(organisation)
    calendars = frozenset(WorkCalendar.objects.filter(organisation_id__in=line).values_list("key", flat=True)) | {"china"}
    kinds = CaseType.objects.filter(organisation_id__in=line, state="published")
    return Known(
        queues=_queues[0](organisation) if _queues else None,
        calendars=calendars,
        types={row.key: frozenset(one.key for one in definition_of(row.definition).form) for row in kinds},
        hooks=frozenset(FlowHook.objects.filter(organisation_id=organisation).values_list("key", flat=True)),
        flows={key: decoded(row.definition) for key, row in published(organisation).items()},
    )


def published(organisation: int) -> dict[str, FlowVersion]:
    """Return the versions in use that count for an organisation by key: its own, and those from above that it has none of its own for."""
    line = line_of(organisation)
    rows = {(row.organisation_id, row.key): row for row in FlowVersion.objects.filter(organisation_id__in=line, state="published")}
    return {key: row for one in line for (owner, key), row in rows.items() if owner == one}


@lru_cache(maxsize=256)
def decoded(text: str) -> Flow:
    """Return a stored flow; the same text is read once."""
    return read_flow(text)


@lru_cache(maxsize=256)
def carried(text: str) -> Mapping[str, Carried]:
    """Return the flows that a version carries."""
    return msgspec.json.decode(text, type=dict[str, Carried])


def calls_itself(flow: Flow, key: str) -> Problem:
    """Return the fault of a flow that calls itself, through others or not."""
    direct = next((number for number, step in enumerate(flow.steps) if isinstance(step, Call)), 0)
    return Problem(f"$.steps[{direct}].flow", gettext_noop("The flow %(key)s calls itself."), {"key": key})
