"""The table of what was uploaded. The bytes lie in the data folder under their digest."""

from django.db import models


class File(models.Model):
    """One upload of one organisation. `digest` is the SHA-256 of the bytes kept, `thumbnail` that of its small picture."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    content_type = models.CharField(max_length=90)
    size = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64, db_index=True)
    thumbnail = models.CharField(max_length=64, blank=True, default="", db_index=True)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    taken_at = models.DateTimeField(null=True)
    """When the camera says it was taken; cameras are often wrong."""
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.CharField(max_length=60)

    class Meta:
        indexes = [models.Index(fields=["organisation", "-uploaded_at"], name="file_by_organisation")]

    def __str__(self) -> str:
        return f"file {self.pk}"
