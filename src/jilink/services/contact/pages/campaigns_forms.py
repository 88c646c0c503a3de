"""The form in which a campaign is designed, in groups, and back into its design."""

from datetime import time
from typing import TYPE_CHECKING

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from msgspec.structs import replace

from jilink.kernel.texts import Text
from jilink.services.contact.pages.campaigns_words import MODES
from jilink.services.contact.pages.queue_forms import LANGUAGES
from jilink.services.contact.rules.calling_hours import EVERY_DAY, Window
from jilink.services.contact.rules.campaigns import LONGEST_SCRIPT, MOST_LINES, Again, CampaignDesign, CampaignRefused, Code, Result
from jilink.services.contact.rules.pacing import SHORTEST_RING_S, Mode

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

DAYS: tuple[tuple[str, Promise], ...] = (
    ("1", gettext_lazy("Monday")),
    ("2", gettext_lazy("Tuesday")),
    ("3", gettext_lazy("Wednesday")),
    ("4", gettext_lazy("Thursday")),
    ("5", gettext_lazy("Friday")),
    ("6", gettext_lazy("Saturday")),
    ("7", gettext_lazy("Sunday")),
)
AGAIN: dict[str, Promise] = {
    "busy": gettext_lazy("Busy"),
    "no_answer": gettext_lazy("No answer"),
    "declined": gettext_lazy("Call refused"),
    "unreachable": gettext_lazy("Unreachable"),
    "machine": gettext_lazy("Answering machine"),
    "abandoned": gettext_lazy("No agent was there"),
    "again": gettext_lazy("Agent chose to call again"),
}


def _clock(label: "_StrPromise", *, required: bool = True) -> forms.TimeField:
    return forms.TimeField(label=label, required=required, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))


