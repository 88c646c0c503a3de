"""Two agents at work: what one opens is counted on the other's page at once, also after the server was away."""

import os
import signal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.staff import somebody
from tests.journeys.system import System, Things

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
LIVE = "#inbox-state[data-state=live]"
AWAY = "#inbox-state[data-state=waiting]"


def open_case(page: Page, title: str) -> None:
    page.goto("/console/cases/new")
    page.click("button[name=nobody]")
    page.click("a.type[href*=city_fault]")
    page.fill("[name=title]", title)
    page.check("[name=q_sort][value=part]")
    page.check("[name=q_part][value=road]")
    page.click("#what .button-primary")
    page.fill("[name=address]", title)
    page.click("#where .button-primary")
    page.wait_for_selector("#story")


def test_counts_follow_without_reloading_also_over_a_restart_of_the_server(browser: Browser, system: System, desk: Things) -> None:
    with somebody(browser, system, "desk-one") as watcher, somebody(browser, system, "desk-two") as opener:
        watcher.goto("/console/?view=all")
        watcher.wait_for_selector(LIVE)
        watcher.evaluate("window.neverReloaded = true")
        count = watcher.locator(".subnav b").last
        before = int(count.inner_text())
        open_case(opener, "A branch on the road")
        expect(count).to_have_text(str(before + 1))
        expect(watcher.locator("#fresh")).to_contain_text("1")
        os.kill(system.process("web"), signal.SIGTERM)
        watcher.wait_for_selector(AWAY)
        system.furnish("fault", top=str(desk["top"]), title="A second branch")
        watcher.wait_for_selector(LIVE, timeout=60_000)
        expect(count).to_have_text(str(before + 2))
        open_case(opener, "A third branch")
        expect(count).to_have_text(str(before + 3))
        expect(watcher.locator("#fresh")).to_contain_text("3")
        watcher.click("#fresh button")
        expect(watcher.get_by_role("link", name="A third branch")).to_be_visible()
        assert watcher.evaluate("window.neverReloaded")
