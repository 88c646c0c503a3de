"""The full-text index: tables of each database's own make."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from jilink.core.search.index import Index


def create(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    for statement in Index("knowledge_index").create():
        editor.execute(statement)


def drop(_apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    editor.execute("DROP TABLE knowledge_index")


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0001_articles")]
    operations = [migrations.RunPython(create, drop)]
