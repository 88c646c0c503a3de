"""Signing in as one of those whom a journey made."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

from tests.journeys.system import System

PASSWORD = "lantern-over-songhua-7"


@contextmanager
def somebody(browser: Browser, system: System, name: str, language: str = "en") -> Iterator[Page]:
    """A page in which this person has signed in; whatever its scripts complain about fails the test."""
    context = browser.new_context(
        locale="zh-CN", timezone_id="Asia/Shanghai", base_url=system.address, viewport={"width": 1366, "height": 850}
    )
    context.set_default_timeout(20_000)
    context.add_cookies([{"name": "django_language", "value": language, "url": system.address}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/accounts/login/")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/accounts/login" not in url)
    yield page
    context.close()
    assert complaints == []
