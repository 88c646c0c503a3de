"""Errors as programs read them: problem details for HTTP APIs (RFC 9457), with a code that stays and every fault at its place."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus

import msgspec
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from jilink.core.parties.access import NotFound
from jilink.kernel.errors import Malformed, Refused, Unavailable
from jilink.webkit.api import misfits
from jilink.webkit.door import said

MEDIA_TYPE = "application/problem+json"
RETRY_S = 2
_PLACES = {"query": "parameter", "path": "parameter", "header": "header", "cookie": "cookie"}


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing wrong with a request. Exactly one of `pointer` (RFC 6901, into the body), `parameter` and `header` says where."""

    detail: str
    pointer: str = ""
    parameter: str = ""
    header: str = ""


class _Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    type: str
    title: str
    status: int
    code: str
    request: str
    detail: str = ""
    errors: Sequence[Fault] = ()


class Conflict(Refused):
    """Somebody else changed the thing meanwhile, or the request contradicts an earlier one."""


class PreconditionFailed(Refused):
    """The thing is not as If-Match says (RFC 9110, 13.1.1). `faults` name what changed, where that is known."""

    faults: Sequence["Fault"] = ()


class Faulty(Refused):
    """A request that its schema lets through and that still has a fault at a known place."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.detail for fault in faults))
        self.faults = faults


_conflicts: list[type[Refused]] = [Conflict]


def conflicts(*errors: type[Refused]) -> None:
    """Let these refusals be answered 409, or 412 where the request came with If-Match."""
    _conflicts.extend(error for error in errors if error not in _conflicts)


Explain = Callable[[Refused], Sequence[Fault]]
_explained: dict[type[Refused], Explain] = {}


def explains(error: type[Refused], faults: Explain) -> None:
    """Let a refusal that knows several places be answered with a fault for each."""
    _explained[error] = faults


def answer(
    request_id: str,
    status: int,
    *,
    code: str = "",
    detail: str = "",
    errors: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Return a problem. `code` is a stable word for programs; without one it is the status's own."""
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
    word = code or re.sub(r"[^a-z]+", "_", phrase.lower())
    problem = _Problem(
        type=f"urn:jilink:problem:{word}", title=phrase, status=status, code=word, request=request_id, detail=detail, errors=errors
    )
    return HttpResponse(msgspec.json.encode(problem), status=status, content_type=MEDIA_TYPE, headers=dict(headers or {}))


def code_of(error: BaseException) -> str:
    """Return the stable word of a refusal: its name, ``StepRefused`` as ``step_refused``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(error).__name__).lower()


Handler = Callable[[HttpRequest, Exception], HttpResponse]


def install(api: NinjaAPI, id_of: Callable[[HttpRequest], str], note: Callable[[HttpRequest, NotFound], None]) -> None:
    """Let an API answer every expected error as a problem, and `note` what walls refuse; anything else rises."""

    def handled(make: Callable[[HttpRequest, Exception], HttpResponse], *errors: type[Exception]) -> None:
        for error in errors:
            api.add_exception_handler(error, make)  # type: ignore[arg-type]  # -- a handler is given the error itself, never its class

    def refused(request: HttpRequest, error: Exception) -> HttpResponse:
        if isinstance(error, NotFound):
            note(request, error)
        return of_refusal(id_of(request), error if isinstance(error, Refused) else Refused(str(error)), "If-Match" in request.headers)

    def invalid(request: HttpRequest, error: Exception) -> HttpResponse:
        found = faults_of(error.errors if isinstance(error, ValidationError) else ())
        return answer(id_of(request), 422, code="invalid", detail=_("The request is not as the description says."), errors=found)

    def by_status(request: HttpRequest, error: Exception) -> HttpResponse:
        return answer(id_of(request), error.status_code if isinstance(error, HttpError) else 400, detail=_(str(error)))

    def malformed(request: HttpRequest, error: Exception) -> HttpResponse:
        reason = error.reason if isinstance(error, Malformed) else ""
        return answer(id_of(request), 422, code=code_of(error), detail=str(error), errors=[Fault(detail=reason or str(error))])

    def unauthorized(request: HttpRequest, error: Exception) -> HttpResponse:
        return signed_out(id_of(request))

    handled(refused, Refused)
    handled(invalid, ValidationError)
    handled(by_status, HttpError)
    handled(unauthorized, AuthenticationError)
    handled(malformed, Malformed)
    handled(lambda request, _error: unavailable(id_of(request)), Unavailable)
    handled(lambda request, _error: answer(id_of(request), 404), Http404)
    handled(lambda request, _error: answer(id_of(request), 413), RequestDataTooBig)
    handled(lambda request, error: answer(id_of(request), 400, detail=str(error)), BadRequest, SuspiciousOperation, MultiPartParserError)
    handled(lambda request, _error: answer(id_of(request), 400, detail=_("The body ended early.")), UnreadablePostError)


def of_refusal(request_id: str, error: Refused, conditional: bool = False) -> HttpResponse:
    """Return a refusal: 404 for what a wall hides, 409 or 412 for a conflict, 422 for every other, in the reader's language."""
    if isinstance(error, NotFound):  # one sentence for all: its own words could tell what is hidden from what is not there
        return answer(request_id, 404, detail=_("There is no such thing, or you may not see it."))
    if isinstance(error, PreconditionFailed) or (conditional and isinstance(error, tuple(_conflicts))):
        changed = error.faults if isinstance(error, PreconditionFailed) else ()
        return answer(request_id, 412, code="changed_meanwhile", detail=said(error), errors=changed)
    if isinstance(error, tuple(_conflicts)):
        return answer(request_id, 409, code=code_of(error), detail=said(error))
    explain = _explained.get(type(error))
    faults = error.faults if isinstance(error, Faulty) else explain(error) if explain else ()
    return answer(request_id, 422, code=code_of(error), detail=said(error), errors=faults)


def unavailable(request_id: str) -> HttpResponse:
    """Return that something behind the pages is down."""
    detail = _("This is not available right now. Nothing was changed; try again in a moment.")
    return answer(request_id, 503, code="unavailable", detail=detail, headers={"Retry-After": str(RETRY_S)})


def signed_out(request_id: str, wrong: bool = False) -> HttpResponse:
    """Return that nobody is signed in (RFC 6750, 3)."""
    challenge = 'Bearer realm="jilink"' + (', error="invalid_token"' if wrong else "")
    detail = _("The token is unknown, expired or revoked.") if wrong else _("Send a token: Authorization: Bearer jlk_...")
    return answer(request_id, 401, detail=detail, headers={"WWW-Authenticate": challenge})


def faults_of(errors: Iterable[Mapping[str, object]]) -> list[Fault]:
    """Return what a schema found wrong, each fault at its place: a pointer into the body, a parameter or a header."""
    found = []
    for error in errors:
        place = error.get("loc")
        parts = [str(part) for part in place] if isinstance(place, list | tuple) else []
        source, inner = (parts[0], parts[1:]) if parts else ("", [])
        words = misfits.words(error)
        kind = _PLACES.get(source)
        if kind is None:  # body, form and file: the first part is the argument that holds the body
            inner = inner[1:] if source == "body" else inner
            pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in inner)
            found.append(Fault(detail=words, pointer=pointer or "/"))
        elif kind == "header":
            found.append(Fault(detail=words, header=inner[-1] if inner else ""))
        else:
            found.append(Fault(detail=words, parameter=inner[-1] if inner else ""))
    return found
