"""What those who work on an organisation's cases can do: trades and languages, which the rules of assignment look for."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from jilink.core.cases.assignment import actions, reads
from jilink.core.cases.assignment.rules import TONGUE
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members import reads as members
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.services.console.pages.members_place import Place, place
from jilink.webkit.door import said, signed_in

_WRITTEN = {"zh": "zh-hans"}
"""Tags of languages whose names are known by the way they are written."""


def tongue(tag: str) -> str:
    """Return the name of a language in the reader's own; the tag itself where nobody knows it."""
    try:
        return str(get_language_info(_WRITTEN.get(tag, tag))["name_translated"])
    except KeyError:
        return tag


def in_words(key: str) -> str:
    """Return a skill for reading: a language by its name, a trade as it was named."""
    return tongue(key.removeprefix(TONGUE)) if key.startswith(TONGUE) else key


class SkillsForm(forms.Form):
    """Trades to tick and to add, and languages by their tags."""

    known = forms.MultipleChoiceField(label=gettext_lazy("Skills"), required=False, widget=forms.CheckboxSelectMultiple)
    more = forms.CharField(
        label=gettext_lazy("Other skills"),
        required=False,
        max_length=400,
        help_text=gettext_lazy("Small letters and digits, separated by commas, like electric, water_pipes."),
    )
    tongues = forms.CharField(
        label=gettext_lazy("Languages"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Language codes separated by commas, like zh, ko, ru."),
    )

    def __init__(self, choices: tuple[str, ...], has: tuple[str, ...], data: object = None) -> None:
        tongues = ", ".join(key.removeprefix(TONGUE) for key in has if key.startswith(TONGUE))
        super().__init__(data, initial={"known": list(has), "tongues": tongues})  # type: ignore[arg-type] # -- a QueryDict or None
        self.fields["known"].choices = [(key, key) for key in choices]  # type: ignore[attr-defined] # -- it is a choice field
        if not choices:
            del self.fields["known"]
            self.fields["more"].label = _("Skills")

    def skills(self) -> set[str]:
        """Return the keys that were given."""
        given = self.cleaned_data
        return {*given.get("known", ()), *_parts(given["more"]), *(TONGUE + tag for tag in _parts(given["tongues"]))}


def _parts(text: str) -> set[str]:
    return {each.strip().lower() for each in text.replace("，", ",").replace("、", ",").split(",") if each.strip()}


def _people(actor: Actor, where: Place) -> dict[int, str]:
    """Return who works on cases there, by name."""
    numbers = set(members.colleagues(actor, where.id, Permission.WORK_CASES))
    return dict(sorted(members.people_named(numbers).items(), key=lambda each: each[1]))


@require_safe
@signed_in
def skills(request: HttpRequest, actor: Actor, organisation: int) -> HttpResponse:
    """Show who can do what."""
    where = place(actor, organisation, "skills", Permission.MANAGE_TEAMS)
    has = reads.skills(actor, organisation)
    rows = [
        (
            user,
            name,
            [key for key in has.get(user, ()) if not key.startswith(TONGUE)],
            [in_words(key) for key in has.get(user, ()) if key.startswith(TONGUE)],
        )
        for user, name in _people(actor, where).items()
    ]
    return render(request, "console/members_skills.html", {"place": where, "rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, actor: Actor, organisation: int, user: int) -> HttpResponse:
    """Say what one person can do."""
    where = place(actor, organisation, "skills", Permission.MANAGE_TEAMS)
    name = _people(actor, where).get(user)
    if name is None:
        raise NotFound("There is no such thing, or you may not see it.")
    has = reads.skills(actor, organisation).get(user, ())
    form = SkillsForm(reads.skills_wanted(actor, organisation), has, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.set_skills(organisation=organisation, user=user, skills=form.skills(), by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("console:skills", where.id)
    return render(request, "console/members_skill.html", {"place": where, "name": name, "form": form}, status=400 if form.errors else 200)


patterns: list[URLPattern] = [
    path("<int:organisation>/skills", skills, name="skills"),
    path("<int:organisation>/skills/<int:user>", edit, name="edit_skills"),
]
