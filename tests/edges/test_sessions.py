"""Registration, authentication, replacement and the end of sessions, as a terminal and an operator see them."""

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jilink.spine import subjects
from jilink.spine.records import digest
from tests.edges.conftest import Gateway, Mine, eventually, running_gateway
from tests.edges.terminal import Terminal, frame, location, parse, registration


def register(terminal: Terminal, **more: str) -> int:
    """Register and return the result byte of the answer."""
    serial = terminal.send(0x0100, registration(year=terminal.year, **more))
    answer = terminal.expect(0x8100)
    assert answer.body[:2] == struct.pack(">H", serial)
    return answer.body[2]


@pytest.mark.parametrize("year", [2011, 2013, 2019])
def test_a_terminal_of_any_year_registers_authenticates_and_reports(admitted: Mine, year: int) -> None:
    terminal = admitted.terminal(year=year)
    terminal.login(terminal_id=f"T{year}")
    serial = terminal.send(0x0200, location())
    assert terminal.receive().raw == terminal.general_answer(serial, 0x0200, own_serial=2)
    assert len(admitted.rows()) == 1
    (event,) = [e for e in admitted.gateway.events("terminal_registered") if e["asset"] == admitted.asset]
    assert (event["terminal_id"], event["maker"], event["model"], event["plate"]) == (f"T{year}", "70111", "JL-8", "吉A12345")


def test_a_heartbeat_is_answered(admitted: Mine) -> None:
    terminal = admitted.terminal()
    terminal.login()
    serial = terminal.send(0x0002)
    assert terminal.receive().raw == terminal.general_answer(serial, 0x0002, own_serial=2)


def test_a_terminal_that_only_sends_heartbeats_is_told_of_as_alive(tmp_path: Path) -> None:
    with running_gateway(tmp_path, terminals_alive_s=1) as gateway:
        gateway.admit()
        terminal = gateway.terminal()
        terminal.login()

        def alive() -> bool:
            terminal.send(0x0002)
            terminal.expect(0x8001)
            told = gateway.sessions()
            return [(row["online"], row["reason"]) for row in told[:2]] == [(True, ""), (True, "alive")] and told[0]["at"] <= told[1]["at"]

        eventually(alive, 15)
        terminal.close()


def test_the_time_is_told_in_utc_even_before_authentication(admitted: Mine) -> None:
    terminal = admitted.terminal(year=2019)
    terminal.send(0x0004)
    told = terminal.expect(0x8004).body.hex()
    moment = datetime.strptime(told + "+0000", "%y%m%d%H%M%S%z")
    assert abs(datetime.now(UTC) - moment) < timedelta(seconds=5)


def test_nothing_is_stored_before_authentication(admitted: Mine) -> None:
    terminal = admitted.terminal()
    for message, body in ((0x0200, location()), (0x0002, b""), (0x0702, b"\x02" + bytes(6))):
        serial = terminal.send(message, body)
        answer = terminal.expect(0x8001)
        assert answer.body == struct.pack(">HHB", serial, message, 1)
    assert admitted.rows() == []


def test_an_unknown_terminal_is_refused(mine: Mine) -> None:
    assert register(mine.terminal()) == 4
    assert not [e for e in mine.gateway.events("terminal_seen") if e["phone"] == mine.phone]


def test_a_terminal_that_is_not_admitted_has_no_vehicle(mine: Mine) -> None:
    mine.admit(admitted=False)
    assert register(mine.terminal()) == 2


def test_another_terminal_under_the_same_phone_is_refused(mine: Mine) -> None:
    mine.admit(terminal_id="REAL001")
    assert register(mine.terminal(), terminal_id="FALSE01") == 3
    assert register(mine.terminal(), terminal_id="REAL001") == 0


def test_a_plate_of_another_vehicle_is_refused(mine: Mine) -> None:
    mine.admit()
    mine.gateway.admit("13700000001", 90_001, plate="吉B00001")
    eventually(lambda: register(mine.terminal(), plate="吉B00001") == 1)


def test_an_unknown_terminal_is_listed_and_admitted_without_a_restart(mine: Mine) -> None:
    mine.gateway.open_registration()
    terminal = mine.terminal()
    try:
        eventually(lambda: register(terminal) == 4 and [e for e in mine.gateway.events("terminal_seen") if e["phone"] == mine.phone])
    finally:
        mine.gateway.spine.delete(subjects.ADMISSION, "policy")
    seen = next(e for e in mine.gateway.events("terminal_seen") if e["phone"] == mine.phone)
    assert seen["plate"] == "吉A12345" and seen["terminal_id"] == "T000001"
    eventually(lambda: any(f["reason"] == "unknown_terminal" for f in mine.gateway.frames("frames.quarantine.0")))
    mine.admit()
    terminal.login()


def test_a_wrong_token_is_refused_and_the_third_ends_the_connection(admitted: Mine) -> None:
    admitted.terminal().register()
    terminal = admitted.terminal()
    assert [terminal.authenticate("0" * 32) for _ in range(3)] == [1, 1, 1]
    assert terminal.closed_within(10)


