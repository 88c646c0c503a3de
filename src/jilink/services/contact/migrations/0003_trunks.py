"""Trunks, and phones that are lent for a time."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contact", "0002_hops")]

    operations = [
        migrations.AddField(model_name="phone", name="until", field=models.DateTimeField(null=True)),
        migrations.CreateModel(
            name="Trunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("design", models.TextField()),
                ("sealed", models.TextField(blank=True, default="")),
                ("enabled", models.BooleanField(default=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField()),
                (
                    "organisation",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="parties.organisation"),
                ),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("organisation", "name"), name="one_trunk_of_a_name")]},
        ),
    ]
