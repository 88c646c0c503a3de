"""Contacts: what came in by any channel, one with its parts, ended, handed over, made a case of; and one entered by hand."""

from datetime import datetime

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.cases.reads import Filter, cases
from jilink.core.files.reads import HEADERS
from jilink.core.interactions import actions, reads
from jilink.core.interactions.actions import Contact
from jilink.core.interactions.reads import InteractionView
from jilink.core.interactions.rules import Channel, Direction, Outcome, Side
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, require_anywhere, require_reach
from jilink.core.parties.members import reads as members
from jilink.core.parties.people import reads as people
from jilink.core.parties.people.rules import ContactRefused
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import InteractionId, OrganisationId, PersonId, TeamId
from jilink.services.console.actions import drafts
from jilink.services.console.pages.case_story import names_in, who_did
from jilink.services.console.pages.case_words import CHANNELS
from jilink.services.console.reads.colleagues import recipients
from jilink.webkit.door import said, signed_in
from jilink.webkit.parts import Choice

SIZE = 50
OUTCOMES = {
    Outcome.ANSWERED: gettext_lazy("Answered at once"),
    Outcome.CASE: gettext_lazy("It became a case"),
    Outcome.PASSED_ON: gettext_lazy("Passed on"),
    Outcome.ABANDONED: gettext_lazy("They left before"),
    Outcome.UNREACHED: gettext_lazy("Not reached"),
    Outcome.NOTHING: gettext_lazy("Nothing (wrong number, test)"),
}
DIRECTIONS = {Direction.IN: gettext_lazy("They reached us"), Direction.OUT: gettext_lazy("We reached them")}
SIDES = {Side.THEIRS: gettext_lazy("They"), Side.OURS: gettext_lazy("We"), Side.SYSTEM: gettext_lazy("System")}
BY_HAND = (Channel.CALL, Channel.COUNTER, Channel.MAIL, Channel.TEXT, Channel.WEB)


class NewForm(forms.Form):
    """A contact entered by hand: one page, one click."""

    channel = forms.ChoiceField(
        label=gettext_lazy("Channel"),
        choices=[(each.value, CHANNELS[each.value]) for each in BY_HAND],
        widget=forms.RadioSelect,
        initial=Channel.CALL.value,
    )
    direction = forms.ChoiceField(
        label=gettext_lazy("Who began"), choices=[(each.value, words) for each, words in DIRECTIONS.items()], initial="in"
    )
    contact = forms.CharField(label=gettext_lazy("Number or address"), max_length=120, required=False)
    subject = forms.CharField(label=gettext_lazy("What it is about, in one line"), max_length=200)
    words = forms.CharField(
        label=gettext_lazy("What was said"), max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, actor: Actor, data: object = None, initial: dict[str, object] | None = None) -> None:
        super().__init__(data, initial=initial)  # type: ignore[arg-type] # -- a QueryDict or None
        choices = [(each.id, f"{'　' * each.depth}{each.name}") for each in parties.choices(actor, Permission.ADD_INTERACTIONS)]
        self.fields["organisation"] = forms.TypedChoiceField(label=_("Organisation"), choices=choices, coerce=int, initial=choices[0][0])
        if len(choices) == 1:
            self.fields["organisation"].widget = forms.HiddenInput()
        self.fields["contact"].widget.attrs |= {"autocomplete": "off", "inputmode": "tel"}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None


