"""`jilink up` as an operator meets it: the real processes on free ports, killed one by one."""

import asyncio
import json
import os
import re
import signal
import socket
import sqlite3
import urllib.request
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from jilink.kernel import settings
from jilink.site import running
from jilink.site.children import answers
from jilink.spine import standing, subjects
from jilink.spine.client import connect
from tests.site.installation import Up, environment, jilink, prepared, running_up, until

VEHICLES, CASES = 12, 24
PROCESSES = tuple(name for name in settings.PROCESSES if name not in ("engine", "voice", "router"))
"""Those that run where no telephone engine is installed."""


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    with running_up(
        tmp_path_factory.mktemp("up") / "data", "--demo", "--vehicles", str(VEHICLES), "--cases", str(CASES), JILINK_SILENCE_S="8"
    ) as up:
        up.wait_ready()
        yield up


def _ready(up: Up, name: str) -> bool:
    place = up.settings.readiness(name)
    return place is not None and asyncio.run(answers(place))


def test_it_shows_address_and_login_once_and_keeps_the_login_for_the_owner_alone(up):
    until(lambda: "Jilink runs." in up.text(), "the panel")
    shown = up.text()
    assert f"http://{up.env['JILINK_WEB']}/" in shown
    user, password = (up.settings.data / "first-login").read_text().split()
    assert re.search(rf"Sign in as\s+{user}\s+with password\s+{password}", shown)
    assert "Two factors: off" in shown
    assert (up.settings.data / "first-login").stat().st_mode & 0o777 == 0o600
    assert (up.settings.data / "demo-logins").stat().st_mode & 0o777 == 0o600
    assert "demo-supervisor, demo-agent" in shown
    assert set(up.children()) == set(PROCESSES)


def test_pages_are_served(up):
    with urllib.request.urlopen(f"http://{up.env['JILINK_WEB']}/", timeout=20) as page:
        assert page.status == 200


def test_demonstration_vehicles_come_online_through_the_real_port(up):
    until(lambda: re.search(rf"admissions=|online={VEHICLES}", up.text()), "the gateway")
    until(lambda: asyncio.run(_positions(up)) >= VEHICLES, "positions on the spine")


async def _positions(up: Up) -> int:
    async with connect(up.settings, name="test") as spine:
        info = await spine.jetstream.stream_info(subjects.MEASUREMENTS.name, subjects_filter="measurements.positions.>")
        return sum((info.state.subjects or {}).values())


@pytest.mark.parametrize("name", PROCESSES)
def test_a_killed_process_comes_back_and_is_ready_again(up, name):
    until(lambda: name in up.children() and _ready(up, name), f"{name} runs")
    first = up.children()[name]
    os.kill(first, signal.SIGKILL)
    until(lambda: up.children().get(name, first) != first and _ready(up, name), f"{name} is back")
    assert up.process.poll() is None


@pytest.mark.parametrize("name", ["spine", "web"])
def test_a_process_that_hangs_is_killed_comes_back_and_is_told_of(up, name):
    until(lambda: name in up.children() and _ready(up, name), f"{name} runs")
    first = up.children()[name]
    os.kill(first, signal.SIGSTOP)
    until(lambda: up.children().get(name, first) != first and _ready(up, name), f"{name} is back")
    assert re.search(rf"process killed name={name} reason=silent", up.text())
    until(lambda: standing.read(up.settings.data)[name].hung >= 1, "the operations page is told")


def test_a_second_start_on_the_same_folder_is_refused_in_one_line(up):
    again = jilink("up", env=up.env)
    assert again.returncode == 2
    assert again.stderr.count("\n") == 1
    assert f"process {up.process.pid}" in again.stderr


NOT_COUNTED = ("sqlite_", "outbox_", "django_", "parties_audit", "knowledge_index_", "case_index_", "cases_numberkey")


def _of_the_office(data: Path) -> int:
    """Return how many events and timers there are of organisations that are gone, but for those of fleets, which somebody must be told."""
    with closing(sqlite3.connect(f"file:{data / 'jilink.sqlite3'}?mode=ro", uri=True)) as database:
        gone = "SELECT count(*) FROM outbox_outboxevent WHERE noun IN ('case', 'interaction', 'person') OR not_before > occurred_at"
        return int(database.execute(gone).fetchone()[0])


