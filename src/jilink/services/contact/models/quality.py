"""Tables of score cards, of plans that draw contacts, and of what evaluators thought of them."""

from django.db import models
from django.db.models import Q

from jilink.services.contact.models.contacts import Contact
from jilink.services.contact.rules.evaluations import EvaluationState

_ORGANISATION = "parties.Organisation"
_USER = "parties.User"


class ScoreCard(models.Model):
    """A score card under its name; what it asks stands in its versions."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=40)
    draft = models.TextField()
    """JSON of `rules.quality.Card` that nobody scores by yet."""
    edition = models.PositiveIntegerField(default=1)
    """Counts changes of the draft: who saves says which they saw."""
    changed_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "key"], name="one_card_of_a_key")]

    def __str__(self) -> str:
        return self.key


class CardVersion(models.Model):
    """A card as it was published; never changed again."""

    SEEN_THROUGH = ("card",)

    card = models.ForeignKey(ScoreCard, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    design = models.TextField()
    published_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["card", "number"], name="one_version_a_number")]

    def __str__(self) -> str:
        return f"{self.card_id} v{self.number}"


class SamplingPlan(models.Model):
    """Which contacts of a week are drawn for scoring, and by which card."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    card = models.ForeignKey(ScoreCard, on_delete=models.PROTECT, related_name="+")
    design = models.TextField()
    """JSON of `rules.sampling.Plan`."""
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"plan {self.pk}"


class Sample(models.Model):
    """A contact that a plan drew."""

    plan = models.ForeignKey(SamplingPlan, on_delete=models.CASCADE, related_name="samples")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    week = models.DateField()
    """Its Monday."""
    drawn_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "contact"], name="drawn_once_a_plan")]

    def __str__(self) -> str:
        return f"sample {self.pk}"


class Calibration(models.Model):
    """One contact that several people score without seeing each other's, until it is closed."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(CardVersion, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"calibration {self.pk}"


class Evaluation(models.Model):
    """What one evaluator answered about one contact, what the agent said to it, and what was decided."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(CardVersion, on_delete=models.PROTECT, related_name="+")
    calibration = models.ForeignKey(Calibration, on_delete=models.PROTECT, null=True, related_name="evaluations")
    evaluator = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    agent = models.ForeignKey(_USER, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in EvaluationState])
    answers = models.TextField()
    """JSON of `rules.quality.Answers`."""
    score = models.FloatField()
    failed = models.BooleanField()
    """Whether a fatal question was failed."""
    coaching = models.TextField(blank=True, default="")
    given_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    """When the agent confirmed to have read it."""
    dispute = models.TextField(blank=True, default="")
    disputed_at = models.DateTimeField(null=True)
    decision = models.TextField(blank=True, default="")
    decided_by = models.ForeignKey(_USER, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact", "version"], condition=Q(calibration=None), name="scored_once_a_card"),
            models.UniqueConstraint(
                fields=["calibration", "evaluator"], condition=Q(calibration__isnull=False), name="scored_once_a_calibration"
            ),
        ]
        indexes = [models.Index(fields=["agent", "-given_at"], name="evaluation_of_agent")]

    def __str__(self) -> str:
        return f"evaluation {self.pk}"
