"""A reply as whoever carries its channel needs it."""

from dataclasses import dataclass

from jilink.core.cases.models import Reply
from jilink.kernel.ids import OrganisationId, PersonId


@dataclass(frozen=True, slots=True)
class ToSend:
    """A reply that waits to leave: to the `address`, or where that is "" to the person's own."""

    id: int
    organisation: OrganisationId
    number: str
    """Of its case."""
    person: PersonId | None
    address: str
    channel: str
    text: str


def reply_to_send(reply: int) -> ToSend | None:
    """Return a reply that nobody has settled yet; None for any other. No wall is asked: for whoever carries its channel."""
    row = Reply.objects.select_related("case").filter(pk=reply, state="waiting").first()
    if row is None:
        return None
    person = PersonId(row.person) if row.person is not None else None
    return ToSend(row.pk, OrganisationId(row.case.organisation_id), row.case.number, person, row.address, row.channel, row.text)
