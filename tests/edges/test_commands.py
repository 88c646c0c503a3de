"""Commands on their way to a terminal and the answers back."""

import struct
import uuid
from collections.abc import Iterator

import pytest

from jilink.kernel.errors import Unavailable
from jilink.spine.records import CommandReply
from tests.edges.conftest import Mine, eventually
from tests.edges.terminal import Message, Terminal, location


def online(mine: Mine, **more: object) -> Terminal:
    terminal = mine.terminal(**more)
    terminal.login()
    return terminal


def sent(mine: Mine, message: int, **more: object) -> Iterator[CommandReply]:
    """Send a command and check that it says so."""
    replies = mine.command(message, number=str(uuid.uuid4()), **more)
    first = next(replies)
    assert (first.state, first.reason) == ("sent", "")
    return replies


def accept(terminal: Terminal, order: Message, result: int = 0) -> None:
    terminal.send(0x0001, struct.pack(">HHB", order.serial, order.id, result))


def test_a_text_is_sent_and_accepted(admitted: Mine) -> None:
    terminal = online(admitted)
    replies = sent(admitted, 0x8300, flag=["display", "speak"], text="前方雨雪")
    order = terminal.expect(0x8300)
    assert order.body == b"\x0c" + "前方雨雪".encode("gbk")
    accept(terminal, order)
    answer = next(replies)
    assert (answer.state, answer.reply_message) == ("answered", 0x0001)


def test_a_text_to_a_terminal_of_2019_has_the_form_of_2019(admitted: Mine) -> None:
    terminal = online(admitted, year=2019)
    sent(admitted, 0x8300, flag=["display"], type=1, text="AB")
    assert terminal.expect(0x8300).body == b"\x04\x01AB"


def test_the_position_asked_for_is_the_answer_and_is_stored(admitted: Mine) -> None:
    terminal = online(admitted)
    replies = sent(admitted, 0x8201)
    order = terminal.expect(0x8201)
    serial = terminal.send(0x0201, struct.pack(">H", order.serial) + location())
    answer = next(replies)
    assert (answer.state, answer.reply_message) == ("answered", 0x0201)
    assert terminal.expect(0x8001).body == struct.pack(">HHB", serial, 0x0201, 0)
    assert [(row["message"], row["latitude"]) for row in admitted.rows()] == [(0x0201, 43_886_841)]


def test_vehicle_control_answers_with_a_position_that_is_stored(admitted: Mine) -> None:
    terminal = online(admitted)
    replies = sent(admitted, 0x8500, flag=1)
    order = terminal.expect(0x8500)
    terminal.send(0x0500, struct.pack(">H", order.serial) + location())
    assert next(replies).reply_message == 0x0500
    assert terminal.expect(0x8001).body[2:] == b"\x05\x00\x00"
    assert [row["message"] for row in admitted.rows()] == [0x0500]


def test_parameters_are_read_and_set(admitted: Mine) -> None:
    terminal = online(admitted)
    replies = sent(admitted, 0x8104)
    order = terminal.expect(0x8104)
    terminal.send(0x0104, struct.pack(">HB", order.serial, 1) + bytes.fromhex("00000029040000001e"))
    answer = next(replies)
    assert answer.state == "answered" and answer.reply_message == 0x0104 and "30" in str(answer.reply)
    assert terminal.expect(0x8001).body[4] == 0
    replies = sent(admitted, 0x8103, parameters={"0x0029": 20})
    order = terminal.expect(0x8103)
    assert order.body == bytes.fromhex("01000000290400000014")
    accept(terminal, order)
    assert next(replies).state == "answered"


def test_attributes_come_without_a_serial_and_still_find_their_command(admitted: Mine) -> None:
    terminal = online(admitted)
    replies = sent(admitted, 0x8107)
    terminal.expect(0x8107)
    body = struct.pack(">H5s20s7s10s", 0, b"70111", b"JL-8", b"T000001", bytes(10)) + b"\x02H1\x02F1\x01\x01"
    terminal.send(0x0107, body)
    assert next(replies).reply_message == 0x0107


ORDERS = [
    (0x8202, {"interval": 5, "duration": 600}, "000500000258"),
    (0x8105, {"command": 4}, "04"),
    (0x8400, {"flag": 1, "phone": "043112345"}, None),
    (0x8203, {"alarm_serial": 0, "alarms": 1}, "000000000001"),
    (0x8601, {"ids": [1, 2]}, "020000000100000002"),
    (0x8607, {"ids": []}, "00"),
    (0x9101, {"host": "10.0.0.1", "tcp_port": 6604, "channel": 1}, None),
]


