"""Nobody needs a mouse: a case is opened, answered and sent on, the inbox is worked through, and the focus is always seen."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.keyboard import Keyboard
from tests.journeys.staff import somebody
from tests.journeys.system import System

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
PHONE = "13904317710"


def open_case(keys: Keyboard) -> None:
    """From the inbox through the three steps to the new case."""
    page = keys.page
    page.goto("/console/")
    keys.into_the_page()
    keys.follow("a[href$='/cases/new']")
    keys.reach("[name=name]")
    keys.type("李雷")
    keys.reach("[name=phone]")
    keys.type(PHONE)
    keys.follow("button[name=add]")
    keys.into_the_page()
    keys.follow("a.type[href*=city_fault]")
    keys.into_the_page()
    keys.reach("[name=title]")
    keys.type("Lamp post leans")
    keys.reach("[name=q_sort]")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        keys.press("Space")
    expect(page.locator("[name=q_part]").first).to_be_visible()
    keys.reach("[name=q_part]")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        keys.press("Space")
    keys.follow("#what .button-primary")
    keys.into_the_page()
    keys.reach("[name=address]")
    keys.type("Bridge 3")
    keys.follow("#where .button-primary")
    expect(page).to_have_url(re.compile(r"/console/cases/\d{10}(#main)?$"))


def reply_and_send_on(keys: Keyboard) -> None:
    page = keys.page
    keys.into_the_page()
    keys.reach("#deed-step-dispatch summary")
    keys.press("Enter")
    expect(page.locator("#step-dispatch_unit")).to_be_focused()
    keys.follow("#deed-step-dispatch button[type=submit]")
    expect(page.locator(".toast-success")).to_be_visible()
    keys.into_the_page()
    keys.reach("#reply-text")
    keys.type("Somebody comes tonight.")
    keys.follow(".button-reply")
    expect(page.locator("#story")).to_contain_text("Somebody comes tonight.")


def work_through_the_inbox(keys: Keyboard) -> None:
    """The sheet, lines up and down, one opened; another found by its number; several taken over, and given back."""
    page = keys.page
    page.goto("/console/?view=unassigned")
    keys.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    keys.press("Escape")
    expect(page.locator("#shortcuts")).to_be_hidden()
    keys.press("j", "j", "k")
    first = page.locator("tr[data-case]").first
    expect(first.locator(".row-link")).to_be_focused()
    number = first.locator(".row-more .num").first.inner_text().replace(" ", "")
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("o")
    expect(page).to_have_url(re.compile(f"/console/cases/{number}$"))
    page.goto("/console/?view=unassigned")
    keys.press("Control+k")
    keys.type(number)
    expect(page.locator("#palette-list [role=option]").first).to_contain_text("Lamp post leans")
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/console/cases/{number}$"))


def take_over_and_give_back(page: Page, keys: Keyboard) -> None:
    page.goto("/console/?view=unassigned")
    rows = page.locator("tr[data-case]").count()
    keys.press("j", "x", "j", "x")
    expect(page.locator("#ticked")).to_contain_text("2")
    keys.follow("button[name=deed][value=mine]")
    expect(page.locator(".toast-success")).to_contain_text("2")
    assert page.locator("tr[data-case]").count() == rows - 2
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press("u")
    expect(page.locator(".toast-info")).to_be_visible()
    assert page.locator("tr[data-case]").count() == rows


@pytest.mark.usefixtures("desk")
def test_a_morning_without_a_mouse(browser: Browser, system: System) -> None:
    with somebody(browser, system, "desk-one") as page:
        keys = Keyboard(page)
        open_case(keys)
        reply_and_send_on(keys)
        work_through_the_inbox(keys)
        take_over_and_give_back(page, keys)
