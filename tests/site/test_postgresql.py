"""An installation on PostgreSQL: made, checked, run, saved and put back by the real commands."""

import http.cookiejar
import json
import os
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from jilink.site import first_login
from tests.site.installation import environment, jilink, running_spine, running_up, until

pytestmark = pytest.mark.postgresql
DOCUMENT = Path(__file__).parents[2] / "docs" / "database.md"


class Installation(NamedTuple):
    """Where it is, and the address of its database."""

    env: dict[str, str]
    url: str


def fresh_database() -> str:
    """Make an empty database on the server of this run and return its address."""
    server = urllib.parse.urlsplit(os.environ["JILINK_DATABASE_URL"])
    name = f"jilink_{uuid4().hex[:12]}"
    with psycopg.connect(server.geturl(), autocommit=True) as session:
        session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return server._replace(path=f"/{name}").geturl()


def drop(url: str) -> None:
    with psycopg.connect(os.environ["JILINK_DATABASE_URL"], autocommit=True) as session:
        name = urllib.parse.urlsplit(url).path.strip("/")
        session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def elsewhere() -> Iterator[str]:
    url = fresh_database()
    yield url
    drop(url)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with demonstration vehicles."""
    url = fresh_database()
    env = environment(tmp_path_factory.mktemp("postgresql") / "data", JILINK_DATABASE_URL=url)
    done = jilink("prepare", "--demo", "25", "--cases", "24", env=env)
    assert done.returncode == 0, done.stderr
    yield Installation(env, url)
    drop(url)


def tables(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    with psycopg.connect(url, options="-c jilink.organisations=*") as session:
        names = [row[0] for row in session.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]
        return {name: session.execute(sql.SQL("SELECT * FROM {} ORDER BY 1").format(sql.Identifier(name))).fetchall() for name in names}


def findings(env: dict[str, str]) -> tuple[int, dict[str, dict[str, str]]]:
    done = jilink("doctor", "--json", env=env)
    return done.returncode, {finding["name"]: finding for finding in map(json.loads, done.stdout.splitlines())}


def test_the_doctor_looks_at_server_role_policies_and_programs(prepared: Installation) -> None:
    _, found = findings(prepared.env)
    assert (found["database"]["level"], found["database"]["found"]) == ("ok", "PostgreSQL, current")
    for name in ("PostgreSQL", "database role", "row security", "pg_dump"):
        assert found[name]["level"] == "ok", found[name]


def test_the_doctor_fails_where_the_server_does_not_answer_or_a_wall_was_taken_down(prepared: Installation) -> None:
    status, found = findings({**prepared.env, "JILINK_DATABASE_URL": f"{prepared.url}&port=9"})
    assert status == 1 and found["database"]["found"].startswith("PostgreSQL does not answer")
    with psycopg.connect(prepared.url, autocommit=True) as session:
        session.execute("ALTER TABLE assets_asset DISABLE ROW LEVEL SECURITY")
    status, found = findings(prepared.env)
    assert status == 1 and found["row security"]["remedy"] == "run: jilink prepare" and "assets_asset" in found["row security"]["found"]
    assert jilink("prepare", env=prepared.env).returncode == 0
    with psycopg.connect(prepared.url) as session:
        assert session.execute("SELECT count(*) FROM assets_asset").fetchone() == (0,)


def test_what_is_restored_is_what_was_saved_and_stands_behind_its_walls(prepared: Installation, elsewhere: str, tmp_path: Path) -> None:
    with running_spine(prepared.env):
        assert jilink("prepare", "--spine", env=prepared.env).returncode == 0
        done = jilink("backup", str(tmp_path / "one.tar.zst"), env=prepared.env)
    assert done.returncode == 0, done.stderr
    other = environment(tmp_path / "other", JILINK_DATABASE_URL=elsewhere)
    done = jilink("restore", str(tmp_path / "one.tar.zst"), env=other)
    assert done.returncode == 0, done.stderr
    before, after = tables(prepared.url), tables(elsewhere)
    assert after == before
    assert sum(row[1] == "vehicle" for row in before["assets_asset"]) == 25 and before["parties_auditentry"]
    with psycopg.connect(elsewhere) as session:
        assert session.execute("SELECT count(*) FROM assets_asset").fetchone() == (0,)
    _, found = findings(other)
    assert [found[name]["level"] for name in ("database", "row security", "audit")] == ["ok"] * 3
    done = jilink("restore", "--force", str(tmp_path / "one.tar.zst"), env=other)  # over what is there
    assert done.returncode == 0, done.stderr
    assert tables(elsewhere) == before


def test_a_backup_of_one_kind_of_database_goes_back_into_that_kind_only(prepared: Installation, tmp_path: Path) -> None:
    with running_spine(prepared.env):
        assert jilink("backup", str(tmp_path / "one.tar.zst"), env=prepared.env).returncode == 0
    done = jilink("restore", str(tmp_path / "one.tar.zst"), env=environment(tmp_path / "sqlite"))
    assert done.returncode == 2 and "postgresql" in done.stderr


def test_the_documented_role_that_runs_cannot_take_a_wall_down(prepared: Installation) -> None:
    text = DOCUMENT.read_text()
    statements = re.findall(r"```sql\n(.*?)```", text[text.index("### A role that cannot change tables") :], re.DOTALL)[0]
    role = f"jilink_run_{uuid4().hex[:8]}"
    with psycopg.connect(prepared.url, autocommit=True) as owner:
        owner.execute(statements.replace("jilink_run", role))
        try:
            url = urllib.parse.urlsplit(prepared.url)
            runs = url._replace(netloc=f"{role}@").geturl()
            env = {**prepared.env, "JILINK_DATABASE_URL": runs}
            assert jilink("prepare", env=env).returncode == 0  # it finds that nothing is to do
            assert "admin" in jilink("user", "list", env=env).stdout
            assert findings(env)[1]["database role"]["found"] == f"{role} is bound by row-level security"
            with psycopg.connect(runs, autocommit=True) as session:
                assert session.execute("SELECT count(*) FROM assets_asset").fetchone() == (0,)
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    session.execute("ALTER TABLE assets_asset DISABLE ROW LEVEL SECURITY")
        finally:
            owner.execute(sql.SQL("GRANT {0} TO CURRENT_USER; DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(role)))


class Browser:
    """Signs in and asks over HTTP."""

    def __init__(self, env: dict[str, str]) -> None:
        self._address = f"http://{env['JILINK_WEB']}"
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))

    def ask(self, path: str, fields: dict[str, str] | None = None) -> str:
        token = next((cookie.value or "" for cookie in self._cookies if cookie.name == "csrftoken"), "")
        data = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token}).encode() if fields is not None else None
        with self._opener.open(urllib.request.Request(self._address + path, data), timeout=20) as answer:
            assert answer.status == 200
            return str(answer.read().decode())

    def sign_in(self, name: str, password: str) -> None:
        self.ask("/accounts/login/")
        self.ask("/accounts/login/", {"login": name, "password": password})

    def vehicles(self) -> list[dict[str, Any]]:
        return list(json.loads(self.ask("/api/v1/vehicles"))["items"])


def test_everything_runs_on_it_and_a_person_sees_their_own_vehicles_and_no_others(prepared: Installation) -> None:
    data = Path(prepared.env["JILINK_DATA"])
    with running_up(data, "--demo", "--vehicles", "25", JILINK_DATABASE_URL=prepared.url) as up:
        up.wait_ready()
        everyone, one = Browser(up.env), Browser(up.env)
        login = first_login.read(data)
        everyone.sign_in(login.user, login.password)
        seen = {row["asset"]: row["organisation_name"] for row in everyone.vehicles()}
        fleet = next(iter(seen.values()))
        assert len(seen) == 25 and len(set(seen.values())) > 1
        made = jilink("user", "add", "keeper", "--organisation", fleet, "--role", "owner", "--generate", env=up.env)
        assert made.returncode == 0, made.stderr
        one.sign_in("keeper", re.findall(r"shown this once: (\S+)", made.stdout)[0])
        own = {asset for asset, organisation in seen.items() if organisation == fleet}
        assert {row["asset"] for row in one.vehicles()} == own
        assert everyone.ask("/operations/")
        until(lambda: any(row["state"] == "moving" for row in one.vehicles()), "the watch and the relay know them too")
        assert up.stop() == 0
        assert "row-level security" not in up.text()