@pytest.mark.parametrize(("message", "fields", "body"), ORDERS, ids=lambda value: hex(value) if isinstance(value, int) else "")
def test_an_order_reaches_the_terminal_as_the_standard_writes_it(
    admitted: Mine, message: int, fields: dict[str, object], body: str | None
) -> None:
    terminal = online(admitted)
    replies = sent(admitted, message, **fields)
    order = terminal.expect(message)
    assert body is None or order.body.hex() == body
    accept(terminal, order)
    assert next(replies).state == "answered"


def test_an_upgrade_goes_in_packages_that_the_terminal_may_ask_for_again(admitted: Mine) -> None:
    terminal = online(admitted, year=2019)
    data = bytes(range(256)) * 10
    replies = sent(admitted, 0x8108, type=0, maker="70111", version="V2", data=data.hex())
    parts = [terminal.expect(0x8108) for _ in range(3)]
    assert [part.part for part in parts] == [(3, 1), (3, 2), (3, 3)]
    assert b"".join(part.body for part in parts).endswith(data)
    terminal.send(0x0005, struct.pack(">HHH", parts[0].serial, 1, 2))
    assert terminal.expect(0x8108).raw == parts[1].raw
    assert terminal.expect(0x8001).body[4] == 0
    accept(terminal, parts[2])
    assert next(replies).state == "answered"


@pytest.mark.parametrize(("result", "reason"), [(1, "terminal_failed"), (2, "terminal_malformed"), (3, "terminal_unsupported")])
def test_a_refusal_of_the_terminal_fails_the_command(admitted: Mine, result: int, reason: str) -> None:
    terminal = online(admitted)
    replies = sent(admitted, 0x8801, channel=1, command=1)
    accept(terminal, terminal.expect(0x8801), result)
    answer = next(replies)
    assert (answer.state, answer.reason) == ("failed", reason)


def test_a_command_that_is_not_answered_in_time_fails(admitted: Mine) -> None:
    terminal = online(admitted)
    replies = sent(admitted, 0x8104, timeout=0.5)
    terminal.expect(0x8104)
    answer = next(replies)
    assert (answer.state, answer.reason) == ("failed", "timed_out")


def test_a_command_fails_when_the_connection_ends(admitted: Mine) -> None:
    terminal = online(admitted)
    replies = sent(admitted, 0x8104)
    terminal.expect(0x8104)
    terminal.close()
    answer = next(replies)
    assert (answer.state, answer.reason) == ("failed", "disconnected")


def test_the_same_command_is_not_sent_twice(admitted: Mine) -> None:
    terminal = online(admitted)
    number = str(uuid.uuid4())
    first = admitted.command(0x8201, number=number)
    assert next(first).state == "sent"
    again = admitted.command(0x8201, number=number)
    assert next(again).state == "sent"
    order = terminal.expect(0x8201)
    assert terminal.silent_for(0.3)
    terminal.send(0x0201, struct.pack(">H", order.serial) + location())
    assert next(first).state == next(again).state == "answered"
    terminal.expect(0x8001)
    assert next(admitted.command(0x8201, number=number)).state == "answered"
    assert terminal.silent_for(0.3)


def test_nobody_answers_for_a_terminal_that_is_offline(mine: Mine) -> None:
    with pytest.raises(Unavailable):
        next(mine.command(0x8201, number=str(uuid.uuid4()), timeout=-4.5))


@pytest.mark.parametrize(
    ("message", "fields", "reason"),
    [
        (0x8300, {"text": "x", "nonsense": 1}, "wrong_fields"),
        (0x8300, {"flag": "loud", "text": "x"}, "wrong_fields"),
        (0x8300, {"flag": 1 << 20, "text": "x"}, "does_not_fit"),
        (0x8204, {}, "not_supported"),
        (0x8001, {"result": 0}, "not_supported"),
        (0x8201, {"organisation": 2}, "other_organisation"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_the_reason(admitted: Mine, message: int, fields: dict[str, object], reason: str) -> None:
    terminal = online(admitted)
    answer = next(admitted.command(message, number=str(uuid.uuid4()), **fields))
    assert (answer.state, answer.reason) == ("refused", reason)
    assert bool(answer.reply) == (reason in ("wrong_fields", "does_not_fit")), "the detail names the field"
    assert terminal.silent_for(0.2)


def test_an_answer_nobody_asked_for_is_kept_as_an_event(admitted: Mine) -> None:
    terminal = online(admitted)
    terminal.send(0x0104, struct.pack(">HB", 9, 1) + bytes.fromhex("00000029040000001e"))
    assert terminal.expect(0x8001).body[4] == 0
    eventually(lambda: [e for e in admitted.gateway.events("message_received") if e["asset"] == admitted.asset and e["message"] == 0x0104])
