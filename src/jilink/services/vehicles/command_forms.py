"""Forms for orders, made from the declarations: every kind of field has one way to be asked for, and none is typed twice.

Numbers are asked for in their unit and given on as the wire's integers.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from jilink.protocols.wire.groups import Repeat, Switch, Tagged, When
from jilink.protocols.wire.joined import Joined
from jilink.protocols.wire.kinds import AnyKind, Bcd, Bytes, Flags, Number, Text
from jilink.protocols.wire.records import Nested, Record
from jilink.protocols.wire.times import ClockTime, Day, Moment, Time
from jilink.services.vehicles.rules import CommandRefused
from jilink.services.vehicles.words import unit, word

LARGEST_FILE = 2 << 20
Cleaned = Mapping[str, Any]  # Django's cleaned_data
Posted = Any  # Django's QueryDict, MultiValueDict or None
Declared = Any  # the kind that `_MAKERS` lists the function for


@dataclass(frozen=True, slots=True)
class Part:
    """What one declared field asks for, and how the answers make its value; None leaves the field out."""

    inputs: dict[str, forms.Field]
    value: Callable[[Cleaned], object]
    needs_file: bool = field(default=False)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What people usually want of a form: what stands in it at first, what must not be left empty, and what its fields mean here."""

    initial: Mapping[str, object] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    labels: Mapping[str, str | Promise] = field(default_factory=dict)
    helps: Mapping[str, str | Promise] = field(default_factory=dict)
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Narrower bounds than the wire's, in the field's unit."""
    long: frozenset[str] = frozenset()
    """Texts with room for more than a line."""
    options: Mapping[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Lists of numbers that are chosen by name."""


class FieldNeeded(CommandRefused):
    """A field is empty that the others call for."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


NO_WISHES = Wishes()


def form_for(record: type[Record], data: Posted = None, files: Posted = None, wishes: Wishes = NO_WISHES) -> "CommandForm":
    """Return the form of a message, bound where data is given."""
    return CommandForm(_group(record, ""), data, files, wishes)


class CommandForm(forms.Form):
    """A form of one message; `fields_given` after validation are the fields of a CommandRequest."""

    def __init__(self, part: Part, data: Posted, files: Posted, wishes: Wishes = NO_WISHES) -> None:
        super().__init__(data, files)
        self.part = part
        self.fields.update(part.inputs)
        for name, options in wishes.options.items():
            if name in self.fields:
                self.fields[name] = forms.MultipleChoiceField(choices=options, widget=forms.CheckboxSelectMultiple)
        for name, asked in self.fields.items():
            _wish(asked, name, wishes)
        self._given: dict[str, object] = {}

    def clean(self) -> dict[str, Any]:
        """Make the message's fields, so that what does not fit together is said beside the form."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                given = self.part.value(cleaned)
            except FieldNeeded as error:
                self.add_error(error.field, str(error))
                return cleaned
            except CommandRefused as error:
                raise forms.ValidationError(str(error)) from error
            self._given = given if isinstance(given, dict) else {}
        return cleaned

    def fields_given(self) -> dict[str, object]:
        """Return the message's fields as JSON."""
        return self._given


def _wish(asked: forms.Field, name: str, wishes: Wishes) -> None:
    asked.initial = wishes.initial.get(name)
    asked.required = asked.required or name in wishes.required
    if name in wishes.labels:
        _name, unit_after, mark = str(asked.label or "").rpartition(" (")
        asked.label = f"{wishes.labels[name]}{unit_after}{mark if unit_after else ''}"
    asked.help_text = str(wishes.helps.get(name, asked.help_text))
    if name in wishes.long:
        asked.widget = forms.Textarea(attrs={"rows": 3, **asked.widget.attrs})
    if name in wishes.limits and isinstance(asked, forms.IntegerField):  # a FloatField is one too
        low, high = wishes.limits[name]
        asked.validators += [MinValueValidator(low), MaxValueValidator(high)]
        asked.widget.attrs |= {"min": low, "max": high}


def _group(record: type[Record], prefix: str) -> Part:
    parts = {name: _part(kind, f"{prefix}{name}", required=True) for name, kind in record.fields().items()}
    inputs = {key: asked for part in parts.values() for key, asked in part.inputs.items()}

    def value(cleaned: Cleaned) -> object:
        values = {name: part.value(cleaned) for name, part in parts.items()}
        given = {name: each for name, each in values.items() if each is not None}
        for name, kind in record.fields().items():
            if isinstance(kind, When) and kind.condition is not None:
                _fit(kind, name, given, f"{prefix}{name}")
        return given

    return Part(inputs, value, any(part.needs_file for part in parts.values()))


