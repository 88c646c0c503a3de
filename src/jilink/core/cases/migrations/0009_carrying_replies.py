"""Who carries a reply away, and why one failed, in words that can be said in any language."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0008_sums_of_months")]

    operations = [
        migrations.AddField("reply", "carried_until", models.DateTimeField(null=True)),
        migrations.AddField("reply", "failure_values", models.TextField(default="{}")),
        migrations.AlterField("reply", "failure", models.CharField(max_length=300, blank=True, default="")),
    ]
