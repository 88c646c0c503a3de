"""Live streams end when the process that serves them stops; everything else is answered to its end."""

import asyncio

from jilink.site.bodies import Part, Receive, Scope, Send
from jilink.site.endless import MARK, Endless

SCOPE: Scope = {"type": "http"}


async def nothing() -> Part:
    return await asyncio.get_running_loop().create_future()


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [MARK]})
    await send({"type": "http.response.body", "body": b"first", "more_body": True})
    await asyncio.get_running_loop().create_future()


class Answer:
    """What a client has heard of an answer so far."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.began = asyncio.Event()

    async def send(self, message: Part) -> None:
        self.parts.append(message)
        if message.get("body"):
            self.began.set()


async def test_an_open_stream_ends_with_a_last_empty_part_when_the_process_stops() -> None:
    application, answer = Endless(stream), Answer()
    answering = asyncio.create_task(application(SCOPE, nothing, answer.send))
    await answer.began.wait()
    application.end()
    await asyncio.wait_for(answering, 5)
    assert answer.parts[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_a_stream_that_begins_while_the_process_stops_ends_at_once() -> None:
    application, answer = Endless(stream), Answer()
    application.end()
    await asyncio.wait_for(application(SCOPE, nothing, answer.send), 5)
    assert answer.parts[-1]["more_body"] is False


async def test_an_ordinary_answer_is_given_to_its_end() -> None:
    go_on = asyncio.Event()

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"rest", "more_body": False})

    application, answer = Endless(page), Answer()
    answering = asyncio.create_task(application(SCOPE, nothing, answer.send))
    await answer.began.wait()
    application.end()
    go_on.set()
    await asyncio.wait_for(answering, 5)
    assert [part.get("body") for part in answer.parts] == [None, b"half", b"rest"]