class CampaignForm(forms.Form):
    """Everything that can be set of a campaign."""

    based_on = forms.IntegerField(widget=forms.HiddenInput, required=False)
    queue = forms.TypedChoiceField(
        label=gettext_lazy("Queue whose agents call"), coerce=int, help_text=gettext_lazy("Its wrap-up, recording and figures hold too.")
    )
    name_zh = forms.CharField(label=gettext_lazy("Name in Chinese"), max_length=60, required=False)
    name_en = forms.CharField(label=gettext_lazy("Name in English"), max_length=60, required=False)
    purpose = forms.CharField(
        label=gettext_lazy("Purpose of the consent"),
        max_length=60,
        help_text=gettext_lazy("Only people who consented to this purpose are called. A word of small letters, like calls.renewal."),
    )
    mode = forms.ChoiceField(label=gettext_lazy("How numbers are dialled"), choices=[(mode.value, words) for mode, words in MODES.items()])
    who_zh = forms.CharField(label=gettext_lazy("Who calls, in Chinese"), max_length=60, required=False)
    who_en = forms.CharField(label=gettext_lazy("Who calls, in English"), max_length=60, required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language of what is said where no agent is there"), choices=LANGUAGES)
    caller = forms.CharField(
        label=gettext_lazy("Number that is shown"), max_length=25, required=False, help_text=gettext_lazy("Empty: that of the trunk.")
    )
    days = forms.MultipleChoiceField(label=gettext_lazy("Days"), choices=DAYS, widget=forms.CheckboxSelectMultiple)
    begins = _clock(gettext_lazy("From"))
    ends = _clock(gettext_lazy("To"))
    begins_again = _clock(gettext_lazy("And from"), required=False)
    ends_again = _clock(gettext_lazy("To"), required=False)
    calendar = forms.ChoiceField(label=gettext_lazy("Only while this working calendar is open"), required=False)
    ring_s = forms.IntegerField(label=gettext_lazy("Ring for, seconds"), min_value=SHORTEST_RING_S, max_value=60)
    lines = forms.IntegerField(label=gettext_lazy("Calls at once, at most"), min_value=1, max_value=MOST_LINES)
    a_day = forms.IntegerField(label=gettext_lazy("Attempts in 24 hours, at most"), min_value=1, max_value=5)
    most = forms.IntegerField(label=gettext_lazy("Attempts in all, at most"), min_value=1, max_value=30)
    script_zh = forms.CharField(
        label=gettext_lazy("Script in Chinese"), required=False, max_length=LONGEST_SCRIPT, widget=forms.Textarea(attrs={"rows": 8})
    )
    script_en = forms.CharField(
        label=gettext_lazy("Script in English"), required=False, max_length=LONGEST_SCRIPT, widget=forms.Textarea(attrs={"rows": 8})
    )
    codes = forms.CharField(
        label=gettext_lazy("Outcome codes"),
        max_length=6000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("One a line: key | Chinese | English | what follows: done, again, machine or stop (never call again)"),
    )

    def __init__(
        self,
        design: CampaignDesign,
        queues: list[tuple[str, str]],
        calendars: list[str],
        *,
        version: int | None = None,
        data: object = None,
    ) -> None:
        """`queues` are offered for a new campaign; one that stands keeps its own."""
        super().__init__(data, initial={"based_on": version, **_initial(design)})  # type: ignore[arg-type] # -- a QueryDict or None
        self._design = design
        self.fields["queue"].choices = queues  # type: ignore[attr-defined] # -- a choice field
        if version is not None:
            del self.fields["queue"]
        keys = sorted({*calendars, *([design.calendar] if design.calendar else [])})
        self.fields["calendar"].choices = [("", _("None")), *((key, key) for key in keys)]  # type: ignore[attr-defined] # -- the same
        for key in AGAIN:
            rule: Again = getattr(design.attempts, key)
            self.fields[f"{key}_after"] = forms.IntegerField(
                label=_("Again after, minutes"), min_value=1, max_value=90 * 1440, initial=rule.after_min
            )
            self.fields[f"{key}_most"] = forms.IntegerField(label=_("How many times"), min_value=0, max_value=30, initial=rule.most)

    def groups(self) -> list[tuple[Promise, list[forms.BoundField]]]:
        """Return the fields by group."""
        who = [*(["queue"] if "queue" in self.fields else []), "name_zh", "name_en", "purpose"]
        hours = ["days", "begins", "ends", "begins_again", "ends_again", "calendar"]
        named = (
            (gettext_lazy("The campaign"), who),
            (gettext_lazy("Dialling"), ["mode", "lines", "ring_s", "caller", "who_zh", "who_en", "language"]),
            (gettext_lazy("Hours, by the clock of whoever is called"), hours),
            (gettext_lazy("What agents say and choose"), ["script_zh", "script_en", "codes"]),
            (gettext_lazy("Attempts"), ["a_day", "most"]),
        )
        return [(title, [self[name] for name in names]) for title, names in named]

    def again_rows(self) -> list[tuple[Promise, forms.BoundField, forms.BoundField]]:
        """Return what follows from each outcome."""
        return [(title, self[f"{key}_after"], self[f"{key}_most"]) for key, title in AGAIN.items()]

    def design(self) -> CampaignDesign:
        """Return the design that was entered. Raises CampaignRefused."""
        given = self.cleaned_data
        rules = {key: Again(after_min=given[f"{key}_after"], most=given[f"{key}_most"]) for key in AGAIN}
        return replace(
            self._design,
            name=Text(given["name_zh"], given["name_en"]),
            purpose=given["purpose"],
            mode=Mode(given["mode"]),
            who=Text(given["who_zh"], given["who_en"]),
            language=given["language"],
            caller=given["caller"],
            windows=self._windows(),
            calendar=given["calendar"],
            ring_s=given["ring_s"],
            lines=given["lines"],
            script=Text(given["script_zh"], given["script_en"]),
            codes=_codes(given["codes"]),
            attempts=replace(self._design.attempts, a_day=given["a_day"], most=given["most"], **rules),
        )

    def _windows(self) -> tuple[Window, ...]:
        given = self.cleaned_data
        days = tuple(int(day) for day in given["days"])
        windows = [Window(days=days, begins=given["begins"], ends=given["ends"])]
        if given["begins_again"] and given["ends_again"]:
            windows.append(Window(days=days, begins=given["begins_again"], ends=given["ends_again"]))
        return tuple(windows)


def _initial(design: CampaignDesign) -> dict[str, object]:
    first, second = design.windows[0], design.windows[1] if len(design.windows) > 1 else None
    return {
        "name_zh": design.name.zh, "name_en": design.name.en, "purpose": design.purpose, "mode": design.mode.value,
        "who_zh": design.who.zh, "who_en": design.who.en, "language": design.language, "caller": design.caller,
        "days": [str(day) for day in first.days], "begins": first.begins, "ends": first.ends,
        "begins_again": second.begins if second else None, "ends_again": second.ends if second else None, "calendar": design.calendar,
        "ring_s": design.ring_s, "lines": design.lines, "script_zh": design.script.zh, "script_en": design.script.en,
        "codes": "\n".join(f"{code.key} | {code.title.zh} | {code.title.en} | {code.result.value}" for code in design.codes),
        "a_day": design.attempts.a_day, "most": design.attempts.most,
    }  # fmt: skip


def _codes(text: str) -> tuple[Code, ...]:
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        key, zh, en, result, *_rest = [*map(str.strip, line.split("|")), "", "", ""]
        if (result or "done") not in set(Result):
            raise CampaignRefused("%(word)s is none of done, again, machine, stop.", word=result[:40])
        found.append(Code(key=key, title=Text(zh, en), result=Result(result or "done")))
    return tuple(found)


NEW = CampaignDesign(
    name=Text(),
    purpose="calls.news",
    windows=(Window(days=EVERY_DAY[:5], begins=time(9), ends=time(12)), Window(days=EVERY_DAY[:5], begins=time(14), ends=time(20))),
)
"""What the form of a new campaign begins with: rest at noon, weekends and nights."""
