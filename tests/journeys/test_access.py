"""Everyone can use every page: WCAG 2.1 AA by axe-core, in both languages, on a desk and on a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.journeys.system import System

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
PAGES = (
    "/vehicles/",
    "/vehicles/?q=nothing-like-this",
    "/vehicles/{asset}/",
    "/vehicles/{asset}/track",
    "/vehicles/{asset}/frames",
    "/vehicles/{asset}/edit",
    "/vehicles/add",
    "/vehicles/import",
    "/vehicles/waiting",
    "/vehicles/quarantine",
    "/operations/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/nothing/here",
)


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{each['id']}: {node['target']} {node['failureSummary']}" for each in found for node in each["nodes"]]


def asset_of(page: Page) -> str:
    page.goto("/vehicles/")
    return page.locator(".row").first.get_attribute("data-asset") or ""


@pytest.mark.parametrize(("language", "size"), [("zh-hans", (1440, 900)), ("en", (390, 844))])
def test_no_page_breaks_wcag_and_none_scrolls_sideways(
    context: BrowserContext, system: System, language: str, size: tuple[int, int]
) -> None:
    context.add_cookies([{"name": "django_language", "value": language, "url": system.address}])
    page = context.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    asset = asset_of(page)
    wrong = {}
    for address in PAGES:
        page.goto(address.format(asset=asset))
        page.wait_for_load_state("load")
        sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        wrong[address] = violations(page) + ([f"{sideways} px too wide"] if sideways > 0 else [])
    assert {address: found for address, found in wrong.items() if found} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_page_keeps_its_contrast_in_light_and_dark(browser: Browser, system: System, scheme: str) -> None:
    context = browser.new_context(base_url=system.address, color_scheme=scheme)
    page = context.new_page()
    page.goto("/accounts/login/")
    assert violations(page) == []
    context.close()


def test_the_pages_of_work_keep_their_contrast_in_the_dark(context: BrowserContext) -> None:
    page = context.new_page()
    page.emulate_media(color_scheme="dark")
    asset = asset_of(page)
    for address in ("/vehicles/", f"/vehicles/{asset}/", f"/vehicles/{asset}/track", "/operations/"):
        page.goto(address)
        assert violations(page) == [], address
