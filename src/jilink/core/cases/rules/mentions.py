"""Whom a note calls: ``@`` and a name, in scripts that leave spaces between words and in those that do not."""

from collections.abc import Mapping


def called_in(text: str, names: Mapping[int, tuple[str, ...]]) -> frozenset[int]:
    """Return who is called in a text, of people with these names. Where several fit, the longest name does: ``@王芳芳`` is not 王芳.

    Two people of one name are both called.
    """
    known: dict[str, set[int]] = {}
    for number, each in names.items():
        for name in each:
            if name.strip():
                known.setdefault(name.strip().lower(), set()).add(number)
    longest_first = sorted(known, key=len, reverse=True)
    lowered, found = text.lower(), set[int]()
    for place, sign in enumerate(lowered):
        if sign == "@":
            rest = lowered[place + 1 :]
            name = next((each for each in longest_first if rest.startswith(each) and _ends(each, rest[len(each) :])), "")
            found |= known.get(name, set())
    return frozenset(found)


def _ends(name: str, after: str) -> bool:
    """Return whether a name ends there: in a script with spaces, no letter or digit of it follows."""
    return not (name[-1:].isascii() and after[:1].isascii() and after[:1].isalnum())