def test_a_token_holds_for_its_phone_only(admitted: Mine) -> None:
    token = admitted.terminal().register()
    other = f"{int(admitted.phone) + 50_000}"
    admitted.gateway.admit(other, admitted.asset + 50_000)
    thief = Terminal(admitted.gateway.port, other)
    assert thief.authenticate(token) == 1
    thief.register()
    assert thief.authenticate(token) == 1


def test_a_token_holds_for_its_terminal_id_only(admitted: Mine) -> None:
    token = admitted.terminal().register(terminal_id="OLD0001")
    admitted.admit(terminal_id="NEW0001")
    eventually(lambda: admitted.terminal().authenticate(token) == 1)


def test_registering_again_replaces_the_token(admitted: Mine) -> None:
    first = admitted.terminal().register()
    second = admitted.terminal().register()
    assert admitted.terminal().authenticate(first) == 1
    assert admitted.terminal().authenticate(second) == 0


def test_the_token_is_stored_as_a_hash_only(admitted: Mine) -> None:
    token = admitted.terminal().register()
    stored = admitted.gateway.spine.get(subjects.TOKENS, digest(admitted.phone))
    assert stored is not None and token.encode() not in stored and b"token_sha256" in stored


def test_a_second_connection_replaces_the_first(admitted: Mine) -> None:
    first = admitted.terminal()
    token = first.login()
    second = admitted.terminal()
    assert second.authenticate(token) == 0
    assert first.closed_within(10)
    second.send(0x0200, location())
    assert second.expect(0x8001).body[4] == 0


def test_another_phone_on_an_authenticated_connection_is_refused_and_kept(admitted: Mine) -> None:
    terminal = admitted.terminal()
    terminal.login()
    terminal.socket.sendall(frame(0x0200, "13600000009", 9, location()) + frame(0x0702, "13600000009", 10, b"\x02" + bytes(6)))
    assert [parse(terminal.receive().raw).body[4] for _ in range(2)] == [1, 1]
    assert admitted.rows() == []
    eventually(lambda: any(f["reason"] == "foreign_phone" for f in admitted.gateway.frames("frames.quarantine.1")))


def test_a_logout_is_answered_and_ends_the_session(admitted: Mine) -> None:
    terminal = admitted.terminal()
    terminal.login()
    serial = terminal.send(0x0003)
    assert terminal.expect(0x8001).body == struct.pack(">HHB", serial, 0x0003, 0)
    assert terminal.closed_within(10)

    def told() -> bool:
        rows = [r for r in admitted.gateway.sessions() if r["asset"] == admitted.asset]
        return [(r["online"], r["reason"]) for r in rows] == [(True, ""), (False, "logout")]

    eventually(told)


def test_a_terminal_that_is_dismissed_is_disconnected(admitted: Mine) -> None:
    terminal = admitted.terminal()
    token = terminal.login()
    admitted.gateway.dismiss(admitted.phone)
    assert terminal.closed_within(10)
    again = admitted.terminal()
    assert again.authenticate(token) == 1


def test_a_terminal_that_moves_to_another_organisation_stays_online_under_it(admitted: Mine) -> None:
    terminal = admitted.terminal()
    terminal.login()
    admitted.admit(organisation=7)

    def owner() -> int:
        terminal.send(0x0200, location())
        assert terminal.expect(0x8001).body[4] == 0
        return int(str(admitted.rows()[-1]["organisation"]))

    eventually(lambda: owner() == 7)


def test_a_terminal_that_moves_to_another_asset_must_register_again(admitted: Mine) -> None:
    terminal = admitted.terminal()
    token = terminal.login()
    admitted.gateway.admit(admitted.phone, admitted.asset + 70_000)
    assert terminal.closed_within(10)
    assert admitted.terminal().authenticate(token) == 1
    again = admitted.terminal()
    again.login()


def test_sessions_survive_a_restart_of_the_gateway(shared: Gateway, admitted: Mine) -> None:
    terminal = admitted.terminal()
    token = terminal.login()
    shared.stop()
    assert terminal.closed_within(10)
    assert [(r["online"], r["reason"]) for r in shared.sessions() if r["asset"] == admitted.asset][-1] == (False, "gateway_stopped")
    shared.start()
    again = admitted.terminal()
    assert again.authenticate(token) == 0


def test_a_terminal_whose_edition_is_not_known_or_another_is_told_of_when_it_authenticates(mine: Mine) -> None:
    def told() -> list[object]:
        return [event["year"] for event in mine.gateway.events("terminal_spoke") if event["asset"] == mine.asset]

    mine.admit(year=2013)
    token = mine.terminal(year=2013).login()
    assert told() == []
    mine.admit(year=0)
    eventually(lambda: mine.terminal(year=2013).authenticate(token) == 0 and told())
    assert set(told()) == {2013}
