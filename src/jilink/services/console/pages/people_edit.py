"""Adding a person, and changing one field by field: nobody overwrites what they have not seen."""

from dataclasses import replace
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from jilink.core.parties.access import Actor, NotFound, require, require_anywhere
from jilink.core.parties.people import actions, reads
from jilink.core.parties.people.actions import ChangedMeanwhile, Contact
from jilink.core.parties.people.reads import PersonView
from jilink.core.parties.people.rules import ContactKind, ContactRefused
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId, PersonId
from jilink.services.console.pages.people_forms import FIELDS, EditForm, NewPersonForm, words_of
from jilink.webkit.door import said, signed_in


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Add a person."""
    require_anywhere(actor, Permission.MANAGE_PEOPLE)
    form = NewPersonForm(actor, request.POST if request.method == "POST" else None)
    made = _added(form, actor) if request.method == "POST" and form.is_valid() else None
    if made is not None:
        messages.success(request, _("Saved."))
        return redirect("console:person", made)
    return render(request, "console/people_edit.html", {"form": form, "person": None}, status=400 if form.errors else 200)


def _added(form: NewPersonForm, actor: Actor) -> int | None:
    values = form.cleaned_data
    if not values["name"].strip() and not values["phone"].strip():
        form.add_error("name", _("Give a name or a telephone number."))
        return None
    contacts = (Contact(ContactKind.PHONE, values["phone"]),) if values["phone"].strip() else ()
    try:
        return actions.add_person(organisation=OrganisationId(values["organisation"]), data=form.data_given(), contacts=contacts, by=actor)
    except NotFound:
        raise
    except ContactRefused as error:
        form.add_error("phone", said(error))
    except Refused as error:
        form.add_error(None, said(error))
    return None


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, actor: Actor, person: int) -> HttpResponse:
    """Change what is told about a person; where somebody changed the same field meanwhile, both values are shown."""
    known = reads.person(actor, PersonId(person))
    require(actor, Permission.MANAGE_PEOPLE, known.organisation)
    form = EditForm(known, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _saved(form, known, actor):
        messages.success(request, _("Saved."))
        return redirect("console:person", known.id)
    return render(request, "console/people_edit.html", {"form": form, "person": known}, status=400 if form.errors else 200)


def _saved(form: EditForm, known: PersonView, actor: Actor) -> bool:
    try:
        if form.cleaned_data["version"] != known.version and _conflicts(form, known):
            return False
        untouched = {name: None for name in FIELDS if _same(form.cleaned_data[name], form.cleaned_data[f"base_{name}"])}
        actions.edit_person(person=known.id, data=replace(form.data_given(), **untouched), version=known.version, by=actor)
    except NotFound:
        raise
    except ChangedMeanwhile as error:
        form.add_error(None, said(error))
    except Refused as error:
        form.add_error(None, said(error))
    return not form.errors


def _same(one: str, other: str) -> bool:
    return one.split() == other.split()


def _conflicts(form: EditForm, known: PersonView) -> bool:
    """Mark the fields that both changed with what stands there now; keep what was typed, and take theirs as read."""
    theirs = words_of(known)
    posted = cast(QueryDict, form.data).copy()
    posted["version"] = str(known.version)
    found = False
    for name in FIELDS:
        read, yours = form.cleaned_data[f"base_{name}"], form.cleaned_data[name]
        if _same(theirs[name], read) or _same(yours, theirs[name]):
            continue
        if _same(yours, read):
            continue
        words = _("Somebody changed this meanwhile to: %(value)s. What you typed is kept; save again to put it in place of theirs.")
        form.add_error(name, words % {"value": theirs[name] or "—"})
        posted[f"base_{name}"] = theirs[name]
        found = True
    if found:
        form.data = posted
    return found
