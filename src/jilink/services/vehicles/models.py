"""Tables of vehicles and of the orders given to their terminals."""

from django.db import models

from jilink.services.vehicles.rules import CommandState, Kind, PlateColour


class Vehicle(models.Model):
    """What makes an asset a vehicle. The plate is the asset's label."""

    asset = models.OneToOneField("assets.Asset", on_delete=models.CASCADE, primary_key=True, related_name="+")
    plate_colour = models.PositiveSmallIntegerField(choices=[(c.value, c.name) for c in PlateColour], default=PlateColour.BLUE.value)
    vin = models.CharField(max_length=17, blank=True, default="")
    kind = models.CharField(max_length=20, choices=[(k.value, k.name) for k in Kind], default=Kind.CAR.value)
    driver = models.CharField(max_length=60, blank=True, default="")
    driver_phone = models.CharField(max_length=20, blank=True, default="")
    note = models.CharField(max_length=200, blank=True, default="")

    def __str__(self) -> str:
        return f"vehicle {self.pk}"


class Command(models.Model):
    """One order to one terminal and what became of it. `id` is the command's UUID on the spine."""

    id = models.CharField(max_length=36, primary_key=True)
    organisation = models.ForeignKey("parties.Organisation", on_delete=models.CASCADE, related_name="+")
    asset = models.ForeignKey("assets.Asset", on_delete=models.CASCADE, related_name="+")
    message = models.PositiveIntegerField()
    year = models.PositiveSmallIntegerField(default=2019)
    """Edition of JT/T 808 whose declaration the fields fit."""
    fields = models.BinaryField()
    """The message's fields as JSON, checked against its declaration when the order was given."""
    state = models.CharField(max_length=12, choices=[(s.value, s.name) for s in CommandState], default=CommandState.QUEUED.value)
    reason = models.CharField(max_length=300, blank=True, default="")
    reply_message = models.PositiveIntegerField(null=True, blank=True)
    reply = models.BinaryField(default=b"{}")
    given_by = models.ForeignKey("parties.User", on_delete=models.SET_NULL, null=True, related_name="+")
    given_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["asset", "-given_at"], name="command_by_asset")]

    def __str__(self) -> str:
        return f"command {self.pk}"


class Media(models.Model):
    """A photo, sound, video or attachment of an alarm. The bytes lie in the spine's object store under `name`."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.CASCADE, related_name="+")
    asset = models.ForeignKey("assets.Asset", on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=10)
    content_type = models.CharField(max_length=60)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    cause = models.CharField(max_length=60)
    channel = models.PositiveSmallIntegerField(default=0)
    media_id = models.BigIntegerField(default=0)
    """The terminal's own number of the recording, by which the answer to an order names it; 0 for attachments."""
    taken_at = models.DateTimeField()
    received_at = models.DateTimeField()
    latitude = models.IntegerField(null=True, blank=True)
    longitude = models.IntegerField(null=True, blank=True)
    alarm_label = models.CharField(max_length=80, blank=True, default="")
    """Label of the alarm it belongs to, hexadecimal; "" for other recordings."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["asset", "sha256", "media_id", "alarm_label"], name="one_row_a_recording")]
        indexes = [
            models.Index(fields=["asset", "-taken_at"], name="media_by_asset"),
            models.Index(fields=["asset", "media_id"], name="media_by_number"),
            models.Index(fields=["asset", "alarm_label"], name="media_by_alarm"),
        ]

    def __str__(self) -> str:
        return f"media {self.pk}"


class MediaRetention(models.Model):
    """How many days an organisation keeps recordings, 0 for ever; without a row it is as above, and at last as the setting says."""

    organisation = models.OneToOneField("parties.Organisation", on_delete=models.CASCADE, related_name="+")
    days = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.days} days"
