"""Previews: an agent takes the next record of a campaign, looks at it, and dials or skips it."""

from datetime import datetime

from django.db import transaction

from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.services.contact.models import Agent, Campaign, Target
from jilink.services.contact.rules.campaigns import CampaignRefused, CampaignState, Reason, TargetState, read_campaign
from jilink.services.contact.rules.pacing import Mode
from jilink.services.contact.rules.states import AgentState

HIDDEN = "There is no such thing, or you may not see it."


@transaction.atomic
def take_record(*, campaign: int, by: Actor, now: datetime | None = None) -> int | None:
    """Show the agent the next record of a preview campaign and return its target; None where nobody is due.

    Raises NotFound, CampaignRefused.
    """
    row, moment = Campaign.objects.select_for_update().filter(pk=campaign).first(), now or utc_now()
    require(by, Permission.SERVE_QUEUES, row.organisation_id if row else None)
    if row is None or by.user is None:
        raise NotFound(HIDDEN)
    if row.state != CampaignState.RUNNING or read_campaign(row.design).mode is not Mode.PREVIEW:
        raise CampaignRefused("The campaign does not call now.")
    if Agent.objects.filter(user_id=by.user).exclude(state=AgentState.OFF).first() is None:
        raise CampaignRefused("Begin work at a phone first.")
    held = Target.objects.filter(agent_id=by.user, state=TargetState.SHOWN).first()
    if held is not None:
        return held.pk
    due = Target.objects.filter(campaign=row, state=TargetState.WAITING, next_at__lte=moment).order_by("next_at", "pk")
    target = due.select_for_update().first()
    if target is None:
        return None
    target.state, target.agent_id, target.changed_at = TargetState.SHOWN, by.user, moment
    target.save(update_fields=["state", "agent", "changed_at"])
    return target.pk


@transaction.atomic
def skip_record(*, target: int, reason: str, by: Actor, now: datetime | None = None) -> None:
    """Call somebody not at all in this campaign, with a reason. Raises NotFound, CampaignRefused."""
    row, moment = _shown(target, by), now or utc_now()
    if not reason.strip():
        raise CampaignRefused("Say why this person is skipped.")
    row.state, row.reason, row.note, row.agent, row.next_at = TargetState.LEFT_OUT, Reason.SKIPPED, reason.strip()[:200], None, None
    row.changed_at = moment
    row.save(update_fields=["state", "reason", "note", "agent", "next_at", "changed_at"])
    audit.record(by, "campaign.skipped", f"campaign:{row.campaign_id}", row.organisation_id, detail=f"{row.pk} {reason}"[:200], at=moment)


@transaction.atomic
def put_back_record(*, target: int, by: Actor, now: datetime | None = None) -> None:
    """Let somebody else have the record. Raises NotFound."""
    row = _shown(target, by)
    row.state, row.agent, row.changed_at = TargetState.WAITING, None, now or utc_now()
    row.save(update_fields=["state", "agent", "changed_at"])


def _shown(target: int, by: Actor) -> Target:
    row = Target.objects.select_for_update(of=("self",)).filter(pk=target, state=TargetState.SHOWN, agent_id=by.user or 0).first()
    require(by, Permission.SERVE_QUEUES, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    return row
