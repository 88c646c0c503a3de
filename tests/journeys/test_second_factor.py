"""The first sign-in of an operator: a security key, before anything else."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from jilink.site import first_login
from jilink.site.first_login import Login
from tests.site.installation import listens, prepared, until


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[str, Login]]:
    """The web process of a prepared installation, and its first login. Browsers allow security keys on ``localhost``, never on a number."""
    env = prepared(tmp_path / "data", JILINK_LOG_FORMAT="json")
    port = int(env["JILINK_WEB"].rpartition(":")[2])
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "jilink.site.cli", "run", "web"], env=env, stdout=log, stderr=log)
        try:
            until(lambda: listens(port), "the web process listens")
            yield f"http://localhost:{port}", first_login.read(tmp_path / "data")
        finally:
            process.terminate()
            process.wait(30)


def sign_in(page: Page, login: Login) -> None:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", login.user)
    page.fill("input[name=password]", login.password)
    page.click("main button[type=submit]")


@pytest.mark.journey
def test_an_operator_adds_a_security_key_before_anything_else_and_needs_it_ever_after(browser: Browser, web: tuple[str, Login]) -> None:
    address, login = web
    context = browser.new_context(locale="zh-CN", base_url=address, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    keys = context.new_cdp_session(page)
    keys.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    keys.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    sign_in(page, login)
    page.wait_for_url("**/accounts/2fa/")
    expect(page.locator(".notice-warning")).to_contain_text("双重验证")
    page.goto("/operations/")
    page.wait_for_url("**/accounts/2fa/")
    page.goto("/accounts/2fa/webauthn/add/")
    page.fill("input[name=name]", "钥匙")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(lambda url: "/webauthn/add" not in url)
    page.goto("/operations/")
    expect(page).to_have_url(f"{address}/operations/")
    context.clear_cookies()
    sign_in(page, login)
    page.wait_for_url("**/accounts/2fa/authenticate/**")
    page.click("#mfa_webauthn_authenticate")
    page.wait_for_url(lambda url: "/accounts/" not in url)
    assert complaints == []
    context.close()
