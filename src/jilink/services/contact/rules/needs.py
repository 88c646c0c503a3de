"""What a contact needs of whoever serves it, and how that softens while it waits."""

import msgspec

Skills = tuple[tuple[str, int], ...]
"""Skills with their least level, 1 to 5, sorted by name."""


class Need(msgspec.Struct, frozen=True, gc=False):
    """What an agent must have: every skill at its level, and one of the languages (none named: any will do)."""

    skills: Skills = ()
    languages: tuple[str, ...] = ()


class Softening(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """After so long a wait, less is asked: levels fall by `lower`, skills of `without` and the language are not asked for."""

    after_s: int
    lower: int = 0
    without: tuple[str, ...] = ()
    any_language: bool = False


LANGUAGE = "lang."
"""Skills that begin so are languages: ``lang.ko``."""


def need_of(asked: tuple[str, ...], required: Skills) -> Need:
    """Return what a contact needs: what a flow asked for, at any level, and what its queue requires."""
    levels = {**dict.fromkeys(asked, 1), **dict(required)}
    languages = tuple(sorted(key.removeprefix(LANGUAGE) for key in levels if key.startswith(LANGUAGE)))
    return Need(tuple(sorted((key, level) for key, level in levels.items() if not key.startswith(LANGUAGE))), languages)


def softened(need: Need, steps: tuple[Softening, ...], waited_ms: int) -> Need:
    """Return what is asked after a wait. The steps add up; a level never falls below 1, only `without` takes a skill away."""
    skills, languages = need.skills, need.languages
    for step in steps:
        if step.after_s * 1000 > waited_ms:
            continue
        skills = tuple((name, max(1, level - step.lower)) for name, level in skills if name not in step.without)
        languages = () if step.any_language else languages
    return Need(skills, languages)


def next_softening(steps: tuple[Softening, ...], waited_ms: int) -> int | None:
    """Return after how long a wait, in ms, the next step comes; None after the last."""
    return min((step.after_s * 1000 for step in steps if step.after_s * 1000 > waited_ms), default=None)


def fits(need: Need, skills: dict[str, int], languages: frozenset[str]) -> bool:
    """Return whether somebody with these skills and languages may serve it."""
    if need.languages and not languages.intersection(need.languages):
        return False
    return all(skills.get(name, 0) >= level for name, level in need.skills)
