"""Everyone can use every page: WCAG 2.1 AA by axe-core and no scrolling sideways, in both languages, on a desk and on a phone.

The pages are those that answer GET among the addresses of the site, each with something on it: a new one is looked at without being
listed here, or the first test says what it lacks.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from playwright.sync_api import Browser, BrowserContext, Page

from tests.journeys.conftest import sign_in
from tests.journeys.staff import PASSWORD
from tests.journeys.system import System, Things
from tests.trust.planted import OPEN, filled, names_of, unknown

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}, "resultTypes": ["violations"]}
NO_PAGES = {
    "basis of maps": ("console/areas/shapes/<int:layer>/<slug:level>.json", "console/assets/places.json"),
    "files": (
        "console/assets/load/template.csv",
        "console/cases/<str:number>/files/<int:file>",
        "console/cases/<str:number>/files/<int:file>/small",
        "console/contacts/<int:contact>/parts/<int:number>",
        "console/knowledge/<int:article>/files/<int:file>",
        "console/reports/export",
        "contact/contacts/export",
        "contact/desk/<int:contact>/files/<int:number>",
        "contact/recordings/<int:recording>/sound",
        "contact/statements/<int:statement>/statement.csv",
        "contact/statements/<int:statement>/statement.pdf",
        "vehicles/<int:asset>/media/<int:media>",
        "vehicles/export.csv",
    ),
    "streams and data for scripts": (
        "console/live",
        "console/drafts",
        "console/notices/unread",
        "contact/desk/live",
        "vehicles/live",
        "vehicles/names",
        "vehicles/alarms/news",
        "vehicles/<int:asset>/track.json",
    ),
    "parts of pages": (
        "contact/desk/written",
        "vehicles/<int:asset>/alarms",
        "vehicles/<int:asset>/card",
        "vehicles/<int:asset>/commands",
        "vehicles/<int:asset>/latest",
    ),
    "leads elsewhere": ("vehicles/organisations",),
    "begun by the test itself": ("console/cases/new/<slug:draft>/<slug:step>",),
}
MORE = (
    "/console/?view=all",
    "/console/?view=all&q=nothing-like-this",
    "/console/areas/?q=长春",
    "/console/assets/?view=map",
    "/console/assignment/{console/assignment/number}/?try=1",
    "/console/case-types/{type}/",
    "/console/case-types/{console/case-types/number}/basics/",
    "/console/case-types/{console/case-types/number}/stages/0",
    "/console/cases/new?interaction={contact}",
    "/console/flows/{flow}/",
    "/console/flows/{console/flows/number}/steps/branch",
    "/console/flows/{console/flows/number}/try?channel=call&open=china&line=a:1",
    "/console/knowledge/?q=路灯",
    "/console/people/?q=王芳",
    "/console/reports/?split=area&step=week",
    "/console/search?q=路灯",
    "/vehicles/?q=nothing-like-this",
    "/accounts/password/change/",
    "/accounts/2fa/",
)
"""Other states of pages, and pages of accounts."""
NAMES = {
    "console/case-types/key": "form",
    "console/case-types/place": "1",
    "console/assignment/place": "0",
    "console/flows/place": "4",
    "name": "silence",
}
DARK = (
    "/vehicles/",
    "/vehicles/{vehicle}/",
    "/vehicles/{vehicle}/track",
    "/operations/",
    "/console/?view=all",
    "/console/cases/{number}",
    "/console/people/{person}/",
    "/console/case-types/{console/case-types/number}/",
    "/console/reports/",
    "/console/knowledge/{article}/",
)


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for each in (resolver or get_resolver()).url_patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from routes(each, route)
        elif isinstance(each, URLPattern):
            yield route, each


def answers_get(pattern: URLPattern) -> bool:
    """Return whether an address may be asked with GET: somebody signed out meets anything but "method not allowed"."""
    request = RequestFactory(SERVER_NAME="localhost").get("/")
    request.user = AnonymousUser()
    answer = pattern.callback(request, **{name: 1 for name in pattern.pattern.converters})
    if inspect.iscoroutine(answer):
        answer.close()
        return True
    return bool(answer.status_code != 405)


def pages() -> list[str]:
    """Return every address of a page, as declared."""
    not_pages = {route for found in NO_PAGES.values() for route in found}
    open_to_all = [(route, pattern) for route, pattern in routes() if route and not route.startswith(OPEN)]
    return sorted(route for route, pattern in open_to_all if route not in not_pages and answers_get(pattern))


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{each['id']}: {node['target']} {node['failureSummary']}" for each in found for node in each["nodes"]]


@pytest.fixture(scope="module")
def things(system: System) -> Things:
    """One of every noun, by the names that addresses give them."""
    return {**system.furnish("everything", viewer=system.user), **NAMES}


@pytest.fixture(scope="module")
def signed_in(browser: Browser, system: System, things: Things, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cookies of whoever may see all of it, so that others' journeys see none of it."""
    return sign_in(browser, system, "everywhere", PASSWORD, tmp_path_factory.mktemp("everywhere") / "state.json")


