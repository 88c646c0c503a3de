"""Tables of what clients pay: tariffs, monthly statements, and the contacts behind each line."""

from django.db import models
from django.db.models import F, Q

_ORGANISATION = "parties.Organisation"


class Tariff(models.Model):
    """What a client pays its outsourcer from a month on; one that a later one follows holds until then. `organisation` is the client."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    issuer = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateField()
    """The first day of a month."""
    version = models.PositiveIntegerField(default=1)
    design = models.TextField()
    """JSON of `rules.tariffs.TariffDesign`."""
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuer", "organisation", "valid_from"], name="one_tariff_from_a_month")]

    def __str__(self) -> str:
        return f"tariff {self.pk}"


class Statement(models.Model):
    """A month of a client: a draft, then issued with a number and never changed. A credit note takes one back. Sums in fen."""

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    issuer = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    month = models.DateField()
    tariff = models.ForeignKey(Tariff, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=[("draft", "draft"), ("issued", "issued")], default="draft")
    number = models.CharField(max_length=24, blank=True, default="")
    corrects = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="credit")
    """The statement that this credit note takes back."""
    reason = models.CharField(max_length=300, blank=True, default="")
    lines = models.TextField()
    """JSON of `rules.tariffs.Line`s, without their contacts."""
    vat_rate = models.DecimalField(max_digits=5, decimal_places=2)
    net = models.BigIntegerField()
    vat = models.BigIntegerField()
    made_at = models.DateTimeField()
    issued_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "number"], condition=~Q(number=""), name="one_statement_of_a_number"),
            models.UniqueConstraint(fields=["issuer", "organisation", "month"], condition=Q(state="draft"), name="one_draft_a_month"),
            models.CheckConstraint(
                condition=Q(state="draft", number="", issued_at=None) | Q(state="issued", issued_at__isnull=False) & ~Q(number=""),
                name="issued_with_a_number",
            ),
            models.CheckConstraint(condition=~Q(organisation=F("issuer")), name="nobody_bills_themselves"),
        ]

    def __str__(self) -> str:
        return f"statement {self.pk}"


class Billed(models.Model):
    """That a contact was counted in a line of a statement. The contact may be gone when its time is over."""

    statement = models.ForeignKey(Statement, on_delete=models.CASCADE, related_name="billed")
    line = models.PositiveSmallIntegerField()
    contact = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["statement", "line", "contact"], name="counted_once_a_line")]

    def __str__(self) -> str:
        return f"billed {self.statement_id}-{self.line}"
