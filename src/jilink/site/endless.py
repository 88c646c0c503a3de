"""Answers that never end by themselves: the live streams of open pages, which are ended when the process stops."""

import asyncio

from jilink.site.bodies import Application, Part, Receive, Scope, Send

MARK = (b"x-accel-buffering", b"no")
"""The header by which every live stream asks proxies to pass it on at once."""


class Endless:
    """An application whose live streams can be ended: the server waits for its answers, and would wait as long as a page is open."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._streams: set[asyncio.Future[None]] = set()
        self._ending = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does; a stream that is ended has said everything it began to say."""

        async def noted(message: Part) -> None:
            await send(message)
            if MARK in {(name.lower(), value) for name, value in message.get("headers", ())}:
                self._streams.add(answering)
                if self._ending:
                    answering.cancel()

        answering = asyncio.ensure_future(self._application(scope, receive, noted))
        try:
            await answering
        except asyncio.CancelledError:
            if not (self._ending and answering.cancelled()):
                raise
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._streams.discard(answering)

    def end(self) -> None:
        """End every live stream, and each that begins from now on. The pages ask again by themselves."""
        self._ending = True
        for stream in self._streams:
            stream.cancel()
