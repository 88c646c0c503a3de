"""The people that an organisation serves: found, looked at, changed, merged; their data given to them and erased."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.cases.reads import Filter, cases
from jilink.core.interactions import reads as interactions
from jilink.core.parties.access import Actor, NotFound, require, require_anywhere
from jilink.core.parties.people import actions, merging, reads, rights
from jilink.core.parties.people.actions import Contact
from jilink.core.parties.people.reads import PersonView
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import ConsentId, ContactId, MergeId, PersonId
from jilink.services.console.pages import people_edit
from jilink.services.console.pages.people_forms import KINDS, ConsentForm, ContactForm
from jilink.webkit.door import said, signed_in
from jilink.webkit.parts import undoable

SIZE = 50
_NONE = "There is no such thing, or you may not see it."


@require_safe
@signed_in
def people(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List and find people."""
    require_anywhere(actor, Permission.VIEW_PEOPLE)
    text, before = request.GET.get("q", "")[:80].replace("\0", ""), request.GET.get("before", "")
    last = PersonId(int(before)) if before.isascii() and before.isdigit() and len(before) < 18 else None
    found = reads.find(actor, text, before=last, limit=SIZE + 1)
    context = {
        "people": found[:SIZE],
        "text": text,
        "more": found[SIZE - 1].id if len(found) > SIZE else None,
        "may_manage": actor.may(Permission.MANAGE_PEOPLE),
    }
    return render(request, "console/people.html", context)


def show(request: HttpRequest, actor: Actor, known: PersonView, **extra: object) -> HttpResponse:
    """Show one person; `extra` are forms with errors, or what was revealed."""
    now = utc_now()
    may = {name: _holds(actor, permission, known) for name, permission in _MAY.items()}
    theirs = cases(actor, Filter(states=(), person=known.id), now=now, limit=20).rows
    try:
        contacts = interactions.interactions(actor, person=known.id, size=20)
    except NotFound:
        contacts = []
    context: dict[str, object] = {
        "person": known,
        "may": may,
        "kinds": {kind.value: words for kind, words in KINDS.items()},
        "cases": theirs,
        "interactions": contacts,
        "doubles": reads.doubles(actor, known.id) if known.erased_at is None else [],
        "contact_form": ContactForm(auto_id="contact_%s"),
        "consent_form": ConsentForm(auto_id="consent_%s"),
        "now": now,
        **extra,
    }
    return render(request, "console/people_person.html", context, status=400 if extra.get("wrong") or extra.get("refused") else 200)


_MAY = {
    "manage": Permission.MANAGE_PEOPLE,
    "reveal": Permission.REVEAL_PEOPLE,
    "identity": Permission.REVEAL_IDENTITIES,
    "merge": Permission.MERGE_PEOPLE,
    "export": Permission.EXPORT_PEOPLE,
    "erase": Permission.ERASE_PEOPLE,
    "open": Permission.ADD_CASES,
}


def _holds(actor: Actor, permission: Permission, known: PersonView) -> bool:
    try:
        require(actor, permission, known.organisation)
    except NotFound:
        return False
    return True


@require_safe
@signed_in
def person(request: HttpRequest, actor: Actor, person: int) -> HttpResponse:
    """Show one person; the address of one that was merged leads to whom it is now."""
    known = reads.person(actor, PersonId(person))
    if known.id != person:
        return redirect("console:person", known.id)
    return show(request, actor, known)


