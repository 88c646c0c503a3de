from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("parties", "0010_session_round")]

    operations = [migrations.AddField("team", "archived_at", models.DateTimeField(null=True))]
