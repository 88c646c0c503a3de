"""Recordings: a list of those one may listen to, and the player. Each opening is written down; the sound itself is sent in ranges."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django import forms
from django.contrib import messages
from django.core import signing
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.parties import access
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members import reads as members
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import CHINA
from jilink.kernel.errors import Refused
from jilink.services.contact.actions import recordings as actions
from jilink.services.contact.reads import recordings as reads
from jilink.services.contact.reads.recordings import RecordingView, Wanted
from jilink.services.contact.rules import recordings as rules
from jilink.webkit.door import said, signed_in

EACH = 50
OPEN_FOR_S = 8 * 3600
"""How long what was opened can be played on, without an entry of its own."""
_SALT = "contact.recordings"
MARK_WORDS = {
    "held": gettext_lazy("On hold"),
    "unheld": gettext_lazy("Back from hold"),
    "rec_paused": gettext_lazy("Recording paused"),
    "rec_resumed": gettext_lazy("Recording goes on"),
    "dialled_again": gettext_lazy("The agent's phone rang again"),
    "left": gettext_lazy("End of the conversation"),
    "key": gettext_lazy("Keys pressed"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A recording with the words a page shows; `source` where it was opened."""

    recording: RecordingView
    agent: str
    marks: list[dict[str, object]]
    peaks: str
    may_manage: bool
    held_by: str
    source: str = ""


def shown(actor: Actor, found: list[RecordingView]) -> list[Shown]:
    """Return recordings with the words a page shows: for the contact's page too."""
    numbers = {one for each in found for one in (each.agent, each.held_by) if one is not None}
    names = members.people_named(numbers)
    managed = access.organisations_of(actor, Permission.MANAGE_RECORDINGS)
    return [
        Shown(
            recording=each,
            agent=names.get(each.agent or 0, ""),
            marks=[{"at": mark.at_s, "word": MARK_WORDS.get(mark.what, mark.what)} for mark in each.marks],
            peaks=each.peaks.hex(),
            may_manage=each.organisation in managed,
            held_by=names.get(each.held_by or 0, ""),
        )
        for each in found
    ]


class FilterForm(forms.Form):
    """What the list is narrowed by."""

    first = forms.DateField(label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=gettext_lazy("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    queue = forms.TypedChoiceField(label=gettext_lazy("Queue"), required=False, coerce=int, empty_value=None)
    agent = forms.TypedChoiceField(label=gettext_lazy("Agent"), required=False, coerce=int, empty_value=None)
    rated = forms.TypedChoiceField(label=gettext_lazy("Rated at most"), required=False, coerce=int, empty_value=None)

    def __init__(self, data: object, actor: Actor) -> None:
        super().__init__(data)  # type: ignore[arg-type] # -- a query's values
        queues, agents = reads.filters(actor)
        language = get_language() or "zh-hans"
        rows: dict[str, list[tuple[object, str]]] = {
            "queue": [(pk, name.in_(language)) for pk, name in queues.items()],
            "agent": sorted(agents.items(), key=lambda one: one[1]),
            "rated": [(number, str(number)) for number in range(1, 6)],
        }
        for name, found in rows.items():
            self.fields[name].choices = [("", _("All")), *found]  # type: ignore[attr-defined] # -- a choice field

    def wanted(self) -> Wanted:
        """Return what is asked for; what cannot be read counts as not given."""
        self.is_valid()
        given = self.cleaned_data
        return Wanted(
            begin=_midnight(given.get("first"), 0),
            end=_midnight(given.get("last"), 1),
            queue=given.get("queue"),
            agent=given.get("agent"),
            rated_at_most=given.get("rated"),
        )


def _midnight(day: date | None, after: int) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), CHINA) + timedelta(days=after)


@require_safe
@signed_in
def recordings(request: HttpRequest, actor: Actor) -> HttpResponse:
    """List the recordings that the viewer may listen to, the newest first."""
    form = FilterForm(request.GET, actor)
    asked = request.GET.get("page", "1")
    number = max(1, min(int(asked), 100_000)) if asked.isascii() and asked.isdecimal() else 1
    found, total = reads.recordings(actor, form.wanted(), limit=EACH, offset=(number - 1) * EACH)
    context = {
        "form": form,
        "rows": shown(actor, found),
        "page": Paginator(range(total), EACH).get_page(number),
        "manages": actor.may(Permission.MANAGE_RECORDINGS),
    }
    return render(request, "contact/recordings_list.html", context)


@require_safe
@signed_in
def recording(request: HttpRequest, actor: Actor, recording: int) -> HttpResponse:
    """Show one recording: its waveform at once, its sound after it was opened."""
    found = shown(actor, [reads.recording(actor, recording)])[0]
    opening = request.GET.get("opening", "")
    source = _source(recording, opening) if _opened(opening, actor, recording) else ""
    response = render(request, "contact/recordings_one.html", {"one": found, "source": source})
    response["Cache-Control"] = "no-store"
    return response


