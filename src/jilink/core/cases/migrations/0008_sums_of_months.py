"""Sums of reports by month too, and of all that an organisation answers for; made of the sums there are."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from jilink.core.parties import walls

FIGURES = (
    "opened", "closed", "voided", "dispatched", "due_work", "handled", "handled_in_time", "handle_seconds", "closed_in_time", "reworked",
    "returned", "rated", "satisfied", "ended",
)  # fmt: skip
INTO = f"INSERT INTO cases_caseday (organisation_id, split, span, unit_id, area, type_key, day, {', '.join(FIGURES)})"
SUMS = ", ".join(f"sum({name})" for name in FIGURES)
ALL = f"""
{INTO} SELECT organisation_id, 'all', 'day', organisation_id, '', type_key, day, {SUMS} FROM cases_caseday
WHERE split = 'unit' AND span = 'day' GROUP BY organisation_id, type_key, day
"""  # noqa: S608 -- our own words


def add(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    month = "date_trunc('month', day)::date" if editor.connection.vendor == "postgresql" else "date(day, 'start of month')"
    shown = f"organisation_id, split, 'month', unit_id, area, type_key, {month}, {SUMS}"
    group = f"organisation_id, split, unit_id, area, type_key, {month}"
    with walls.everything():  # the sums of every organisation, whoever migrates
        editor.execute(ALL)
        editor.execute(f"{INTO} SELECT {shown} FROM cases_caseday WHERE span = 'day' GROUP BY {group}")  # noqa: S608 -- our own words


def take(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    with walls.everything():
        editor.execute("DELETE FROM cases_caseday WHERE split = 'all' OR span = 'month'")


class Migration(migrations.Migration):
    dependencies = [("cases", "0007_near")]
    operations = [
        migrations.AlterField(
            model_name="caseday",
            name="split",
            field=models.CharField(choices=[("unit", "unit"), ("area", "area"), ("all", "all")], max_length=4),
        ),
        migrations.AddField(
            model_name="caseday",
            name="span",
            field=models.CharField(choices=[("day", "day"), ("month", "month")], default="day", max_length=5),
        ),
        migrations.RemoveConstraint(model_name="caseday", name="one_row_of_sums"),
        migrations.AddConstraint(
            model_name="caseday",
            constraint=models.UniqueConstraint(
                fields=("organisation", "split", "span", "unit", "area", "type_key", "day"), name="one_row_of_sums"
            ),
        ),
        migrations.RemoveIndex(model_name="caseday", name="sums_by_day"),
        migrations.AddIndex(model_name="caseday", index=models.Index(fields=["split", "span", "day", "organisation"], name="sums_by_day")),
        migrations.RunPython(add, take),
    ]
