"""The command line as a person or a script meets it."""

import re
import subprocess
import sys
from datetime import datetime
from importlib import import_module
from io import StringIO

import pytest
from rich.console import Console

from jilink.kernel import settings
from jilink.kernel.errors import Malformed, Refused, Unavailable
from jilink.kernel.settings import Settings
from jilink.site import processes
from jilink.site.cli import COMMANDS, EXIT_STATUS, main
from jilink.site.commands import up
from jilink.site.journal import for_people
from tests.site.installation import environment, jilink, prepared

AT = "2026-11-22T14:00:00.000001"
CLOCK = datetime.fromisoformat(f"{AT}Z").astimezone().strftime("%H:%M:%S")


@pytest.fixture
def env(tmp_path):
    return environment(tmp_path / "data")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("installed") / "data")


def test_the_list_names_every_command(env):
    shown = jilink("--help", env=env)
    assert shown.returncode == 0
    for name, entry in COMMANDS.items():
        assert name in shown.stdout
        assert entry.help[:30] in shown.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(capsys, name):
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    shown = capsys.readouterr().out
    assert left.value.code == 0
    assert f"Usage: jilink {name}" in shown
    assert "Example" in shown


def test_every_process_of_the_settings_can_be_run():
    assert tuple(processes.PROCESSES) == settings.PROCESSES
    for process in processes.PROCESSES.values():
        assert callable(import_module(process.module).main)


@pytest.mark.parametrize("name", ["decode", "simulate", "run"])
def test_commands_for_terminals_do_not_load_django(env, name):
    program = f"import sys; from jilink.site.cli import application; application({name!r}); sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], env=env, check=False).returncode == 0


def test_a_wrong_process_name_is_one_line_and_status_2(env):
    shown = jilink("run", "nonsense", env=env)
    assert shown.returncode == 2
    assert shown.stderr.count("\n") == 1
    assert "terminals" in shown.stderr
    assert shown.stderr.startswith("jilink: there is no process 'nonsense'")


def test_a_wrong_setting_names_the_variable(env):
    shown = jilink("run", "spine", env={**env, "JILINK_NATS_PORT": "high"})
    assert (shown.returncode, shown.stdout) == (2, "")
    assert "JILINK_NATS_PORT must be a whole number" in shown.stderr


def test_a_mistyped_command_is_refused_with_a_suggestion(env):
    shown = jilink("simulat", env=env)
    assert shown.returncode == 2
    assert "simulate" in shown.stderr


def test_each_family_of_errors_has_a_status_of_its_own():
    assert dict(EXIT_STATUS) == {Refused: 2, Unavailable: 3, Malformed: 4}


def test_what_is_made_in_a_folder_that_others_may_enter_is_still_the_owners_alone(env, tmp_path):
    (tmp_path / "data").mkdir(mode=0o755)
    assert jilink("prepare", env=env).returncode == 0
    made = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert {path.name for path in made} >= {"jilink.sqlite3", "secret_key", "first-login", "nats.conf"}
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def test_a_removed_person_is_gone_and_an_unknown_one_is_refused(installed):
    made = jilink("user", "add", "wang", "--generate", env=installed)
    assert made.returncode == 0 and re.search(r"^Password, shown this once: \S{20,}$", made.stdout, re.MULTILINE)
    assert jilink("user", "remove", "wang", env=installed).returncode == 0
    assert "wang" not in jilink("user", "list", env=installed).stdout
    again = jilink("user", "remove", "wang", env=installed)
    assert again.returncode == 2 and "there is no account named wang" in again.stderr


def test_refusals_of_the_core_are_english_where_pages_are_chinese(installed):
    env = {**installed, "JILINK_LANGUAGE": "zh-hans"}
    refused = jilink("user", "add", "admin", env=env, given="lantern-over-songhua-7\n")
    assert refused.returncode == 2
    assert refused.stderr.isascii() and "admin" in refused.stderr and refused.stderr.count("\n") == 1


def test_the_version_is_shown(env):
    assert jilink("--version", env=env).stdout.startswith("jilink 0.")


def test_a_new_password_for_an_unknown_account_is_refused_before_a_password_is_shown(installed):
    refused = jilink("user", "password", "nobody", "--generate", env=installed)
    taken = jilink("user", "add", "admin", "--generate", env=installed)
    assert (refused.returncode, refused.stdout, taken.returncode, taken.stdout) == (2, "", 2, "")
    assert "there is no account named nobody" in refused.stderr


def test_what_is_said_when_everything_runs_is_one_fact_a_line_and_never_cut(tmp_path):
    settings = Settings(data=tmp_path / ("long" * 40))
    out = StringIO()
    up.show_ready(
        Console(file=out, width=80), up.facts(settings, "http://127.0.0.1:8080/", settings.data / "logs" / "jilink.log", new=False)
    )
    lines = out.getvalue().splitlines()
    assert lines[-1] == "Ctrl-C stops everything."
    assert {f"Data: {settings.data}", f"Log: {settings.data}/logs/jilink.log", "Attachments: 0.0.0.0:7612"} <= set(lines)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("[7] 2026/11/22 14:00:00.000001 [INF] Starting nats-server", None),
        ("[7] 2026/11/22 14:00:00.000001 [WRN] Plaintext passwords detected, use nkeys or bcrypt", None),
        ("[7] 2026/11/22 14:00:00.000001 [INF] Server is ready", "spine ready"),
        ("[7] 2026/11/22 14:00:00.000001 [ERR] no room", "[7] 2026/11/22 14:00:00.000001 [ERR] no room"),
        ("[7] 2026/11/22 14:00:00.000001 [INF]", None),
        ("a line of our own", "a line of our own"),
        (
            f"{AT}Z [info     ] web.starts                     [jilink.site.web] address=127.0.0.1:8080 process=web",
            f"{CLOCK} web.starts address=127.0.0.1:8080",
        ),
        (
            f"{AT}Z [warning  ] outbox.waits [jilink.core.outbox.relay] process=relay reason='the spine'",
            f"{CLOCK} WARNING outbox.waits reason='the spine'",
        ),
    ],
)
def test_people_read_short_lines_and_of_the_spine_that_it_is_ready_and_what_is_wrong(line, shown):
    assert for_people(line) == shown


@pytest.mark.parametrize("command", [("user", "list"), ("demo", "load"), ("backup",)], ids=" ".join)
def test_a_folder_that_holds_no_installation_is_told_in_one_line_that_names_the_setting(env, tmp_path, command):
    refused = jilink(*command, env=env)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert str(tmp_path / "data") in refused.stderr and "JILINK_DATA" in refused.stderr
