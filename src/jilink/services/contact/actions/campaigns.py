"""Campaigns: what supervisors set up, start, pause and close, and whom they call."""

from datetime import datetime

from django.db import IntegrityError, transaction

from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.people import reads as people
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import PersonId
from jilink.services.contact.events import CampaignChanged
from jilink.services.contact.models import Campaign, Queue, Target
from jilink.services.contact.reads import dialling
from jilink.services.contact.rules.campaigns import (
    OPEN_TARGETS,
    CampaignDesign,
    CampaignRefused,
    CampaignState,
    Reason,
    TargetState,
    check,
    moved,
    read_campaign,
    write_campaign,
)
from jilink.services.contact.rules.foreseen import proves
from jilink.services.contact.rules.pacing import Mode

HIDDEN = "There is no such thing, or you may not see it."


class TargetRefused(CampaignRefused):
    """Somebody cannot be called in this campaign."""


@transaction.atomic
def add_campaign(*, queue: int, design: CampaignDesign, by: Actor, now: datetime | None = None) -> int:
    """Add a campaign whose calls are served in a queue, and return its id. It dials nobody before it is started.

    Raises NotFound, CampaignRefused.
    """
    place = Queue.objects.filter(pk=queue, retired_at=None).first()
    require(by, Permission.MANAGE_CAMPAIGNS, place.organisation_id if place else None)
    if place is None:
        raise NotFound(HIDDEN)
    check(design)
    moment = now or utc_now()
    row = Campaign.objects.create(
        organisation_id=place.organisation_id, queue=place, design=write_campaign(design), made_at=moment, changed_at=moment
    )
    _changed(row, by, "campaign.added", moment)
    return row.pk


@transaction.atomic
def change_campaign(*, campaign: int, design: CampaignDesign, based_on: int, by: Actor, now: datetime | None = None) -> None:
    """Let a campaign call in another way from now on. `based_on` is the version that was seen. Raises NotFound, CampaignRefused."""
    row = _campaign(campaign, by)
    check(design)
    if row.version != based_on:
        raise CampaignRefused("Somebody changed the campaign meanwhile. Look at it again.")
    if row.state == CampaignState.CLOSED:
        raise CampaignRefused("The campaign is closed.")
    row.design, row.version, row.changed_at = write_campaign(design), row.version + 1, now or utc_now()
    row.save(update_fields=["design", "version", "changed_at"])
    if row.state == CampaignState.RUNNING:
        _prove(row, design, row.changed_at)
    _changed(row, by, "campaign.changed", row.changed_at)


@transaction.atomic
def start_campaign(*, campaign: int, by: Actor, now: datetime | None = None) -> None:
    """Let a campaign dial, or go on after a pause; a predictive one must have kept the cap in simulation.

    Raises NotFound, CampaignRefused.
    """
    row, moment = _campaign(campaign, by), now or utc_now()
    row.state = moved(row.state, CampaignState.RUNNING)
    _prove(row, read_campaign(row.design), moment)
    row.started_at, row.changed_at = row.started_at or moment, moment
    row.save(update_fields=["state", "started_at", "changed_at"])
    _changed(row, by, "campaign.started", moment)


@transaction.atomic
def pause_campaign(*, campaign: int, by: Actor, now: datetime | None = None) -> None:
    """Let a campaign dial nobody from now on. Whose telephone rings already is not hung up on. Raises NotFound, CampaignRefused."""
    row, moment = _campaign(campaign, by), now or utc_now()
    row.state, row.changed_at = moved(row.state, CampaignState.PAUSED), moment
    row.save(update_fields=["state", "changed_at"])
    _changed(row, by, "campaign.paused", moment)


@transaction.atomic
def close_campaign(*, campaign: int, by: Actor, now: datetime | None = None) -> None:
    """End a campaign for good; its figures stay. Raises NotFound, CampaignRefused."""
    row, moment = _campaign(campaign, by), now or utc_now()
    row.state, row.closed_at, row.changed_at = moved(row.state, CampaignState.CLOSED), moment, moment
    row.save(update_fields=["state", "closed_at", "changed_at"])
    _changed(row, by, "campaign.closed", moment)


@transaction.atomic
def add_target(*, campaign: int, person: PersonId, by: Actor, now: datetime | None = None) -> int:
    """Let a campaign call somebody, and return the target's id; whoever is in it already stays as they are.

    Raises NotFound, CampaignRefused; TargetRefused where they have no telephone, did not consent, or are on the do-not-call list.
    """
    row, moment = _campaign(campaign, by), now or utc_now()
    if row.state == CampaignState.CLOSED:
        raise CampaignRefused("The campaign is closed.")
    if people.organisation_of(by, person) != row.organisation_id:
        raise NotFound(HIDDEN)
    known = Target.objects.filter(campaign=row, person_id=person).first()
    if known is not None:
        return known.pk
    _check_person(row, person, moment)
    try:
        with transaction.atomic():
            made = Target.objects.create(
                organisation_id=row.organisation_id, campaign=row, person_id=person, next_at=moment, added_at=moment, changed_at=moment
            )
    except IntegrityError:
        return Target.objects.get(campaign=row, person_id=person).pk
    return made.pk


def _check_person(row: Campaign, person: PersonId, now: datetime) -> None:
    reason = dialling.hindrance(row.organisation_id, person, read_campaign(row.design).purpose, now)
    if reason is Reason.NO_CONSENT:
        raise TargetRefused("There is no consent to “%(purpose)s” that holds now.", purpose=read_campaign(row.design).purpose)
    if reason is Reason.DO_NOT_CALL:
        raise TargetRefused("Every telephone of this person is on the do-not-call list.")
    if reason is not None:
        raise TargetRefused("This person has no telephone.")


@transaction.atomic
def remove_target(*, target: int, by: Actor, now: datetime | None = None) -> None:
    """Call somebody no more in a campaign. Raises NotFound."""
    row = Target.objects.select_for_update().filter(pk=target).first()
    require(by, Permission.MANAGE_CAMPAIGNS, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    if row.state in OPEN_TARGETS and row.state != TargetState.CALLING:
        moment = now or utc_now()
        row.state, row.reason, row.agent, row.next_at, row.changed_at = TargetState.LEFT_OUT, Reason.SKIPPED, None, None, moment
        row.save(update_fields=["state", "reason", "agent", "next_at", "changed_at"])
        audit.record(by, "campaign.target_removed", f"campaign:{row.campaign_id}", row.organisation_id, detail=str(row.pk), at=moment)


def _prove(row: Campaign, design: CampaignDesign, now: datetime) -> None:
    if design.mode is Mode.PREDICTIVE and not proves(dialling.known_of(row.pk, design, now)).keeps_cap:
        raise CampaignRefused("In simulation too many calls were abandoned. Let it dial progressively, or let more agents serve its queue.")


def _changed(row: Campaign, by: Actor, what: str, moment: datetime) -> None:
    outbox.add(CampaignChanged(campaign=row.pk), organisation=row.organisation_id, aggregate=f"campaign:{row.pk}", now=moment)
    audit.record(by, what, f"campaign:{row.pk}", row.organisation_id, at=moment)


def _campaign(campaign: int, by: Actor) -> Campaign:
    row = Campaign.objects.select_for_update().filter(pk=campaign).first()
    require(by, Permission.MANAGE_CAMPAIGNS, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    return row
