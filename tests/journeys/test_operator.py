"""An operator lets a terminal in that nobody has entered."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.system import System

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]


def test_an_unknown_terminal_waits_and_comes_online_once_admitted(page: Page, system: System) -> None:
    page.goto("/vehicles/waiting")
    policy = page.locator("form[action$='/waiting/policy']")
    if policy.locator("input[name=on]").get_attribute("value") == "1":
        policy.locator("button").click()
        expect(page.locator("form[action$='/waiting/policy'] input[name=on]")).to_have_attribute("value", "0")
    known = page.locator("form[action$='/waiting/admit'] input[name=terminal]").evaluate_all("all => all.map(each => each.value)")
    others = "".join(f":not(:has([name=terminal][value='{each}']))" for each in known)
    stranger = system.run("simulate", "terminals", "--count", "1", "--seed", "77", "--interval", "2", "--server", system.terminals)
    try:
        admit = page.locator(f"form[action$='/waiting/admit']{others}")
        for _attempt in range(40):
            page.goto("/vehicles/waiting")
            if admit.count():
                break
            page.wait_for_timeout(1000)
        admit.locator("input[name=plate]").fill("吉A00001")
        admit.locator("button").click()
        expect(page).to_have_url(re.compile(r"/vehicles/\d+/$"))
        expect(page.locator("h1")).to_have_text("吉A00001")
        expect(page.locator("#state .badge")).to_have_class(re.compile("badge-(moving|idle)"), timeout=90_000)
    finally:
        stranger.terminate()
        stranger.wait(20)
