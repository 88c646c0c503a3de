"""Tables of recordings and of what callers thought. The sound itself lies sealed in the data folder."""

from django.db import models

from jilink.services.contact.models.contacts import Contact
from jilink.services.contact.rules.recordings import RecordingState

_ORGANISATION = "parties.Organisation"
_USER = "parties.User"


class Recording(models.Model):
    """The sound of one contact. `wrapped` is its own key, sealed by the installation's key named `key`."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80, unique=True)
    """As the engine and the spine call it."""
    state = models.CharField(max_length=8, choices=[(s.value, s.value) for s in RecordingState])
    source = models.CharField(max_length=120)
    """The object of the spine that it comes from; gone once it is kept."""
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    seconds = models.FloatField()
    size = models.PositiveBigIntegerField(default=0)
    """Bytes of the sound as it is played."""
    sha256 = models.CharField(max_length=64)
    """Of the file that the engine wrote."""
    file = models.CharField(max_length=32, blank=True, default="")
    key = models.CharField(max_length=20, blank=True, default="")
    wrapped = models.BinaryField(default=bytes)
    peaks = models.BinaryField(default=bytes)
    """How loud each side is over time: pairs of bytes, caller and agent."""
    marks = models.TextField(default="[]")
    """JSON of `rules.recordings.Mark`s."""
    keep_until = models.DateTimeField(null=True)
    """None: for ever."""
    held_by = models.ForeignKey(_USER, on_delete=models.PROTECT, null=True, related_name="+")
    held_reason = models.CharField(max_length=200, blank=True, default="")
    held_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "-begun_at"], name="recording_by_time"),
            models.Index(fields=["keep_until"], name="recording_by_end"),
        ]

    def __str__(self) -> str:
        return f"recording {self.pk}"


class Keeping(models.Model):
    """For how many days an organisation keeps recordings, its own and those of organisations below that say nothing; 0 for ever."""

    organisation = models.OneToOneField(_ORGANISATION, on_delete=models.CASCADE, related_name="+")
    days = models.PositiveIntegerField()
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.days} days"


class Satisfaction(models.Model):
    """What somebody thought of a contact, 1 to 5."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    contact = models.OneToOneField(Contact, on_delete=models.CASCADE, related_name="+")
    rating = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=10)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(rating__gte=1, rating__lte=5), name="rated_one_to_five")]

    def __str__(self) -> str:
        return f"rating of {self.contact_id}"
