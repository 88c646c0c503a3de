"""Bytes of files, sent as `core.files` says: nothing in them can run."""

from urllib.parse import quote

from django.http import HttpResponse

from jilink.core.files.reads import HEADERS, FileView
from jilink.webkit.api.shapes import Out

BYTES = {"responses": {200: {"description": "The file", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}}}
"""`openapi_extra` of an operation that answers with a file."""


class FileOut(Out):
    """A file without its bytes. Degrees are WGS-84, as the camera said."""

    id: int
    name: str
    content_type: str
    size: int
    digest: str
    width: int | None
    height: int | None
    latitude: float | None
    longitude: float | None


def sent(file: FileView, data: bytes) -> HttpResponse:
    """Return a file as an answer to be saved under its name (RFC 6266, 4.3)."""
    headers = {**HEADERS, "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}"}
    return HttpResponse(data, content_type=file.content_type, headers=headers)
