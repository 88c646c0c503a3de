"""Webhooks: which systems are told of what, what was delivered, and how a receiver checks it."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.core.webhooks import actions, reads
from jilink.core.webhooks.reads import EndpointView
from jilink.core.webhooks.rules import EVERYTHING, DeliveryState
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.services.console.pages.webhooks_words import KIND_WORDS, NOUN_WORDS, STATE_WORDS
from jilink.webkit.door import said, signed_in
from jilink.webkit.parts import Choice

MANAGE = Permission.MANAGE_WEBHOOKS
PAGE = 50


def _kind_choices(kept: tuple[str, ...] = ()) -> list[tuple[str, list[tuple[str, object]]]]:
    """Every kind of event by its noun, and whatever else an endpoint asked for by a program."""
    groups: dict[str, list[tuple[str, object]]] = {}
    for kind in [*reads.kinds(), *kept]:
        noun = kind.partition(".")[0]
        if kind != EVERYTHING and kind not in [known for known, _word in groups.get(noun, [])]:
            groups.setdefault(noun, []).append((kind, KIND_WORDS.get(kind, kind)))
    return [(str(NOUN_WORDS.get(noun, noun)), kinds) for noun, kinds in groups.items()]


class EndpointForm(forms.Form):
    """Where to tell, and of what."""

    url = forms.CharField(
        label=gettext_lazy("Address"), max_length=500, help_text=gettext_lazy("Begins with https:// and takes POST requests.")
    )
    description = forms.CharField(label=gettext_lazy("What it is for"), max_length=200, required=False)
    everything = forms.BooleanField(label=gettext_lazy("All events, including kinds added later"), required=False)
    kinds = forms.MultipleChoiceField(label=gettext_lazy("Events"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, actor: Actor, request: HttpRequest, known: EndpointView | None = None) -> None:
        initial = (
            {"url": known.url, "description": known.description, "kinds": known.kinds, "everything": EVERYTHING in known.kinds}
            if known
            else {}
        )
        super().__init__(request.POST if request.method == "POST" else None, initial=initial)
        grouped = _kind_choices(known.kinds if known else ())
        self.fields["kinds"].choices = [each for _noun, kinds in grouped for each in kinds]  # type: ignore[attr-defined]  # -- a ChoiceField
        if known is None:
            places = [(each.id, f"{'　' * each.depth}{each.name}") for each in parties.choices(actor, MANAGE)]
            self.fields["organisation"] = forms.TypedChoiceField(
                label=gettext_lazy("Organisation"),
                choices=places,
                coerce=int,
                help_text=gettext_lazy("Events of this organisation and all below it are delivered."),
            )
            self.order_fields(["organisation"])

    def asked(self) -> str:
        """Return the filter that was chosen."""
        return EVERYTHING if self.cleaned_data["everything"] else " ".join(self.cleaned_data["kinds"])


@require_safe
@signed_in
def webhooks(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show the endpoints that the viewer manages, and how a receiver checks what it gets."""
    require_anywhere(actor, MANAGE)
    names = {each.id: each.name for each in parties.choices(actor, MANAGE)}
    rows = [{"endpoint": each, "organisation": names.get(each.organisation, ""), "kinds": _said(each)} for each in reads.endpoints(actor)]
    return render(request, "console/webhooks_list.html", {"rows": rows})


