"""The process that serves the pages, as an operator runs it."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path

import pytest

from jilink.site.bodies import MOST
from tests.ports import free_port
from tests.site.installation import environment, jilink, prepared

RUN = "from jilink.kernel.settings import Settings; from jilink.site.web import main; main(Settings.from_environment())"


class Site:
    """A running web process."""

    def __init__(self, data: Path) -> None:
        self.port, self.data = free_port(), data
        prepared(data)
        (data / "secret_key").unlink()  # the process makes its own
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "jilink.site.settings",
            "JILINK_DATA": str(data),
            "JILINK_WEB": f"127.0.0.1:{self.port}",
            "JILINK_HEALTH_PORT": "0",
            "JILINK_NATS_PORT": str(free_port()),
        }
        self.log = data.with_suffix(".log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([sys.executable, "-c", RUN], env=self.environment, stderr=log)

    def get(self, path: str) -> HTTPResponse | urllib.error.HTTPError:
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10)  # type: ignore[no-any-return]  # -- typeshed says Any
        except urllib.error.HTTPError as error:
            return error

    def wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                self.get("/healthz").close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the pages were not served")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("web") / "data")
    try:
        site.wait()
        yield site
    finally:
        site.process.kill()
        site.process.wait()


def test_the_sign_in_page_comes_with_a_policy_that_allows_only_its_own_files(site: Site) -> None:
    with site.get("/vehicles/") as page:
        assert page.status == 200 and page.url is not None and "/accounts/login/" in page.url
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "unsafe" not in policy
        assert page.headers["X-Frame-Options"] == "DENY"


def test_static_files_are_served_by_the_process_itself(site: Site) -> None:
    with site.get("/static/webkit/icons.svg") as file:
        assert file.status == 200 and b"<svg" in file.read()
        assert file.headers["Content-Type"] == "image/svg+xml"
    part = urllib.request.Request(f"http://127.0.0.1:{site.port}/static/webkit/icons.svg", headers={"Range": "bytes=0-3"})
    with urllib.request.urlopen(part, timeout=10) as file:
        assert (file.status, file.read()) == (206, b"<svg")
    assert "StreamingHttpResponse" not in site.log.read_text()


def test_the_live_stream_says_401_to_whoever_is_signed_out(site: Site) -> None:
    with site.get("/vehicles/live") as answer:
        assert answer.status == 401


@pytest.mark.parametrize("door", ["signup", "password/reset", "password/set", "email", "confirm-email", "login/code"])
def test_doors_that_need_mail_or_let_strangers_in_are_shut(site: Site, door: str) -> None:
    with site.get(f"/accounts/{door}/") as answer:
        assert answer.status == 404


def test_a_body_that_says_it_is_too_long_is_refused_before_it_is_sent(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    connection.putrequest("POST", "/accounts/login/")
    connection.putheader("Content-Length", str(MOST + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413 and b"Nothing of it was kept" in answer.read()
    connection.close()


def test_a_body_that_does_not_say_how_long_it_is_is_cut_off(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    blocks = (bytes(1 << 20) for _ in range((MOST >> 20) + 8))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.request("POST", "/accounts/login/", body=blocks, encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    assert connection.getresponse().status == 413
    connection.close()


def test_two_addresses_for_pages_are_refused_not_half_used(tmp_path: Path) -> None:
    done = jilink("run", "web", env=environment(tmp_path / "data", JILINK_WEB="127.0.0.1:8001,127.0.0.1:8002"))
    assert done.returncode == 2 and "JILINK_WEB must be one address" in done.stderr


def test_probes_answer_without_signing_in(site: Site) -> None:
    for path in ("/healthz", "/readyz"):
        with site.get(path) as answer:
            assert answer.status == 200


def test_the_secret_key_and_the_database_stay_in_the_data_folder(site: Site) -> None:
    assert (site.data / "secret_key").stat().st_mode & 0o777 == 0o600
    assert (site.data / "jilink.sqlite3").exists()


def test_it_ends_cleanly_when_told_to(tmp_path: Path) -> None:
    site = Site(tmp_path / "data")
    try:
        site.wait()
        site.process.send_signal(signal.SIGTERM)
        assert site.process.wait(20) == 0
    finally:
        site.process.kill()
        site.process.wait()
