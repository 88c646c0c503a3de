"""Rules, the alarms of assets (from when to when, who took note), and the storms that many alike make."""

from django.db import models


class Rule(models.Model):
    """What an organisation wants to be told of its assets and those of the organisations below it."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    condition = models.TextField()
    """JSON of `conditions.Condition`."""
    level = models.PositiveSmallIntegerField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    """Grows with every change of the condition: alarms of an earlier one end."""
    changed_at = models.DateTimeField()
    changed_by = models.ForeignKey("parties.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="one_rule_of_a_name")]

    def __str__(self) -> str:
        return self.name


class Storm(models.Model):
    """Many alarms of one condition in one organisation within a short time, shown once. While `ended_at` is empty it can grow."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.CASCADE, related_name="+")
    condition = models.CharField(max_length=60)
    began_at = models.DateTimeField()
    last_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "condition"], condition=models.Q(ended_at=None), name="one_open_storm_of_a_condition"
            )
        ]

    def __str__(self) -> str:
        return f"storm of {self.condition} in {self.organisation_id}"


class Alarm(models.Model):
    """One condition of one asset. While `cleared_at` is empty it is open, and there is never a second open one of it."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.CASCADE, related_name="+")
    asset = models.ForeignKey("assets.Asset", on_delete=models.CASCADE, related_name="+")
    condition = models.CharField(max_length=60)
    level = models.PositiveSmallIntegerField(null=True, blank=True)
    """1 or 2 where an active-safety alarm states it."""
    label = models.CharField(max_length=80, blank=True, default="")
    """Label that ties an active-safety alarm to its attachments, hexadecimal; "" for device alarms."""
    title = models.CharField(max_length=80, blank=True, default="")
    """The rule's name when it raised this; "" for what devices tell."""
    rule = models.ForeignKey(Rule, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    storm = models.ForeignKey(Storm, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    token = models.UUIDField(null=True, blank=True, editable=False)
    """Which call wrote this row: tells those it made from those that were there."""
    raised_at = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey("parties.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    latitude = models.IntegerField(null=True, blank=True)
    longitude = models.IntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "condition"], condition=models.Q(cleared_at=None), name="one_open_alarm_of_a_condition"
            ),
            models.UniqueConstraint(fields=["asset", "condition", "raised_at", "label"], name="one_alarm_of_a_moment_and_label"),
        ]
        indexes = [
            models.Index(fields=["organisation", "-raised_at"], name="alarm_by_organisation"),
            models.Index(fields=["asset", "-raised_at"], name="alarm_by_asset"),
            models.Index(fields=["organisation", "condition", "raised_at"], name="alarm_by_condition"),
            models.Index(fields=["token"], name="alarm_by_token"),
        ]

    def __str__(self) -> str:
        return f"{self.condition} of asset {self.asset_id}"
