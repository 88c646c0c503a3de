"""The form in which a queue is designed, in groups, and back into its design."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from msgspec.structs import replace

from jilink.kernel.texts import Text
from jilink.services.contact.rules.design import Code, QueueDesign, QueueRefused, Recording
from jilink.services.contact.rules.needs import LANGUAGE, Skills, Softening
from jilink.services.contact.rules.recordings import LONGEST_KEPT_DAYS
from jilink.services.contact.rules.waiting import LONGEST_WAIT_S, LONGEST_WRAP_UP_S, MOST_WAITING, Rule, Telling

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

STEPS = 3
"""Rows of the form in which requirements soften; a queue that has more shows one more than it has."""
LANGUAGES: tuple[tuple[str, Promise], ...] = (
    ("zh", gettext_lazy("Chinese")),
    ("en", gettext_lazy("English")),
    ("ko", gettext_lazy("Korean")),
)
RECORDINGS: tuple[tuple[str, Promise], ...] = (
    (Recording.NONE.value, gettext_lazy("Nothing is recorded")),
    (Recording.ALL.value, gettext_lazy("Every call, from its first word")),
    (Recording.ON_REQUEST.value, gettext_lazy("What the agent begins to record")),
)


def seconds(label: "_StrPromise", least: int, most: int, hint: "_StrPromise | str" = "") -> forms.IntegerField:
    """Return a field for seconds."""
    return forms.IntegerField(label=label, min_value=least, max_value=most, help_text=hint)


class QueueForm(forms.Form):
    """Everything that can be set of a queue."""

    based_on = forms.IntegerField(widget=forms.HiddenInput)
    name_zh = forms.CharField(label=gettext_lazy("Name in Chinese"), max_length=60, required=False)
    name_en = forms.CharField(label=gettext_lazy("Name in English"), max_length=60, required=False)
    language = forms.ChoiceField(label=gettext_lazy("Language of what callers hear"), choices=LANGUAGES)
    emergency = forms.BooleanField(label=gettext_lazy("Emergencies: before all other queues, never refused"), required=False)

    target_s = seconds(gettext_lazy("Answer within, seconds"), 1, 86_400)
    level = forms.IntegerField(label=gettext_lazy("Share that is answered so soon, %"), min_value=1, max_value=100)
    ring_s = seconds(
        gettext_lazy("Ring at an agent for, seconds"), 5, 120, gettext_lazy("Then the agent is set not ready and the next one rings.")
    )
    short_s = seconds(gettext_lazy("Hung up within, seconds, does not count as abandoned"), 0, 60)
    priority = forms.IntegerField(label=gettext_lazy("Priority within the queue"), min_value=0, max_value=100)
    ageing_s = seconds(gettext_lazy("Waiting so long counts as one more priority, seconds"), 0, 86_400, gettext_lazy("0: never."))
    overdue_s = seconds(gettext_lazy("After so long before all other queues, seconds"), 0, LONGEST_WAIT_S, gettext_lazy("0: never."))
    share = forms.FloatField(
        label=gettext_lazy("Weight beside other queues"),
        min_value=0,
        max_value=1_000_000,
        help_text=gettext_lazy("1 is usual; above it more may wait here."),
    )

    skills = forms.CharField(
        label=gettext_lazy("Skills that agents need"),
        required=False,
        max_length=400,
        help_text=gettext_lazy("With the least level from 1 to 5, like bills 3, water_pipes."),
    )
    spoken = forms.CharField(
        label=gettext_lazy("Languages, of which agents need one"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("Language codes separated by commas, like zh, ko, ru."),
    )
    sticky_s = seconds(gettext_lazy("Wait for the agent of last time, seconds"), 0, 3600, gettext_lazy("0: any agent at once."))

    first_s = seconds(gettext_lazy("Tell for the first time after, seconds"), 0, 3600, gettext_lazy("0: nothing is told."))
    every_s = seconds(gettext_lazy("And again every, seconds"), 0, 3600, gettext_lazy("0: only once."))
    position = forms.BooleanField(label=gettext_lazy("Tell how many are before them"), required=False)
    wait = forms.BooleanField(label=gettext_lazy("Tell how long they are likely to wait"), required=False)
    callback_after_s = seconds(
        gettext_lazy("Offer a callback after, seconds"),
        0,
        LONGEST_WAIT_S,
        gettext_lazy("0: none is offered. Whoever takes it keeps their place."),
    )

    most_waiting = forms.IntegerField(
        label=gettext_lazy("At most so many wait"), min_value=0, max_value=MOST_WAITING, help_text=gettext_lazy("0: no limit.")
    )
    most_expected_s = seconds(
        gettext_lazy("Take nobody who would wait longer than, seconds"), 0, LONGEST_WAIT_S, gettext_lazy("0: no limit.")
    )
    most_wait_s = seconds(
        gettext_lazy("Whoever waits longer goes on to another queue, seconds"), 0, LONGEST_WAIT_S, gettext_lazy("0: never.")
    )
    overflow_to = forms.ChoiceField(label=gettext_lazy("That queue"), required=False)
    calendar = forms.ChoiceField(label=gettext_lazy("Open by the working calendar"), required=False)

    wrap_up_s = seconds(gettext_lazy("Time for the wrap-up, seconds"), 0, LONGEST_WRAP_UP_S)
    codes = forms.CharField(
        label=gettext_lazy("What contacts are about"),
        required=False,
        max_length=6000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("One a line: key | Chinese | English"),
    )
    recording = forms.ChoiceField(label=gettext_lazy("What is recorded"), choices=RECORDINGS)
    announce = forms.BooleanField(
        label=gettext_lazy("Tell callers before that they are recorded"),
        required=False,
        help_text=gettext_lazy("Who could not be told is not recorded. Emergencies are never told."),
    )
    keep_days = forms.IntegerField(
        label=gettext_lazy("Keep recordings for, days"),
        required=False,
        min_value=0,
        max_value=LONGEST_KEPT_DAYS,
        help_text=gettext_lazy("0: for ever. Empty: as the organisation says."),
    )

    GROUPS: tuple[tuple[Promise, tuple[str, ...]], ...] = (
        (gettext_lazy("The queue"), ("name_zh", "name_en", "language", "emergency")),
        (gettext_lazy("Service level"), ("target_s", "level", "ring_s", "short_s")),
        (gettext_lazy("Order"), ("priority", "ageing_s", "overdue_s", "share")),
        (gettext_lazy("Who can serve it"), ("skills", "spoken", "sticky_s")),
        (gettext_lazy("What those who wait are told"), ("first_s", "every_s", "position", "wait", "callback_after_s")),
        (gettext_lazy("Limits and closed hours"), ("most_waiting", "most_expected_s", "most_wait_s", "overflow_to", "calendar")),
        (gettext_lazy("Wrap-up and recording"), ("wrap_up_s", "recording", "announce", "keep_days", "codes")),
    )

    def __init__(self, design: QueueDesign, version: int, queues: list[tuple[str, str]], calendars: list[str], data: object = None) -> None:
        """`queues` are the others it may overflow to, by key and name."""
        super().__init__(data, initial={"based_on": version, **_initial(design)})  # type: ignore[arg-type] # -- a QueryDict or None
        self._seen = design
        others = [*queues, *((key, key) for key in [design.overflow_to] if key and key not in dict(queues))]
        keys = sorted({*calendars, *([design.calendar] if design.calendar else [])})
        self.fields["overflow_to"].choices = [("", _("None")), *others]  # type: ignore[attr-defined] # -- a choice field
        self.fields["calendar"].choices = [("", _("Always open")), *((key, key) for key in keys)]  # type: ignore[attr-defined] # -- the same
        self.steps = max(STEPS, len(design.softenings) + 1)
        for row in range(self.steps):
            step = design.softenings[row] if row < len(design.softenings) else None
            self._add_step(row, step)

    def _add_step(self, row: int, step: Softening | None) -> None:
        self.fields[f"step{row}_after"] = forms.IntegerField(
            label=_("After, seconds"), required=False, min_value=1, max_value=LONGEST_WAIT_S, initial=step.after_s if step else None
        )
        self.fields[f"step{row}_lower"] = forms.IntegerField(
            label=_("Levels lower by"), required=False, min_value=0, max_value=4, initial=step.lower if step else None
        )
        self.fields[f"step{row}_without"] = forms.CharField(
            label=_("Without the skills"), required=False, max_length=200, initial=", ".join(step.without) if step else ""
        )
        self.fields[f"step{row}_any"] = forms.BooleanField(
            label=_("Any language"), required=False, initial=bool(step and step.any_language)
        )

    def groups(self) -> list[tuple[Promise, list[forms.BoundField]]]:
        """Return the fields by group."""
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS]

    def softening_rows(self) -> list[list[forms.BoundField]]:
        """Return the rows in which requirements soften."""
        return [[self[f"step{row}_{name}"] for name in ("after", "lower", "without", "any")] for row in range(self.steps)]

    def design(self) -> QueueDesign:
        """Return what was designed. Raises QueueRefused."""
        given = self.cleaned_data
        plain = ("language", "emergency", "target_s", "ring_s", "short_s", "priority", "ageing_s", "overdue_s", "share", "sticky_s")
        more = ("overflow_to", "calendar", "wrap_up_s")
        return replace(
            self._seen,
            name=Text(given["name_zh"], given["name_en"]),
            level=given["level"] / 100,
            skills=skills_of(given["skills"], given["spoken"]),
            softenings=tuple(self._softenings()),
            telling=Telling(**{name: given[name] for name in ("first_s", "every_s", "position", "wait", "callback_after_s")}),
            rule=Rule(**{name: given[name] for name in ("most_waiting", "most_wait_s", "most_expected_s")}),
            codes=codes_of(given["codes"]),
            recording=Recording(given["recording"]),
            announce=given["announce"],
            keep_days=given["keep_days"],
            **{name: given[name] for name in (*plain, *more)},
        )

    def _softenings(self) -> list[Softening]:
        given = self.cleaned_data
        rows = [
            Softening(
                after_s=given[f"step{row}_after"],
                lower=given[f"step{row}_lower"] or 0,
                without=tuple(parts(given[f"step{row}_without"])),
                any_language=given[f"step{row}_any"],
            )
            for row in range(self.steps)
            if given[f"step{row}_after"]
        ]
        return sorted(rows, key=lambda step: step.after_s)


def parts(text: str) -> list[str]:
    """Return what is separated by commas, Chinese ones too."""
    return [part.strip().lower() for part in re.split(r"[,，、;；]", text) if part.strip()]


def skills_of(skills: str, spoken: str) -> Skills:
    """Return skills with their least levels, sorted by name; languages among them. Raises QueueRefused."""
    found: dict[str, int] = {f"{LANGUAGE}{tag}": 1 for tag in parts(spoken)}
    for part in parts(skills):
        fit = re.fullmatch(r"([a-z0-9_.-]{1,40})(?:\s+([1-5]))?", part)
        if fit is None:
            raise QueueRefused("%(skill)s is no skill: small letters, digits and _, then a level from 1 to 5.", skill=part[:60])
        found[fit[1]] = int(fit[2] or 1)
    return tuple(sorted(found.items()))


def codes_of(text: str) -> tuple[Code, ...]:
    """Return codes from lines ``key | Chinese | English``."""
    rows = [[part.strip() for part in re.split(r"[|｜]", line)] + ["", ""] for line in text.splitlines() if line.strip()]
    return tuple(Code(key=row[0], title=Text(row[1], row[2])) for row in rows)


def _initial(design: QueueDesign) -> Mapping[str, Any]:
    names = (
        "language", "emergency", "target_s", "ring_s", "short_s", "priority", "ageing_s", "overdue_s", "share", "sticky_s", "overflow_to",
        "calendar", "wrap_up_s",
    )  # fmt: skip
    trades = [f"{name} {level}" for name, level in design.skills if not name.startswith(LANGUAGE)]
    tongues = [name.removeprefix(LANGUAGE) for name, _level in design.skills if name.startswith(LANGUAGE)]
    return {
        **{name: getattr(design, name) for name in names},
        **{name: getattr(design.telling, name) for name in ("first_s", "every_s", "position", "wait", "callback_after_s")},
        **{name: getattr(design.rule, name) for name in ("most_waiting", "most_wait_s", "most_expected_s")},
        "name_zh": design.name.zh,
        "name_en": design.name.en,
        "level": round(design.level * 100),
        "skills": ", ".join(trades),
        "spoken": ", ".join(tongues),
        "codes": "\n".join(f"{code.key} | {code.title.zh} | {code.title.en}" for code in design.codes),
        "recording": design.recording.value,
        "announce": design.announce,
        "keep_days": design.keep_days,
    }
