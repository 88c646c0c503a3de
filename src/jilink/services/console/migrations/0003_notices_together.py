import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

KINDS = ["assigned", "team", "unit", "waiting", "escalated", "overdue", "help", "approved", "refused", "resumed", "mentioned"]


class Migration(migrations.Migration):
    dependencies = [("console", "0002_notices"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.AlterField("notice", "kind", models.CharField(max_length=12, choices=[(kind, kind) for kind in KINDS])),
        migrations.AddField("notice", "count", models.PositiveIntegerField(default=1)),
        migrations.AddField("notice", "grown", models.TextField(default="[]")),
        migrations.CreateModel(
            name="NoticeWish",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(max_length=12, choices=[("team", "team"), ("unit", "unit"), ("waiting", "waiting")]),
                ),
                ("way", models.CharField(max_length=6, choices=[("not", "not"), ("bell", "bell"), ("letter", "letter")])),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("user", "kind"), name="one_wish_of_a_kind")]},
        ),
    ]
