"""Kinds of assets as data: which attributes each has, what they may be, and what its codes look like. Pure.

A kind is stored as JSON and read back into these structs; what does not fit is refused with its place.
"""

import re
from collections.abc import Mapping
from datetime import date
from math import inf

import msgspec

from jilink.kernel.errors import Refused
from jilink.kernel.patterns import PatternRefused, check_pattern, fits
from jilink.kernel.texts import Text

MOST_ATTRIBUTES = 40
LONGEST_TEXT = 400
_KEY = re.compile(r"[a-z][a-z0-9_]{0,29}")
Value = str | float | int | bool
"""What an attribute holds; dates are ISO 8601 text."""


class KindRefused(Refused):
    """A kind of asset cannot be so."""


class AttributeRefused(Refused):
    """An asset of this kind cannot have that."""


class Attribute(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """One thing known of every asset of a kind."""

    key: str
    title: Text
    required: bool = False

    def read(self, given: object) -> Value:
        """Return the value as it is kept. Raises AttributeRefused."""
        raise NotImplementedError


class TextAttribute(Attribute, frozen=True, kw_only=True, tag="text"):
    """Words, perhaps of a pattern (a regular expression that the whole must match)."""

    pattern: str = ""

    def read(self, given: object) -> str:
        """Return the words without blanks around them."""
        text = str(given).strip()
        if len(text) > LONGEST_TEXT or not text.isprintable():
            raise AttributeRefused("%(attribute)s is too long, or not readable.", attribute=self.title)
        if self.pattern and not fits(self.pattern, text):
            raise AttributeRefused("%(attribute)s does not look like %(pattern)s.", attribute=self.title, pattern=self.pattern)
        return text


class NumberAttribute(Attribute, frozen=True, kw_only=True, tag="number"):
    """A number with its unit."""

    unit: str = ""
    least: float | None = None
    most: float | None = None

    def read(self, given: object) -> float:
        """Return the number."""
        try:
            number = float(str(given).strip())
        except ValueError:
            raise AttributeRefused("%(attribute)s is not a number.", attribute=self.title) from None
        if number != number or (self.least is not None and number < self.least) or (self.most is not None and number > self.most):
            least, most = ("…" if bound is None else bound for bound in (self.least, self.most))
            raise AttributeRefused(
                "%(attribute)s must lie between %(least)s and %(most)s %(unit)s.",
                attribute=self.title,
                least=least,
                most=most,
                unit=self.unit,
            )
        return number


class ChoiceAttribute(Attribute, frozen=True, kw_only=True, tag="choice"):
    """One of some words."""

    choices: dict[str, Text]

    def read(self, given: object) -> str:
        """Return the word's key."""
        if str(given) not in self.choices:
            raise AttributeRefused("%(attribute)s must be one of %(choices)s.", attribute=self.title, choices=", ".join(self.choices))
        return str(given)


class DateAttribute(Attribute, frozen=True, kw_only=True, tag="date"):
    """A day."""

    def read(self, given: object) -> str:
        """Return the day (ISO 8601)."""
        try:
            return date.fromisoformat(str(given).strip()).isoformat()
        except ValueError:
            raise AttributeRefused("%(attribute)s is not a day like 2026-11-22.", attribute=self.title) from None


class FlagAttribute(Attribute, frozen=True, kw_only=True, tag="flag"):
    """Yes or no."""

    def read(self, given: object) -> bool:
        """Return whether it is so."""
        words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
        found = given if isinstance(given, bool) else words.get(str(given).strip().lower())
        if found is None:
            raise AttributeRefused("%(attribute)s must be yes or no.", attribute=self.title)
        return found


AnyAttribute = TextAttribute | NumberAttribute | ChoiceAttribute | DateAttribute | FlagAttribute


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What all assets of a kind have in common. `code` is the pattern of their codes, such as ``[0-9]{16}``; empty for any."""

    title: Text
    attributes: tuple[AnyAttribute, ...] = ()
    code: str = ""


def decode(text: str | bytes) -> Kind:
    """Return a kind from JSON. Raises KindRefused with the place."""
    try:
        kind = msgspec.json.decode(text, type=Kind)
    except msgspec.DecodeError as error:
        raise KindRefused("This kind of asset cannot be read: %(error)s", error=str(error)) from error
    check(kind)
    return kind


def encode(kind: Kind) -> str:
    """Return a kind as JSON."""
    return msgspec.json.encode(kind).decode()


def check(kind: Kind) -> None:
    """Return where a kind can be used. Raises KindRefused."""
    keys = [attribute.key for attribute in kind.attributes]
    if not kind.title:
        raise KindRefused("A kind of asset needs a title.")
    if len(keys) > MOST_ATTRIBUTES or len(set(keys)) < len(keys):
        raise KindRefused("At most %(most)d attributes, each with a key of its own.", most=MOST_ATTRIBUTES)
    for attribute in kind.attributes:
        if not _KEY.fullmatch(attribute.key) or not attribute.title:
            raise KindRefused("Attribute “%(key)s” needs a title, and a key of small letters, digits and _.", key=attribute.key)
        if isinstance(attribute, ChoiceAttribute) and not attribute.choices:
            raise KindRefused("Attribute “%(key)s” has nothing to choose from.", key=attribute.key)
        if isinstance(attribute, NumberAttribute) and (-inf if attribute.least is None else attribute.least) > (
            inf if attribute.most is None else attribute.most
        ):
            raise KindRefused("The least of attribute “%(key)s” is more than its most.", key=attribute.key)
    for place, pattern in (("code", kind.code), *((a.key, a.pattern) for a in kind.attributes if isinstance(a, TextAttribute))):
        try:
            check_pattern(pattern)
        except PatternRefused as error:
            raise KindRefused("The pattern of “%(place)s” cannot be read.", place=place) from error


def read_attributes(kind: Kind, given: Mapping[str, object]) -> dict[str, Value]:
    """Return the attributes as they are kept: those given and not empty. Raises AttributeRefused."""
    known = {attribute.key: attribute for attribute in kind.attributes}
    strange = sorted(set(given) - set(known))
    if strange:
        raise AttributeRefused("Assets of this kind have no “%(key)s”.", key=strange[0])
    kept = {key: known[key].read(value) for key, value in given.items() if value is not None and str(value).strip()}
    lacking = next((attribute for attribute in kind.attributes if attribute.required and attribute.key not in kept), None)
    if lacking is not None:
        raise AttributeRefused("%(attribute)s is missing.", attribute=lacking.title)
    return kept


def check_code(kind: Kind, code: str) -> None:
    """Return where a code looks as those of its kind do; an asset may have none. Raises AttributeRefused."""
    if code and kind.code and not fits(kind.code, code):
        raise AttributeRefused("The code “%(code)s” does not look like %(pattern)s.", code=code, pattern=kind.code)
