"""Tables of the doors for programs: answers kept for repeated requests, and how much callers have asked."""

from django.db import models


class KeptAnswer(models.Model):
    """The answer to a change that was asked for under a key. `body` is sealed; without `status` the change is under way."""

    user = models.ForeignKey("parties.User", on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=128)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.TextField(default="{}")
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_answer_of_a_key")]

    def __str__(self) -> str:
        return f"answer {self.pk}"


class Allowance(models.Model):
    """When a caller's bucket is empty again, seconds since 1970; one that is past means that the caller owes nothing."""

    caller = models.CharField(max_length=120, primary_key=True)
    due = models.FloatField(db_index=True)

    def __str__(self) -> str:
        return self.caller
