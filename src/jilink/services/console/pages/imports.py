"""Much at once for people: a file is chosen, sent in pieces that go on after a break, and every row that was not taken is named."""

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.assets.inventory import reads as assets
from jilink.core.imports import actions, reads
from jilink.core.imports.reads import ImportView
from jilink.core.imports.rules import OVER, ImportState
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.webkit.door import said, signed_in

SHOWN = 200
STATES = {
    ImportState.UPLOADING: (gettext_lazy("Uploading"), "info"),
    ImportState.WAITING: (gettext_lazy("Waiting"), "info"),
    ImportState.RUNNING: (gettext_lazy("Running"), "info"),
    ImportState.DONE: (gettext_lazy("Done"), "good"),
    ImportState.CANCELLED: (gettext_lazy("Cancelled"), "neutral"),
    ImportState.FAILED: (gettext_lazy("Failed"), "bad"),
    ImportState.EXPIRED: (gettext_lazy("Expired"), "neutral"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """An import as the pages show it: its noun and state in words, and how much of it is done (percent)."""

    job: ImportView
    noun: str
    state: str
    tone: str
    percent: int

    @property
    def over(self) -> bool:
        """Return whether nothing changes any more."""
        return self.job.state in OVER

    @property
    def can_apply(self) -> bool:
        """Return whether it is a dry run that can be done in earnest."""
        return self.job.dry_run and self.job.state == ImportState.DONE


class UploadForm(forms.Form):
    """What is to be imported, and the file."""

    noun = forms.ChoiceField(label=gettext_lazy("What the rows are"))
    organisation = forms.TypedChoiceField(label=gettext_lazy("Organisation"), coerce=int)
    kind = forms.ChoiceField(label=gettext_lazy("Kind of asset"), required=False, help_text=gettext_lazy("For assets only."))
    file = forms.FileField(
        label=gettext_lazy("File"), help_text=gettext_lazy("CSV or lines of JSON, also packed with gzip; at most 256 MiB.")
    )
    dry_run = forms.BooleanField(label=gettext_lazy("Try first: look at every row and change nothing"), required=False, initial=True)

    def __init__(self, actor: Actor, request: HttpRequest) -> None:
        posted = request.method == "POST"
        super().__init__(request.POST if posted else None, request.FILES if posted else None)
        found = reads.open_to(actor)
        places = {place.id: place for noun in found for place in parties.choices(actor, noun.permission)}
        kinds = assets.kinds_of(actor) if actor.may(Permission.VIEW_ASSETS) else []
        self.fields["noun"].choices = [(noun.key, noun.title.in_(_language())) for noun in found]  # type: ignore[attr-defined]  # -- a choice field
        self.fields["organisation"].choices = [(place.id, "　" * place.depth + place.name) for place in places.values()]  # type: ignore[attr-defined]  # -- likewise
        named = {kind.key: kind.kind.title.in_(_language()) for kind in kinds}
        self.fields["kind"].choices = [("", "–"), *named.items()]  # type: ignore[attr-defined]  # -- likewise


def _language() -> str:
    return get_language() or "zh-hans"


def _shown(job: ImportView, titles: dict[str, str]) -> Shown:
    words, tone = STATES[job.state]
    done, whole = (job.received, job.size) if job.state == ImportState.UPLOADING else (job.done, job.rows or 0)
    return Shown(job, titles.get(job.noun, job.noun), str(words), tone, 100 * done // whole if whole else 0)


def _titles(actor: Actor) -> dict[str, str]:
    return {noun.key: noun.title.in_(_language()) for noun in reads.open_to(actor)}


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def imports(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show imports and take a file; with JavaScript the page sends it to the API in pieces instead."""
    if not reads.open_to(actor):
        raise NotFound("There is no such thing, or you may not see it.")
    form = UploadForm(actor, request)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            file = given["file"]
            options = {"kind": given["kind"]} if given["noun"] == "assets" else {}
            job = actions.begin_import(
                organisation=OrganisationId(given["organisation"]),
                noun=given["noun"],
                size=file.size,
                name=file.name or "",
                options=options,
                dry_run=given["dry_run"],
                by=actor,
            )
            actions.receive(job=job, offset=0, read=file.read, by=actor)
            return redirect("console:import", job)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
    titles = _titles(actor)
    shown = [_shown(job, titles) for job in reads.import_jobs(actor)]
    context = {"form": form, "jobs": shown, "nouns": list(titles.items())}
    return render(request, "console/imports.html", context, status=400 if form.errors else 200)


@require_safe
@signed_in
def one(request: HttpRequest, actor: Actor, job: int) -> HttpResponse:
    """Show one import with its refused rows; asked by htmx, the part that changes alone."""
    view = reads.import_job(actor, job)
    rows = [(row, row.key.partition(":")[2], said(row.reason)) for row in reads.refusals(actor, job, limit=SHOWN)]
    failure = said(view.failure) if view.failure is not None else ""
    context = {"shown": _shown(view, _titles(actor)), "rows": rows, "failure": failure, "more": view.refused > len(rows)}
    part = request.headers.get("HX-Request") == "true"
    return render(request, "console/imports_part.html" if part else "console/imports_one.html", context)


@require_POST
@signed_in
def cancel(request: HttpRequest, actor: Actor, job: int) -> HttpResponse:
    """End an import."""
    actions.cancel_import(job=job, by=actor)
    messages.success(request, _("The import was cancelled. Rows that were taken stay."))
    return redirect("console:import", job)


@require_POST
@signed_in
def apply(request: HttpRequest, actor: Actor, job: int) -> HttpResponse:
    """Do a dry run in earnest."""
    actions.do_in_earnest(job=job, by=actor)
    return redirect("console:import", job)


patterns = [
    path("", imports, name="imports"),
    path("<int:job>/", one, name="import"),
    path("<int:job>/cancel", cancel, name="import_cancel"),
    path("<int:job>/apply", apply, name="import_apply"),
]
