"""Two people edit one case: what each changed is kept, and where both changed the same field, both are told.

A form remembers the value each field had when it was read (its base). A change applies where the field still has that value, or
already has the new one; anywhere else it is a conflict that names the field with all three values, and nothing at all is written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Conflict(Generic[V]):
    """One field that two changed: what the editor read, what another wrote meanwhile, what the editor wants."""

    base: V
    theirs: V
    yours: V


@dataclass(frozen=True, slots=True)
class Merged(Generic[V]):
    """Which fields to write (old and new value), and which are in conflict. Write only where there is no conflict."""

    changed: Mapping[str, tuple[V, V]]
    conflicts: Mapping[str, Conflict[V]]


def merge(current: Mapping[str, V], base: Mapping[str, V], wanted: Mapping[str, V], missing: V) -> Merged[V]:
    """Return what an edit comes to. `missing` stands for a field without value, in any of the three.

    A field of `wanted` that is not in `base` was empty when it was read. Fields outside `wanted` are not touched.
    """
    changed: dict[str, tuple[V, V]] = {}
    conflicts: dict[str, Conflict[V]] = {}
    for field, yours in wanted.items():
        theirs, read = current.get(field, missing), base.get(field, missing)
        if yours == theirs:
            continue
        if yours == read:  # the editor did not change it; another did
            continue
        if theirs == read:
            changed[field] = (theirs, yours)
        else:
            conflicts[field] = Conflict(read, theirs, yours)
    return Merged(changed, conflicts)
