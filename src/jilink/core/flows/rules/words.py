"""What is said: words by language with variables in braces, written for those who read and spelled out for those who listen.

``{name}`` stands for a variable, ``{name:digits}`` for one whose digits are to be said one by one: 三八幺 零二四 九六七幺.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

LANGUAGES = ("zh", "en", "ko")
"""Languages that flows can speak; the first two are those of the pages."""
LONGEST_WORDS = 1000
LONGEST_PROMPT_S = 90
"""Nobody remembers the beginning of a longer one."""
VARIABLE = re.compile(r"[a-z][a-z0-9_]{0,39}(?:\.[a-z][a-z0-9_]{0,39})?")
_PLACE = re.compile(r"\{([^{}]*)\}")
_SPOKEN = {"zh": ("零幺二三四五六七八九", ""), "en": ("0123456789", " "), "ko": ("공일이삼사오육칠팔구", "")}
"""Digits as telephonists say them, and what stands between two of them. English engines read single digits by themselves."""
_GROUP = {10: (3, 6), 11: (3, 7)}
"""Where digits of a length are parted: case numbers 3-3-4, mobile numbers 3-4-4."""
_LETTERS_A_SECOND = {"zh": 4.0, "ko": 5.0, "en": 14.0}

Form = Literal["", "digits"]


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """The same thing to say in each language: words, or where there is one a recording of them."""

    words: Mapping[str, str] = {}
    recorded: Mapping[str, str] = {}
    """Names of recordings, by language; the words then are what those read who do not listen."""

    def __bool__(self) -> bool:
        return any(self.words.values()) or any(self.recorded.values())

    def in_(self, language: str, usual: str) -> tuple[str, str, str]:
        """Return words, recording and their language: the wanted one's, or the usual one's where it has none."""
        for one in (language, usual, *sorted({*self.words, *self.recorded})):
            if self.words.get(one) or self.recorded.get(one):
                return self.words.get(one, ""), self.recorded.get(one, ""), one
        return "", "", language


def places(words: str) -> Iterator[tuple[str, str]]:
    """Yield name and form of each variable in a text, in order."""
    for found in _PLACE.finditer(words):
        name, _, form = found[1].partition(":")
        yield name, form


def well_formed(words: str) -> bool:
    """Return whether braces come in pairs, with a variable and a known form between them."""
    rest = _PLACE.sub("", words)
    return not set("{}") & set(rest) and all(VARIABLE.fullmatch(name) and form in {"", "digits"} for name, form in places(words))


def render(words: str, variables: Mapping[str, str], language: str, *, aloud: bool) -> str:
    """Return the text with its variables; one that nobody set is left out."""

    def one(found: re.Match[str]) -> str:
        name, _, form = found[1].partition(":")
        value = variables.get(name, "")
        return digit_by_digit(value, language) if form == "digits" and aloud else value

    return _PLACE.sub(one, words)


def digit_by_digit(value: str, language: str) -> str:
    """Return digits as they are read out, in groups with a pause between them; other signs as they are."""
    digits, between = _SPOKEN.get(language, _SPOKEN["en"])
    signs = [sign for sign in value if not sign.isspace()]
    said = [digits[int(sign)] if sign in "0123456789" else sign for sign in signs]
    cuts = _GROUP.get(len(said), ())
    groups = [said[first:last] for first, last in zip((0, *cuts), (*cuts, len(said)), strict=True)]
    return (" " if language == "ko" else ", " if language == "en" else "，").join(between.join(group) for group in groups if group)


def seconds_to_say(words: str, language: str) -> float:
    """Return about how long it takes to say a text: the speed at which speech engines read, a word a variable."""
    return len(_PLACE.sub("aaaaaaaa", words)) / _LETTERS_A_SECOND.get(language, 14.0)
