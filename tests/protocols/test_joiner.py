"""Sub-packages join in any order, and what is missing is named in time."""

from __future__ import annotations

from random import Random

from jilink.protocols.jt808.codec import encode_frame, open_frame
from jilink.protocols.jt808.header import Header
from jilink.protocols.jt808.joiner import Joiner


def packages(total: int, first: int = 100, number: int = 0x0801) -> list[tuple[Header, bytes]]:
    return [
        (Header(id=number, phone="1", serial=(first + index) & 0xFFFF, total=total, index=index + 1), bytes([index]) * 4)
        for index in range(total)
    ]


def test_packages_join_in_any_order_and_repeated() -> None:
    rng = Random(4)
    for _ in range(50):
        sent = packages(6, first=65533)
        order = sent + rng.sample(sent, 3)
        rng.shuffle(order)
        joiner = Joiner()
        joined = [whole for header, body in order if (whole := joiner.add(header, body, 0.0))]
        assert joined[0].body == b"".join(body for _, body in sent)
        assert joined[0].header.serial == 65533


def test_what_is_missing_is_asked_for_later_and_later_and_then_given_up() -> None:
    joiner = Joiner(wait=10, retries=2)
    sent = packages(4)
    joiner.add(*sent[1], 0.0)
    joiner.add(*sent[3], 1.0)
    assert joiner.due(10.9) == []
    (missing,) = joiner.due(11.0)
    assert (missing.first_serial, missing.indices, missing.given_up) == (100, (1, 3), False)
    assert joiner.due(30.9) == []
    assert [one.given_up for one in joiner.due(31.0)] == [False]
    assert [one.given_up for one in joiner.due(61.0)] == [True]
    assert joiner.due(1000.0) == []
    assert joiner.waiting_bytes == 0


def test_a_new_message_of_the_same_size_takes_the_place_of_an_unfinished_one() -> None:
    joiner = Joiner()
    joiner.add(*packages(2)[0], 0.0)
    fresh = packages(2, first=200)
    assert joiner.add(*fresh[0], 1.0) is None
    whole = joiner.add(*fresh[1], 1.0)
    assert whole is not None
    assert whole.header.serial == 200


def test_memory_is_bounded_whatever_comes() -> None:
    joiner = Joiner(most_bytes=10_000, most_messages=8)
    rng = Random(5)
    for number in range(2000):
        header = Header(id=rng.randrange(65536), phone="1", serial=number, total=rng.randrange(2, 65536), index=rng.randrange(70000))
        joiner.add(header, bytes(rng.randrange(1024)), float(number))
        assert joiner.waiting_bytes <= 10_000
        assert len(joiner.pending()) <= 8


def test_packages_without_a_body_are_bounded_too() -> None:
    joiner = Joiner(most_bytes=1_000_000)
    for index in range(1, 65_535):
        joiner.add(Header(id=0x0801, phone="1", serial=index, total=65_535, index=index), b"", 0.0)
    assert sum(len(one.indices) for one in joiner.pending()) > 0
    assert joiner.waiting_bytes <= 1_000_000


def test_a_resend_request_names_what_is_missing_in_every_year() -> None:
    for year in (2013, 2019):
        (raw,) = encode_frame(0x8003, {"first_serial": 100, "packages": [1, 3]}, phone="1", serial=1, year=year)
        body = open_frame(raw).body
        assert body == bytes.fromhex("0064" + ("02" if year == 2013 else "0002") + "00010003")