@require_safe
@signed_in
def contacts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List contacts, the newest first."""
    require_reach(actor, Permission.VIEW_INTERACTIONS)
    wanted, going_on = request.GET.get("channel", ""), request.GET.get("state", "") == "open"
    channel = Channel(wanted) if wanted in set(Channel) else None
    before = _number(request.GET.get("before", ""))
    last = InteractionId(before) if before is not None else None
    found = reads.interactions(actor, channel=channel, going_on=going_on, before=last, size=SIZE + 1)
    shown = found[:SIZE]
    names = people.names(actor, {each.person for each in shown if each.person})
    owners = members.people_named({each.assignee for each in shown if each.assignee})
    context = {
        "contacts": [
            (
                each,
                names.get(each.person) if each.person else "",
                owners.get(each.assignee or 0, ""),
                OUTCOMES.get(each.outcome) if each.outcome else "",
            )
            for each in shown
        ],
        "channels": [Choice("", _("All channels")), *(Choice(each.value, CHANNELS[each.value]) for each in Channel)],
        "states": [Choice("", _("All")), Choice("open", _("Ongoing"))],
        "more": shown[-1].id if len(found) > SIZE else None,
        "may_add": bool(parties.choices(actor, Permission.ADD_INTERACTIONS)),
        "may_open": actor.may(Permission.ADD_CASES),
    }
    return render(request, "console/contacts.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Enter a contact by hand."""
    require_anywhere(actor, Permission.ADD_INTERACTIONS)
    begun: dict[str, object] = {key: value for key in ("direction", "subject") if (value := request.GET.get(key, ""))}
    form = NewForm(actor, request.POST if request.method == "POST" else None, begun)
    made = _added(form, actor) if request.method == "POST" and form.is_valid() else None
    if made is not None:
        if "case" in request.POST:
            return redirect(f"{reverse('console:new-case')}?interaction={made}")
        return redirect("console:contact", made)
    may_open = actor.may(Permission.ADD_CASES)
    return render(request, "console/contacts_add.html", {"form": form, "may_open": may_open}, status=400 if form.errors else 200)


def _added(form: NewForm, actor: Actor) -> int | None:
    values = form.cleaned_data
    given = Contact(
        channel=Channel(values["channel"]), direction=Direction(values["direction"]), contact=values["contact"], subject=values["subject"]
    )
    try:
        made = actions.add_interaction(organisation=OrganisationId(values["organisation"]), contact=given, by=actor)
        if values["words"].strip():
            actions.add_part(interaction=made, side=Side.THEIRS, text=values["words"], by=actor)
    except NotFound:
        raise
    except ContactRefused as error:
        form.add_error("contact", said(error))
    except Refused as error:
        form.add_error(None, said(error))
    else:
        return made
    return None


def show(request: HttpRequest, actor: Actor, known: InteractionView, **extra: object) -> HttpResponse:
    """Show one contact."""
    now: datetime = utc_now()
    said_parts = reads.parts(actor, known.id)
    names = names_in({each.by for each in said_parts if each.by}, {known.assignee} if known.assignee else set())
    may_work = actor.may(Permission.ADD_INTERACTIONS)
    holder = f"u:{known.assignee}" if known.assignee else f"t:{known.team}" if known.team else ""
    context: dict[str, object] = {
        "contact": known,
        "parts": [(each, SIDES[each.side], who_did(names, each.by) if each.by else "") for each in said_parts],
        "person": _person(actor, known),
        "cases": cases(actor, Filter(states=(), interaction=known.id), now=now, limit=20).rows,
        "outcome": OUTCOMES.get(known.outcome) if known.outcome else "",
        "outcomes": [(each.value, words) for each, words in OUTCOMES.items()],
        "direction": DIRECTIONS[known.direction],
        "recipients": recipients(actor, known.organisation) if may_work else [],
        "holder": holder,
        "holder_name": names.get(known.assignee, "")
        if known.assignee
        else members.team_names({known.team}).get(known.team, "")
        if known.team
        else "",
        "may_work": may_work,
        "may_open": actor.may(Permission.ADD_CASES),
        "may_reveal": actor.may(Permission.REVEAL_PEOPLE),
        **extra,
    }
    return render(request, "console/contacts_contact.html", context, status=400 if extra.get("wrong") else 200)


def _person(actor: Actor, known: InteractionView) -> people.PersonView | None:
    try:
        return people.person(actor, known.person) if known.person is not None else None
    except NotFound:
        return None


@require_safe
@signed_in
def contact(request: HttpRequest, actor: Actor, contact: int) -> HttpResponse:
    """Show one contact with everything that was said."""
    return show(request, actor, reads.interaction(actor, InteractionId(contact)))


