"""Addresses of pages as people outside reach them: in links that are sent or printed."""

from django.conf import settings
from django.http import HttpRequest


def public_address(path: str, request: HttpRequest | None = None) -> str:
    """Return the address of a page under the first public origin, else as this request came; the path alone where neither is known."""
    first: str = settings.JILINK.web_origins.split(",")[0].strip().rstrip("/")
    return first + path if first or request is None else request.build_absolute_uri(path)
