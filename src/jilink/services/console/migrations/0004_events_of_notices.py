"""A row for each event that a member was told of, in place of the last fifty in the notice; and who sends its letter."""

import json
from typing import Any

import django.db.models.deletion
from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def keep(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    notices: Any = apps.get_model("console", "Notice")  # as it was then
    events = apps.get_model("console", "NoticeEvent")
    rows = [
        events(notice=row, user_id=row.user_id, event=event, case=row.case)
        for row in notices.objects.order_by("pk").iterator()
        for event in dict.fromkeys([str(row.event), *json.loads(row.grown)])
    ]
    events.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)


class Migration(migrations.Migration):
    dependencies = [("console", "0003_notices_together"), migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="NoticeEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event", models.UUIDField()),
                ("case", models.BigIntegerField()),
                ("notice", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="events", to="console.notice")),
                ("user", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL)),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("user", "event"), name="an_event_tells_a_member_once")]},
        ),
        migrations.AddField("notice", "mailing_until", models.DateTimeField(null=True)),
        migrations.RunPython(keep, migrations.RunPython.noop),
        migrations.RemoveConstraint("notice", "told_once_of_an_event"),
        migrations.RemoveField("notice", "event"),
        migrations.RemoveField("notice", "grown"),
    ]