def _rows(data: Path, left_out: tuple[str, ...] = NOT_COUNTED) -> Counter[str]:
    """Return how many rows each table has, but for the record of what happened, the key of numbers and the inside of full-text indexes."""
    with closing(sqlite3.connect(f"file:{data / 'jilink.sqlite3'}?mode=ro", uri=True)) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kept = [t for t in tables if not t.startswith(left_out)]
        return Counter({table: database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in kept})


def test_the_doctor_in_another_shell_goes_by_what_runs(up):
    bare = {key: value for key, value in up.env.items() if not key.startswith("JILINK_")} | {"JILINK_DATA": str(up.settings.data)}
    done = jilink("doctor", "--json", env=bare)
    found = {finding["name"]: finding for finding in map(json.loads, done.stdout.splitlines())}
    assert found["two factors"]["level"] == "warn" and "off" in found["two factors"]["found"]
    assert "JILINK_TWO_FACTORS" in found["settings"]["found"] and "JILINK_WEB" in found["settings"]["found"]
    assert found[f"port {up.env['JILINK_WEB'].rpartition(':')[2]}"]["level"] == "ok" and found["process web"]["level"] == "ok"
    assert running.path(up.settings.data).stat().st_mode & 0o777 == 0o600


def test_loading_the_demonstration_again_leaves_nothing_in_the_audit(up):
    def entries() -> int:
        return _rows(up.settings.data, ())["parties_auditentry"]

    before = entries()
    assert jilink("demo", "load", "--vehicles", str(VEHICLES), env=up.env).returncode == 0
    assert entries() == before


def test_removing_the_demonstration_leaves_no_row_and_no_admission(up, tmp_path):
    prepared(tmp_path / "bare")
    done = jilink("demo", "remove", env=up.env)
    assert done.returncode == 0, done.stderr
    assert f"{VEHICLES} vehicles removed" in done.stdout
    assert _rows(up.settings.data) == _rows(tmp_path / "bare")
    assert _of_the_office(up.settings.data) == 0
    assert not (up.settings.data / "demo-logins").exists() and not list((up.settings.data / "files").glob("??/*"))
    admissions, retention = asyncio.run(_buckets(up))
    assert set(admissions) == {"policy"}
    assert sorted(retention.values()) == [b"1", b"1", b"1"]
    assert jilink("demo", "remove", env=up.env).returncode == 2
    drive = ("simulate", "terminals", "--count", "2", "--give-up", "1", "--server", up.env["JILINK_TERMINALS"])
    ended = jilink(*drive, env=up.env)
    assert (ended.returncode, ended.stderr.count("simulator.ends")) == (0, 1), ended.stderr
    until(lambda: "process stopped name=simulator reason=demonstration is gone" in up.text(), "its terminals are still")
    assert "simulator" not in standing.read(up.settings.data)


async def _buckets(up: Up) -> tuple[dict[str, bytes], dict[str, bytes]]:
    async with connect(up.settings, name="test") as spine:
        return await spine.bucket(subjects.ADMISSION).all(), await spine.bucket(subjects.RETENTION).all()


def test_ctrl_c_stops_everything_cleanly(up):
    children = set(up.children().values())
    assert up.stop() == 0
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    order = re.findall(r"^\s+up \| .*process stopped.*name=(\w+)", up.text(), re.MULTILINE)
    assert order[-len(PROCESSES) :] == list(reversed(PROCESSES))


def test_a_taken_port_is_told_in_one_line_with_the_setting_that_moves_it(tmp_path):
    env = environment(tmp_path / "data")
    host, port = env["JILINK_WEB"].split(":")
    with socket.create_server((host, int(port))):
        refused = jilink("up", env=env)
    assert refused.returncode == 2
    assert re.search(rf"^jilink: port {port} .*JILINK_WEB=", refused.stderr)
    assert refused.stderr.count("\n") == 1


def test_a_killed_supervisor_leaves_nobody_behind_and_can_be_started_again(tmp_path):
    with running_up(tmp_path / "data", ready=True) as first:
        first.wait_ready()
        children = set(first.children().values())
        assert len(children) == len(PROCESSES)
        first.process.kill()
        first.process.wait(10)
        until(lambda: not [pid for pid in children if _runs(pid)], "the processes end with their supervisor")
        ports = {key: first.env[key] for key in first.env if key.startswith("JILINK_") and key != "JILINK_DATA"}
    with running_up(tmp_path / "data", **ports) as second:
        second.wait_ready()
        assert "Sign in as" not in second.text()
        assert second.stop() == 0


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
