"""The full-text index of cases, filled with those there are."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from jilink.core.cases import finding


def create(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in finding.INDEX.create():
        editor.execute(statement)
    finding.rebuild()


def drop(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    editor.execute("DROP TABLE case_index")


class Migration(migrations.Migration):
    dependencies = [("cases", "0004_many_at_once_and_lasting_teams"), ("parties", "0009_gone_organisations")]
    operations = [migrations.RunPython(create, drop)]
