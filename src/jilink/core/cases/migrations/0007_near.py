"""Open cases of a type by where they lie, for those nearby."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0006_all_by_due_and_priority")]
    operations = [
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                fields=["type_key", "latitude", "longitude"],
                condition=models.Q(state="open", latitude__isnull=False),
                name="open_case_by_place",
            ),
        ),
    ]
