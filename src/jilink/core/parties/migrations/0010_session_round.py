from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parties", "0009_gone_organisations")]

    operations = [migrations.AddField("user", "session_round", models.PositiveIntegerField(default=0))]
