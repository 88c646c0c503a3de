"""A visitor of another site writes, an agent at the desk answers, and nothing is lost over a reload."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.core.files.test_files import photograph
from tests.edges.voice.conftest import MISSING
from tests.journeys.staff import somebody
from tests.journeys.system import System, Things
from tests.journeys.test_access import RULES

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Somebody else's web site: its origin and its folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", tmp_path
        server.shutdown()


def fits(page: Page) -> None:
    found = Axe().run(page, options=RULES).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_visitor_asks_an_agent_answers_and_notes_it_on_a_case(
    browser: Browser, system: System, desk: Things, shop: tuple[str, Path], tmp_path: Path
) -> None:
    if "JILINK_VOICE_ROOT" not in system.environment:
        pytest.skip(MISSING)
    origin, folder = shop
    made = system.furnish("chat_site", top=str(desk["top"]), origin=origin)
    tag = f'<script src="{system.address}/contact/widget.js" data-site="{made["key"]}" async></script>'
    (folder / "index.html").write_text(f"<!doctype html><html lang=en><title>Shop</title><main><h1>Shop</h1></main>{tag}")
    (folder / "photo.jpg").write_bytes(photograph())
    visitor = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    visitor.set_default_timeout(20_000)
    with somebody(browser, system, "desk-two") as agent:
        agent.goto("/contact/desk/")
        agent.select_option("#desk-at", "")
        agent.get_by_role("button", name="Begin work").click()
        agent.wait_for_selector("#desk-state[data-state=ready]")
        visitor.goto(origin)
        visitor.get_by_role("button", name="Chat with us").click()
        visitor.get_by_label("Your question").fill("Is <b>size 42</b> there?")
        fits(visitor)
        assert visitor.evaluate("sessionStorage.length + localStorage.length") == 0 and visitor.context.cookies() == []
        visitor.get_by_role("button", name="Agree and begin").click()
        card = agent.locator("[data-talk]")
        expect(card).to_contain_text("Is <b>size 42</b> there?")
        fits(agent)
        card.get_by_role("button", name="Take").click()
        agent.get_by_label("Reply to the visitor").fill("Yes, two are left.")
        agent.keyboard.press("Enter")
        expect(visitor.get_by_role("log")).to_contain_text("Yes, two are left.")
        visitor.reload()
        visitor.get_by_role("button", name="Chat with us").click()
        expect(visitor.get_by_role("log")).to_contain_text("Yes, two are left.")
        visitor.get_by_label("Write a message…").fill("Like this one")
        visitor.keyboard.press("Enter")
        visitor.locator("input[type=file]").set_input_files(folder / "photo.jpg")
        expect(card.locator(".talk-lines")).to_contain_text("Like this one")
        expect(card.locator(".talk-lines img")).to_be_visible()
        fits(visitor)
        card.get_by_role("button", name="End the conversation").click()
        visitor.get_by_role("button", name="5 of 5").click()
        fits(visitor)
        agent.wait_for_selector("[data-talk][data-state=wrapping]")
        fits(agent)
        card.get_by_label("What it was about").select_option("price")
        card.get_by_label("Note goes to the case").fill(str(made["case"]))
        card.get_by_label("Note", exact=True).fill("Wants size 42.")
        card.get_by_role("button", name="Finish").click()
        expect(agent.get_by_text("The note is on case")).to_be_visible()
        expect(card).to_have_count(0)
        agent.goto(f"/console/cases/{made['case']}")
        expect(agent.locator("#story")).to_contain_text("Wants size 42.")
    visitor.context.close()
