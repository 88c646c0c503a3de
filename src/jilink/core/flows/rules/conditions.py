"""The tests of a branch."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import msgspec

from jilink.core.flows.rules.understanding import amount_of, has_word, keys_of, plain, words_of
from jilink.kernel.patterns import fits


class Is(msgspec.Struct, frozen=True, tag="is"):
    """The variable is one of these, however it is written; digits also where they were written as words."""

    values: tuple[str, ...] = ()


class Words(msgspec.Struct, frozen=True, kw_only=True, tag="words"):
    """The variable has any of the words, all of them, nothing else, or begins with one."""

    words: tuple[str, ...] = ()
    how: Literal["any", "all", "only", "beginning"] = "any"


class Between(msgspec.Struct, frozen=True, kw_only=True, tag="between"):
    """The variable holds an amount from `least` to `most`; an empty bound is none."""

    least: str = ""
    most: str = ""


class Like(msgspec.Struct, frozen=True, tag="like"):
    """The whole variable fits a regular expression."""

    pattern: str = ""


class Given(msgspec.Struct, frozen=True, tag="given"):
    """The variable has a value."""


class Hours(msgspec.Struct, frozen=True, tag="hours"):
    """It is working time by a calendar of the organisation."""

    calendar: str = "china"


class Known(msgspec.Struct, frozen=True, tag="known"):
    """Whoever calls or writes is a person we know."""


class Speaks(msgspec.Struct, frozen=True, tag="speaks"):
    """The flow goes on in one of these languages."""

    languages: tuple[str, ...] = ()


class CaseIs(msgspec.Struct, frozen=True, tag="case_is"):
    """The case that was looked up is in one of these states: open, closed, void, merged."""

    states: tuple[str, ...] = ()


class Comes(msgspec.Struct, frozen=True, tag="comes"):
    """The contact comes by one of these channels."""

    channels: tuple[str, ...] = ()


AnyTest = Is | Words | Between | Like | Given | Hours | Known | Speaks | CaseIs | Comes
OF_A_VARIABLE = (Is, Words, Between, Like, Given)
"""Tests that need to be told which variable."""


def holds(test: AnyTest, value: str, facts: Mapping[str, str], hours: Mapping[str, bool]) -> bool:
    """Return whether a test holds. `facts` are the variables with `language`, `channel` and `known`."""
    match test:
        case Is(values):
            return any(plain(value) == plain(one) or (keys_of(value) != "" and keys_of(value) == keys_of(one)) for one in values)
        case Words():
            return _words(test, value)
        case Between(least=least, most=most):
            amount = amount_of(value)
            return amount is not None and (not least or amount >= Decimal(least)) and (not most or amount <= Decimal(most))
        case Like(pattern):
            return fits(pattern, value)
        case Given():
            return bool(value)
        case Hours(calendar):
            return hours.get(calendar, False)
        case Known():
            return facts.get("known") == "yes"
        case Speaks(languages):
            return facts.get("language", "") in languages
        case CaseIs(states):
            return facts.get("case.state", "") in states
        case Comes(channels):
            return facts.get("channel", "") in channels


def _words(test: Words, value: str) -> bool:
    match test.how:
        case "all":
            return bool(test.words) and all(has_word(value, word) for word in test.words)
        case "only":
            return any(plain(value).strip(" .!?。！？,，") == plain(word) for word in test.words)
        case "beginning":
            return any(plain(value).startswith(plain(word)) or words_of(value)[:1] == [plain(word)] for word in test.words if word)
        case "any":
            return any(has_word(value, word) for word in test.words)
