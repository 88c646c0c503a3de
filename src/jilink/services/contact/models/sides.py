"""Tables of second legs: whoever is asked, called in or put through beside the first conversation."""

from django.db import models
from django.db.models import Q

from jilink.services.contact.models.contacts import Contact
from jilink.services.contact.rules.sides import Stage

_ORGANISATION = "parties.Organisation"
_USER = "parties.User"


class Side(models.Model):
    """A leg to a colleague or to a number outside, on behalf of a caller. The number itself is not kept."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, null=True, related_name="+")
    """Whose agent asked for it; None where a flow did."""
    node = models.CharField(max_length=60)
    caller_leg = models.CharField(max_length=80)
    agent = models.ForeignKey(_USER, on_delete=models.SET_NULL, null=True, related_name="+")
    """The colleague, where it is one."""
    stage = models.CharField(max_length=10, choices=[(s.value, s.value) for s in Stage])
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["node", "caller_leg"], condition=Q(ended_at=None), name="one_side_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"side {self.pk}"
