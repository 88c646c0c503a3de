"""What a schema finds wrong with a value, in the reader's language: one sentence for each kind of error of pydantic 2."""

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _

from jilink.kernel.texts import gettext_noop

_PLAIN = {
    "missing": gettext_noop("This is needed."),
    "extra_forbidden": gettext_noop("There is no such field."),
    "string_type": gettext_noop("This must be text."),
    "string_unicode": gettext_noop("This must be text."),
    "int_type": gettext_noop("This must be a whole number."),
    "int_parsing": gettext_noop("This must be a whole number."),
    "int_parsing_size": gettext_noop("This must be a whole number."),
    "int_from_float": gettext_noop("This must be a whole number."),
    "float_type": gettext_noop("This must be a number."),
    "float_parsing": gettext_noop("This must be a number."),
    "finite_number": gettext_noop("This must be a number."),
    "bool_type": gettext_noop("This must be true or false."),
    "bool_parsing": gettext_noop("This must be true or false."),
    "list_type": gettext_noop("This must be a list."),
    "tuple_type": gettext_noop("This must be a list."),
    "dict_type": gettext_noop("This must be an object."),
    "model_type": gettext_noop("This must be an object."),
    "model_attributes_type": gettext_noop("This must be an object."),
    "none_required": gettext_noop("This must be null."),
    "json_invalid": gettext_noop("This is no JSON."),
    "json_type": gettext_noop("This is no JSON."),
    "invalid_key": gettext_noop("This must be text."),
}
_VALUED = {
    "greater_than_equal": (gettext_noop("This must be at least %(value)s."), "ge"),
    "less_than_equal": (gettext_noop("This must be at most %(value)s."), "le"),
    "greater_than": (gettext_noop("This must be more than %(value)s."), "gt"),
    "less_than": (gettext_noop("This must be less than %(value)s."), "lt"),
    "string_too_short": (gettext_noop("This needs at least %(value)s characters."), "min_length"),
    "string_too_long": (gettext_noop("This may have at most %(value)s characters."), "max_length"),
    "too_short": (gettext_noop("This needs at least %(value)s entries."), "min_length"),
    "too_long": (gettext_noop("This may have at most %(value)s entries."), "max_length"),
    "string_pattern_mismatch": (gettext_noop("This must look like %(value)s."), "pattern"),
    "enum": (gettext_noop("This must be one of %(value)s."), "expected"),
    "literal_error": (gettext_noop("This must be one of %(value)s."), "expected"),
}
_OURS = re.compile(r"(?:Value error, )+")


def words(error: Mapping[str, object]) -> str:
    """Return what is wrong in the reader's language. Our own checks say it themselves; a kind that is not known here stays in English."""
    kind, context = str(error.get("type", "")), error.get("ctx")
    if kind in _PLAIN:
        return _(_PLAIN[kind])
    if kind in _VALUED and isinstance(context, Mapping):
        sentence, name = _VALUED[kind]
        return _(sentence) % {"value": str(context.get(name, "")).replace(" or ", ", ")}
    return _(_OURS.sub("", str(error.get("msg", ""))))
