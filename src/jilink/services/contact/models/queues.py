"""Tables of queues and of the numbers that lead to them."""

from django.db import models
from django.db.models import Q

_ORGANISATION = "parties.Organisation"


class Queue(models.Model):
    """One queue of an organisation. One that is retired takes nobody and keeps its figures."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=40)
    design = models.TextField()
    """JSON of `rules.design.QueueDesign`."""
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "key"], name="one_queue_of_a_key")]

    def __str__(self) -> str:
        return self.key


class Number(models.Model):
    """A number that people dial, and the queue or the flow where they come out."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    dialled = models.CharField(max_length=25, unique=True)
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, null=True, related_name="+")
    flow = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(queue=None) & ~Q(flow="") | Q(queue__isnull=False, flow=""), name="leads_to_queue_or_flow")
        ]

    def __str__(self) -> str:
        return f"number {self.pk}"
