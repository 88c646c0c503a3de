"""A bound on what a request may send, kept before anything of it is stored or its sender is known."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Scope = dict[str, Any]  # what ASGI itself passes (its specification, version 3.0)
Part = Mapping[str, Any]
Receive = Callable[[], Awaitable[Part]]
Send = Callable[[Part], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST = 32 << 20
"""Bytes. The largest that pages take is an import of vehicles."""
_ANSWER = b"The request is larger than 32 MiB. Nothing of it was kept; send it in smaller parts.\n"


def bounded(application: Application) -> Application:
    """Return the application behind a bound: a longer body is answered with 413 as soon as it is known to be longer (RFC 9110, 15.5.14).

    Django counts fields but not files, and spools a body to disk before it asks who sends it.
    """

    async def behind(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await application(scope, receive, send)
        if _announced(scope) > MOST:
            return await _refuse(send)
        taken = 0
        refused = False

        async def counted() -> Part:
            nonlocal taken, refused
            message = await receive()
            taken += len(message.get("body", b""))
            if taken <= MOST:
                return message
            if not refused:
                refused = True
                await _refuse(send)
            return {"type": "http.disconnect"}

        async def unless_refused(message: Part) -> None:
            if not refused:
                await send(message)

        await application(scope, counted, unless_refused)

    return behind


def _announced(scope: Scope) -> int:
    """Return the length a request says its body has; 0 where it says none, or rubbish."""
    text = next((value for name, value in scope["headers"] if name.lower() == b"content-length"), b"")
    return int(text) if text.isdigit() else 0


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _ANSWER})
