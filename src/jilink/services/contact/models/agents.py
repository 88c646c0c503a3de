"""Tables of phones, of agents, and of the states they were in."""

from django.db import models
from django.db.models import Q

from jilink.services.contact.rules.states import AgentState

_ORGANISATION = "parties.Organisation"
_USER = "parties.User"


class Phone(models.Model):
    """A SIP or browser phone. `ha1` is a digest: the password itself is nowhere (RFC 7616, 3.4.2)."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    extension = models.CharField(max_length=10)
    user = models.ForeignKey(_USER, on_delete=models.SET_NULL, null=True, related_name="+")
    ha1 = models.CharField(max_length=32)
    webrtc = models.BooleanField(default=False)
    caller = models.CharField(max_length=25, blank=True, default="")
    enabled = models.BooleanField(default=True)
    until = models.DateTimeField(null=True)
    """Set for a phone that is lent for trying out numbers (`actions.trying`): it is nobody's desk, and gone then."""
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
