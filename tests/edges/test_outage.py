"""Processes that die: no false success, nothing acknowledged is lost, service returns by itself."""

import contextlib
import http.client
import os
import re
import signal
import socket
import ssl
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jilink.edges.terminals.listeners import ListenRefused
from jilink.edges.terminals.main import STOP_S, main
from jilink.kernel.settings import Settings
from tests.edges.conftest import Gateway, eventually, running_gateway
from tests.edges.terminal import Terminal, authentication, location
from tests.ports import free_port, free_run


def children(gateway: Gateway) -> list[int]:
    assert gateway.process is not None
    return [int(pid) for pid in Path(f"/proc/{gateway.process.pid}/task/{gateway.process.pid}/children").read_text().split()]


def test_without_the_spine_nothing_is_acknowledged_and_after_its_return_everything_is(tmp_path: Path) -> None:
    with running_gateway(tmp_path, terminals_retry_s=60) as gateway:
        gateway.admit()
        terminal = gateway.terminal()
        terminal.login()
        gateway.server.kill()
        frames = [terminal.make(0x0200, location(latitude=43_000_000 + k)) for k in range(20)]
        for raw in frames:
            terminal.socket.sendall(raw)
        assert terminal.silent_for(2)
        gateway.server.start()
        answers = [struct.unpack(">HHB", terminal.receive(30).body) for _ in frames]
        assert answers == [(3 + k, 0x0200, 0) for k in range(20)]
        assert [row["latitude"] for row in gateway.positions().to_pylist()] == [43_000_000 + k for k in range(20)]