@require_POST
@signed_in
def open_recording(request: HttpRequest, actor: Actor, recording: int) -> HttpResponse:
    """Write down that the viewer listens, and let them: by a page, or by the address of the sound for a script."""
    actions.open_recording(recording=recording, by=actor)
    opening = signing.dumps([actor.user, recording], salt=_SALT)
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"source": _source(recording, opening)}, headers={"Cache-Control": "no-store"})
    return redirect(f"{reverse('contact:recording', args=[recording])}?{urlencode({'opening': opening})}")


@require_safe
@signed_in
def sound(request: HttpRequest, actor: Actor, recording: int) -> HttpResponseBase:
    """Send the sound of a recording that was opened, whole or the range asked for."""
    if not _opened(request.GET.get("opening", ""), actor, recording):
        raise NotFound.of(reads.LISTEN)
    size = reads.recording(actor, recording).size
    asked = request.headers.get("Range", "")
    response: HttpResponseBase
    if not asked:
        response = _whole(actor, recording, size)
    elif (wanted := rules.bounds(asked, size)) is None:
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    else:
        body = b"".join(reads.heard(actor, recording, *wanted))
        response = HttpResponse(body, status=206, content_type="audio/wav")
        response["Content-Range"] = f"bytes {wanted[0]}-{wanted[1]}/{size}"
    return _unkept(response)


@require_POST
@signed_in
def download(request: HttpRequest, actor: Actor, recording: int) -> HttpResponseBase:
    """Send the whole recording as a file, and write that down."""
    actions.open_recording(recording=recording, by=actor, download=True)
    found = reads.recording(actor, recording)
    response = _unkept(_whole(actor, recording, found.size))
    name = f"{found.begun_at.astimezone(CHINA):%Y%m%d-%H%M%S}-{found.contact}.wav"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
@signed_in
def hold(request: HttpRequest, actor: Actor, recording: int) -> HttpResponse:
    """Keep a recording whatever its time, or let its time count again."""
    try:
        if request.POST.get("release"):
            actions.release(recording=recording, by=actor)
            messages.success(request, _("It is no longer held."))
        else:
            actions.hold(recording=recording, reason=request.POST.get("reason", ""), by=actor)
            messages.success(request, _("It is held until somebody releases it."))
    except NotFound:
        raise
    except Refused as error:
        messages.error(request, said(error))
    return redirect("contact:recording", recording)


class KeepingForm(forms.Form):
    """For how long an organisation keeps recordings."""

    days = forms.IntegerField(
        label=gettext_lazy("Days"),
        min_value=0,
        max_value=rules.LONGEST_KEPT_DAYS,
        help_text=gettext_lazy("0: for ever. It holds for recordings made from now on; a queue can say otherwise."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def keeping(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show and set for how long each organisation keeps recordings."""
    access.require_anywhere(actor, Permission.MANAGE_RECORDINGS)
    if request.method == "POST":
        form = KeepingForm(request.POST)
        place = request.POST.get("organisation", "")
        if form.is_valid() and place.isdecimal():
            actions.set_keeping(organisation=int(place), days=form.cleaned_data["days"], by=actor)
            messages.success(request, _("Saved."))
        else:
            messages.error(request, _("Recordings are kept for 1 to 3660 days, or for ever (0)."))
        return redirect("contact:keeping")
    names = {each.id: each.name for each in parties.choices(actor, Permission.MANAGE_RECORDINGS)}
    rows = [(place, names.get(place, ""), days) for place, days in reads.keeping(actor).items()]  # type: ignore[call-overload] # -- ids are ints
    return render(request, "contact/recordings_keeping.html", {"rows": rows, "most": rules.LONGEST_KEPT_DAYS})


def _source(recording: int, opening: str) -> str:
    return f"{reverse('contact:recording-sound', args=[recording])}?{urlencode({'opening': opening})}"


def _opened(opening: str, actor: Actor, recording: int) -> bool:
    try:
        return bool(signing.loads(opening, salt=_SALT, max_age=OPEN_FOR_S) == [actor.user, recording])
    except signing.BadSignature:
        return False


def _unkept(response: HttpResponseBase) -> HttpResponseBase:
    response["Cache-Control"] = "private, no-store"
    response["Accept-Ranges"] = "bytes"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _whole(actor: Actor, recording: int, size: int) -> StreamingHttpResponse:
    pieces = reads.heard(actor, recording, 0, size - 1)
    response = StreamingHttpResponse(_beside(pieces), content_type="audio/wav")
    response["Content-Length"] = str(size)
    return response


async def _beside(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what is opened in a thread, piece by piece."""
    take = sync_to_async(lambda: next(pieces, None))
    while (piece := await take()) is not None:
        yield piece


patterns: list[URLPattern] = [
    path("recordings/", recordings, name="recordings"),
    path("recordings/keeping/", keeping, name="keeping"),
    path("recordings/<int:recording>/", recording, name="recording"),
    path("recordings/<int:recording>/open", open_recording, name="open-recording"),
    path("recordings/<int:recording>/sound", sound, name="recording-sound"),
    path("recordings/<int:recording>/download", download, name="download-recording"),
    path("recordings/<int:recording>/hold", hold, name="hold-recording"),
]
