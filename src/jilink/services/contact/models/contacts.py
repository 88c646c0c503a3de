"""Tables of contacts and of the raw facts that figures are counted from."""

from django.db import models
from django.db.models import Q

from jilink.services.contact.models.queues import Queue
from jilink.services.contact.rules.states import ContactState, End

_ORGANISATION = "parties.Organisation"
_USER = "parties.User"


class Contact(models.Model):
    """One interaction in one queue. The number it came from stands in the interaction alone."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    interaction = models.BigIntegerField(null=True)
    channel = models.CharField(max_length=10)
    node = models.CharField(max_length=60, blank=True, default="")
    leg = models.CharField(max_length=80, blank=True, default="")
    hop = models.PositiveSmallIntegerField(default=0)
    """How many queues the leg was in before this one."""
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in ContactState], default=ContactState.WAITING.value)
    end = models.CharField(max_length=12, choices=[(s.value, s.value) for s in End], blank=True, default="")
    priority = models.IntegerField(default=0)
    emergency = models.BooleanField(default=False)
    agent = models.ForeignKey(_USER, on_delete=models.SET_NULL, null=True, related_name="+")
    agent_leg = models.CharField(max_length=80, blank=True, default="")
    rings = models.PositiveIntegerField(default=0)
    wanted = models.BigIntegerField(null=True)
    """The agent it waits for before all others: who served the person last, or to whom it was given."""
    wanted_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    """How often a callback was dialled in vain."""
    not_before = models.DateTimeField(null=True)
    """When a callback is to be tried next."""
    enqueued_at = models.DateTimeField()
    """When they began to wait; one that came from another queue keeps the time."""
    offered_at = models.DateTimeField()
    """When they came to this queue."""
    answered_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)
    """When they hung up, or left unanswered."""
    ended_at = models.DateTimeField(null=True)
    code = models.CharField(max_length=40, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["node", "leg", "hop"], condition=~Q(leg=""), name="a_leg_once_a_hop"),
            models.CheckConstraint(
                condition=Q(state="ended", ended_at__isnull=False) & ~Q(end="") | ~Q(state="ended") & Q(ended_at=None, end=""),
                name="a_contact_ends_somehow",
            ),
        ]
        indexes = [
            models.Index(fields=["queue", "enqueued_at"], condition=~Q(state="ended"), name="contact_open"),
            models.Index(fields=["organisation", "offered_at"], name="contact_by_time"),
        ]

    def __str__(self) -> str:
        return f"contact {self.pk}"


class Fact(models.Model):
    """One thing that happened to a contact: what figures are counted again from."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="facts")
    what = models.CharField(max_length=20)
    agent = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["contact", "at"], name="fact_of_contact")]

    def __str__(self) -> str:
        return f"{self.what} {self.contact_id}"
