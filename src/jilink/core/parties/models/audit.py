"""The audit chain."""

from django.db import models


class AuditEntry(models.Model):
    """One link of the chain. It names people and things by id only, so that erasing a person keeps the chain valid."""

    sequence = models.BigIntegerField(unique=True)
    at = models.DateTimeField()
    organisation = models.BigIntegerField(null=True, db_index=True)
    actor = models.CharField(max_length=60)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    detail = models.TextField(blank=True, default="")
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["organisation", "-sequence"], name="audit_by_organisation")]

    def __str__(self) -> str:
        return f"{self.sequence} {self.action} {self.subject}"


class AuditHead(models.Model):
    """The last link: the row every writer locks, and the proof that the end was not cut off."""

    sequence = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, default="")

    def __str__(self) -> str:
        return str(self.sequence)
