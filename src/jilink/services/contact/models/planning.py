"""Tables of planning: corrected forecasts, shifts there are, what was agreed with people, and the plans of weeks."""

from django.db import models

from jilink.services.contact.models.queues import Queue

_ORGANISATION = "parties.Organisation"
_USER = "parties.User"
PLAN_STATES = ("wanted", "solving", "proposed", "failed", "published", "replaced")


class Correction(models.Model):
    """That somebody expects another number of arrivals in the half-hours of a day than the forecast."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    slot = models.PositiveSmallIntegerField()
    """0 is the half-hour after midnight in China."""
    expected = models.FloatField()
    reason = models.CharField(max_length=200)
    by = models.ForeignKey(_USER, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "day", "slot"], name="corrected_once_a_half_hour")]

    def __str__(self) -> str:
        return f"correction {self.pk}"


class PlanningRule(models.Model):
    """What binds the plans of an organisation. JSON of `rules.rostering.Rule`."""

    organisation = models.OneToOneField(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    design = models.TextField()
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"planning rule {self.pk}"


class ShiftPattern(models.Model):
    """A kind of shift. JSON of `rules.rostering.Pattern`. One that is retired stays in the plans that have it."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    design = models.TextField()
    changed_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"shift pattern {self.pk}"


class WorkTerms(models.Model):
    """What was agreed with somebody. JSON of `rules.rostering.Terms`."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(_USER, on_delete=models.CASCADE, related_name="+")
    design = models.TextField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "user"], name="terms_once_a_person")]

    def __str__(self) -> str:
        return f"terms {self.pk}"


class ShiftPlan(models.Model):
    """A version of a week's plan: asked for, looked for, proposed, published, and replaced by a later one."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    week = models.DateField()
    """Its Monday."""
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=[(word, word) for word in PLAN_STATES])
    problem = models.TextField()
    """JSON of `rules.rostering.Problem`: all that it was found from."""
    short = models.TextField(blank=True, default="[]")
    """JSON of the `Demand` that is not met."""
    gap = models.FloatField(null=True)
    seconds = models.FloatField(null=True)
    unkept = models.PositiveIntegerField(default=0)
    failure = models.CharField(max_length=200, blank=True, default="")
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "week", "version"], name="one_plan_a_version"),
            models.UniqueConstraint(
                fields=["organisation", "week"], condition=models.Q(state="published"), name="one_published_plan_a_week"
            ),
        ]

    def __str__(self) -> str:
        return f"plan {self.pk}"


class Shift(models.Model):
    """Somebody's shift in a plan. `breaks` is JSON: minutes after the beginning, and how long."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    plan = models.ForeignKey(ShiftPlan, on_delete=models.CASCADE, related_name="shifts")
    user = models.ForeignKey(_USER, on_delete=models.CASCADE, related_name="+")
    pattern = models.ForeignKey(ShiftPattern, on_delete=models.PROTECT, related_name="+")
    begin = models.DateTimeField()
    end = models.DateTimeField()
    breaks = models.TextField(default="[]")

    class Meta:
        indexes = [
            models.Index(fields=["user", "begin"], name="shift_of_user"),
            models.Index(fields=["organisation", "begin"], name="shift_by_time"),
        ]

    def __str__(self) -> str:
        return f"shift {self.pk}"
