"""A call becomes a case, and goes all the way: sent out, worked on, checked by somebody else, and rated by the caller."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.system import System

pytestmark = [pytest.mark.journey, pytest.mark.timeout(240)]
PASSWORD = "lantern-over-songhua-7"
PREPARE = f"""
import django
django.setup()
from jilink.core.cases import actions as cases
from jilink.core.parties import access, actions, walls
from jilink.core.parties.models import Organisation
from jilink.core.parties.rules import Role, Scope
walls.open_process()
top = Organisation.objects.filter(parent=None).order_by("pk").first()
unit = actions.add_organisation(name="Road Works", parent=top.pk, by=access.system("journey"))
maker = access.system("journey")
cases.load_examples(organisation=top.pk, by=maker)
for name, role, place, scope in (
    ("call-agent", "agent", top.pk, "subtree"),
    ("road-worker", "field_worker", unit, "organisation"),
    ("checker", "supervisor", top.pk, "subtree"),
):
    user = actions.add_user(username=name, password={PASSWORD!r}, by=maker)
    actions.set_role(user=user, organisation=place, role=Role(role), scope=Scope(scope), by=maker)
"""


@pytest.fixture(scope="module")
def office(system: System) -> System:
    """The installation with a unit below its organisation, and the three who work on the case."""
    environment = {**system.environment, "DJANGO_SETTINGS_MODULE": "jilink.site.settings"}
    subprocess.run([sys.executable, "-c", PREPARE], env=environment, check=True, timeout=60)
    return system


@contextmanager
def somebody(browser: Browser, office: System, name: str) -> Iterator[Page]:
    context = browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai", base_url=office.address)
    context.add_cookies([{"name": "django_language", "value": "en", "url": office.address}])
    page = context.new_page()
    page.goto("/accounts/login/")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/accounts/login" not in url)
    yield page
    context.close()


def do(page: Page, deed: str) -> None:
    """Send an open form of what may be done next, and wait until it is done."""
    page.click(f"#deed-{deed} form button[type=submit]")
    page.wait_for_selector(".toast-success")


def opened(page: Page) -> str:
    """Enter a call by hand and make a case of it; return the address of the case."""
    page.goto("/console/contacts/add")
    page.fill("[name=contact]", "139 0431 0001")
    page.fill("[name=subject]", "Lid of a manhole broken")
    page.fill("[name=words]", "Somebody nearly fell.")
    page.click("button[name=case]")
    page.wait_for_url("**/console/cases/new?**")
    page.fill("[name=name]", "王芳")
    page.fill("[name=phone]", "139 0431 0001")
    page.click("button[name=add]")
    page.wait_for_url("**/what")
    page.click("a.type[href*=city_fault]")
    page.check("[name=q_sort][value=part]")
    page.check("[name=q_part][value=road]")
    page.click("#what .button-primary")
    page.wait_for_url("**/where")
    page.fill("[name=address]", "Bridge 3")
    page.click("#where .button-primary")
    page.wait_for_url("**/check")
    page.get_by_role("button", name="Create the case").click()
    page.wait_for_url(re.compile(r"/console/cases/\d{10}$"))
    return page.url


def test_a_call_becomes_a_case_that_is_done_checked_and_rated(browser: Browser, office: System) -> None:
    with somebody(browser, office, "call-agent") as agent:
        address = opened(agent)
        agent.click("#deed-step-dispatch summary")
        agent.select_option("#step-dispatch_unit", label=agent.locator("#step-dispatch_unit option", has_text="Road Works").inner_text())
        do(agent, "step-dispatch")
        agent.fill("#note-text", "half a note")
        agent.wait_for_selector("#note-text[data-draft-state=kept]")
        agent.reload()
        agent.wait_for_selector("#note-text[data-draft-state=restored]")
    with somebody(browser, office, "road-worker") as worker:
        worker.goto(address)
        worker.click("#deed-step-finish summary")
        worker.fill("#step-finish_reason", "a new lid")
        do(worker, "step-finish")
    with somebody(browser, office, "checker") as checker:
        checker.goto(address)
        checker.click("#deed-step-confirm summary")
        checker.check("#step-confirm_code_0")
        do(checker, "step-confirm")
        checker.click("#deed-rate summary")
        checker.check("[name=level][value='5']")
        do(checker, "rate")
        assert "Rated: Very satisfied" in checker.locator("#story").inner_text()
