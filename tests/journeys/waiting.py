"""Waiting for what a page's scripts come to, without the `eval` that the Content-Security-Policy forbids."""

import time

from playwright.sync_api import Page


def until(page: Page, expression: str, argument: object = None, seconds: float = 60.0) -> None:
    """Return once the JavaScript expression (or function of the argument) is true. Raises AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression, argument):
        assert time.monotonic() < deadline, f"never true: {expression}"
        page.wait_for_timeout(100)
