"""Forms of rules, one a kind of condition: what is entered becomes `conditions.Condition`, and the other way round."""

import json
import re
from collections.abc import Callable

from django import forms
from django.utils.translation import gettext_lazy as _

from jilink.core.observations import conditions
from jilink.core.observations.actions import RuleData
from jilink.core.observations.conditions import Condition, Flags, Geofence, Rate, RuleRefused, Silence, Threshold
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.services.vehicles.command_forms import Posted
from jilink.services.vehicles.pages.entry import organisation_field
from jilink.services.vehicles.words import lazy_word

KINDS = {
    "threshold": _("A value beyond a limit"),
    "geofence": _("Inside or outside a fence"),
    "silence": _("No signal"),
    "rate": _("A value that changes fast"),
    "flags": _("A signal of the device"),
}
MINUTES = _("For how many minutes (0: at once)")


def _values() -> list[tuple[str, object]]:
    return [(name, lazy_word(name)) for name in sorted(conditions.SCALES, key=lambda name: name != "speed")]


class RuleForm(forms.Form):
    """What every rule has."""

    kind = ""
    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Alarms carry this name."))
    level = forms.TypedChoiceField(
        label=_("Level"), choices=[("", _("none")), ("1", "1"), ("2", "2")], coerce=int, empty_value=None, required=False
    )
    enabled = forms.BooleanField(label=_("Switched on"), required=False, initial=True)

    def __init__(self, actor: Actor, data: Posted = None, initial: Posted = None, *, known: bool = False) -> None:
        super().__init__(data, initial=initial)
        if not known:
            self.fields["organisation"] = organisation_field(actor, Permission.MANAGE_RULES)
            self.order_fields(["organisation"])

    def condition(self) -> Condition:
        """Return what was entered. Raises RuleRefused."""
        raise NotImplementedError

    def rule(self) -> RuleData:
        """Return the rule that was entered. Raises RuleRefused."""
        given = self.cleaned_data
        condition = conditions.check(self.condition())
        return RuleData(name=given["name"], condition=condition, level=given["level"], enabled=given["enabled"])

    def seconds(self) -> int:
        """Return the duration entered, in seconds."""
        return round(float(self.cleaned_data["minutes"]) * 60)


class ThresholdForm(RuleForm):
    """A limit with its hysteresis."""

    kind = "threshold"
    value = forms.ChoiceField(label=_("Value"), choices=_values)
    side = forms.ChoiceField(label=_("Alarm where it is"), choices=[("above", _("above the limit")), ("below", _("below the limit"))])
    limit = forms.FloatField(label=_("Limit"), help_text=_("In the value's unit: km/h, L, km, m, °C."))
    clear = forms.FloatField(label=_("Over at"), help_text=_("The alarm ends only here, so that it does not come and go around the limit."))
    minutes = forms.FloatField(label=MINUTES, min_value=0, max_value=10080, initial=0)

    def condition(self) -> Condition:
        """Return what was entered."""
        given = self.cleaned_data
        return Threshold(value=given["value"], side=given["side"], limit=given["limit"], clear=given["clear"], for_s=self.seconds())


class RateForm(RuleForm):
    """A change a minute."""

    kind = "rate"
    value = forms.ChoiceField(label=_("Value"), choices=_values)
    side = forms.ChoiceField(label=_("Direction"), choices=[("falling", _("falls")), ("rising", _("rises"))])
    per_minute = forms.FloatField(
        label=_("By more than, a minute"), min_value=0.000001, help_text=_("In the value's unit: km/h, L, km, m, °C.")
    )
    over_s = forms.IntegerField(label=_("Counted over at least (seconds)"), min_value=1, max_value=3600, initial=60)

    def condition(self) -> Condition:
        """Return what was entered."""
        given = self.cleaned_data
        return Rate(value=given["value"], side=given["side"], per_minute=given["per_minute"], over_s=given["over_s"])


class SilenceForm(RuleForm):
    """A time without a word."""

    kind = "silence"
    minutes = forms.FloatField(label=_("Minutes without position or heartbeat"), min_value=1, max_value=10080, initial=30)

    def condition(self) -> Condition:
        """Return what was entered."""
        return Silence(for_s=self.seconds())


