"""The kinds of values that requests and answers are made of, so that each is checked alike everywhere."""

import json
import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Self

from ninja import Schema
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationInfo,
    model_validator,
)

from jilink.kernel.texts import gettext_noop

BIGGEST = 2**63 - 1
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _clean(value: str) -> str:
    """Refuse what no database keeps: NUL and halves of surrogate pairs."""
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(gettext_noop("Text must not contain NUL or halves of surrogate pairs."))
    return value


def _spelt_time(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError(gettext_noop("A time is written like 2026-11-22T08:00:00Z (RFC 3339), with its zone."))
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError(gettext_noop("This time lies outside the calendar.")) from None


def _spelt_day(value: object) -> object:
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError(gettext_noop("A day is written like 2026-11-22."))
    return date.fromisoformat(value)


def _spelt_flag(value: object) -> object:
    if isinstance(value, str):
        if value not in ("true", "false"):
            raise ValueError(gettext_noop("Say true or false."))
        return value == "true"
    return value


Id = Annotated[int, Field(ge=1, le=BIGGEST)]
Words = Annotated[str, AfterValidator(_clean)]
Line = Annotated[str, Field(max_length=200), AfterValidator(_clean)]
"""Words of one line."""
Long = Annotated[str, Field(max_length=20_000), AfterValidator(_clean)]
Time = Annotated[datetime, BeforeValidator(_spelt_time)]
Day = Annotated[date, BeforeValidator(_spelt_day)]
Flag = Annotated[bool, BeforeValidator(_spelt_flag)]
"""Of a query: ``true`` or ``false``."""
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, description="Degrees east, WGS-84.")]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, description="Degrees north, WGS-84.")]


class In(BaseModel):
    """What a request's body holds. It is read strictly: no word stands for a number, and no field is unknown."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _strictly(cls, data: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:  # noqa: ANN401 -- pydantic's own
        if info.mode == "json" or isinstance(data, cls):
            return handler(data)
        return cls.model_validate_json(json.dumps(data), strict=True)


class Out(Schema):
    """What an answer's body holds, read from the attributes of a view."""


class TextOut(Out):
    """Words in both languages; one may be empty."""

    zh: str
    en: str


class TextIn(In):
    """Words in both languages; one may be empty, then the other stands for it."""

    zh: Words = ""
    en: Words = ""


class MadeOut(Out):
    """The number of what was made."""

    id: int