def _said(endpoint: EndpointView) -> list[object]:
    return [_("everything")] if EVERYTHING in endpoint.kinds else [KIND_WORDS.get(kind, kind) for kind in endpoint.kinds]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Add an endpoint and show its secret, once."""
    require_anywhere(actor, MANAGE)
    form = EndpointForm(actor, request)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = actions.add_endpoint(
                organisation=OrganisationId(given["organisation"]),
                url=given["url"],
                kinds=form.asked(),
                description=given["description"],
                by=actor,
            )
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            return _shown(request, actor, made.endpoint, made.secret)
    return render(request, "console/webhooks_edit.html", {"form": form, "endpoint": None}, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, actor: Actor, endpoint: int) -> HttpResponse:
    """Change where an endpoint lies and what it is told of."""
    known = reads.endpoint(actor, endpoint)
    form = EndpointForm(actor, request, known)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            actions.change_endpoint(
                endpoint=endpoint, url=given["url"], kinds=form.asked(), active=known.active, description=given["description"], by=actor
            )
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("console:webhook", endpoint)
    return render(request, "console/webhooks_edit.html", {"form": form, "endpoint": known}, status=400 if form.errors else 200)


def _shown(request: HttpRequest, actor: Actor, endpoint: int, secret: str = "") -> HttpResponse:
    """The page of one endpoint, with its secret where that was just made or revealed."""
    known = reads.endpoint(actor, endpoint)
    state = request.GET.get("state", "")
    before = request.GET.get("before", "")
    found = reads.deliveries(
        actor,
        endpoint,
        state=DeliveryState(state) if state in set(DeliveryState) else None,
        before=int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None,
        limit=PAGE + 1,
    )
    choices = [Choice("", _("All")), *(Choice(each, STATE_WORDS[each].word) for each in DeliveryState)]
    context = {
        "endpoint": known,
        "kinds": _said(known),
        "secret": secret,
        "choices": choices,
        "rows": [
            {"delivery": each, "kind": KIND_WORDS.get(each.kind, each.kind), "state": STATE_WORDS[DeliveryState(each.state)]}
            for each in found[:PAGE]
        ],
        "older": found[PAGE - 1].id if len(found) > PAGE else None,
    }
    return render(request, "console/webhooks_one.html", context)


@never_cache
@require_safe
@signed_in
def webhook(request: HttpRequest, actor: Actor, endpoint: int) -> HttpResponse:
    """Show one endpoint with its deliveries."""
    return _shown(request, actor, endpoint)


@never_cache
@require_POST
@signed_in
def reveal(request: HttpRequest, actor: Actor, endpoint: int) -> HttpResponse:
    """Show the secret in force; the audit keeps who looked."""
    return _shown(request, actor, endpoint, actions.reveal_secret(endpoint=endpoint, by=actor))


@never_cache
@require_POST
@signed_in
def rotate(request: HttpRequest, actor: Actor, endpoint: int) -> HttpResponse:
    """Make a new secret and show it."""
    return _shown(request, actor, endpoint, actions.rotate_secret(endpoint=endpoint, by=actor))


@require_POST
@signed_in
def switch(request: HttpRequest, actor: Actor, endpoint: int) -> HttpResponse:
    """Switch an endpoint off, or on again."""
    known = reads.endpoint(actor, endpoint)
    on = request.POST.get("on") == "1"
    actions.change_endpoint(
        endpoint=endpoint, url=known.url, kinds=" ".join(known.kinds), active=on, description=known.description, by=actor
    )
    told = _("Deliveries are on again, and those that waited are sent.") if on else _("Nothing is delivered until it is switched on again.")
    messages.success(request, told)
    return redirect("console:webhook", endpoint)


def _done(request: HttpRequest, endpoint: int, text: str) -> HttpResponse:
    messages.success(request, text)
    return redirect(reverse("console:webhook", args=[endpoint]) + "#deliveries")


@require_POST
@signed_in
def send_test(request: HttpRequest, actor: Actor, endpoint: int) -> HttpResponse:
    """Send an event that means nothing."""
    actions.send_test(endpoint=endpoint, by=actor)
    return _done(request, endpoint, _("A test event is on its way; it stands first in the list."))


@require_POST
@signed_in
def replay(request: HttpRequest, actor: Actor, endpoint: int, delivery: int) -> HttpResponse:
    """Send one delivery again."""
    reads.endpoint(actor, endpoint)
    if not reads.delivered_to(actor, endpoint, delivery):
        raise NotFound("There is no such thing, or you may not see it.")
    actions.replay_delivery(delivery=delivery, by=actor)
    return _done(request, endpoint, _("It is being sent again, under the same id."))


@require_POST
@signed_in
def replay_dead(request: HttpRequest, actor: Actor, endpoint: int) -> HttpResponse:
    """Send everything again that was given up."""
    count = actions.replay_dead(endpoint=endpoint, by=actor)
    return _done(request, endpoint, _("%(count)d deliveries are being sent again.") % {"count": count})


@require_POST
@signed_in
def remove(request: HttpRequest, actor: Actor, endpoint: int) -> HttpResponse:
    """Forget an endpoint with the record of its deliveries."""
    actions.remove_endpoint(endpoint=endpoint, by=actor)
    messages.success(request, _("The webhook was removed."))
    return redirect("console:webhooks")


patterns: list[URLPattern] = [
    path("", webhooks, name="webhooks"),
    path("add", add, name="add_webhook"),
    path("<int:endpoint>/", webhook, name="webhook"),
    path("<int:endpoint>/edit", edit, name="edit_webhook"),
    path("<int:endpoint>/reveal", reveal, name="reveal_webhook"),
    path("<int:endpoint>/rotate", rotate, name="rotate_webhook"),
    path("<int:endpoint>/switch", switch, name="switch_webhook"),
    path("<int:endpoint>/test", send_test, name="test_webhook"),
    path("<int:endpoint>/replay", replay_dead, name="replay_webhook"),
    path("<int:endpoint>/deliveries/<int:delivery>/replay", replay, name="replay_delivery"),
    path("<int:endpoint>/remove", remove, name="remove_webhook"),
]
