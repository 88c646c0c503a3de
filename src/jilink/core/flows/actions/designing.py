"""Flows: drafted, published, retired. A version that was published never changes."""

from datetime import datetime

import msgspec
from django.db import transaction
from django.db.models import Max

from jilink.core.cases.rules import versions
from jilink.core.cases.rules.form import KEY
from jilink.core.flows import library
from jilink.core.flows.events import FlowPublished
from jilink.core.flows.models import FlowVersion
from jilink.core.flows.rules.definition import FlowRefused, read_flow, write_flow
from jilink.core.flows.rules.faults import called, faults
from jilink.core.flows.rules.simulation import failures
from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.holding import hold
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.still import Still

HIDDEN = "There is no such thing, or you may not see it."


class KeyRefused(Refused):
    """A key is small letters, digits and _, at most 40, beginning with a letter."""


@transaction.atomic
def save_flow(*, organisation: int, key: str, definition: str | bytes, by: Actor, now: datetime | None = None, still: Still = None) -> int:
    """Keep a draft of a flow, which may still have faults, and return its id. Raises NotFound, KeyRefused, FlowRefused (unreadable)."""
    require(by, Permission.DESIGN_FLOWS, organisation)
    if not KEY.fullmatch(key):
        raise KeyRefused("A key is small letters, digits and _, at most 40, beginning with a letter.")
    text, moment = write_flow(read_flow(definition)), now or utc_now()
    hold(organisation)  # the draft may be the first version there is
    draft = FlowVersion.objects.select_for_update().filter(organisation_id=organisation, key=key, state="draft").first()
    if still is not None:
        still()
    if draft is None:
        last = FlowVersion.objects.filter(organisation_id=organisation, key=key).aggregate(last=Max("version"))["last"] or 0
        draft = FlowVersion(organisation_id=organisation, key=key, version=last + 1, state="draft")
    draft.definition, draft.edited_at, draft.edited_by = text, moment, by.name
    draft.save()
    audit.record(by, "flow.saved", f"flow:{draft.pk}", organisation, at=moment)
    return draft.pk


@transaction.atomic
def publish_flow(*, flow: int, by: Actor, now: datetime | None = None, still: Still = None) -> None:
    """Use a draft for new contacts from now on; those that run go on with their version.

    Raises NotFound, and FlowRefused with all faults, or with what its tests found where it has none.
    """
    row = _of(flow, by, still)
    if not versions.may_change(row.state):
        raise Refused("Only a draft can be published.")
    definition, known, moment = read_flow(row.definition), library.known_of(row.organisation_id), now or utc_now()
    others = called(definition, known)
    found = faults(definition, known) or failures(definition, moment, others)
    if row.key in others:
        found = (*found, library.calls_itself(definition, row.key))
    if found:
        raise FlowRefused(found)
    sources = library.published(row.organisation_id)
    carried = {key: library.Carried(sources[key].version, one) for key, one in others.items()}
    FlowVersion.objects.filter(organisation_id=row.organisation_id, key=row.key, state="published").update(state="retired")
    row.state, row.published_at, row.library = "published", moment, msgspec.json.encode(carried).decode()
    row.save(update_fields=["state", "published_at", "library"])
    outbox.add(FlowPublished(version=row.pk, key=row.key), organisation=row.organisation_id, aggregate=f"flow:{row.pk}", now=moment)
    audit.record(by, "flow.published", f"flow:{row.pk}", row.organisation_id, at=moment)


@transaction.atomic
def retire_flow(*, flow: int, by: Actor, now: datetime | None = None, still: Still = None) -> None:
    """Begin no more contacts by a flow; those that run go on. Raises NotFound."""
    row = _of(flow, by, still)
    if not versions.may_retire(row.state):
        raise Refused("Only a published flow can be retired.")
    row.state = "retired"
    row.save(update_fields=["state"])
    audit.record(by, "flow.retired", f"flow:{row.pk}", row.organisation_id, at=now)


@transaction.atomic
def drop_draft(*, flow: int, by: Actor, still: Still = None) -> None:
    """Throw a draft away. Raises NotFound."""
    row = _of(flow, by, still)
    if not versions.may_change(row.state):
        raise Refused("Only a draft can be discarded.")
    audit.record(by, "flow.dropped", f"flow:{row.pk}", row.organisation_id)
    row.delete()


def _of(flow: int, by: Actor, still: Still) -> FlowVersion:
    row = FlowVersion.objects.select_for_update().filter(pk=flow).first()
    require(by, Permission.DESIGN_FLOWS, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    if still is not None:
        still()
    return row