@require_POST
@signed_in
def reveal(request: HttpRequest, actor: Actor, contact: int) -> HttpResponse:
    """Show the number or address whole; the read is in the audit."""
    known = reads.interaction(actor, InteractionId(contact))
    return show(request, actor, known, revealed=reads.reveal_contact(actor, known.id))


@require_POST
@signed_in
def part(request: HttpRequest, actor: Actor, contact: int) -> HttpResponse:
    """Add what was said, or a file."""
    known = reads.interaction(actor, InteractionId(contact))
    text, side = request.POST.get("text", ""), request.POST.get("side", "")
    upload = request.FILES.get("file")
    try:
        file = (upload.read(), upload.name or "") if upload else None
        actions.add_part(interaction=known.id, side=Side.OURS if side == "ours" else Side.THEIRS, text=text, file=file, by=actor)
    except NotFound:
        raise
    except Refused as error:
        return show(request, actor, known, wrong=said(error), typed=text)
    drafts.drop_draft(place=f"contact:{known.id}", by=actor)
    return redirect("console:contact", known.id)


@require_safe
@signed_in
def part_file(request: HttpRequest, actor: Actor, contact: int, number: int) -> HttpResponse:
    """Send the file of a part."""
    view, data = reads.part_file(actor, InteractionId(contact), number)
    response = HttpResponse(data, content_type=view.content_type, headers=HEADERS)
    response["Content-Disposition"] = "inline" if view.inline else "attachment"
    return response


@require_POST
@signed_in
def end(request: HttpRequest, actor: Actor, contact: int) -> HttpResponse:
    """End a contact with its outcome."""
    known = reads.interaction(actor, InteractionId(contact))
    given = request.POST.get("outcome", "")
    if given not in set(Outcome):
        return show(request, actor, known, wrong=_("Choose an outcome."))
    try:
        actions.end_interaction(interaction=known.id, outcome=Outcome(given), by=actor)
    except NotFound:
        raise
    except Refused as error:
        return show(request, actor, known, wrong=said(error))
    messages.success(request, _("The contact has ended."))
    return redirect("console:contact", known.id)


@require_POST
@signed_in
def hand_over(request: HttpRequest, actor: Actor, contact: int) -> HttpResponse:
    """Give a contact to a team or a colleague."""
    known = reads.interaction(actor, InteractionId(contact))
    kind, _colon, text = request.POST.get("to", "").partition(":")
    number = _number(text)
    team = TeamId(number) if kind == "t" and number else known.team if kind == "u" else None
    actions.hand_over(interaction=known.id, team=team, assignee=number if kind == "u" else None, by=actor)
    messages.success(request, _("Handed over."))
    try:
        reads.interaction(actor, known.id)
    except NotFound:  # it is now beyond this actor's reach
        return redirect("console:contacts")
    return redirect("console:contact", known.id)


@require_POST
@signed_in
def identify(request: HttpRequest, actor: Actor, contact: int) -> HttpResponse:
    """Say whose contact it was, by a number or a name that only one person has."""
    known = reads.interaction(actor, InteractionId(contact))
    text = request.POST.get("text", "").strip()
    found = people.find(actor, text, organisation=known.organisation, limit=2) if text else []
    if len(found) != 1:
        wrong = _("Several match. Be more specific.") if found else _("No match.")
        return show(request, actor, known, wrong=wrong, person_typed=text)
    actions.identify_person(interaction=known.id, person=PersonId(found[0].id), by=actor)
    return redirect("console:contact", known.id)


patterns: list[URLPattern] = [
    path("", contacts, name="contacts"),
    path("add", add, name="contact-add"),
    path("<int:contact>/", contact, name="contact"),
    path("<int:contact>/reveal", reveal, name="contact-reveal"),
    path("<int:contact>/parts", part, name="contact-part"),
    path("<int:contact>/parts/<int:number>", part_file, name="contact-part-file"),
    path("<int:contact>/end", end, name="contact-end"),
    path("<int:contact>/hand", hand_over, name="contact-hand"),
    path("<int:contact>/person", identify, name="contact-person"),
]
