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
