"""The basemap's files, served in byte ranges (RFC 9110, section 14) so that a map fetches only the tiles it shows."""

import re

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from jilink.webkit.basemap import LABELS, TILES

TYPES = {TILES: "application/vnd.pmtiles", LABELS: "application/geo+json"}
_RANGE = re.compile(r"bytes=(\d*)-(\d*)\Z")


def _bounds(header: str, size: int) -> tuple[int, int] | None:
    """Return first and last byte asked for, or None where the range cannot be satisfied."""
    match = _RANGE.match(header)
    if match is None or match.group() == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        return (max(0, size - int(last)), size - 1) if int(last) else None
    start, stop = int(first), min(int(last), size - 1) if last else size - 1
    return (start, stop) if start <= stop else None


@require_safe
def basemap_file(request: HttpRequest, name: str) -> HttpResponse:
    """Send a file of the basemap, or the one byte range asked for (206, 304 or 416). It holds no personal data and needs no sign-in."""
    path = settings.JILINK.data / "basemap" / name
    if name not in TYPES or not path.is_file():
        raise Http404
    stat = path.stat()
    tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    fresh = request.headers.get("If-None-Match") == tag
    response = HttpResponse(status=304) if fresh else _send(request, name, tag)
    response["ETag"] = tag
    response["Accept-Ranges"] = "bytes"
    patch_cache_control(response, public=True, max_age=3600)
    return response


def _send(request: HttpRequest, name: str, tag: str) -> HttpResponse:
    path = settings.JILINK.data / "basemap" / name
    size = path.stat().st_size
    asked = request.headers.get("Range", "")
    if not asked or request.headers.get("If-Range", tag) != tag:
        return HttpResponse(path.read_bytes(), content_type=TYPES[name])
    bounds = _bounds(asked, size)
    if bounds is None:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    first, last = bounds
    with path.open("rb") as file:
        file.seek(first)
        body = file.read(last - first + 1)
    return HttpResponse(body, status=206, content_type=TYPES[name], headers={"Content-Range": f"bytes {first}-{last}/{size}"})
