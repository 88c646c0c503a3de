"""Where an organisation wants to be told, and what was or is to be delivered there."""

from django.db import models

from jilink.core.webhooks.rules import DeliveryState


class Endpoint(models.Model):
    """An address outside that is told of events of its organisation and of those below it."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.CASCADE, related_name="+")
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True, default="")
    kinds = models.TextField()
    """Patterns with spaces between them, as `rules.kinds` leaves them."""
    active = models.BooleanField(default=True)
    stopped_because = models.CharField(max_length=300, blank=True, default="")
    """Why it was stopped without a person's doing; "" otherwise."""
    secret = models.TextField()
    """Sealed (`sealing`), as is `previous_secret`."""
    previous_secret = models.TextField(blank=True, default="")
    previous_until = models.DateTimeField(null=True, blank=True)
    """Until when deliveries are signed with the previous secret too."""
    made_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["organisation"], condition=models.Q(active=True), name="webhook_active")]

    def __str__(self) -> str:
        return f"endpoint {self.pk}"


class Delivery(models.Model):
    """One event for one endpoint. `event` is the webhook-id, so that a receiver knows a repetition."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.CASCADE, related_name="+")
    """The endpoint's, not that of the event, which may lie below."""
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=36)
    kind = models.CharField(max_length=120)
    body = models.BinaryField()
    state = models.CharField(max_length=12, default=DeliveryState.WAITING.value)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    """What the endpoint answered last; None where it was not reached."""
    failure = models.CharField(max_length=300, blank=True, default="")
    made_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["endpoint", "event"], name="one_delivery_an_event_and_endpoint")]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(state="waiting"), name="webhook_due"),
            models.Index(fields=["endpoint", "-id"], name="webhook_by_endpoint"),
            models.Index(fields=["made_at"], name="webhook_age"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"
