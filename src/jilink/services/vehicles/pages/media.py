"""What cameras and microphones of a vehicle recorded: a gallery, and each recording itself."""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from jilink.core.files import pictures
from jilink.core.files.rules import JPEG, PNG, FileRefused
from jilink.core.parties.access import Actor
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import AssetId
from jilink.services.vehicles.pages.fleet import page_number, page_of
from jilink.services.vehicles.reads import fleet
from jilink.services.vehicles.reads import media as recordings
from jilink.services.vehicles.reads.media import Recording
from jilink.services.vehicles.words import word
from jilink.webkit.door import signed_in

INLINE = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "video/mp4": "mp4",
}
"""What browsers show by themselves, and cannot mistake for a page; all else is only ever saved to a file."""
PICTURES = {"image/jpeg": JPEG, "image/png": PNG}
_SAVED = "application/octet-stream"
SANDBOX = "default-src 'none'; sandbox"
OTHER_SUFFIXES = {"image/tiff": "tif", "video/x-ms-wmv": "wmv", "video/h264": "h264", "text/plain": "txt"}


def shown(found: Sequence[Recording]) -> list[dict[str, object]]:
    """Return recordings as `_media.html` takes them."""
    return [
        {
            "id": each.id,
            "url": reverse("vehicles:recording", args=[each.asset, each.id]),
            "show": each.kind if each.content_type in INLINE and each.kind in ("image", "audio", "video") else "",
            "kind": word(each.kind),
            "cause": word(each.cause),
            "channel": each.channel,
            "taken_at": each.taken_at,
            "kilobytes": max(1, round(each.size / 1000)),
            "latitude": each.latitude,
            "longitude": each.longitude,
            "sha256": each.sha256,
        }
        for each in found
    ]


@require_safe
@signed_in
def gallery(request: HttpRequest, actor: Actor, asset: int) -> HttpResponse:
    """Show all recordings of a vehicle, newest first."""
    number = page_number(request)
    total, found = recordings.of_asset(actor, AssetId(asset), page=number)
    context = {"row": fleet.one(actor, AssetId(asset)), "items": shown(found), "page": page_of(found, total, recordings.PAGE, number)}
    return render(request, "vehicles/media.html", context)


@require_safe
@signed_in
def recording(request: HttpRequest, actor: Actor, asset: int, media: int) -> HttpResponse:
    """Send one recording in a sandbox: for showing, a picture is encoded anew; for keeping, the bytes as the terminal sent them."""
    found, data = recordings.content(actor, AssetId(asset), media, utc_now())
    kind = found.content_type if found.content_type in INLINE and "download" not in request.GET else _SAVED
    if kind in PICTURES:
        try:
            picture = pictures.renew(data, PICTURES[kind])
            data, kind = picture.data, picture.kind.content_type
        except FileRefused:  # damaged or not a picture: whoever needs the evidence saves it
            kind = _SAVED
    inline = kind != _SAVED
    suffix = INLINE.get(kind) or INLINE.get(found.content_type) or OTHER_SUFFIXES.get(found.content_type, "bin")
    response = HttpResponse(data, content_type=kind)
    response["Content-Disposition"] = f'{"inline" if inline else "attachment"}; filename="{asset}-{found.id}.{suffix}"'
    response["Content-Security-Policy"] = SANDBOX
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, max-age=3600"
    return response