def test_a_login_before_the_gateway_knows_who_is_admitted_is_answered_once_it_does(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as gateway, ThreadPoolExecutor(1) as pool:
        gateway.admit()
        token = gateway.terminal().login()
        gateway.stop()
        gateway.server.kill()
        started = pool.submit(gateway.start)
        eventually(lambda: "worker_starts" in gateway.log.read_text())
        terminal = gateway.terminal()
        serial = terminal.send(0x0102, authentication(token))
        assert terminal.silent_for(1)
        gateway.server.start()
        assert terminal.receive(30).body == struct.pack(">HHB", serial, 0x0102, 0)
        started.result()


def test_a_gateway_without_its_spine_stops_before_it_would_be_killed(tmp_path: Path) -> None:
    with running_gateway(tmp_path, terminals_retry_s=60) as gateway:
        gateway.admit()
        terminal = gateway.terminal()
        terminal.login()
        gateway.server.kill()
        terminal.send(0x0200, location())
        assert terminal.silent_for(0.5)
        assert gateway.process is not None
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(STOP_S) == 0
        assert "worker_stopped" in gateway.log.read_text() and "worker_killed" not in gateway.log.read_text()


def test_a_gateway_that_never_reached_its_spine_stops_before_it_would_be_killed(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as gateway:
        gateway.stop()
        gateway.server.kill()
        gateway.launch()
        eventually(lambda: gateway.log.read_text().count("spine.not_reached") == 1 + gateway.settings.terminals_workers)
        assert gateway.process is not None
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(STOP_S) == 0
        assert "worker_killed" not in gateway.log.read_text()


def page(port: int, path: str) -> tuple[int, str]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_health_pages_say_whether_terminals_are_served(tmp_path: Path) -> None:
    with running_gateway(tmp_path, health_port=free_run(16)) as gateway:
        gateway.admit()
        terminal = gateway.terminal()
        terminal.login()
        supervisor, worker = gateway.settings.health("terminals"), gateway.settings.health("terminals", 1)
        assert page(supervisor, "/readyz") == (200, "ready\n") and page(worker, "/readyz") == (200, "ready\n")
        eventually(lambda: "jilink_terminals_online 1.0" in page(worker, "/metrics")[1])
        gateway.server.kill()
        eventually(lambda: page(worker, "/readyz")[0] == 503)
        gateway.server.start()
        eventually(lambda: page(worker, "/readyz")[0] == 200)


def test_a_terminal_is_told_of_failure_when_the_spine_stays_away(tmp_path: Path) -> None:
    with running_gateway(tmp_path, terminals_retry_s=1) as gateway:
        gateway.admit()
        terminal = gateway.terminal()
        terminal.login()
        gateway.server.kill()
        serial = terminal.send(0x0200, location())
        assert terminal.receive(30).body == struct.pack(">HHB", serial, 0x0200, 1)
        gateway.server.start()
        eventually(lambda: positive(terminal), 20)


def positive(terminal: Terminal) -> bool:
    terminal.send(0x0200, location())
    return terminal.receive(20).body[4] == 0


def test_with_too_much_unconfirmed_the_gateway_reads_no_further(tmp_path: Path) -> None:
    with running_gateway(tmp_path, terminals_retry_s=60, terminals_unconfirmed=2) as gateway:
        gateway.admit()
        terminal = gateway.terminal()
        terminal.login()
        gateway.server.kill()
        terminal.socket.settimeout(1)
        sent = 0
        try:
            while sent < 3000:
                terminal.socket.sendall(b"".join(terminal.make(0x0200, location()) for _ in range(100)))
                sent += 100
                time.sleep(0.001)
        except TimeoutError:
            pass
        worker = max(children(gateway), key=lambda pid: int(Path(f"/proc/{pid}/statm").read_text().split()[1]))
        resident = int(Path(f"/proc/{worker}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
        assert resident < 400 << 20
        gateway.server.start()
        serials = []
        terminal.socket.settimeout(30)
        while len(serials) < sent:
            serials.append(struct.unpack(">HHB", terminal.receive(30).body))
        assert serials == [((3 + k) & 0xFFFF, 0x0200, 0) for k in range(sent)]


def test_a_worker_that_is_killed_comes_back_and_knows_the_token(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as gateway:
        gateway.admit()
        terminal = gateway.terminal()
        token = terminal.login()
        for pid in children(gateway):
            os.kill(pid, signal.SIGKILL)
        assert terminal.closed_within(10)
        eventually(lambda: knows(gateway, token), 30)


def knows(gateway: Gateway, token: str) -> bool:
    """Tell whether a login by this token succeeds; the listener of a process that was killed may still take callers before it goes."""
    try:
        with contextlib.closing(gateway.terminal()) as terminal:
            return terminal.authenticate(token) == 0
    except OSError:
        return False


def test_a_worker_or_the_attachment_server_that_hangs_is_replaced_and_each_death_leaves_a_line(tmp_path: Path) -> None:
    with running_gateway(tmp_path, silence_s=2) as gateway:
        before = children(gateway)
        assert len(before) == 2  # the worker and the attachment server
        for pid in before:
            os.kill(pid, signal.SIGSTOP)
        eventually(lambda: gateway.log.read_text().count("worker_started_again") == 2, 20, gateway.log)
        log = gateway.log.read_text()
        assert log.count("silent: it hangs") == 2 and not set(before) & set(children(gateway))
        assert len(re.findall(r"worker_(?:killed|ended|started_again)\b.*worker.*attachments", log)) == 3
        eventually(lambda: gateway.log.read_text().count("worker_ready") == 2, 20, gateway.log)
        gateway.admit()
        gateway.terminal().login()


def test_a_terminal_that_arrives_at_another_worker_replaces_its_first_connection(tmp_path: Path) -> None:
    with running_gateway(tmp_path, terminals_workers=2) as gateway:
        gateway.admit()
        first = gateway.terminal()
        token = first.login()
        for _ in range(40):
            second = gateway.terminal()
            assert second.authenticate(token) == 0
            assert first.closed_within(10)
            first = second
            workers = {row["worker"] for row in gateway.sessions()}
            if len(workers) == 2:
                break
        assert len(workers) == 2
        first.send(0x0200, location())
        assert first.expect(0x8001).body[4] == 0


def self_signed() -> bytes:
    """Return a certificate and its key as PEM."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    begin = datetime.now(UTC) - timedelta(hours=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begin, begin + timedelta(days=2))
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return builder.sign(key, hashes.SHA256()).public_bytes(pem) + private


def test_terminals_come_by_ipv6_and_by_tls(tmp_path: Path) -> None:
    certificate = tmp_path / "certificate.pem"
    certificate.write_bytes(self_signed())
    port, tls = free_port(), free_port()
    with running_gateway(
        tmp_path / "data",
        terminals=f"127.0.0.1:{port},[::1]:{port}",
        terminals_tls=f"127.0.0.1:{tls}",
        terminals_certificate=str(certificate),
    ) as gateway:
        gateway.admit()
        terminal = Terminal(port, "13900000001", host="::1")
        token = terminal.login()
        secret = Terminal(tls, "13900000001")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        secret.socket = context.wrap_socket(secret.socket)
        assert secret.authenticate(token) == 0
        assert terminal.closed_within(10)
        secret.send(0x0200, location())
        assert secret.expect(0x8001).body[4] == 0
        scanner = socket.create_connection(("127.0.0.1", tls))
        scanner.sendall(b"GET / HTTP/1.0\r\n\r\n")
        scanner.settimeout(5)
        try:
            while scanner.recv(1000):
                pass
        except ConnectionError:
            pass


def test_a_gateway_that_cannot_listen_says_why_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ListenRefused, match="cannot listen on"):
            main(Settings(terminals=address, attachments=""))
    with pytest.raises(ListenRefused, match="certificate"):
        main(Settings(terminals=f"127.0.0.1:{free_port()}", terminals_tls=f"127.0.0.1:{free_port()}", attachments=""))
