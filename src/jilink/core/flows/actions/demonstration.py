"""A flow to begin with: a hotline in three languages. And taking everything of flows away with an organisation."""

from datetime import datetime
from importlib.resources import files

from django.db import transaction

from jilink.core.flows import library
from jilink.core.flows.actions.designing import publish_flow, save_flow
from jilink.core.flows.models import FlowHook, FlowSession, FlowVersion
from jilink.core.flows.rules.definition import Flow, read_flow
from jilink.core.flows.rules.faults import faults
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, require
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused

HOTLINE = "hotline"


class OnlyTheInstallation(Refused):
    """No person takes away all flows of an organisation at once."""


def example() -> Flow:
    """Return the hotline in three languages."""
    return read_flow(files("jilink.core.flows").joinpath("data", f"{HOTLINE}.json").read_bytes())


@transaction.atomic
def load_example(*, organisation: int, by: Actor, now: datetime | None = None) -> int | None:
    """Publish the hotline in an organisation; None where a flow of its key is there already.

    It names a case type and a queue of the key ``hotline``; where one is missing it stays a draft that says so. Raises NotFound.
    """
    if FlowVersion.objects.filter(organisation_id=organisation, key=HOTLINE).exists():
        return None
    text = files("jilink.core.flows").joinpath("data", f"{HOTLINE}.json").read_bytes()
    number = save_flow(organisation=organisation, key=HOTLINE, definition=text, by=by, now=now)
    if not faults(read_flow(text), library.known_of(organisation)):
        publish_flow(flow=number, by=by, now=now)
    return number


@transaction.atomic
def remove_flows(*, organisation: int, by: Actor) -> int:
    """Remove all flows of an organisation with everybody who was in them, and return how many versions. Raises NotFound."""
    require(by, Permission.DESIGN_FLOWS, organisation)
    if not by.is_installation:
        raise OnlyTheInstallation("Only the command line takes away an organisation's flows at once.")
    FlowSession.objects.filter(organisation_id=organisation).delete()
    FlowHook.objects.filter(organisation_id=organisation).delete()
    count = FlowVersion.objects.filter(organisation_id=organisation).delete()[0]
    if count:
        audit.record(by, "flow.removed_all", f"organisation:{organisation}", organisation, detail=str(count))
    return count
