import http.server
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jilink.kernel.settings import Settings
from jilink.spine import guardian, server
from jilink.spine.client import connect, ensure
from jilink.spine.server import ServerRefused
from tests.ports import free_port, free_run
from tests.spine.server import Server, running_server


def test_password_and_configuration_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, nats_port=free_port())
    first = server.prepare(settings).read_text()
    password = (tmp_path / "spine" / "password").read_text()
    assert len(password) >= 32
    assert password in first and "sync_interval: always" in first
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "spine").iterdir()} == {0o600}
    server.prepare(settings)
    assert (tmp_path / "spine" / "password").read_text() == password


def test_a_second_server_on_one_store_is_refused(spine_server: Server, tmp_path: Path) -> None:
    second = Server(Settings(data=tmp_path, nats_port=free_port(), health_port=0), tmp_path / "second.log")
    with pytest.raises(AssertionError, match="already runs"):
        second.start()


def test_where_another_server_is_set_the_bundled_one_is_not_started(tmp_path: Path) -> None:
    with pytest.raises(ServerRefused):
        server.main(Settings(data=tmp_path, nats_url="nats://127.0.0.1:1"))


async def test_the_server_answers_probes_and_starts_again_at_once_beside_its_guardian(tmp_path: Path) -> None:
    with running_server(tmp_path, health_port=free_run(16)) as running:
        async with connect(running.settings, name="test") as spine:
            await ensure(spine)
        assert not guardian.stuck(running.settings.health("spine"))
        running.kill()
        running.start()
        running.stop()
        running.start()


@contextmanager
def health_page(status: int, body: bytes) -> Iterator[int]:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    page = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=page.serve_forever).start()
    try:
        yield page.server_address[1]
    finally:
        page.shutdown()
        page.server_close()


def test_a_server_that_cannot_write_is_ended_once_the_disk_has_room(tmp_path: Path) -> None:
    said = b'{"status":"unavailable","error":"JetStream stream \'$G > EVENTS\' write error: no space left on device"}'
    with health_page(503, said) as port, subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        assert guardian.look(process.pid, port, tmp_path)
        assert process.wait(10) == -15


def test_a_server_that_is_well_or_only_starting_is_left_alone(tmp_path: Path) -> None:
    for status, body in ((200, b'{"status":"ok"}'), (503, b'{"status":"unavailable","error":"JetStream is not ready"}')):
        with health_page(status, body) as port:
            assert not guardian.look(-1, port, tmp_path)
    assert not guardian.look(-1, free_port(), tmp_path)
