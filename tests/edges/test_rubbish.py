"""What devices and scanners send that is no message, and what slow or silent ones get."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.edges.conftest import Gateway, Mine, eventually, running_gateway
from tests.edges.terminal import Terminal, location


def test_a_malformed_frame_is_kept_with_its_bytes_reason_peer_and_time(admitted: Mine) -> None:
    terminal = admitted.terminal()
    terminal.login()
    broken = terminal.make(0x0200, location())
    broken = broken[:20] + bytes([broken[20] ^ 0x10]) + broken[21:]
    terminal.socket.sendall(broken)

    def kept() -> list[dict[str, object]]:
        return [f for f in admitted.gateway.frames("frames.quarantine.1") if f["frame"] == broken.hex()]

    eventually(kept)
    (record,) = kept()
    assert record["reason"] == "checksum" and record["asset"] == admitted.asset
    assert record["peer"] == "{}:{}".format(*terminal.socket.getsockname())
    assert datetime.now(UTC) - datetime.fromisoformat(str(record["at"])) < timedelta(seconds=30)
    terminal.send(0x0200, location())
    assert terminal.expect(0x8001).body[4] == 0


@pytest.mark.parametrize(
    "greeting",
    [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", bytes.fromhex("1603010200010001fc0303") + bytes(200), b"SSH-2.0-x\r\n", b"\x00" * 200],
    ids=["http", "tls", "ssh", "zeros"],
)
def test_a_scanner_is_closed_without_a_word(shared: Gateway, greeting: bytes) -> None:
    scanner = Terminal(shared.port, "1")
    scanner.socket.sendall(greeting)
    assert scanner.socket.recv(100) == b""


def test_a_device_that_babbles_is_closed_and_the_gateway_serves_others(admitted: Mine) -> None:
    babbler = Terminal(admitted.gateway.port, "13500000001")
    other = admitted.terminal()
    other.login()
    try:
        for _ in range(50):
            babbler.socket.sendall(b"\x7e\x01\x02\x03\x7e" * 2000)
    except ConnectionError:
        pass
    assert babbler.closed_within(10)
    other.send(0x0200, location())
    assert other.expect(0x8001).body[4] == 0


def test_all_frames_of_a_recorded_terminal_are_kept_up_and_down(admitted: Mine) -> None:
    terminal = admitted.terminal()
    terminal.login()
    admitted.admit(recording_until=datetime.now(UTC) + timedelta(minutes=1))
    subject = f"frames.recorded.{admitted.asset}"

    def recorded() -> list[dict[str, object]]:
        terminal.send(0x0002)
        terminal.expect(0x8001)
        return admitted.gateway.frames(subject)

    eventually(recorded)
    up = terminal.make(0x0200, location())
    terminal.socket.sendall(up)
    down = terminal.expect(0x8001).raw
    eventually(lambda: {up.hex(), down.hex()} <= {f["frame"] for f in admitted.gateway.frames(subject)})
    assert {f["direction"] for f in admitted.gateway.frames(subject)} == {"up", "down"}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """A gateway with little patience."""
    limits = {
        "terminals_login_s": 1,
        "terminals_idle_s": 2,
        "terminals_per_address": 3,
        "terminals_frames_per_s": 20,
        "terminals_bytes_per_s": 100_000,
    }
    with running_gateway(tmp_path_factory.mktemp("strict"), **limits) as gateway:
        yield gateway


def test_a_connection_that_never_authenticates_is_closed(strict: Gateway) -> None:
    assert strict.terminal("13300000001").closed_within(4)


def test_a_silent_terminal_is_closed_and_its_session_ends_as_idle(strict: Gateway) -> None:
    strict.admit("13300000002", 2)
    terminal = strict.terminal("13300000002")
    terminal.login()
    assert terminal.closed_within(10)
    eventually(lambda: [r["reason"] for r in strict.sessions() if r["asset"] == 2] == ["", "idle"])


def test_an_address_may_hold_so_many_connections(strict: Gateway) -> None:
    held = [strict.terminal("13300000003") for _ in range(3)]
    assert strict.terminal("13300000003").closed_within(0.8)
    for terminal in held:
        terminal.close()


def test_a_device_that_sends_more_than_its_share_is_closed(strict: Gateway) -> None:
    strict.admit("13300000004", 4)

    def connect() -> Terminal:
        terminal = strict.terminal("13300000004")
        terminal.login()
        return terminal

    terminal = connect()
    terminal.socket.sendall(b"".join(terminal.make(0x0002) for _ in range(300)))
    assert terminal.closed_within(10)
    eventually(lambda: "rate" in [r["reason"] for r in strict.sessions() if r["asset"] == 4])


def test_a_reader_that_takes_nothing_is_closed(tmp_path: Path) -> None:
    with running_gateway(tmp_path, terminals_frames_per_s=0, terminals_bytes_per_s=0) as gateway:
        gateway.admit()
        terminal = gateway.terminal(receive_buffer=2048)
        terminal.login()
        beats = b"".join(terminal.make(0x0002) for _ in range(1000))
        terminal.socket.settimeout(0.5)
        with pytest.raises((ConnectionError, TimeoutError)):
            for _ in range(3000):
                terminal.socket.sendall(beats)
        eventually(lambda: [r["online"] for r in gateway.sessions()] == [True, False])
