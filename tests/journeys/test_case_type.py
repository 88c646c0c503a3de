"""A type of case from its design to the report: drawn, published, ruled, and one case of it that goes all the way."""

import re
import time

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.staff import somebody
from tests.journeys.system import System

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
IN_NONGAN = ("44.43", "125.18")
COUNTED_S = 30
OPENED, HANDLED_IN_TIME, CLOSED_IN_TIME, SATISFIED = 0, 4, 6, 9
"""Columns of a report's comparison."""


@pytest.fixture(scope="module")
def city(system: System) -> System:
    """The installation with a city, two county units that answer for water, and those who work there."""
    system.furnish("city")
    return system


def save(page: Page) -> None:
    page.click("main form .button-primary")


def add(page: Page, **values: str) -> None:
    """Add an entry to the part whose page is shown."""
    page.click(".page-head .button-primary")
    fill(page, **values)
    save(page)


def fill(page: Page, **values: str) -> None:
    """Fill fields by name; two underscores stand for the dot in a name."""
    for name, value in values.items():
        field = page.locator(f'[name="{name.replace("__", ".")}"]').first
        kind = field.evaluate("field => field.type")
        if kind == "select-one":
            field.select_option(value)
        elif kind == "checkbox":
            field.check()
        else:
            field.fill(value)


def back(page: Page) -> None:
    """Go back to the page above."""
    page.locator(".page-head .crumb a").click()


def design(page: Page) -> None:
    """Design and publish a type from the one for city faults: its own names and clock, two questions, a stage and its ways."""
    page.goto("/console/case-types/")
    fill(page, key="burst_pipe", source="city_fault")
    save(page)
    page.click("a[href$='/basics/']")
    fill(page, label__zh="水管爆裂", label__en="Burst pipe", whole__amount="6", whole__clock="calendar_days")
    save(page)
    page.click("a[href$='/form/']")
    add(page, key="flooded", label__zh="是否淹水", label__en="Is anything flooded", kind="choice", required="on")
    fill(page, choices="no | 否 | No\nyes | 是 | Yes")
    save(page)
    add(page, key="depth", label__zh="水深", label__en="How deep", kind="number", show_when__question="flooded", show_when__value="yes")
    fill(page, unit__zh="厘米", unit__en="cm", required="on")
    save(page)
    back(page)
    page.click("a[href$='/stages/']")
    add(page, key="repair", label__zh="抢修", label__en="Repair", kind="work", limits__amount="2", limits__clock="calendar_days")
    back(page)
    expect(page.locator(".notice[role=alert]")).to_contain_text("Repair:")  # no way leads to it yet
    page.click("a[href$='/transitions/']")
    add(
        page,
        key="begin",
        label__zh="开始抢修",
        label__en="Begin the repair",
        step="move",
        source="work",
        target="repair",
        permission="cases.work",
    )
    done = {"step": "finish", "source": "repair", "target": "check", "permission": "cases.work", "reason": "on"}
    add(page, key="repaired", label__zh="抢修完成", label__en="Repaired", **done)
    back(page)
    expect(page.locator(".notice[role=alert]")).to_have_count(0)
    expect(page.locator(".designer-drawing svg")).to_contain_text("Repair")
    page.click("form[action$='/do/publish'] button")
    expect(page.locator(".toast-success")).to_be_visible()


def rule(page: Page) -> None:
    """Let burst pipes go to whoever answers for water in the county."""
    page.goto("/console/assignment/")
    page.locator("[name=type_key]").select_option(label="Burst pipe")
    save(page)
    add(page, key="county", label__zh="按属地", label__en="By county", to="keeper", order="territory", category="water")
    page.click("form[action$='/do/publish'] button")
    expect(page.locator(".toast-success")).to_be_visible()


