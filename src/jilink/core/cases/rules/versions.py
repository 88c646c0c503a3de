"""Versions of what operators design (case types, rules of assignment): drafted, published, retired. Only a draft ever changes."""

from enum import StrEnum


class Version(StrEnum):
    """What a version is."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


def may_change(state: str) -> bool:
    """Return whether a version may be changed, published or thrown away."""
    return state == Version.DRAFT


def may_retire(state: str) -> bool:
    """Return whether a version may be taken out of use."""
    return state == Version.PUBLISHED
