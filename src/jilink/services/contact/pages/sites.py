"""Sites whose visitors may write: their addresses, words and colours, the tag for their pages, and a page to try it on."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from jilink.core.cases import reads as cases
from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text
from jilink.services.contact.actions import sites as actions
from jilink.services.contact.pages.places import place_names
from jilink.services.contact.reads import sites as reads
from jilink.services.contact.reads.sites import SiteView
from jilink.services.contact.rules.written import SiteDesign, SiteRefused, origin_of
from jilink.webkit.door import said, signed_in

MANAGE = Permission.MANAGE_QUEUES


class SiteForm(forms.Form):
    """A site as it is set up."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("For you; visitors do not see it."))
    queue = forms.TypedChoiceField(label=gettext_lazy("Queue"), coerce=int, help_text=gettext_lazy("Its agents answer at their desk."))
    origins = forms.CharField(
        label=gettext_lazy("Addresses of your pages"),
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "https://www.example.cn"}),
        help_text=gettext_lazy("One a line. The chat window works on these alone."),
    )
    title_zh = forms.CharField(label=gettext_lazy("Title of the window (Chinese)"), max_length=60)
    title_en = forms.CharField(label=gettext_lazy("Title of the window (English)"), max_length=60)
    greeting_zh = forms.CharField(label=gettext_lazy("Greeting (Chinese)"), max_length=300, required=False)
    greeting_en = forms.CharField(label=gettext_lazy("Greeting (English)"), max_length=300, required=False)
    agreement_zh = forms.CharField(
        label=gettext_lazy("What visitors agree to (Chinese)"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    agreement_en = forms.CharField(
        label=gettext_lazy("What visitors agree to (English)"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
    purpose = forms.CharField(
        label=gettext_lazy("Purpose of the consent"), max_length=60, help_text=gettext_lazy("A word under which it is recorded, like chat.")
    )
    hours_zh = forms.CharField(label=gettext_lazy("Hours of service in words (Chinese)"), max_length=120, required=False)
    hours_en = forms.CharField(label=gettext_lazy("Hours of service in words (English)"), max_length=120, required=False)
    calendar = forms.CharField(
        label=gettext_lazy("Working calendar"), max_length=40, required=False, help_text=gettext_lazy("Empty: that of the queue.")
    )
    colour = forms.CharField(label=gettext_lazy("Colour"), max_length=7, widget=forms.TextInput(attrs={"type": "color"}))
    case_type = forms.ChoiceField(
        label=gettext_lazy("Messages become cases of the type"),
        required=False,
        help_text=gettext_lazy("Out of hours, and when nobody is there, visitors leave a message."),
    )
    answers = forms.CharField(
        label=gettext_lazy("Answers of such a case"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "sort=help"}),
        help_text=gettext_lazy("Where the type has questions that must be answered: question=answer, one a line."),
    )
    enabled = forms.BooleanField(label=gettext_lazy("Visitors may write"), required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, actor: Actor, data: object = None, seen: SiteView | None = None) -> None:
        initial = _initial(seen) if seen else _initial_new()
        super().__init__(data, initial=initial)  # type: ignore[arg-type] # -- a QueryDict or None
        language, names = get_language() or "zh-hans", reads.queue_names(actor)
        places = place_names(actor, MANAGE)
        mine = {key: one for key, one in names.items() if seen is None or one[0] == seen.organisation}
        queues = [(key, f"{one[1] if language.startswith('zh') else one[2]} · {places.get(one[0], '')}") for key, one in mine.items()]
        kinds: dict[str, str] = {}
        for place in {one[0] for one in mine.values()}:
            if place in access.organisations_of(actor, Permission.ADD_CASES):
                kinds |= {key: kind.label.in_(language) for key, kind in cases.types_in_use(actor, place).items()}
        self.fields["queue"].choices = queues  # type: ignore[attr-defined] # -- a choice field
        self.fields["case_type"].choices = [("", _("None: no messages")), *kinds.items()]  # type: ignore[attr-defined] # -- a choice field
        if seen is None:
            del self.fields["enabled"]

    def design(self) -> SiteDesign:
        """Return the site that was written down. Raises SiteRefused."""
        given = self.cleaned_data
        pairs = [line.partition("=") for line in given["answers"].splitlines() if line.strip()]
        if not all(mark for _key, mark, _value in pairs):
            raise SiteRefused("Write each answer as question=answer, one a line.")
        return SiteDesign(
            name=given["name"],
            origins=tuple(dict.fromkeys(origin_of(line) for line in given["origins"].split())),
            title=Text(given["title_zh"], given["title_en"]),
            greeting=Text(given["greeting_zh"], given["greeting_en"]),
            agreement=Text(given["agreement_zh"], given["agreement_en"]),
            purpose=given["purpose"],
            hours=Text(given["hours_zh"], given["hours_en"]),
            calendar=given["calendar"],
            colour=given["colour"].lower(),
            case_type=given["case_type"],
            answers=tuple((key.strip(), value.strip()) for key, _mark, value in pairs),
        )


def _initial(seen: SiteView) -> dict[str, object]:
    return {**_of(seen.design), "queue": seen.queue, "enabled": seen.enabled, "version": seen.version}


def _initial_new() -> dict[str, object]:
    return _of(SiteDesign(name=""))


def _of(design: SiteDesign) -> dict[str, object]:
    words: dict[str, object] = {}
    for name in ("title", "greeting", "agreement", "hours"):
        text: Text = getattr(design, name)
        words |= {f"{name}_zh": text.zh, f"{name}_en": text.en}
    answers = "\n".join(f"{key}={value}" for key, value in design.answers)
    plain = {name: getattr(design, name) for name in ("name", "purpose", "calendar", "colour", "case_type")}
    return {**words, **plain, "origins": "\n".join(design.origins), "answers": answers}


@require_safe
@signed_in
def sites(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the sites."""
    access.require_anywhere(actor, MANAGE)
    language, names, places = get_language() or "zh-hans", reads.queue_names(actor), place_names(actor, MANAGE)
    rows = []
    for each in reads.sites(actor):
        name = names.get(each.queue, (0, "", ""))
        rows.append((each, name[1] if language.startswith("zh") else name[2], places.get(each.organisation, "")))
    return render(request, "contact/sites_list.html", {"rows": rows, "queues": bool(names)})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Add a site."""
    access.require_anywhere(actor, MANAGE)
    form = SiteForm(actor, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.add_site(queue=form.cleaned_data["queue"], design=form.design(), by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Put the tag below into your pages."))
            return redirect("contact:chat-site", made)
    return render(request, "contact/sites_edit.html", {"form": form, "site": None}, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def site(request: HttpRequest, actor: Actor, site: int) -> HttpResponse:
    """Show a site with its tag, and change it."""
    seen = reads.site(actor, site)
    form = SiteForm(actor, request.POST if request.method == "POST" else None, seen)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.change_site(
                site=site, queue=given["queue"], design=form.design(), enabled=given["enabled"], based_on=given["version"] or 0, by=actor
            )
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("contact:chat-site", site)
    context = {"form": form, "site": seen, "tag": _tag(request, seen)}
    return render(request, "contact/sites_edit.html", context, status=400 if form.errors else 200)


@require_safe
@signed_in
def try_it(request: HttpRequest, actor: Actor, site: int) -> HttpResponse:
    """Show a page with the chat window in it, as visitors see it."""
    seen = reads.site(actor, site)
    return render(request, "contact/sites_try.html", {"site": seen})


def _tag(request: HttpRequest, seen: SiteView) -> str:
    source = request.build_absolute_uri(reverse("contact:chat-widget"))
    return f'<script src="{source}" data-site="{seen.key}" async></script>'


patterns: list[URLPattern] = [
    path("chat-sites/", sites, name="chat-sites"),
    path("chat-sites/add/", add, name="add-chat-site"),
    path("chat-sites/<int:site>/", site, name="chat-site"),
    path("chat-sites/<int:site>/try", try_it, name="try-chat-site"),
]
