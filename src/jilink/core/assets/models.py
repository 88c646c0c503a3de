"""Tables of what reports to us, and of the terminals that do the reporting."""

from django.db import models


class Asset(models.Model):
    """A thing with a place and a state. What kind of thing it is, a service knows in its own table."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=30)
    label = models.CharField(max_length=60)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "kind", "label"], name="one_label_in_an_organisation")]
        indexes = [models.Index(fields=["kind", "label"], name="asset_by_label")]

    def __str__(self) -> str:
        return self.label


class Terminal(models.Model):
    """A device that speaks for an asset. `phone` is kept without leading zeros, which generations of terminals pad differently."""

    asset = models.OneToOneField(Asset, on_delete=models.CASCADE, related_name="terminal")
    protocol = models.CharField(max_length=20, default="jt808")
    phone = models.CharField(max_length=20, unique=True)
    digest = models.CharField(max_length=32, unique=True)
    """`spine.records.digest` of the phone: its key in the admission bucket."""
    terminal_id = models.CharField(max_length=40, blank=True, default="")
    maker = models.CharField(max_length=20, blank=True, default="")
    model = models.CharField(max_length=40, blank=True, default="")
    year = models.PositiveSmallIntegerField(default=0)
    """Edition of JT/T 808 it speaks, as its frames show; 0: it has not spoken yet."""
    year_at = models.DateTimeField(null=True, blank=True)
    """When it showed that edition."""
    profile = models.CharField(max_length=30, default="standard")
    recording_until = models.DateTimeField(null=True, blank=True)
    registered_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"terminal {self.pk}"


class SeenTerminal(models.Model):
    """A terminal nobody has entered, which called and waits for admission."""

    phone = models.CharField(max_length=20, unique=True)
    terminal_id = models.CharField(max_length=40, blank=True, default="")
    maker = models.CharField(max_length=20, blank=True, default="")
    model = models.CharField(max_length=40, blank=True, default="")
    plate = models.CharField(max_length=40, blank=True, default="")
    year = models.PositiveSmallIntegerField(default=0)
    """Edition of JT/T 808 it spoke when it called last; 0 where unknown."""
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(db_index=True)
    times = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return f"seen terminal {self.pk}"
