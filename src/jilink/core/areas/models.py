"""Tables of places: sets of areas in editions, the areas themselves, and who answers for what in them."""

from django.db import models


class Layer(models.Model):
    """One edition of a set of areas, such as the divisions of 2023 or a city's grid of spring.

    Without an organisation it belongs to the installation and everyone may see it. An edition holds from `valid_from` until,
    not including, `valid_until`; it is never changed once loaded.
    """

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    key = models.SlugField(max_length=40)
    title_zh = models.CharField(max_length=60)
    title_en = models.CharField(max_length=60, blank=True, default="")
    edition = models.PositiveIntegerField()
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=200)
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    """SHA-256 over the codes and borders of its areas."""
    loaded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "key", "edition"], name="one_edition_of_a_layer"),
            models.UniqueConstraint(fields=["key", "edition"], condition=models.Q(organisation=None), name="one_public_edition"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.edition}"


class Area(models.Model):
    """One area. `path` holds the codes from the largest down to this one (``/22/2201/220102/``); `shape` is WKB, WGS-84."""

    layer = models.ForeignKey(Layer, on_delete=models.CASCADE, related_name="areas")
    code = models.CharField(max_length=24)
    level = models.CharField(max_length=12)
    name = models.CharField(max_length=60)
    name_en = models.CharField(max_length=60, blank=True, default="")
    path = models.CharField(max_length=160)
    shape = models.BinaryField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["layer", "code"], name="one_code_in_a_layer")]
        indexes = [models.Index(fields=["layer", "path"], name="area_by_path"), models.Index(fields=["layer", "name"], name="area_by_name")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Responsibility(models.Model):
    """Which unit answers for a category in an area. An empty category means all that nothing longer names."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="+")
    layer_key = models.SlugField(max_length=40)
    area_code = models.CharField(max_length=24)
    category = models.CharField(max_length=40, blank=True, default="")
    unit = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "layer_key", "area_code", "category"], name="one_unit_answers"),
        ]

    def __str__(self) -> str:
        return f"{self.area_code} {self.category}: {self.unit_id}"
