"""A dispatcher's morning: where are they all, where is this one, tell the driver, see where it has been."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.system import VEHICLES, System
from tests.journeys.waiting import until

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]

SEEN = "window.jilinkMap && jilinkMap.connected && jilinkMap.map && jilinkMap.fleet.counts()[1] > 0"


TYPE_HALF = "(box, text) => { box.value = text; box.dispatchEvent(new InputEvent('input', {isComposing: true})); }"
NO_WEBGL = """
const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) { return kind === "webgl2" ? null : get.call(this, kind, ...rest); };
"""


def open_map(page: Page, address: str = "/vehicles/") -> None:
    page.goto(address)
    until(page, SEEN)


def moving_plate(page: Page) -> str:
    """Return the plate of a listed vehicle that is on the road now."""
    page.wait_for_selector(".row:has(.badge-moving)")
    return page.locator(".row:has(.badge-moving) .row-plate").first.inner_text()


def test_a_stranger_is_asked_to_sign_in_and_then_sees_the_map(browser: Browser, system: System) -> None:
    context = browser.new_context(base_url=system.address, locale="zh-CN")
    page = context.new_page()
    page.goto("/vehicles/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    page.fill("input[name=login]", system.user)
    page.fill("input[name=password]", "not the password")
    page.click("main button[type=submit]")
    expect(page.locator(".error-summary")).to_be_visible()
    page.fill("input[name=login]", system.user)
    page.fill("input[name=password]", system.password)
    page.click("main button[type=submit]")
    expect(page.locator("#live-title")).to_be_visible()
    context.close()


def test_vehicles_move_on_the_map_and_the_counts_add_up(page: Page) -> None:
    open_map(page)
    before = page.evaluate("Array.from(jilinkMap.fleet.to)")
    until(page, "before => jilinkMap.fleet.to.some((x, i) => x !== before[i])", before)
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    counts = page.evaluate("[...document.querySelectorAll('#chips [data-count]')].map(each => Number(each.textContent))")
    assert counts[0] == VEHICLES == sum(counts[1:])


def test_a_filter_is_in_the_address_and_survives_reloading_and_going_back(page: Page) -> None:
    open_map(page)
    page.click("#chips [data-state=moving]")
    expect(page).to_have_url(re.compile(r"\?state=moving$"))
    expect(page.locator(".row .badge").first).to_have_class(re.compile("badge-moving"))
    shown = page.evaluate("jilinkMap.map.layer.hidden.length")
    assert shown == VEHICLES
    page.reload()
    expect(page.locator("#chips [data-state=moving]")).to_have_attribute("aria-current", "true")
    page.go_back()
    until(page, "!location.search")
    expect(page.locator("#chips [data-state='']")).to_have_attribute("aria-current", "true")


def test_a_search_finds_one_plate_and_half_typed_letters_are_not_asked_for(page: Page) -> None:
    open_map(page)
    plate = moving_plate(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/vehicles/?" in request.url else None)
    page.locator("#q").dispatch_event("compositionstart")
    for half in ("j", "ji", "ji'l"):
        page.locator("#q").evaluate(
            "(box, text) => { box.value = text; box.dispatchEvent(new InputEvent('input', {isComposing: true})); }", half
        )
    page.locator("#q").evaluate("(box, text) => { box.value = text; }", plate)
    page.locator("#q").dispatch_event("compositionend")
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(".row .row-plate")).to_have_text(plate)
    assert len(asked) == 1
    page.fill("#q", "没有这辆车")
    expect(page.locator("#list .empty")).to_be_visible()


def test_a_vehicle_opens_from_the_list_and_gets_a_text_that_its_terminal_answers(page: Page) -> None:
    open_map(page)
    plate = moving_plate(page)
    page.locator(".row", has_text=plate).click()
    expect(page.locator("#card .plate")).to_have_text(plate)
    page.locator("#card .button-primary").click()
    expect(page.locator("h1")).to_have_text(plate)
    until(page, "document.querySelector('#link-state').dataset.state === 'live'")
    form = page.locator(".command").first
    form.locator("textarea, input[type=text]").first.fill("前方有雾，请减速")
    form.locator("button[type=submit]").click()
    first = page.locator("#commands .timeline > li").first
    expect(first).to_contain_text("前方有雾")
    expect(first.locator(".badge")).to_have_class(re.compile("badge-answered"), timeout=30_000)


def test_the_speed_chart_scrubs_the_track_by_mouse_and_keyboard(page: Page) -> None:
    open_map(page)
    page.locator(".row", has_text=moving_plate(page)).click()
    page.locator("#card .card-foot .button").nth(1).click()
    page.wait_for_load_state()
    while page.locator("#player").count() == 0:
        page.wait_for_timeout(1000)
        page.reload()
    until(page, "window.jilinkTrack && jilinkTrack.track.points.t.length > 1")
    scrubber = page.locator("#scrubber")
    scrubber.scroll_into_view_if_needed()
    box = scrubber.bounding_box()
    assert box is not None
    first = page.locator("#now-time").inner_text()
    page.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + 60)
    assert page.locator("#now-time").inner_text() > first
    scrubber.focus()
    page.keyboard.press("Home")
    assert page.locator("#now-time").inner_text() == first
    page.keyboard.press("ArrowRight")
    expect(scrubber).not_to_have_attribute("aria-valuenow", "0")
    page.keyboard.press("End")
    assert page.evaluate("jilinkTrack.replay.time === jilinkTrack.replay.last")
    page.keyboard.press("Home")
    page.select_option("#rate", "60")
    page.click("#play")
    until(page, "jilinkTrack.replay.time > jilinkTrack.replay.first")


def test_every_page_can_be_had_in_english_and_back(page: Page) -> None:
    open_map(page)
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    page.click(".language button")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#live-title")).to_have_text("Vehicles")
    page.click(".language button")
    expect(page.locator("#live-title")).to_have_text("车辆")


def test_without_scripts_the_list_filters_and_finds(browser: Browser, system: System, signed_in: object) -> None:
    context = browser.new_context(java_script_enabled=False, storage_state=str(signed_in), base_url=system.address, locale="zh-CN")
    page = context.new_page()
    page.goto("/vehicles/")
    assert page.locator(".row").count() == VEHICLES
    plate = page.locator(".row-plate").first.inner_text()
    page.fill("#q", plate)
    page.press("#q", "Enter")
    expect(page.locator(".row")).to_have_count(1)
    page.click(".row a")
    expect(page.locator("h1")).to_have_text(plate)
    context.close()


def test_a_browser_without_webgl_gets_the_list_and_is_told_why(page: Page) -> None:
    page.add_init_script(NO_WEBGL)
    page.goto("/vehicles/")
    expect(page.locator("#no-map")).to_be_visible()
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live")
    assert page.locator(".row").count() == VEHICLES


def test_the_map_comes_back_by_itself_after_the_connection_was_lost(page: Page) -> None:
    open_map(page)
    page.context.set_offline(True)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#link-state")).to_have_attribute("data-state", "waiting")
    page.context.set_offline(False)
    expect(page.locator("#link-state")).to_have_attribute("data-state", "live", timeout=40_000)
