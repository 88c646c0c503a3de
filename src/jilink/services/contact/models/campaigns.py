"""Tables of campaigns. Whom they call, and by which number, stands in the core's people alone; of a number a keyed hash is kept."""

from django.db import models
from django.db.models import Q

from jilink.services.contact.models.queues import Queue
from jilink.services.contact.rules.campaigns import CampaignState, Outcome, Reason, TargetState

_ORGANISATION = "parties.Organisation"
_USER = "parties.User"
_PERSON = "parties.Person"
_NUMBER = "parties.ContactPoint"


class Campaign(models.Model):
    """One campaign. Its calls are served in its queue."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    design = models.TextField()
    """JSON of `rules.campaigns.CampaignDesign`."""
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in CampaignState], default=CampaignState.DRAFT.value)
    version = models.PositiveIntegerField(default=1)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["organisation", "state"], name="campaign_by_state")]

    def __str__(self) -> str:
        return f"campaign {self.pk}"


class Target(models.Model):
    """One person in one campaign."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="targets")
    person = models.ForeignKey(_PERSON, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in TargetState], default=TargetState.WAITING.value)
    reason = models.CharField(max_length=12, choices=[(s.value, s.value) for s in Reason], blank=True, default="")
    note = models.CharField(max_length=200, blank=True, default="")
    """Why an agent skipped it."""
    agent = models.ForeignKey(_USER, on_delete=models.SET_NULL, null=True, related_name="+")
    """Who looks at the record."""
    attempts = models.PositiveSmallIntegerField(default=0)
    last_outcome = models.CharField(max_length=12, choices=[(s.value, s.value) for s in Outcome], blank=True, default="")
    last_code = models.CharField(max_length=40, blank=True, default="")
    next_at = models.DateTimeField(null=True)
    """When to call next, at the earliest; only those that wait have one."""
    added_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "person"], condition=Q(person__isnull=False), name="one_target_a_person"),
            models.UniqueConstraint(fields=["agent"], condition=Q(state="shown"), name="one_record_at_an_agent"),
        ]
        indexes = [models.Index(fields=["campaign", "state", "next_at"], name="target_due")]

    def __str__(self) -> str:
        return f"target {self.pk}"


class Attempt(models.Model):
    """One call to somebody. While it is not over, no other goes to the same number, of whatever campaign."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="+")
    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="tried")
    number = models.ForeignKey(_NUMBER, on_delete=models.SET_NULL, null=True, related_name="+")
    mark = models.CharField(max_length=64, blank=True, default="")
    """A keyed hash of the number, while the call lasts."""
    agent = models.ForeignKey(_USER, on_delete=models.SET_NULL, null=True, related_name="+")
    """Who is kept free for it, and then who talked."""
    node = models.CharField(max_length=60)
    contact = models.BigIntegerField(null=True, db_index=True)
    outcome = models.CharField(max_length=12, choices=[(s.value, s.value) for s in Outcome], blank=True, default="")
    code = models.CharField(max_length=40, blank=True, default="")
    live = models.BooleanField(default=False)
    """Somebody answered, no machine."""
    abandoned = models.BooleanField(default=False)
    dialled_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    connected_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mark"], condition=Q(ended_at=None), name="one_call_a_number"),
            models.UniqueConstraint(fields=["target"], condition=Q(ended_at=None), name="one_call_a_target"),
            models.CheckConstraint(
                condition=Q(ended_at=None) & ~Q(mark="") | Q(ended_at__isnull=False, mark="") & ~Q(outcome=""),
                name="an_attempt_ends_somehow",
            ),
        ]
        indexes = [
            models.Index(fields=["campaign", "dialled_at"], name="attempt_by_time"),
            models.Index(fields=["campaign", "answered_at"], name="attempt_live", condition=Q(live=True)),
        ]

    def __str__(self) -> str:
        return f"attempt {self.pk}"


class DoNotCall(models.Model):
    """A number that nobody of an organisation and those below it calls in a campaign; `everywhere`: nobody of the installation."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    everywhere = models.BooleanField(default=False)
    key = models.CharField(max_length=20)
    sealed = models.BinaryField()
    lookup = models.CharField(max_length=64)
    masked = models.CharField(max_length=30)
    source = models.CharField(max_length=10)
    """`page`, `agent`, `key` or `import`."""
    reason = models.CharField(max_length=200, blank=True, default="")
    added_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "lookup"], name="not_called_once")]
        indexes = [models.Index(fields=["lookup"], name="not_called_by_number")]

    def __str__(self) -> str:
        return self.masked
