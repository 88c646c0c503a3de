"""Patterns that operators write end soon, whatever words are tried on them."""

import time

import pytest

from jilink.kernel.patterns import MOST_LETTERS, PatternRefused, check_pattern, fits

GOOD = [
    "",
    "[0-9]{16}",
    r"吉[A-Z][A-Z0-9]{5}",
    r"\d{3}-?\d{8}",
    r"(?:ab|cd)-\d+",
    r"[\w.]+@[\w.]+\.[a-z]{2,6}",
    r"(\d{4}){2}",
    r"[(+*)]+",
    r"(?P<year>\d+)年",
    r"\(a\)+",
]
BAD = [
    "(a+)+",
    "(a*)*b",
    "(a|aa)+",
    "(a|b)*c",
    "((ab)?c)+",
    r"(\d+,)*",
    r"(a)\1",
    "(?P<x>a)(?P=x)",
    "a*b*c*d*e*",
    "((a{1,9}){1,9})",
    "([a-z]+){9}",
    "(a?){50}",
]


@pytest.mark.parametrize("pattern", GOOD)
def test_what_ends_soon_is_taken(pattern: str) -> None:
    check_pattern(pattern)


@pytest.mark.parametrize("pattern", [*BAD, "(", "[", "a{9999999999999}", "*"])
def test_what_might_not_end_or_cannot_be_read_is_refused(pattern: str) -> None:
    with pytest.raises(PatternRefused):
        check_pattern(pattern)


def test_words_are_tried_whole_and_only_so_many() -> None:
    assert fits("a+", "a" * MOST_LETTERS) and not fits("a+", "a" * (MOST_LETTERS + 1)) and not fits("a", "ab")
    began = time.perf_counter()
    assert not fits(".*.*.*x", "a" * MOST_LETTERS)
    assert time.perf_counter() - began < 5
