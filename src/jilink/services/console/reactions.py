"""Handlers of events; running twice changes nothing. What happens to cases is told to the members whom it concerns."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from jilink.core.cases.events import CaseAssigned, CaseEscalated, CaseNoted, CaseReplyWritten, CaseRequestDecided, CaseRequestMade
from jilink.core.cases.reads import concerned
from jilink.core.outbox.registry import Context, reacts_to
from jilink.kernel.clock import utc_now
from jilink.services.console import letters, reply_mail
from jilink.services.console.actions.notices import tell
from jilink.services.console.events import ConsoleNoticeWaits
from jilink.services.console.rules import notices
from jilink.services.console.rules.notices import Kind

NEWS = timedelta(days=1)
"""What is told later than that is news to nobody: a consumer that begins anew hears a month of events."""

CaseTold = CaseAssigned | CaseEscalated | CaseRequestMade | CaseRequestDecided | CaseNoted


def _tell(event: CaseTold, context: Context, kind: Kind | None, people: Iterable[int | None]) -> None:
    told, at = notices.told(people, event.by), context.envelope.occurred_at
    if kind is not None and told and utc_now() - at < NEWS:
        tell(users=told, kind=kind, case=event.case, event=UUID(context.envelope.id), by=event.by, now=at)


@reacts_to(CaseAssigned)
def tell_of_assignment(event: CaseAssigned, context: Context) -> None:
    """Tell whoever has the case now, or the members of the team that has it, or who gives work in the unit that has it at large."""
    people: Iterable[int | None] = [event.assignee]
    if event.assignee is None:
        people = concerned.members_of_team(event.team) if event.team is not None else concerned.leads(event.unit)
    _tell(event, context, notices.of_assignment(event.assignee, event.team), people)


@reacts_to(CaseRequestMade)
def tell_of_request(event: CaseRequestMade, context: Context) -> None:
    """Tell who may decide what a unit asks for."""
    _tell(event, context, Kind.WAITING, concerned.deciders(event.case, event.request))


@reacts_to(CaseEscalated)
def tell_of_escalation(event: CaseEscalated, context: Context) -> None:
    """Tell those whom the rung, or a colleague, calls."""
    _tell(event, context, notices.of_escalation(event.rung, event.overdue), concerned.audience(event.case, event.notify))


@reacts_to(CaseRequestDecided)
def tell_of_decision(event: CaseRequestDecided, context: Context) -> None:
    """Tell whoever asked what was decided, and whoever has a case that goes on by itself."""
    people = [event.asked_by] if event.asked_by is not None else concerned.audience(event.case, ("assignee",))
    _tell(event, context, notices.of_decision(event.outcome), people)


@reacts_to(CaseNoted)
def tell_of_mention(event: CaseNoted, context: Context) -> None:
    """Tell those whom a note calls by name."""
    _tell(event, context, Kind.MENTIONED, event.mentions)


@reacts_to(ConsoleNoticeWaits)
def send_letter(event: ConsoleNoticeWaits, context: Context) -> None:
    """Write to whoever has not read a notice and asked for letters."""
    letters.post(event.notice, now=utc_now())


@reacts_to(CaseReplyWritten)
def send_reply_by_mail(event: CaseReplyWritten, context: Context) -> None:
    """Send a reply that goes by e-mail."""
    if event.channel == reply_mail.CHANNEL:
        reply_mail.send(event.reply, written_at=context.envelope.occurred_at, now=utc_now())
