"""The table of trunks."""

from django.db import models


class Trunk(models.Model):
    """A line to a carrier or a gateway. Used by its organisation and those below it."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    design = models.TextField()
    """JSON of `rules.trunks.TrunkDesign`."""
    sealed = models.TextField(blank=True, default="")
    """The password at the carrier (`spine.calls.sealing`)."""
    enabled = models.BooleanField(default=True)
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "name"], name="one_trunk_of_a_name")]

    def __str__(self) -> str:
        return f"trunk {self.pk}"
