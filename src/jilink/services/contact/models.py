"""Tables of queues, numbers, phones, agents and contacts. What operators design is JSON text that only `rules` reads."""

from django.db import models
from django.db.models import Q

from jilink.services.contact.rules.states import AgentState, ContactState, End

_ORGANISATION = "parties.Organisation"
_USER = "parties.User"


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


class Phone(models.Model):
    """A SIP or browser phone. `ha1` is a digest: the password itself is nowhere (RFC 7616, 3.4.2)."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    extension = models.CharField(max_length=10)
    user = models.ForeignKey(_USER, on_delete=models.SET_NULL, null=True, related_name="+")
    ha1 = models.CharField(max_length=32)
    webrtc = models.BooleanField(default=False)
    caller = models.CharField(max_length=25, blank=True, default="")
    enabled = models.BooleanField(default=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "extension"], name="one_phone_an_extension")]

    def __str__(self) -> str:
        return f"phone {self.pk}"


class Agent(models.Model):
    """Whether somebody takes contacts now, and at which phone."""

    user = models.OneToOneField(_USER, on_delete=models.CASCADE, primary_key=True, related_name="+")
    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    phone = models.ForeignKey(Phone, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in AgentState], default=AgentState.OFF.value)
    reason = models.CharField(max_length=60, blank=True, default="")
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"agent {self.pk}"


class Spell(models.Model):
    """That an agent was in one state from then to then; without an end it goes on."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(_USER, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=[(s.value, s.value) for s in AgentState])
    reason = models.CharField(max_length=60, blank=True, default="")
    begin = models.DateTimeField()
    end = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user"], condition=Q(end=None), name="one_spell_at_a_time")]
        indexes = [models.Index(fields=["organisation", "begin"], name="spell_by_time")]

    def __str__(self) -> str:
        return f"spell {self.pk}"


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