@pytest.fixture(scope="module")
def known(browser: Browser, system: System, signed_in: Path, things: Things) -> Things:
    """The same with a vehicle that drives, and a new case that was begun."""
    context = browser.new_context(base_url=system.address, storage_state=signed_in)
    page = context.new_page()
    page.goto("/vehicles/")
    vehicle = page.locator(".row:has(.badge-moving)").first.get_attribute("data-asset") or ""
    page.goto(f"/console/cases/new?interaction={things['contact']}")
    page.click("button[name=person]")
    begun = page.url.split("/")[-2]
    page.click("a.type[href*=city_fault]")
    page.check("[name=q_sort][value=part]")
    page.check("[name=q_part][value=road]")
    page.click("#what .button-primary")
    page.fill("[name=address]", "人民大街 3 号")
    page.click("#where .button-primary + .button")
    page.wait_for_url("**/check")
    context.close()
    return {**things, "vehicle": vehicle, "vehicles/<int:asset>/asset": vehicle, "begun": begun}


def written(address: str, things: Things) -> str:
    """Return an address with things in place of their names."""
    for name, value in things.items():
        address = address.replace(f"{{{name}}}", str(value))
    return address


def addresses(known: Things) -> list[str]:
    given = [filled(route, dict(known)) for route in pages()]
    begun = [f"/console/cases/new/{known['begun']}/{step}" for step in ("what", "where", "check")]
    return [*given, *begun, *(written(address, known) for address in MORE)]


def faults(page: Page, address: str, status: int = 200) -> list[str]:
    """Open a page and return what is wrong with it."""
    answer = page.goto(address, wait_until="load")
    if answer is None or answer.status != status:
        return [f"answers {answer.status if answer else 'nothing'}"]
    sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [*violations(page), *([f"{sideways} px too wide"] if sideways > 0 else [])]


def test_every_address_that_answers_get_is_looked_at_or_no_page(things: Things) -> None:
    known = {**things, "vehicle": 1}
    assert {route: names for route in pages() if (names := unknown(route, dict(known)))} == {}
    declared = {route for route, _pattern in routes()}
    assert {route for found in NO_PAGES.values() for route in found} <= declared
    assert len(pages()) > 60 and any(names_of(route) for route in pages())


@pytest.mark.parametrize(("language", "size"), [("zh-hans", (1440, 900)), ("en", (390, 844))])
def test_no_page_breaks_wcag_and_none_scrolls_sideways(
    context: BrowserContext, system: System, known: Things, language: str, size: tuple[int, int]
) -> None:
    context.add_cookies([{"name": "django_language", "value": language, "url": system.address}])
    page = context.new_page()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    wrong = {address: faults(page, address) for address in addresses(known)}
    wrong["/nothing/here"] = faults(page, "/nothing/here", 404)
    assert {address: found for address, found in wrong.items() if found} == {}
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_page_keeps_its_contrast_in_light_and_dark(browser: Browser, system: System, scheme: str) -> None:
    context = browser.new_context(base_url=system.address, color_scheme=scheme)
    page = context.new_page()
    page.goto("/accounts/login/")
    assert violations(page) == []
    context.close()


def test_the_pages_of_work_keep_their_contrast_in_the_dark(context: BrowserContext, known: Things) -> None:
    page = context.new_page()
    page.emulate_media(color_scheme="dark")
    wrong = {address: faults(page, written(address, known)) for address in DARK}
    assert {address: found for address, found in wrong.items() if found} == {}