def take_down(page: Page) -> str:
    """Enter a call, make a case of it in three steps, let the rules send it out, and return its address."""
    steps: list[str] = []
    page.goto("/console/contacts/add")
    fill(page, contact="139 0431 7701", subject="Water in the street", words="It comes out of the ground.")
    page.on("framenavigated", lambda frame: steps.append(frame.url))
    page.click("button[name=case]")
    fill(page, name="王芳", phone="139 0431 7701")
    page.click("button[name=add]")
    page.locator("a.type", has_text="Burst pipe").click()
    page.check("[name=q_sort][value=event]")
    page.check("[name=q_event][value=emergency]")
    expect(page.locator("[name=q_depth]")).to_have_count(0)
    page.check("[name=q_flooded][value=yes]")
    page.fill("[name=q_depth]", "15")
    page.click("#what .button-primary")
    page.fill("[name=address]", "Huanghe Road 5")
    page.locator("details.point summary").click()
    page.fill("[name=latitude]", IN_NONGAN[0])
    page.fill("[name=longitude]", IN_NONGAN[1])
    page.press("[name=longitude]", "Tab")
    expect(page.locator(".area-words")).to_contain_text("Nong'an")
    page.click("button[name=open]")
    page.wait_for_url(re.compile(r"/console/cases/\d{10}$"))
    pages = [step.partition("?")[0].rpartition("/")[2] for step in steps]
    assert list(dict.fromkeys(pages))[:-1] == ["new", "what", "where"]
    page.click("#deed-step-dispatch summary")
    do(page, "step-dispatch")
    return page.url.partition("#")[0]


def do(page: Page, deed: str) -> None:
    """Send an open form of what may be done next, and wait until it is done."""
    page.click(f"#deed-{deed} form button[type=submit]")
    expect(page.locator(".toast-success")).to_be_visible()


def in_inbox(page: Page, query: str) -> None:
    """Open the case from a list, as those do whom nobody gave an address."""
    page.goto(f"/console/?{query}")
    page.get_by_role("link", name="Water in the street").click()


def keeps_a_draft(page: Page) -> None:
    page.fill("#note-text", "half a note")
    page.wait_for_selector("#note-text[data-draft-state=kept]")
    page.reload()
    page.wait_for_selector("#note-text[data-draft-state=restored]")


def until_counted(page: Page) -> list[str]:
    """Return the line of the unit in the report of this type, once the sums hold the rating."""
    deadline = time.monotonic() + COUNTED_S
    while True:
        page.goto("/console/reports/?type=burst_pipe")
        found = page.locator("tbody tr", has=page.locator("th", has_text="Nong'an Water")).locator("td").all_inner_texts()
        if (found and found[SATISFIED] == "100.0%") or time.monotonic() > deadline:
            return found
        page.wait_for_timeout(500)


def test_a_case_of_a_designed_type_goes_to_its_county_is_extended_done_checked_rated_and_reported_on_time(
    browser: Browser, city: System
) -> None:
    with somebody(browser, city, "sj-supervisor") as boss, somebody(browser, city, "sj-agent") as agent:
        design(boss)
        rule(boss)
        address = take_down(agent)
        expect(agent.locator(".case-holder")).to_contain_text("Nong'an Water")
        expect(agent.locator("section", has=agent.locator("#why-title"))).to_contain_text(
            "By county: The conditions hold. It goes to the unit that answers for the area."
        )
        keeps_a_draft(agent)
        with somebody(browser, city, "sj-head") as head:
            in_inbox(head, "view=unassigned")
            head.get_by_role("button", name="Begin the repair").click()
            head.click("#deed-ask-extension summary")
            fill(head, amount="2")
            head.fill("#ask-extension_reason", "the ground is frozen")
            do(head, "ask-extension")
            in_inbox(boss, "view=all&state=requested")
            boss.click(".deed[id^=deed-decide] summary")
            boss.check("[name=answer][value=approve]")
            boss.locator(".deed[open] button[type=submit]").click()
            expect(boss.locator("#story")).to_contain_text("the ground is frozen")
            head.reload()
            expect(head.locator(".clock-name small").last).to_contain_text("4")
            head.click("#deed-step-repaired summary")
            head.fill("#step-repaired_reason", "a new pipe")
            do(head, "step-repaired")
            expect(head.locator("#own-work")).to_be_visible()
            expect(head.locator("#deed-step-confirm")).to_have_count(0)
        boss.goto(address)
        boss.click("#deed-step-confirm summary")
        boss.check("#step-confirm_code_0")
        do(boss, "step-confirm")
        agent.goto(address)
        agent.click("#deed-rate summary")
        agent.check("[name=level][value='5']")
        do(agent, "rate")
        line = until_counted(boss)
        assert [line[OPENED], line[HANDLED_IN_TIME], line[CLOSED_IN_TIME], line[SATISFIED]] == ["1", "100.0%", "100.0%", "100.0%"]
