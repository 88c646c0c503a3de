"""Words of a case type that stand in one language only: fit for work, and half of its readers read the other language."""

from collections.abc import Iterator

import msgspec

from jilink.core.cases.rules.definition import Definition
from jilink.core.cases.rules.problems import Problem
from jilink.kernel.texts import gettext_noop

NO_CHINESE = gettext_noop("The Chinese words are missing.")
NO_ENGLISH = gettext_noop("The English words are missing.")


def half_said(definition: Definition) -> tuple[Problem, ...]:
    """Return every place whose words are there in one language alone."""
    return tuple(_walk("$", msgspec.to_builtins(definition)))


def _walk(place: str, value: object) -> Iterator[Problem]:
    if isinstance(value, dict):
        if value.keys() == {"zh", "en"}:
            if bool(value["zh"]) != bool(value["en"]):
                yield Problem(place, NO_ENGLISH if value["zh"] else NO_CHINESE)
            return
        for name, each in value.items():
            yield from _walk(f"{place}.{name}", each)
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from _walk(f"{place}[{number}]", each)