def _fit(kind: Declared, name: str, given: dict[str, object], asked: str) -> None:
    """Ask for a field that the other fields call for, and leave out one that they do not."""
    if not kind.condition(SimpleNamespace(**given)):
        given.pop(name, None)
    elif name not in given:
        raise FieldNeeded(asked, _("%(field)s is needed for what you chose.") % {"field": word(name)})


def _part(kind: AnyKind, name: str, *, required: bool) -> Part:
    for accepted, make in _MAKERS:
        if isinstance(kind, accepted):
            return make(kind, name, required)
    raise TypeError(f"no form for {type(kind).__name__}")


def _label(kind: AnyKind) -> dict[str, Any]:  # arguments of a form field
    return {"label": f"{word(kind.name)} ({unit(kind.unit)})" if kind.unit else word(kind.name)}


def _number(kind: Declared, name: str, required: bool) -> Part:
    assert isinstance(kind, Number)  # noqa: S101 -- tells the type checker what the table below guarantees
    if kind.choices:
        meanings = Counter(kind.choices.values())
        choices = [
            (str(code), word(meaning) if meanings[meaning] == 1 else f"{word(meaning)} (0x{code:02X})")
            for code, meaning in sorted(kind.choices.items())
        ]
        asked: forms.Field = forms.ChoiceField(choices=choices, required=required, **_label(kind))
        return Part({name: asked}, lambda cleaned: int(cleaned[name]) if cleaned.get(name) else None)
    low, high = (round(edge * kind.scale + kind.offset, 9) for edge in (kind.minimum, kind.maximum))
    low, high = max(low, kind.low if kind.low is not None else low), min(high, kind.high if kind.high is not None else high)
    if kind.scale == 1 and kind.offset == 0:
        asked = forms.IntegerField(min_value=int(low), max_value=int(high), required=required, **_label(kind))
    else:
        asked = forms.FloatField(min_value=low, max_value=high, required=required, **_label(kind))
    return Part({name: asked}, lambda cleaned: None if cleaned.get(name) is None else round((cleaned[name] - kind.offset) / kind.scale))


def _flags(kind: Declared, name: str, required: bool) -> Part:
    choices = [(str(bit), word(meaning)) for bit, meaning in sorted(kind.bits.items())]
    inputs: dict[str, forms.Field] = {
        name: forms.MultipleChoiceField(choices=choices, required=False, widget=forms.CheckboxSelectMultiple, **_label(kind))
    }
    for part, (_low, _width, meanings) in kind.parts.items():
        options = [(str(code), word(meaning)) for code, meaning in sorted(meanings.items())]
        inputs[f"{name}.{part}"] = forms.ChoiceField(choices=options, required=required, label=word(part))

    def value(cleaned: Cleaned) -> object:
        total = sum(1 << int(bit) for bit in cleaned.get(name) or [])
        for part, (low, _width, _meanings) in kind.parts.items():
            total |= int(cleaned.get(f"{name}.{part}") or 0) << low
        return total

    return Part(inputs, value)


def _text(kind: Declared, name: str, required: bool) -> Part:
    size = kind.size if isinstance(kind, Text) else None
    asked = forms.CharField(max_length=size or 500, required=False, **_label(kind))
    return Part({name: asked}, lambda cleaned: cleaned.get(name) or "")


def _digits(kind: Declared, name: str, required: bool) -> Part:
    asked = forms.RegexField(regex=r"^[0-9]*$", max_length=kind.digits, required=False, **_label(kind))
    return Part({name: asked}, lambda cleaned: (cleaned.get(name) or "").rjust(kind.digits, "0"))


class _SmallFile(forms.FileField):
    def clean(self, data: Posted, initial: Posted = None) -> Posted:
        file = super().clean(data, initial)
        if isinstance(file, UploadedFile) and (file.size or 0) > LARGEST_FILE:
            raise forms.ValidationError(_("The file is larger than 2 MB."))
        return file


def _bytes(kind: Declared, name: str, required: bool) -> Part:
    asked = _SmallFile(required=required, **_label(kind))

    def value(cleaned: Cleaned) -> object:
        file = cleaned.get(name)
        return file.read().hex() if file else ""

    return Part({name: asked}, value, needs_file=True)


