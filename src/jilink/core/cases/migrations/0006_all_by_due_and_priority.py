"""Lists of all cases, closed ones too, by due time and by priority."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0005_index")]
    operations = [
        migrations.AddIndex(model_name="case", index=models.Index(fields=["due_at", "id"], name="case_by_due")),
        migrations.AddIndex(model_name="case", index=models.Index(fields=["-priority", "-id"], name="case_by_priority")),
    ]
