"""What a terminal, written from the standard alone, meets on the gateway's port."""

from tests.edges.conftest import Mine
from tests.edges.terminal import authentication, location


def test_a_terminal_of_2013_registers_authenticates_reports_and_gets_byte_exact_answers(admitted: Mine) -> None:
    terminal = admitted.terminal()
    token = terminal.register()
    serial = terminal.send(0x0102, authentication(token))
    assert terminal.receive().raw == terminal.general_answer(serial, 0x0102, own_serial=1)
    serial = terminal.send(0x0200, location(items=bytes.fromhex("010400001388")))
    assert terminal.receive().raw == terminal.general_answer(serial, 0x0200, own_serial=2)
    (row,) = admitted.rows()
    assert (row["latitude"], row["longitude"], row["speed"], row["course"], row["odometer"]) == (43_886_841, 125_324_501, 425, 90, 5000)
    assert (row["message"], row["serial"], row["organisation"]) == (0x0200, serial, 1)
    assert row["measured_at"].isoformat() == "2026-11-22T04:34:56+00:00"
