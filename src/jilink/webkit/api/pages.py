"""The description of the API for people: every operation by its tag, from the same document that programs read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise

from jilink.webkit.api.assembly import Api, Node


@dataclass(frozen=True, slots=True)
class Told:
    """One operation as the page shows it."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[tuple[str, str, bool, str]]
    """Name, kind, whether it is needed, what it means."""
    fields: list[tuple[str, str, bool, str]]
    """The same of its body."""
    answers: list[tuple[str, str]]


def described(api: Api, words: Mapping[str, tuple[str | Promise, str | Promise]]) -> Callable[[HttpRequest], HttpResponse]:
    """Return the page of an API's description; `words` say what each tag is called, and what it is about, in the viewer's language."""

    def page(request: HttpRequest) -> HttpResponse:
        document = api.get_openapi_schema()
        told = _told(document)
        names = [tag["name"] for tag in document["tags"]]
        groups = [(name, *words[name], [operation for tag, operation in told if tag == name]) for name in names]
        return render(request, "webkit/api.html", {"document": document, "groups": groups})

    return page


def _told(document: Node) -> list[tuple[str, Told]]:
    schemas = document["components"]["schemas"]
    return [
        (operation["tags"][0], _operation(method, path, operation, schemas))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def _operation(method: str, path: str, operation: Node, schemas: Node) -> Told:
    content = operation.get("requestBody", {}).get("content", {})
    body = _resolved(next(iter(content.values()))["schema"], schemas) if content else {}
    needed = body.get("required", ())
    return Told(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        parameters=[
            (each["name"], _kind(each["schema"], schemas), each["required"], each.get("description", ""))
            for each in operation["parameters"]
        ],
        fields=[
            (name, _kind(each, schemas), name in needed, each.get("description", "")) for name, each in body.get("properties", {}).items()
        ],
        answers=[(str(status), answer["description"]) for status, answer in operation["responses"].items()],
    )


def _resolved(schema: Node, schemas: Node) -> Node:
    found: Node = schemas[schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema
    return found


def _kind(schema: Node, schemas: Node) -> str:
    """Return in a few words what a value is."""
    if "anyOf" in schema:
        return " | ".join(_kind(each, schemas) for each in schema["anyOf"])
    if "$ref" in schema:
        target = _resolved(schema, schemas)
        return _kind(target, schemas) if "enum" in target else schema["$ref"].rsplit("/", 1)[-1]
    if "enum" in schema:
        return " · ".join(str(each) for each in schema["enum"])
    if schema.get("type") == "array":
        return f"[{_kind(schema['items'], schemas)}]"
    return str(schema.get("format") or schema.get("type", "any"))