def _when(kind: Declared, name: str, required: bool) -> Part:
    inner = _part(kind.kind, name, required=False)
    for asked in inner.inputs.values():
        asked.required = False

    def value(cleaned: Cleaned) -> object:
        given = any(cleaned.get(key) not in (None, "", []) for key in inner.inputs)
        return inner.value(cleaned) if given else None

    return Part(inner.inputs, value, inner.needs_file)


def _repeat(kind: Declared, name: str, required: bool) -> Part:
    if isinstance(kind.kind, Number):
        asked = forms.RegexField(
            regex=r"^\s*(0x[0-9A-Fa-f]+|[0-9]+)([,\s]+(0x[0-9A-Fa-f]+|[0-9]+))*\s*$",
            help_text=_("Numbers, separated by commas"),
            **_label(kind),
        )
        return Part({name: asked}, lambda cleaned: _numbers(cleaned[name]))
    inner = _part(kind.kind, f"{name}.", required=True)
    return Part(inner.inputs, lambda cleaned: [inner.value(cleaned)], inner.needs_file)


def _numbers(given: str | list[str]) -> list[int]:
    return [int(number, 0) for number in (given.replace(",", " ").split() if isinstance(given, str) else given)]


def _nested(kind: Declared, name: str, required: bool) -> Part:
    return _group(kind.record, name if name.endswith(".") else f"{name}.")


def _switch(kind: Declared, name: str, required: bool) -> Part:
    """Ask for the one kind there is, or for a text that is split where the other field's value wants parts."""
    if len(kind.kinds) == 1:
        return _part(next(iter(kind.kinds.values())), name, required=required)
    chooser = f"{name.rpartition('.')[0]}.{kind.on}".lstrip(".")
    asked = forms.CharField(max_length=500, required=False, **_label(kind))

    def value(cleaned: Cleaned) -> object:
        chosen, text = kind.kinds.get(int(cleaned.get(chooser) or 0)), cleaned.get(name) or ""
        if not isinstance(chosen, Joined):
            return text
        if not text.strip():
            raise FieldNeeded(name, _("What you chose needs its parameters."))
        return text.split(chosen.separator)

    return Part({name: asked}, value)


def _day(kind: Declared, name: str, required: bool) -> Part:
    asked = forms.DateField(required=required, widget=forms.DateInput(attrs={"type": "date"}), **_label(kind))
    return Part({name: asked}, lambda cleaned: cleaned[name].isoformat() if cleaned.get(name) else None)


def _clock(kind: Declared, name: str, required: bool) -> Part:
    asked = forms.TimeField(required=required, widget=forms.TimeInput(attrs={"type": "time"}), **_label(kind))
    return Part({name: asked}, lambda cleaned: cleaned[name].isoformat() if cleaned.get(name) else None)


def _moment(kind: Declared, name: str, required: bool) -> Part:
    asked = forms.DateTimeField(required=required, widget=forms.DateTimeInput(attrs={"type": "datetime-local"}), **_label(kind))
    return Part({name: asked}, lambda cleaned: cleaned[name].isoformat() if cleaned.get(name) else None)


def _tagged(kind: Declared, name: str, required: bool) -> Part:
    """Ask for one item: which, and its value. Only numbers and texts can be typed in."""
    items = {
        one.name: one for kinds in kind.kinds.values() for one in kinds if isinstance(one, Number | Text) and not isinstance(one, Flags)
    }
    choices = [(key, f"{word(key)} ({unit(one.unit)})" if one.unit else word(key)) for key, one in items.items()]
    inputs: dict[str, forms.Field] = {
        f"{name}.item": forms.ChoiceField(choices=choices, label=word("parameter")),
        f"{name}.value": forms.CharField(max_length=200, required=False, label=word("value")),
    }

    def value(cleaned: Cleaned) -> object:
        chosen, text = cleaned[f"{name}.item"], cleaned[f"{name}.value"]
        one = items[chosen]
        if not isinstance(one, Number):
            return {chosen: text}
        try:
            return {chosen: round((float(text) - one.offset) / one.scale)}
        except ValueError as error:
            raise FieldNeeded(f"{name}.value", _("This parameter is a number.")) from error

    return Part(inputs, value)


_MAKERS: list[tuple[type, Callable[[Declared, str, bool], Part]]] = [
    (Flags, _flags),
    (Number, _number),
    (Text, _text),
    (Bcd, _digits),
    (Bytes, _bytes),
    (Moment, _clock),
    (ClockTime, _clock),
    (Time, _moment),
    (Day, _day),
    (When, _when),
    (Repeat, _repeat),
    (Nested, _nested),
    (Switch, _switch),
    (Tagged, _tagged),
]
