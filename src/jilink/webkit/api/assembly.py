"""The API as one thing: its operations behind the door, its errors as problems, and its description with what all operations share."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from jilink.core.parties.access import NotFound
from jilink.webkit.api import problems, repeats
from jilink.webkit.api.calls import call_of
from jilink.webkit.api.cursors import MOST
from jilink.webkit.api.door import guarded
from jilink.webkit.api.sign_in import Session, Token

Node = dict[str, Any]  # a part of an OpenAPI document: JSON of no fixed shape (OpenAPI 3.1)

_ALWAYS = ("401", "403", "404", "422", "429", "503")
_CHANGES = ("400", "409", "412", "413", "415")
_WORDS = {
    "400": "The request cannot be read",
    "401": "Nobody is signed in",
    "403": "The session may not do this: the CSRF token or a second factor is missing",
    "404": "There is no such thing, or it may not be seen",
    "409": "It contradicts an earlier request, or somebody else was faster",
    "412": "The thing is not as If-Match says",
    "413": "The body is too large",
    "415": "The body is of a kind that is not read here",
    "422": "The request is not as described, or the rules say no",
    "429": "Too many requests",
    "503": "Something behind the API is down",
}
_FAULT: Node = {
    "type": "object",
    "title": "Fault",
    "description": "One thing wrong with a request; pointer (RFC 6901, into the body), parameter or header says where.",
    "properties": {
        "detail": {"type": "string"},
        "pointer": {"type": "string"},
        "parameter": {"type": "string"},
        "header": {"type": "string"},
    },
    "required": ["detail"],
}
_PROBLEM: Node = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457). `code` is a stable word for programs, `detail` words for people.",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "request": {"type": "string", "description": "The number of the request, as X-Request-Id."},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
    },
    "required": ["type", "title", "status", "code", "request"],
}
_KEY: Node = {
    "name": repeats.HEADER,
    "in": "header",
    "required": False,
    "description": "A word of your own: sent again with the same key within 24 hours, the change happens once and is answered alike.",
    "schema": {"type": "string", "pattern": "^[!#-\\[\\]-~]{1,128}$", "maxLength": 128, "minLength": 1},
}
_IF_MATCH: Node = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of a read: the change happens only if nobody changed the thing since, else 412.",
    "schema": {"type": "string"},
}
_MARK: Node = {"description": "The mark of this representation, for If-None-Match and If-Match.", "schema": {"type": "string"}}
PLACE = "/api/v1/"
"""Where the API is served."""
ALSO = "x-also"
"""In `openapi_extra`: further statuses that an operation answers with problems."""
VERSIONED = {"x-versioned": True}
"""`openapi_extra` of an operation that honours If-Match."""


class Api(NinjaAPI):
    """One API of the installation. Routers are added to it; what they share is here."""

    def __init__(self, *, title: str, version: str, description: str, tags: list[dict[str, str]]) -> None:
        super().__init__(
            title=title,
            version=version,
            description=description,
            auth=[Token(), Session()],
            urls_namespace="api",
            docs_url=None,
            openapi_extra={"tags": tags},
        )
        problems.install(self, lambda request: call_of(request).id, _note)
        self.add_decorator(guarded, mode="view")
        self._described: OpenAPISchema | None = None

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None) -> OpenAPISchema:
        """Return the description; it is made once."""
        if self._described is None:
            made = super().get_openapi_schema(path_prefix=PLACE, path_params=path_params)
            for method, operation in operations(made):
                _complete(method, operation)
            made["components"]["schemas"] |= {"Problem": _PROBLEM, "Fault": _FAULT}
            self._described = made
        return self._described


def _note(request: HttpRequest, error: NotFound) -> None:
    call_of(request).refused = error


def operations(description: Node) -> Iterator[tuple[str, Node]]:
    """Yield the method and description of every operation."""
    for methods in description["paths"].values():
        yield from methods.items()


def _complete(method: str, operation: Node) -> None:
    """Add to one operation what the door gives all of them: problems, keys, marks, links."""
    changes = method.upper() in repeats.CHANGES
    operation["summary"] = operation["operationId"].replace("_", " ").capitalize()
    parameters: list[Node] = operation.setdefault("parameters", [])
    if changes:
        parameters.append(_KEY)
    if operation.pop("x-versioned", False):
        parameters.append(_IF_MATCH)
    responses: Node = operation["responses"]
    good = [responses[status] for status in list(responses) if str(status).startswith("2")]
    for status in (*_ALWAYS, *(_CHANGES if changes else ()), *operation.pop(ALSO, ())):
        responses.setdefault(status, _problem(status))
    if method == "get":
        responses["304"] = {"description": "It is as If-None-Match says"}
        parameters.append({"name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"}})
        for response in good:
            response.setdefault("headers", {})["ETag"] = _MARK
    if any(parameter["name"] == "cursor" for parameter in parameters):
        for response in good:
            link = {"description": f"The page after, as rel=next (RFC 8288); a page has {MOST} rows at most.", "schema": {"type": "string"}}
            response.setdefault("headers", {})["Link"] = link
    operation["responses"] = {str(status): responses[status] for status in sorted(responses, key=str)}


def _problem(status: str) -> Node:
    return {"description": _WORDS[status], "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
