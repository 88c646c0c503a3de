"""A running system and a real browser for the journeys."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.journeys.system import System, Things, running

SOFTWARE_GL = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
CHEAP = ["--disable-gpu-rasterization", "--disable-gpu-compositing"]
"""Without a graphics card only the map is drawn by WebGL: pages put together by it took five times the processor."""
OFFLINE = "ERR_INTERNET_DISCONNECTED"
"""What a browser logs when a test cuts its connection on purpose."""
DESKTOP = {"width": 1440, "height": 900}


@pytest.fixture(scope="session")
def chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("the journeys need a browser: install Debian's chromium (apt-get install chromium fonts-noto-cjk)")
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=SOFTWARE_GL + CHEAP)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def system(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("jilink") / "data") as started:
        yield started


@pytest.fixture(scope="session")
def desk(system: System) -> Things:
    """An office with two agents and open cases that nobody has."""
    return system.furnish("desk")


def sign_in(browser: Browser, system: System, name: str, password: str, path: Path) -> Path:
    """Sign in, write the cookies to a file and return it."""
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(f"{system.address}/accounts/login/")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", password)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/accounts/login" not in url)
    context.storage_state(path=path)
    context.close()
    return path


@pytest.fixture(scope="session")
def signed_in(browser: Browser, system: System, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cookies of someone who has signed in."""
    return sign_in(browser, system, system.user, system.password, tmp_path_factory.mktemp("browser") / "state.json")


@pytest.fixture
def context(browser: Browser, system: System, signed_in: Path) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport=DESKTOP, locale="zh-CN", timezone_id="Asia/Shanghai", storage_state=signed_in, base_url=system.address
    )
    context.set_default_timeout(20_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page of someone signed in; whatever its scripts complain about fails the test."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield page
    assert [each for each in complaints if OFFLINE not in each] == []
