"""Tables of what reports to us, and of the terminals that do the reporting."""

from django.db import models


class AssetKind(models.Model):
    """A kind of asset that an organisation laid down for itself and all below; the nearest above counts. `definition` is JSON (`kinds`)."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=30)
    definition = models.TextField()
    version = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organisation", "key"], name="one_kind_of_a_key")]

    def __str__(self) -> str:
        return self.key


class Asset(models.Model):
    """A thing with a place and a state: whatever reports to us or is maintained. `kind` is an `AssetKind`'s key, or a service's own."""

    SEEN_BY = ("organisation", "maintainer")

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=30)
    label = models.CharField(max_length=60)
    code = models.CharField(max_length=40, blank=True, default="")
    """What stands on its plate, such as the 16 digits of a city object."""
    maintainer = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    """Who looks after it, where that is not its owner."""
    attributes = models.TextField(default="{}")
    tags = models.CharField(max_length=400, blank=True, default="")
    """Words to find it by, each between bars: ``|winter|bridge|``."""
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    """Where it stands (WGS-84); what moves says so itself."""
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "kind", "label"], name="one_label_in_an_organisation"),
            models.UniqueConstraint(
                fields=["organisation", "kind", "code"], condition=~models.Q(code=""), name="one_code_in_an_organisation"
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "label"], name="asset_by_label"),
            models.Index(fields=["organisation", "kind", "id"], name="asset_by_organisation"),
        ]

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


class Credential(models.Model):
    """A secret by which a device proves which asset it is. Only its digest is kept; it is shown once."""

    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, related_name="credentials")
    name = models.CharField(max_length=40, blank=True, default="")
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"credential {self.prefix}"


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
