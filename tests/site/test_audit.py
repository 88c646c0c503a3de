"""`jilink audit verify` finds one touched row."""

import sqlite3
from contextlib import closing

import pytest

from tests.site.installation import jilink, prepared


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE parties_auditentry SET actor = 'user:99' WHERE sequence = 2", "entry 2: it was changed"),
        ("DELETE FROM parties_auditentry WHERE sequence = 2", "entry 2: it was removed"),
    ],
)
def test_the_first_broken_entry_is_named(tmp_path, change, words):
    env = prepared(tmp_path / "data")
    whole = jilink("audit", "verify", env=env)
    assert (whole.returncode, "the chain is whole" in whole.stdout) == (0, True)
    with closing(sqlite3.connect(tmp_path / "data" / "jilink.sqlite3")) as database:
        database.execute(change)
        database.commit()
    broken = jilink("audit", "verify", env=env)
    assert broken.returncode == 1 and words in broken.stdout
