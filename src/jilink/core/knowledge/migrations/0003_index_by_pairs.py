"""The full-text index anew, as the room of search has it: pairs of characters on PostgreSQL, words by their item."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import F

from jilink.core.search.index import Document, Index

INDEX = Index("knowledge_index")


def renew(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    editor.execute("DROP TABLE knowledge_index")
    for statement in INDEX.create():
        editor.execute(statement)
    shown = apps.get_model("knowledge", "Version").objects.filter(number=F("article__published")).exclude(article__state="retired")
    for row in shown.iterator():
        INDEX.put(row.article_id, [Document(t, (b,)) for t, b in ((row.title_zh, row.body_zh), (row.title_en, row.body_en)) if t])


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0002_index")]
    operations = [migrations.RunPython(renew, migrations.RunPython.noop)]
