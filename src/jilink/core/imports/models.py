"""Tables of imports: the job, the rows it refused, and which outside key stands for which of our rows."""

from django.db import models


class ImportJob(models.Model):
    """One upload and what became of it. `position` is the byte of the readied rows at which the next batch begins."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="+")
    noun = models.CharField(max_length=30)
    name = models.CharField(max_length=120, blank=True, default="")
    """Of the file, as it was told."""
    options = models.TextField(default="{}")
    """What holds for every row (JSON), such as the kind of asset."""
    dry_run = models.BooleanField(default=False)
    state = models.CharField(max_length=12)
    size = models.PositiveBigIntegerField()
    received = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveIntegerField(null=True)
    position = models.PositiveBigIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    lap = models.PositiveIntegerField(default=0)
    """Counts the events that carry the job on: only the newest does."""
    failure = models.CharField(max_length=300, blank=True, default="")
    failure_values = models.TextField(default="{}")
    actor = models.CharField(max_length=60)
    made_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "-id"], name="import_by_organisation"),
            models.Index(fields=["state", "made_at"], name="import_by_state"),
        ]

    def __str__(self) -> str:
        return f"import {self.pk}"


class RefusedRow(models.Model):
    """A row that was not taken, and why: the words a translator knows, and the values in them (JSON)."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="refusals")
    row = models.PositiveIntegerField()
    """As a spreadsheet counts: in CSV the headings are row 1."""
    key = models.CharField(max_length=200, blank=True, default="")
    field = models.CharField(max_length=120, blank=True, default="")
    message = models.CharField(max_length=300)
    values = models.TextField(default="{}")

    class Meta:
        indexes = [models.Index(fields=["job", "row"], name="refusal_by_row")]

    def __str__(self) -> str:
        return f"row {self.row}"


class SeenKey(models.Model):
    """A key that a dry run has met: the next row with it would change what this one would make."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "key"], name="one_key_seen_once")]

    def __str__(self) -> str:
        return self.key


class KnownKey(models.Model):
    """Which of our rows an outside key stands for, and the SHA-256 of the row that was taken last."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="+")
    noun = models.CharField(max_length=30)
    key = models.CharField(max_length=200)
    subject = models.BigIntegerField()
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "noun", "key"], name="one_meaning_of_a_key")]
        indexes = [models.Index(fields=["noun", "subject"], name="known_by_subject")]

    def __str__(self) -> str:
        return f"{self.noun} {self.subject}"
