"""Messages left where nobody answers now: each becomes a case of its site's type."""

from datetime import datetime

from django.db import transaction

from jilink.core.cases import actions as cases
from jilink.core.cases import reads as case_reads
from jilink.core.cases.actions import NewCase
from jilink.core.cases.reads import Filter
from jilink.core.interactions import reads as interactions
from jilink.core.interactions.rules import Outcome, Side
from jilink.core.parties import walls
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import InteractionId, OrganisationId
from jilink.services.contact.actions import writing
from jilink.services.contact.actions.writing import Visitor
from jilink.services.contact.models import ChatSite, Conversation
from jilink.services.contact.rules import written as rules
from jilink.services.contact.rules.written import Closed, ConversationRefused

TITLE = 80


def leave_message(*, visitor: Visitor, words: str, client: str, now: datetime | None = None) -> str:
    """Keep a message with a way to answer it, open a case of all that was written, and return its number; told twice it is one case.

    Raises NotFound, ConversationRefused, ContactRefused.
    """
    moment = now or utc_now()
    if not visitor.address.strip():
        raise ConversationRefused("Say how to reach you: a telephone number or an e-mail address.")
    with walls.everything(), transaction.atomic():
        if (known := _known(visitor.secret)) is not None:
            return known
        conversation = writing.begin_conversation(
            visitor=Visitor(site=visitor.site, secret=visitor.secret, agreed=visitor.agreed, language=visitor.language),
            words=words,
            client=client,
            now=moment,
        )
        row = Conversation.objects.select_for_update().get(pk=conversation)
        site = ChatSite.objects.get(key=visitor.site)
        if not rules.read_site(site.design).case_type:
            raise ConversationRefused("No messages can be left here.")
        if writing.is_answered(row):
            raise ConversationRefused("Somebody is answering you. Write there.")
        writing.introduce(row, site, visitor.name, visitor.address, moment)
        number = _case(row, site, moment)
        writing.close(row, Closed.MESSAGE, Outcome.CASE, moment)
        return number


def _known(secret: str) -> str | None:
    row = Conversation.objects.filter(secret=rules.digest(secret), closed=Closed.MESSAGE.value).first()
    if row is None:
        return None
    found = case_reads.cases(writing.system(), Filter(interaction=row.interaction, states=()), now=row.opened_at, limit=1).rows
    return found[0].number if found else ""


def _case(row: Conversation, site: ChatSite, moment: datetime) -> str:
    by, key = writing.system(), InteractionId(row.interaction)
    said = [part.text for part in interactions.parts(by, key) if part.side is Side.THEIRS and part.text]
    title = next(iter(said), "").splitlines()[0][:TITLE].strip()
    design = rules.read_site(site.design)
    new = NewCase(
        type=design.case_type,
        title=title or design.name,
        answers=dict(design.answers),
        description="\n\n".join(said),
        channel="chat",
        interaction=row.interaction,
    )
    try:
        with transaction.atomic():
            return cases.open_case(organisation=OrganisationId(row.organisation_id), new=new, by=by, now=moment).number
    except Refused as error:
        raise ConversationRefused("No messages can be left here.") from error
