"""Keep which edition of the standard a waiting terminal speaks."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assets", "0004_terminals_year"),
    ]

    operations = [
        migrations.AddField(
            model_name="seenterminal",
            name="year",
            field=models.PositiveSmallIntegerField(default=0),
        ),
    ]
