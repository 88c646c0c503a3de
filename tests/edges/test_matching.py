"""Commands and their answers, without sockets: settled exactly once, never in silence."""

from datetime import UTC, datetime

from jilink.edges.terminals.matching import ANSWERS, REMEMBERED_S, Ledger, Outstanding
from jilink.spine.records import CommandReply

AT = datetime(2026, 11, 22, tzinfo=UTC)


class Asker(list[CommandReply]):
    """Somebody who asked; holds the replies."""


def ask(
    ledger: Ledger, command: str, message: int, *serials: int, connection: int = 1, deadline: float = 10, frames: tuple[bytes, ...] = ()
) -> Asker:
    asker = Asker()
    ledger.open(
        Outstanding(
            command=command,
            connection=connection,
            message=message,
            serials=frozenset(serials),
            last_serial=serials[-1],
            deadline=deadline,
            deliver=[asker.append],
            frames=frames,
        )
    )
    return asker


def tell(settled: list) -> None:
    for item in settled:
        for deliver in item.deliver:
            deliver(item.reply)


def test_an_answer_settles_the_command_of_its_serial_and_no_other() -> None:
    ledger = Ledger()
    one, two = ask(ledger, "a", 0x8104, 5), ask(ledger, "b", 0x8104, 6)
    tell(ledger.answer(1, 0x0104, 6, {"n": 1}, 0, AT))
    assert not one and [(r.command, r.state, r.reply_message, r.reply) for r in two] == [("b", "answered", 0x0104, {"n": 1})]
    assert ledger.answer(1, 0x0104, 6, {}, 0, AT) == []
    assert ledger.answer(2, 0x0104, 5, {}, 0, AT) == []


def test_a_general_answer_does_not_settle_what_has_an_answer_of_its_own() -> None:
    ledger = Ledger()
    asker = ask(ledger, "a", 0x8201, 5)
    tell(ledger.accept(1, 5, 0, 0, AT))
    assert not asker
    tell(ledger.expire(11, AT))
    assert [(r.state, r.reason) for r in asker] == [("failed", "timed_out")]


def test_an_answer_without_serial_settles_the_oldest_question() -> None:
    ledger = Ledger()
    one, two = ask(ledger, "a", 0x8107, 5), ask(ledger, "b", 0x8107, 6)
    tell(ledger.answer(1, 0x0107, None, {}, 0, AT))
    assert one and not two


def test_a_message_in_packages_is_settled_by_its_last_serial_or_by_all() -> None:
    ledger = Ledger()
    asker = ask(ledger, "a", 0x8108, 65534, 65535, 0, frames=(b"1", b"2", b"3"))
    assert ledger.frames_to_repeat(1, 65534) == (b"1", b"2", b"3")
    assert ledger.frames_to_repeat(1, 65535) == ()
    tell(ledger.accept(1, 65534, 0, 0, AT))
    assert not asker
    tell(ledger.accept(1, 0, 0, 0, AT))
    assert asker[0].state == "answered"


def test_a_long_message_of_which_only_the_first_package_was_confirmed_counts_as_answered_in_the_end() -> None:
    ledger = Ledger()
    asker = ask(ledger, "a", 0x8108, 1, 2, 3)
    tell(ledger.accept(1, 1, 0, 0, AT))
    tell(ledger.expire(10, AT))
    assert asker[0].state == "answered"


def test_the_end_of_a_connection_fails_its_commands_only() -> None:
    ledger = Ledger()
    one, two = ask(ledger, "a", 0x8104, 5, connection=1), ask(ledger, "b", 0x8104, 5, connection=2)
    tell(ledger.end(1, 0, AT))
    assert one[0].reason == "disconnected" and not two and len(ledger) == 1


def test_a_command_asked_again_answers_everyone_and_is_remembered_for_a_while() -> None:
    ledger = Ledger()
    first, second = ask(ledger, "a", 0x8104, 5), Asker()
    reply = ledger.repeat("a", second.append)
    assert reply is not None and reply.state == "sent"
    tell(ledger.answer(1, 0x0104, 5, {}, 0, AT))
    assert first == second and first[0].state == "answered"
    assert ledger.repeat("a", second.append) == first[0]
    ledger.expire(REMEMBERED_S + 1, AT)
    assert ledger.repeat("a", second.append) is None


def test_every_question_knows_a_declared_answer() -> None:
    assert all(question & 0x8000 and not answer & 0x8000 for question, answer in ANSWERS.items())
