"""Tables of written conversations, of the sites they come from, and of what else waits at desks without a telephone."""

from django.db import models
from django.db.models import Q

from jilink.services.contact.models.queues import Queue
from jilink.services.contact.rules.written import CONVERSED, Closed, ConversationState

_ORGANISATION = "parties.Organisation"
_USER = "parties.User"
_OPEN = Q(state__in=["wanting", "unattended", "going"])


class ChatSite(models.Model):
    """A web site whose visitors may write to a queue. `key` stands in its pages, and is no secret."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=32, unique=True)
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    design = models.TextField()
    """JSON of `rules.written.SiteDesign`."""
    version = models.PositiveIntegerField(default=1)
    enabled = models.BooleanField(default=True)
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"chat site {self.pk}"


class Conversation(models.Model):
    """One written conversation. What is written stands in its interaction; of the visitor's secret a digest is kept."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=10, choices=[(word, word) for word in CONVERSED])
    site = models.ForeignKey(ChatSite, on_delete=models.SET_NULL, null=True, related_name="+")
    queue = models.ForeignKey(Queue, on_delete=models.PROTECT, related_name="+")
    interaction = models.BigIntegerField(unique=True)
    state = models.CharField(max_length=12, choices=[(s.value, s.value) for s in ConversationState])
    secret = models.CharField(max_length=64, blank=True, default="")
    language = models.CharField(max_length=12, blank=True, default="")
    agreed_to = models.PositiveIntegerField(null=True)
    """Version of the site whose words were agreed to."""
    numbered = models.PositiveIntegerField(default=0)
    """Number of the last message."""
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    """When they wrote, or their page asked, last."""
    closed_at = models.DateTimeField(null=True)
    closed = models.CharField(max_length=10, choices=[(s.value, s.value) for s in Closed], blank=True, default="")
    rating = models.PositiveSmallIntegerField(null=True)
    rated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["secret"], condition=~Q(secret=""), name="one_secret_a_conversation"),
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False) | ~Q(state="closed") & Q(closed_at=None), name="closed_when_over"
            ),
        ]
        indexes = [models.Index(fields=["state", "opened_at"], condition=_OPEN, name="conversation_open")]

    def __str__(self) -> str:
        return f"conversation {self.pk}"


class Message(models.Model):
    """What a channel adds to one part of the interaction: whether it arrived and was read. `number` is the part's."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    number = models.PositiveIntegerField()
    side = models.CharField(max_length=8)
    at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=80, blank=True, default="")
    """Why the channel did not deliver it."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "number"], name="one_message_a_number")]

    def __str__(self) -> str:
        return f"message {self.conversation_id}-{self.number}"


class Capacity(models.Model):
    """How many of a channel somebody has at once; without a user, everybody of the organisation for whom nothing else is said."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(_USER, on_delete=models.CASCADE, null=True, related_name="+")
    channel = models.CharField(max_length=10)
    most = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "channel"], condition=Q(user=None), name="one_capacity_an_organisation"),
            models.UniqueConstraint(
                fields=["organisation", "user", "channel"], condition=Q(user__isnull=False), name="one_capacity_an_agent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.most}"


class CaseFeed(models.Model):
    """That new cases of a type, which nobody has, wait in a queue."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="+")
    type_key = models.CharField(max_length=40)
    since = models.DateTimeField()
    """Cases opened before stay where they are."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "type_key"], name="one_queue_a_case_type")]

    def __str__(self) -> str:
        return self.type_key
