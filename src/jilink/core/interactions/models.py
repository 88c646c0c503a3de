"""Tables of contacts and of what was said in them."""

from django.db import models
from django.db.models import Q

from jilink.core.interactions.rules import Channel, Direction, Side


class Interaction(models.Model):
    """One contact. `source` and `reference` are its maker's name for it, so that it is added once."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="+")
    team = models.ForeignKey("parties.Team", on_delete=models.PROTECT, null=True, related_name="+")
    assignee = models.ForeignKey("parties.User", on_delete=models.SET_NULL, null=True, related_name="+")
    channel = models.CharField(max_length=10, choices=[(word.value, word.value) for word in Channel])
    direction = models.CharField(max_length=4, choices=[(word.value, word.value) for word in Direction])
    person = models.BigIntegerField(null=True)
    contact = models.CharField(max_length=250, blank=True, default="")
    """The number or address on their side, as `parties.people` writes it; masked where people see it."""
    asset = models.BigIntegerField(null=True)
    language = models.CharField(max_length=12, blank=True, default="")
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    accuracy_m = models.FloatField(null=True)
    subject = models.CharField(max_length=200, blank=True, default="")
    source = models.CharField(max_length=40, blank=True, default="")
    reference = models.CharField(max_length=120, blank=True, default="")
    started_at = models.DateTimeField()
    received_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, blank=True, default="")
    parts = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "source", "reference"], condition=~Q(reference=""), name="added_once"),
            models.CheckConstraint(
                condition=Q(ended_at=None, outcome="") | (Q(ended_at__isnull=False) & ~Q(outcome="")), name="ended_somehow"
            ),
        ]
        indexes = [
            models.Index(fields=["organisation", "-started_at", "-id"], name="interaction_by_time"),
            models.Index(fields=["person"], condition=Q(person__isnull=False), name="interaction_of_person"),
            models.Index(fields=["organisation", "contact"], condition=~Q(contact=""), name="interaction_by_contact"),
        ]

    def __str__(self) -> str:
        return f"interaction {self.pk}"


class Part(models.Model):
    """One thing said, written, pressed or sent in a contact."""

    interaction = models.ForeignKey(Interaction, on_delete=models.CASCADE, related_name="said")
    number = models.PositiveIntegerField()
    side = models.CharField(max_length=8, choices=[(word.value, word.value) for word in Side])
    by = models.CharField(max_length=60, blank=True, default="")
    text = models.TextField(blank=True, default="")
    file = models.BigIntegerField(null=True)
    reference = models.CharField(max_length=120, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["interaction", "number"], name="one_number_a_part"),
            models.UniqueConstraint(fields=["interaction", "reference"], condition=~Q(reference=""), name="said_once"),
        ]

    def __str__(self) -> str:
        return f"interaction {self.interaction_id} part {self.number}"