class FlagsForm(RuleForm):
    """Bits of a word."""

    kind = "flags"
    word = forms.ChoiceField(label=_("Word"), choices=[(name, lazy_word(name)) for name in conditions.WORDS])
    bits = forms.RegexField(
        r"^\s*\d{1,2}(\s*,\s*\d{1,2})*\s*$", label=_("Bits"), help_text=_("Numbers from 0, with commas: any of them counts.")
    )
    which = forms.ChoiceField(label=_("Alarm where"), choices=[("set", _("any of them is set")), ("clear", _("none of them is set"))])
    minutes = forms.FloatField(label=MINUTES, min_value=0, max_value=10080, initial=0)

    def condition(self) -> Condition:
        """Return what was entered. Raises RuleRefused."""
        given = self.cleaned_data
        bits = {int(each) for each in given["bits"].split(",")}
        if max(bits) > 31:
            raise RuleRefused("Bits are numbers from 0 to 31.")
        return Flags(word=given["word"], mask=sum(1 << bit for bit in bits), set_=given["which"] == "set", for_s=self.seconds())


class FenceForm(RuleForm):
    """A polygon."""

    kind = "geofence"
    side = forms.ChoiceField(label=_("Alarm where a vehicle is"), choices=[("inside", _("inside")), ("outside", _("outside"))])
    corners = forms.CharField(
        label=_("Corners"),
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("One corner a line: longitude, latitude (WGS-84, degrees). Or a GeoJSON polygon."),
    )
    minutes = forms.FloatField(label=MINUTES, min_value=0, max_value=10080, initial=0)

    def condition(self) -> Condition:
        """Return what was entered. Raises RuleRefused."""
        return Geofence(polygon=_rings(self.cleaned_data["corners"]), side=self.cleaned_data["side"], for_s=self.seconds())


FORMS: dict[str, type[RuleForm]] = {form.kind: form for form in (ThresholdForm, FenceForm, SilenceForm, RateForm, FlagsForm)}


def _rings(text: str) -> tuple[tuple[tuple[float, float], ...], ...]:
    try:
        if text.lstrip().startswith("{"):
            given = json.loads(text)
            given = given.get("geometry") or given
            if given["type"] != "Polygon":
                raise RuleRefused("This is no GeoJSON polygon.")
            return tuple(tuple((float(lon), float(lat)) for lon, lat, *_height in ring) for ring in given["coordinates"])
        lines = [re.split(r"[\s,;，]+", line.strip()) for line in text.splitlines() if line.strip()]
        return (tuple((float(lon), float(lat)) for lon, lat in lines),)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RuleRefused("The corners could not be read: write a longitude and a latitude in each line.") from error


_SHOWN: dict[str, Callable[..., dict[str, object]]] = {
    "threshold": lambda c: {"value": c.value, "side": c.side, "limit": c.limit, "clear": c.clear, "minutes": c.for_s / 60},
    "rate": lambda c: {"value": c.value, "side": c.side, "per_minute": c.per_minute, "over_s": c.over_s},
    "silence": lambda c: {"minutes": c.for_s / 60},
    "flags": lambda c: {
        "word": c.word,
        "bits": ", ".join(str(bit) for bit in range(32) if c.mask >> bit & 1),
        "which": "set" if c.set_ else "clear",
        "minutes": c.for_s / 60,
    },
    "geofence": lambda c: {
        "side": c.side,
        "corners": json.dumps({"type": "Polygon", "coordinates": c.polygon})
        if len(c.polygon) > 1
        else "\n".join(f"{lon}, {lat}" for lon, lat in c.polygon[0]),
        "minutes": c.for_s / 60,
    },
}


def kind_of(condition: Condition) -> str:
    """Return the kind of a condition, a key of KINDS."""
    return str(condition.__struct_config__.tag)


def entered(condition: Condition) -> dict[str, object]:
    """Return what a form shows of a condition."""
    return _SHOWN[kind_of(condition)](condition)
