"""One child process kept alive; the children are real processes."""

import asyncio
import os
import signal
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from jilink.kernel.settings import Readiness
from jilink.site.children import Child, Spec, answers
from tests.ports import free_port


class Heard:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.events: list[tuple[str, dict[str, object]]] = []

    def say(self, name: str, line: str) -> None:
        self.lines.append(f"{name}: {line}")

    def tell(self, event: str, **facts: object) -> None:
        self.events.append((event, facts))


def _child(program: str, heard: Heard, readiness: Readiness | None = None) -> Child:
    command = [sys.executable, "-u", "-c", textwrap.dedent(program)]
    return Child(Spec(name="it", command=command, environment=dict(os.environ), readiness=readiness), heard.say, heard.tell)


async def _until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def _kept(child: Child) -> AsyncIterator[None]:
    keeper = asyncio.create_task(child.keep())
    try:
        yield
    finally:
        child.request_stop()
        await asyncio.wait_for(keeper, 30)


WAITS = "import signal; print('begun'); signal.pause()"


async def test_a_killed_process_is_started_again() -> None:
    heard = Heard()
    child = _child(WAITS, heard)
    async with _kept(child):
        await _until(lambda: heard.lines == ["it: begun"])
        first = child.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await _until(lambda: len(heard.lines) == 2)
        assert child.pid != first
    assert ("process ended", {"name": "it", "status": -signal.SIGKILL, "again_in_s": 0.2}) in heard.events
    assert child.pid is None


async def test_a_process_that_keeps_ending_is_started_at_longer_and_longer_pauses() -> None:
    heard = Heard()
    async with _kept(_child("raise SystemExit(3)", heard)):
        await _until(lambda: len(heard.events) == 3)
    assert [facts["again_in_s"] for _, facts in heard.events[:3]] == [0.2, 0.4, 0.8]
    assert {facts["status"] for _, facts in heard.events[:3]} == {3}


async def test_what_a_process_left_behind_is_killed_before_it_is_started_again() -> None:
    heard = Heard()
    program = """
        import signal, subprocess, sys
        worker = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        print(worker.pid)
        signal.pause()
    """
    child = _child(program, heard)
    async with _kept(child):
        await _until(lambda: heard.lines)
        worker = int(heard.lines[0].removeprefix("it: "))
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        await _until(lambda: _is_gone(worker))


def _is_gone(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


async def test_lines_are_passed_on_whole_however_long_and_without_a_last_newline() -> None:
    heard = Heard()
    child = _child("print('x' * 200_000); print('ä'); import sys; sys.stdout.write('end')", heard)
    assert await child.once() == 0
    assert sum(line.count("x") for line in heard.lines) == 200_000
    assert heard.lines[-2:] == ["it: ä", "it: end"]
    assert child.last_line == "end"


async def test_a_process_is_ready_once_its_page_answers_200() -> None:
    heard = Heard()
    program = """
        import http.server
        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/readyz" else 503)
                self.end_headers()
        server = http.server.HTTPServer(("127.0.0.1", 0), Page)
        print(server.server_port)
        server.serve_forever()
    """
    async with _kept(_child(program, heard)):
        await _until(lambda: heard.lines)
        port = int(heard.lines[0].removeprefix("it: "))
        assert await answers(Readiness(port, "/readyz"))
        assert not await answers(Readiness(port, "/other"))
    assert not await answers(Readiness(port, "/readyz"))


async def test_a_process_that_may_end_is_started_again_where_it_fails_and_not_where_it_ends_well(tmp_path: Path) -> None:
    heard = Heard()
    child = _child(
        f"import pathlib, sys\np = pathlib.Path({str(tmp_path / 'ran')!r})\nran = p.exists()\np.touch()\nsys.exit(0 if ran else 1)", heard
    )
    child.spec = replace(child.spec, may_end=True)
    async with asyncio.timeout(20):
        await child.keep()
    assert (child.starts, child.status) == (2, 0)
    assert [event for event, _ in heard.events][-1] == "process is done"


async def test_a_process_that_falls_silent_is_killed_and_started_again() -> None:
    heard = Heard()
    port = free_port()
    child = _child(
        f"""
        import http.server
        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
            def log_message(self, *_):
                pass
        server = http.server.HTTPServer(("127.0.0.1", {port}), Page)
        print("begun")
        server.serve_forever()
        """,
        heard,
    )
    place = Readiness(port, "/healthz")
    child.spec = replace(child.spec, liveness=place, silence_s=1.0)
    async with _kept(child):
        await _until(lambda: heard.lines)
        first = child.pid
        assert first is not None
        async with asyncio.timeout(20):
            while not await answers(place):
                await asyncio.sleep(0.01)
        os.kill(first, signal.SIGSTOP)
        await _until(lambda: len(heard.lines) == 2)
        assert child.pid != first and child.hung == 1
    assert [event for event, facts in heard.events if facts.get("reason") == "silent: it hangs"] == ["process killed"]
