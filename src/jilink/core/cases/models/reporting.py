"""Tables of reports: what each case counts as, and sums by day and by month. All can be made anew from the cases."""

from django.db import models

_ORGANISATION = "parties.Organisation"


class Measures(models.Model):
    """What is counted. In a fact each is of one case, in a day's row the sum of many."""

    opened = models.IntegerField(default=0)
    closed = models.IntegerField(default=0)
    voided = models.IntegerField(default=0)
    dispatched = models.IntegerField(default=0)
    due_work = models.IntegerField(default=0)
    """应处置: sent to a unit, and neither void nor merged."""
    handled = models.IntegerField(default=0)
    handled_in_time = models.IntegerField(default=0)
    handle_seconds = models.BigIntegerField(default=0)
    """From dispatch until the unit said last that it was done, of those handled."""
    closed_in_time = models.IntegerField(default=0)
    reworked = models.IntegerField(default=0)
    returned = models.IntegerField(default=0)
    rated = models.IntegerField(default=0)
    satisfied = models.IntegerField(default=0)

    class Meta:
        abstract = True


class CaseFact(Measures):
    """What one case counts as now, and where: taken out of the sums again before it counts as something else."""

    SEEN_BY = ("organisation", "unit")

    case = models.OneToOneField("cases.Case", on_delete=models.CASCADE, primary_key=True, related_name="+")
    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    type_key = models.CharField(max_length=40)
    area = models.CharField(max_length=40, blank=True, default="")
    opened_on = models.DateField()
    closed_on = models.DateField(null=True)

    def __str__(self) -> str:
        return f"fact of case {self.case_id}"


class CaseDay(Measures):
    """Sums of the cases that were opened on a day or in a month (China), by unit, by area, or of all that an organisation answers for;
    `ended` counts closings by their own day."""

    SEEN_BY = ("organisation", "unit")

    organisation = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    split = models.CharField(max_length=4, choices=[("unit", "unit"), ("area", "area"), ("all", "all")])
    span = models.CharField(max_length=5, choices=[("day", "day"), ("month", "month")], default="day")
    unit = models.ForeignKey(_ORGANISATION, on_delete=models.PROTECT, related_name="+")
    """The organisation itself, but of sums by unit."""
    area = models.CharField(max_length=40, blank=True, default="")
    type_key = models.CharField(max_length=40)
    day = models.DateField()
    """Of a month its first day."""
    ended = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "split", "span", "unit", "area", "type_key", "day"], name="one_row_of_sums")
        ]
        indexes = [models.Index(fields=["split", "span", "day", "organisation"], name="sums_by_day")]

    def __str__(self) -> str:
        return f"{self.split} {self.span} {self.day}"
