"""The table that carries facts out of a transaction, and the one that keeps what could not be handled."""

from django.db import models


class OutboxEvent(models.Model):
    """One event, written in the transaction of the change it tells of. `id` is a UUIDv7, so ids sort by time."""

    id = models.CharField(max_length=36, primary_key=True)
    noun = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    organisation = models.BigIntegerField()
    aggregate = models.CharField(max_length=120)
    cause = models.CharField(max_length=36, blank=True, default="")
    payload = models.BinaryField()
    occurred_at = models.DateTimeField()
    not_before = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    failure = models.CharField(max_length=300, blank=True, default="")
    published_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=models.Q(published_at=None), name="outbox_waiting"),
            models.Index(fields=["not_before"], condition=models.Q(published_at=None), name="outbox_due"),
            models.Index(fields=["published_at"], name="outbox_published"),
        ]

    def __str__(self) -> str:
        return f"{self.noun}.{self.name} {self.id}"


class DeadLetter(models.Model):
    """An event that a reaction gave up on. It stays, with its envelope, as the record of what was not done."""

    room = models.CharField(max_length=60)
    event = models.CharField(max_length=36)
    subject = models.CharField(max_length=120)
    organisation = models.BigIntegerField(default=0)
    envelope = models.BinaryField()
    reason = models.TextField()
    attempts = models.PositiveIntegerField()
    at = models.DateTimeField()
    replay_at = models.DateTimeField(null=True, blank=True)
    """When somebody asked that the room be told again; None while nobody has, or once that was tried in vain."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["room", "event"], name="one_letter_a_room_and_event")]

    def __str__(self) -> str:
        return f"{self.room} {self.subject} {self.event}"
