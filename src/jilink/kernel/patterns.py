"""Regular expressions that operators write, and that everybody's words are then tried on: only those that end soon.

Python's `re` walks back, and some patterns take time that doubles with each letter (OWASP, "Regular expression Denial of Service").
What is refused here is a repetition of something that is itself of no fixed shape, as in ``(a+)+`` or ``(a|aa)*``, and a reference back;
what is left needs at most the fourth power of the length, and longer words than `MOST_LETTERS` fit no pattern.
"""

import re

from jilink.kernel.errors import Refused

MOST_LETTERS = 200
MOST_ENDLESS = 4
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEAT = re.compile(r"\*|\+|\{(?P<least>\d*)(?P<comma>,?)(?P<most>\d*)\}")


class PatternRefused(Refused):
    """This is no regular expression, or one that might not end."""


def check_pattern(pattern: str) -> None:
    """Return where a pattern can be read and ends soon on any words. Raises PatternRefused."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternRefused("This is no regular expression: %(error)s.", error=str(error)) from error
    if _endless(pattern):
        raise PatternRefused("This pattern could take too long: do not repeat a group that repeats or chooses inside, nor refer back.")


def fits(pattern: str, words: str) -> bool:
    """Return whether the whole of the words is of the pattern."""
    return len(words) <= MOST_LETTERS and re.fullmatch(pattern, words) is not None


def _endless(pattern: str) -> bool:
    loose = [False]
    """For each group that is open, the pattern itself first: whether something in it is of no fixed shape."""
    place, endless, closed = 0, 0, False
    while place < len(pattern):
        inner, here = closed, pattern[place]
        closed = False
        repeat = _REPEAT.match(pattern, place)
        if here == "\\":
            if pattern[place + 1 : place + 2].isdecimal() and pattern[place + 1] != "0":
                return True
            place += 2
        elif here == "[" and (found := _CLASS.match(pattern, place)):
            place = found.end()
        elif here == "(":
            if pattern.startswith(("(?P=", "(?("), place):
                return True
            loose.append(False)
            place += 1
        elif here == ")":
            closed = loose.pop()
            loose[-1] = loose[-1] or closed
            place += 1
        elif repeat is not None:
            if inner:
                return True
            fixed = repeat["least"] is not None and not repeat["comma"]
            endless += 0 if fixed or repeat["most"] else 1
            loose[-1] = loose[-1] or not fixed
            place = repeat.end()
        else:
            loose[-1] = loose[-1] or here in "|?"
            place += 1
    return endless > MOST_ENDLESS