@require_POST
@signed_in
def contact_add(request: HttpRequest, actor: Actor, person: int) -> HttpResponse:
    """Add a way to reach a person."""
    known = reads.person(actor, PersonId(person))
    require(actor, Permission.MANAGE_PEOPLE, known.organisation)
    form = ContactForm(request.POST, auto_id="contact_%s")
    if form.is_valid():
        try:
            given = Contact(ContactKind(form.cleaned_data["kind"]), form.cleaned_data["text"])
            actions.add_contact(person=known.id, contact=given, by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error("text", said(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("console:person", known.id)
    return show(request, actor, known, contact_form=form, wrong=True)


@require_POST
@signed_in
def contact_do(request: HttpRequest, actor: Actor, person: int, contact: int, deed: str) -> HttpResponse:
    """Reveal, prefer, verify or remove one way to reach a person."""
    known = reads.person(actor, PersonId(person))
    if contact not in {each.id for each in known.contacts}:
        raise NotFound(_NONE)
    number = ContactId(contact)
    if deed == "reveal":
        return show(request, actor, known, revealed_contact=contact, revealed=reads.reveal_contact(actor, number))
    if deed == "prefer":
        actions.prefer_contact(contact=number, by=actor)
    elif deed == "verify":
        actions.verify_contact(contact=number, by=actor)
    elif deed == "remove":
        actions.remove_contact(contact=number, by=actor)
    else:
        raise NotFound(_NONE)
    return redirect("console:person", known.id)


@require_POST
@signed_in
def identity(request: HttpRequest, actor: Actor, person: int) -> HttpResponse:
    """Reveal, keep or forget a person's identity number."""
    known = reads.person(actor, PersonId(person))
    deed, number = request.POST.get("deed", ""), request.POST.get("number", "")
    if deed == "reveal":
        return show(request, actor, known, revealed_identity=reads.reveal_identity(actor, known.id))
    require(actor, Permission.MANAGE_PEOPLE, known.organisation)
    try:
        if deed == "remove":
            actions.remove_identity(person=known.id, by=actor)
        else:
            actions.set_identity(person=known.id, number=number, by=actor)
    except NotFound:
        raise
    except Refused as error:
        return show(request, actor, known, identity_error=said(error), identity_typed=number, wrong=True)
    messages.success(request, _("Saved."))
    return redirect("console:person", known.id)


@require_POST
@signed_in
def consent_give(request: HttpRequest, actor: Actor, person: int) -> HttpResponse:
    """Record that a person agreed."""
    known = reads.person(actor, PersonId(person))
    require(actor, Permission.MANAGE_PEOPLE, known.organisation)
    form = ConsentForm(request.POST, auto_id="consent_%s")
    if form.is_valid():
        values = form.cleaned_data
        try:
            actions.give_consent(
                person=known.id, purpose=values["purpose"], evidence=values["evidence"], expires_at=form.expires_at(), by=actor
            )
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("console:person", known.id)
    return show(request, actor, known, consent_form=form, wrong=True)


@require_POST
@signed_in
def consent_withdraw(request: HttpRequest, actor: Actor, person: int, consent: int) -> HttpResponse:
    """End a consent."""
    known = reads.person(actor, PersonId(person))
    if consent not in {each.id for each in known.consents}:
        raise NotFound(_NONE)
    actions.withdraw_consent(consent=ConsentId(consent), by=actor)
    messages.success(request, _("The consent is withdrawn."))
    return redirect("console:person", known.id)


@require_POST
@signed_in
def merge(request: HttpRequest, actor: Actor, person: int) -> HttpResponse:
    """Let a double be held as this person; it can be undone."""
    known = reads.person(actor, PersonId(person))
    other = request.POST.get("other", "")
    double = reads.person(actor, PersonId(int(other) if other.isascii() and other.isdigit() and len(other) < 18 else 0))
    try:
        number = merging.merge_people(keep=known.id, merge=double.id, by=actor)
    except NotFound:
        raise
    except Refused as error:
        return show(request, actor, known, refused=said(error))
    undoable(request, _("Merged. Everything of the double is here now."), reverse("console:person-unmerge", args=[known.id, number]))
    return redirect("console:person", known.id)


@require_POST
@signed_in
def unmerge(request: HttpRequest, actor: Actor, person: int, merge: int) -> HttpResponse:
    """Undo a merge."""
    known = reads.person(actor, PersonId(person))
    if merge not in {each.id for each in known.merges}:
        raise NotFound(_NONE)
    try:
        stands_again = merging.undo_merge(merge=MergeId(merge), by=actor)
    except NotFound:
        raise
    except Refused as error:
        return show(request, actor, known, refused=said(error))
    messages.success(request, _("The two are apart again."))
    return redirect("console:person", stands_again)


@require_POST
@signed_in
def export(request: HttpRequest, actor: Actor, person: int) -> HttpResponse:
    """Send everything held about a person, as JSON."""
    known = reads.person(actor, PersonId(person))
    data = rights.export_person(person=known.id, by=actor)
    response = HttpResponse(data, content_type="application/json; charset=utf-8", headers={"X-Content-Type-Options": "nosniff"})
    response["Content-Disposition"] = f'attachment; filename="person-{known.id}.json"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def erase(request: HttpRequest, actor: Actor, person: int) -> HttpResponse:
    """Ask, then erase a person for good."""
    known = reads.person(actor, PersonId(person))
    require(actor, Permission.ERASE_PEOPLE, known.organisation)
    wrong = ""
    if request.method == "POST":
        if request.POST.get("sure") == "yes":
            try:
                rights.erase_person(person=known.id, by=actor)
            except NotFound:
                raise
            except Refused as error:
                wrong = said(error)
            else:
                messages.success(request, _("The person was erased. Numbers and times stay; they name nobody."))
                return redirect("console:people")
        else:
            wrong = _("Tick the box to say that you are sure.")
    return render(request, "console/people_erase.html", {"person": known, "wrong": wrong}, status=400 if wrong else 200)


patterns: list[URLPattern] = [
    path("", people, name="people"),
    path("add", people_edit.add, name="person-add"),
    path("<int:person>/", person, name="person"),
    path("<int:person>/edit", people_edit.edit, name="person-edit"),
    path("<int:person>/contacts", contact_add, name="person-contact-add"),
    path("<int:person>/contacts/<int:contact>/<slug:deed>", contact_do, name="person-contact"),
    path("<int:person>/identity", identity, name="person-identity"),
    path("<int:person>/consents", consent_give, name="person-consent"),
    path("<int:person>/consents/<int:consent>/withdraw", consent_withdraw, name="person-consent-withdraw"),
    path("<int:person>/merge", merge, name="person-merge"),
    path("<int:person>/merges/<int:merge>/undo", unmerge, name="person-unmerge"),
    path("<int:person>/export", export, name="person-export"),
    path("<int:person>/erase", erase, name="person-erase"),
]
