"""What stands in the description under one name is one thing: two enumerations of a name would hide each other in the client."""

import enum
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from jilink.site.api import api


def shapes(of: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in of.__subclasses__():
        yield one
        yield from shapes(one)


def enumerations(annotation: Any) -> Iterator[type[enum.Enum]]:
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        yield annotation
    for inner in get_args(annotation):
        yield from enumerations(inner)


def test_no_two_enumerations_of_the_description_share_a_name() -> None:
    assert api.get_openapi_schema()["paths"]
    named: dict[str, set[type[enum.Enum]]] = defaultdict(set)
    for shape in shapes(BaseModel):
        if shape.__module__.startswith("jilink."):
            for field in shape.model_fields.values():
                for each in enumerations(field.annotation):
                    named[each.__name__].add(each)
    assert {name: found for name, found in named.items() if len(found) > 1} == {}
