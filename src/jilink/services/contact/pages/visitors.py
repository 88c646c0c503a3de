"""The public door of web chat: what the widget asks from the pages of other sites.

No cookie and no session: a request proves itself by the secret in its body, and its page by its origin, which has to be one of the
site's (Fetch Standard, CORS protocol). Everything is asked by POST, so that no secret stands in an address.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from jilink.core.files.reads import HEADERS
from jilink.core.parties.access import NotFound
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.services.contact.actions import messages_left, writing
from jilink.services.contact.actions.writing import Visitor
from jilink.services.contact.reads import writing as reads
from jilink.services.contact.reads.writing import Door, Line, Seen
from jilink.services.contact.router.written import WAKE
from jilink.services.contact.rules import written as rules
from jilink.webkit import pages
from jilink.webkit.api import limits
from jilink.webkit.door import said
from jilink.webkit.link import spine

LARGEST = 64 << 10
BEGINNINGS = 12
"""Conversations that one address may begin in a minute."""
BUILT = Path(pages.__file__).parent / "static" / "jl"
WIDGET = "src/contact/widget.js"
Short = Annotated[str, msgspec.Meta(max_length=300)]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the widget sends."""

    secret: Annotated[str, msgspec.Meta(max_length=128)] = ""
    agreed: bool = False
    language: Annotated[str, msgspec.Meta(max_length=35)] = ""
    name: Short = ""
    address: Short = ""
    words: Annotated[str, msgspec.Meta(max_length=20_000)] = ""
    client: Annotated[str, msgspec.Meta(max_length=60)] = ""
    has: int = 0
    read: int = 0
    mark: Short = ""
    rating: int = 0
    number: int = 0


_ASKED = msgspec.json.Decoder(Asked)
Deed = Callable[[HttpRequest, Door, Asked], HttpResponse]


