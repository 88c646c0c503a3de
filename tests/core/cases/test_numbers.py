"""Numbers of cases: unique, not to be counted on, safe to say and to type."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import damm

from jilink.core.cases.rules import numbers
from jilink.core.cases.rules.numbers import CAPACITY, NumberMisread, NumbersExhausted, grouped, number_of, parse, serial_of, spoken

KEY = bytes(range(32))
serials = st.integers(0, CAPACITY - 1)


@given(serials, st.binary(min_size=32, max_size=32))
def test_a_number_has_ten_digits_and_leads_back_to_its_serial(serial: int, key: bytes) -> None:
    number = number_of(serial, key)
    assert len(number) == 10 and number.isdigit() and number[0] != "0"
    assert serial_of(number, key) == serial
    assert damm.is_valid(number)


def test_no_two_of_two_hundred_thousand_are_alike_and_neighbours_are_far_apart() -> None:
    made = [number_of(serial, KEY) for serial in range(200_000)]
    assert len(set(made)) == len(made)
    near = sum(abs(int(a[:9]) - int(b[:9])) < 1000 for a, b in pairwise(made))
    assert near < 20  # about 0.4 by chance


def test_another_installation_gives_other_numbers() -> None:
    assert number_of(1, KEY) != number_of(1, bytes(32))


@given(serials, st.integers(0, 9), st.integers(1, 9))
def test_every_single_wrong_digit_is_caught(serial: int, place: int, by: int) -> None:
    number = number_of(serial, KEY)
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    with pytest.raises(NumberMisread):
        parse(wrong)


def test_every_exchange_of_neighbours_is_caught_after_every_carry() -> None:
    for carried in range(10):
        for first in range(10):
            for second in range(10):
                if first != second:
                    one = numbers._DAMM[int(numbers._DAMM[carried][first])][second]
                    other = numbers._DAMM[int(numbers._DAMM[carried][second])][first]
                    assert one != other


@given(serials)
def test_what_is_written_and_said_is_understood(serial: int) -> None:
    number = number_of(serial, KEY)
    full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in number)
    for words in (number, grouped(number), spoken(number), full_width, f"工单号：{grouped(number)}", f"No. {number}", "-".join(number)):
        assert parse(words) == number


@pytest.mark.parametrize(
    ("words", "reason"), [("", "characters"), ("12345", "length"), ("0123456789", "check"), ("12345x7890", "characters")]
)
def test_what_is_no_number_is_refused_with_its_reason(words: str, reason: str) -> None:
    with pytest.raises(NumberMisread) as caught:
        parse(words)
    assert caught.value.reason == reason


@given(st.text(max_size=40))
def test_any_words_are_a_number_or_misread(words: str) -> None:
    with suppress(NumberMisread):
        assert len(parse(words)) == 10


def test_the_last_serial_is_the_last() -> None:
    assert len(number_of(CAPACITY - 1, KEY)) == 10
    with pytest.raises(NumbersExhausted):
        number_of(CAPACITY, KEY)
