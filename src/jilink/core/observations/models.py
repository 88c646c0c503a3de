"""Alarms: what was wrong with an asset, from when to when, and who took note."""

from django.db import models


class Alarm(models.Model):
    """One condition of one asset. While `cleared_at` is empty it is open, and there is never a second open one of it."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.CASCADE, related_name="+")
    asset = models.ForeignKey("assets.Asset", on_delete=models.CASCADE, related_name="+")
    condition = models.CharField(max_length=60)
    level = models.PositiveSmallIntegerField(null=True, blank=True)
    """1 or 2 where an active-safety alarm states it."""
    label = models.CharField(max_length=80, blank=True, default="")
    """Label that ties an active-safety alarm to its attachments, hexadecimal; "" for device alarms."""
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
        ]

    def __str__(self) -> str:
        return f"{self.condition} of asset {self.asset_id}"