@require_safe
def widget(_request: HttpRequest) -> HttpResponse:
    """Return the script of the widget: one file for the tag in other people's pages, whose address never changes."""
    manifest = json.loads((BUILT / "manifest.json").read_text())
    response = HttpResponse((BUILT / manifest[WIDGET]["file"]).read_bytes(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "public, max-age=600"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@csrf_exempt
def chat(request: HttpRequest, key: str, deed: str) -> HttpResponse:
    """Do one thing for somebody who writes. 403 from another page than the site's, 404 for what is not theirs, 413, 429."""
    return answered(request, key, lambda door: _done(request, door, deed))


def answered(request: HttpRequest, key: str, do: Callable[[Door], HttpResponse]) -> HttpResponse:
    """Answer one request of a page: whether the page may ask, whether it asks too often, and what comes of it."""
    try:
        door = reads.door(key, utc_now())
    except NotFound as error:
        return _refused(404, said(error))
    origin = request.headers.get("Origin", "")
    if origin not in door.design.origins and origin != f"{request.scheme}://{request.get_host()}":
        return _refused(403, _("This page may not ask here."))
    response = _preflight() if request.method == "OPTIONS" else _limited(request, do, door)
    response["Access-Control-Allow-Origin"] = origin
    response["Cache-Control"] = "no-store"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_vary_headers(response, ["Origin"])
    return response


def _preflight() -> HttpResponse:
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = "POST"
    response["Access-Control-Allow-Headers"] = "content-type"
    response["Access-Control-Max-Age"] = "600"
    return response


def _limited(request: HttpRequest, do: Callable[[Door], HttpResponse], door: Door) -> HttpResponse:
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST, OPTIONS"})
    quota = settings.JILINK.api_strangers_per_minute * 4
    allowance = limits.count("chat", f"chat:{limits.address_of(request)}", quota, time.time())
    response = _refused(429, _("Please wait a minute and try again.")) if allowance.wait_s else _tried(do, door)
    allowance.write(response)
    return response


def _tried(do: Callable[[Door], HttpResponse], door: Door) -> HttpResponse:
    try:
        return do(door)
    except NotFound as error:
        return _refused(404, said(error))
    except Refused as error:
        return _refused(400, said(error))


def _refused(status: int, words: str) -> HttpResponse:
    return JsonResponse({"refusal": words}, status=status)


def asked_in(request: HttpRequest, door: Door) -> Asked:
    """Return what the widget sent; a secret of another site's conversation is nobody's here. Raises NotFound, Refused."""
    if int(request.headers.get("Content-Length") or 0) > LARGEST or len(request.body) > LARGEST:
        raise rules.ConversationRefused("That is too much at once.")
    try:
        asked = _ASKED.decode(request.body)
    except msgspec.DecodeError as error:
        raise rules.ConversationRefused("This cannot be read.") from error
    return asked


def _own(door: Door, secret: str) -> str:
    if reads.site_of(secret) != door.key:
        raise NotFound(reads.HIDDEN)
    return secret


def _done(request: HttpRequest, door: Door, deed: str) -> HttpResponse:
    if deed == "say":
        return _say(request, door)
    deeds: dict[str, Deed] = {
        "hello": _hello, "begin": _begin, "typing": _typing, "leave": _leave, "message": _message, "rate": _rate, "file": _file,
    }  # fmt: skip
    if deed not in deeds:
        raise NotFound(reads.HIDDEN)
    return deeds[deed](request, door, asked_in(request, door))


def _hello(_request: HttpRequest, door: Door, asked: Asked) -> HttpResponse:
    language = asked.language or get_language() or "zh-hans"
    design = door.design
    return JsonResponse(
        {
            "title": design.title.in_(language),
            "greeting": design.greeting.in_(language),
            "agreement": design.agreement.in_(language),
            "hours": design.hours.in_(language),
            "colour": design.colour,
            "open": door.is_open and not settings.JILINK.absent("router"),
            "messages": bool(design.case_type),
        }
    )


def _begin(request: HttpRequest, door: Door, asked: Asked) -> HttpResponse:
    quota = BEGINNINGS if settings.JILINK.api_strangers_per_minute else 0
    allowance = limits.count("chat-begin", f"chat-begin:{limits.address_of(request)}", quota, time.time())
    if allowance.wait_s:
        return _refused(429, _("Please wait a minute and try again."))
    writing.begin_conversation(visitor=_visitor(door, asked), words=asked.words, client=asked.client)
    spine().send(WAKE, b"")
    return JsonResponse({"begun": True})


def _visitor(door: Door, asked: Asked) -> Visitor:
    language = asked.language or get_language() or "zh-hans"
    return Visitor(site=door.key, secret=asked.secret, agreed=asked.agreed, language=language, name=asked.name, address=asked.address)


def _say(request: HttpRequest, door: Door) -> HttpResponse:
    """Take words as JSON, or a file with them as a form."""
    if not (request.content_type or "").startswith("multipart/"):
        asked = asked_in(request, door)
        number = writing.say_as_visitor(secret=_own(door, asked.secret), words=asked.words, client=asked.client)
    else:
        if int(request.headers.get("Content-Length") or 0) > rules.MOST_UPLOAD + LARGEST:
            raise rules.ConversationRefused("That is too much at once.")
        file = request.FILES.get("file")
        if file is None or isinstance(file, list) or (file.size or 0) > rules.MOST_UPLOAD:
            raise rules.ConversationRefused("That is too much at once.")
        number = writing.say_as_visitor(
            secret=_own(door, request.POST.get("secret", "")), words=request.POST.get("words", ""),
            client=request.POST.get("client", ""), upload=(file.read(), file.name or "file"),
        )  # fmt: skip
    spine().send(WAKE, b"")
    return JsonResponse({"number": number})


def _typing(_request: HttpRequest, door: Door, asked: Asked) -> HttpResponse:
    writing.show_typing(secret=_own(door, asked.secret))
    return JsonResponse({})


def _leave(_request: HttpRequest, door: Door, asked: Asked) -> HttpResponse:
    writing.leave_conversation(secret=_own(door, asked.secret))
    spine().send(WAKE, b"")
    return JsonResponse({})


def _message(_request: HttpRequest, door: Door, asked: Asked) -> HttpResponse:
    number = messages_left.leave_message(visitor=_visitor(door, asked), words=asked.words, client=asked.client)
    spine().send(WAKE, b"")
    return JsonResponse({"case": number})


def _rate(_request: HttpRequest, door: Door, asked: Asked) -> HttpResponse:
    writing.rate_conversation(secret=_own(door, asked.secret), rating=asked.rating)
    return JsonResponse({})


def _file(_request: HttpRequest, door: Door, asked: Asked) -> HttpResponse:
    view, data = reads.file_for_visitor(_own(door, asked.secret), asked.number)
    return HttpResponse(data, content_type=view.content_type, headers=HEADERS)


def told(seen: Seen) -> dict[str, object]:
    """Return a conversation as the widget reads it."""
    return {
        "state": seen.state.value,
        "answered": seen.answered,
        "place": seen.place,
        "read": seen.read,
        "rated": seen.rated,
        "closed": seen.closed,
        "mark": mark_of(seen),
        "last": seen.last,
        "lines": [_line(line) for line in seen.lines],
    }


def mark_of(seen: Seen) -> str:
    """Return what differs when anything but the lines does."""
    return f"{seen.state.value}-{seen.answered:d}-{seen.place}-{seen.read}-{seen.rated or 0}"


def _line(line: Line) -> dict[str, object]:
    file = None if line.file is None else {"name": line.file.name, "size": line.file.size, "picture": line.file.has_thumbnail}
    return {"number": line.number, "theirs": line.theirs, "text": line.text, "file": file, "at": line.at.isoformat()}


patterns: list[URLPattern] = [
    path("widget.js", widget, name="chat-widget"),
    path("chat/<str:key>/<slug:deed>", chat, name="chat"),
]
