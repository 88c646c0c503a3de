"""What the demonstration shows of the contact service: a hotline's queue, two numbers; and everything out again without a trace."""

from datetime import datetime

from django.db import transaction

from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.texts import Text
from jilink.services.contact.actions.designing import add_queue, set_number
from jilink.services.contact.models import Agent, Capacity, CaseFeed, ChatSite, Contact, Conversation, Number, Phone, Queue, Spell
from jilink.services.contact.rules.design import Code, QueueDesign
from jilink.services.contact.rules.needs import Softening

QUEUE = "hotline"
TO_FLOW, TO_QUEUE = "96000", "96001"
"""Numbers of the demonstration: the hotline in three languages, and its queue at once."""

_DESIGN = QueueDesign(
    name=Text("服务热线", "Service hotline"),
    target_s=20,
    softenings=(Softening(after_s=60, any_language=True),),
    codes=(
        Code(key="question", title=Text("咨询", "Question")),
        Code(key="report", title=Text("报修", "Report")),
        Code(key="complaint", title=Text("投诉", "Complaint")),
    ),
)


@transaction.atomic
def load(organisation: int, *, by: Actor, now: datetime) -> None:
    """Enter the hotline's queue and its numbers. Doing it again, or where a number is taken, adds nothing of that."""
    row = Queue.objects.filter(organisation_id=organisation, key=QUEUE).first()
    queue = row.pk if row else add_queue(organisation=organisation, key=QUEUE, design=_DESIGN, by=by, now=now)
    taken = set(Number.objects.filter(dialled__in=[TO_FLOW, TO_QUEUE]).values_list("dialled", flat=True))
    if TO_FLOW not in taken:
        set_number(organisation=organisation, dialled=TO_FLOW, flow=QUEUE, by=by, now=now)
    if TO_QUEUE not in taken:
        set_number(organisation=organisation, dialled=TO_QUEUE, queue=queue, by=by, now=now)


@transaction.atomic
def remove(organisation: int, *, by: Actor) -> None:
    """Take away every queue, number, phone, agent and contact of an organisation. Raises NotFound for anybody but the command line."""
    if not by.is_installation:
        raise NotFound("There is no such thing, or you may not see it.")
    for table in (CaseFeed, Capacity, Conversation, ChatSite, Contact, Number, Queue, Spell, Agent, Phone):
        table.objects.filter(organisation_id=organisation).delete()
    audit.record(by, "queue.removed_all", f"organisation:{organisation}", organisation)
