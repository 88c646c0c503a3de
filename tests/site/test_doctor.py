"""The doctor says what is wrong and what to do, and its exit status says whether it matters."""

import json
import os
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from jilink.site.health.machine import KERNEL
from tests.site.installation import environment, jilink, prepared, running_spine

CAPACITY = Path(__file__).parents[2] / "docs" / "capacity.md"


def _findings(env, *arguments):
    done = jilink("doctor", "--json", *arguments, env=env)
    return done.returncode, {finding["name"]: finding for finding in map(json.loads, done.stdout.splitlines())}


def test_a_fresh_machine_fails_nowhere_and_what_lacks_has_a_remedy(tmp_path):
    status, found = _findings(environment(tmp_path / "data"))
    assert status == 0, found
    assert found["database"]["level"] == "warn"
    assert "jilink prepare" in found["database"]["remedy"]
    assert all(finding["remedy"] for finding in found.values() if finding["level"] != "ok")
    assert {"Python", "disk", "memory", "descriptors", "io_uring", "clock", "secrets", "spine", "history", "processes"} <= set(found)


def test_a_prepared_installation_with_its_spine_is_well(tmp_path):
    env = prepared(tmp_path / "data")
    with running_spine(env):
        assert jilink("prepare", "--spine", env=env).returncode == 0
        _, found = _findings(env)
    assert (found["database"]["level"], found["database"]["found"]) == ("ok", "SQLite, current")
    assert found["spine"] == {"name": "spine", "level": "ok", "found": "answers, every stream is there", "remedy": ""}


def test_an_audit_that_somebody_touched_fails(tmp_path):
    env = prepared(tmp_path / "data")
    assert _findings(env)[1]["audit"]["level"] == "ok"
    with closing(sqlite3.connect(tmp_path / "data" / "jilink.sqlite3")) as database:
        database.execute("UPDATE parties_auditentry SET actor = 'user:99' WHERE sequence = 2")
        database.commit()
    status, found = _findings(env)
    assert status == 1 and found["audit"]["found"] == "the chain is broken at entry 2"


def test_a_taken_port_and_a_readable_secret_fail(tmp_path):
    env = environment(tmp_path / "data")
    data = tmp_path / "data"
    data.mkdir()
    (data / "secret_key").write_text("s")
    os.chmod(data / "secret_key", 0o644)
    port = int(env["JILINK_NATS_PORT"])
    with socket.create_server(("127.0.0.1", port)):
        status, found = _findings(env)
    assert status == 1
    assert found[f"port {port}"]["level"] == "fail"
    assert "JILINK_NATS_PORT" in found[f"port {port}"]["remedy"]
    assert found["secrets"]["level"] == "fail"
    assert found["secrets"]["remedy"].startswith("chmod 600")


def test_an_unreachable_nats_server_fails(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"nats://127.0.0.1:{probe.getsockname()[1]}"
        status, found = _findings(environment(tmp_path / "data", JILINK_NATS_URL=url))
    assert status == 1
    assert (found["spine"]["level"], found["spine"]["found"]) == ("fail", "no NATS server answers")


@pytest.mark.parametrize("need", KERNEL, ids=lambda need: need.name)
def test_the_documented_values_hold_a_million_terminals(need):
    lines = [line for line in CAPACITY.read_text().splitlines() if line.startswith(f"{need.name} = ")]
    assert len(lines) == 1
    assert int(lines[0].split("=")[1].split()[need.place]) >= need.least(1_000_000)


def test_a_million_terminals_ask_for_more_descriptors_than_a_thousand(tmp_path):
    env = environment(tmp_path / "data")
    few, many = (_findings(env, "--terminals", str(count))[1]["memory"] for count in (1, 10_000_000))
    assert few["level"] == "ok"
    assert "62 GB" in many["remedy"]


def test_the_data_folder_comes_first_and_the_setting_is_named_where_nothing_was_prepared(tmp_path):
    _, found = _findings(environment(tmp_path / "data"))
    first = next(iter(found.values()))
    assert (first["name"], first["level"]) == ("data folder", "warn")
    assert str(tmp_path / "data") in first["found"] and "JILINK_DATA" in first["remedy"]
