"""Every request begins with nothing in scope; `access.actor_of` lets in whoever asks (`walls`)."""

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from jilink.core.parties import walls

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


@sync_and_async_middleware
def behind_walls(get_response: Callable[[HttpRequest], Answer]) -> Callable[[HttpRequest], Answer]:
    """Close the walls around every request (Django's middleware protocol)."""

    async def asynchronously(request: HttpRequest) -> HttpResponseBase:
        with walls.closed():
            return await cast(Awaitable[HttpResponseBase], get_response(request))

    def synchronously(request: HttpRequest) -> HttpResponseBase:
        with walls.closed():
            return cast(HttpResponseBase, get_response(request))

    return asynchronously if iscoroutinefunction(get_response) else synchronously
