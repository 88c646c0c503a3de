"""HTML, scripts and links in what people write: a page shows them as words, wherever they turn up."""

from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from django.test import Client

from jilink.core.cases import actions as cases
from jilink.core.interactions import actions as interactions
from jilink.core.interactions.actions import Contact
from jilink.core.interactions.rules import Channel, Side
from jilink.core.knowledge import actions as knowledge
from jilink.core.knowledge.rules import Audience
from jilink.core.parties import access
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.rules import Role
from jilink.kernel.texts import Text
from tests.core.cases.office import MONDAY, Office, office_of
from tests.core.world import NOW, World
from tests.services.conftest import signed_in

pytestmark = [pytest.mark.usefixtures("site"), pytest.mark.once]
MARK = "xq7"
"""Stands in every attack, so that an element or attribute that came of one is known."""
ATTACKS = (
    f"<script>{MARK}()</script>",
    f"</title></textarea></script><script>{MARK}()</script>",
    f"<img src=x onerror={MARK}()>",
    f"<svg/onload={MARK}()>",
    f'"><b onmouseover="{MARK}()">b</b>',
    f"' onfocus='{MARK}()' autofocus='",
    f"<a href='javascript:{MARK}()'>a</a>",
    f"[a](javascript:{MARK}())",
    f"[a](JaVaScRiPt:{MARK}())",
    f"[a](&#106;avascript:{MARK}())",
    f"[a](java\tscript:{MARK}())",
    f"[a](\x01javascript:{MARK}())",
    f"[a](vbscript:{MARK}())",
    f"[a](data:text/html;base64,{MARK})",
    f"[a](//{MARK}.example/)",
    f"![a](javascript:{MARK}())",
    f"![a](data:image/svg+xml;base64,{MARK})",
    f"![a](https://{MARK}.example/pixel.png)",
    f'![a](https://{MARK}.example "onerror={MARK}()")',
    f"<javascript:{MARK}()>",
    f"[a]: javascript:{MARK}()\n\n[a]",
    f"`<script>{MARK}()</script>`",
    f"```{MARK}' onclick='x\n<script>{MARK}()</script>\n```",
    f"<iframe srcdoc='<script>{MARK}()</script>'></iframe>",
    f"<form action=//{MARK}.example><input name=p></form>",
    f"<meta http-equiv=refresh content='0;url=//{MARK}.example'>",
    f"<base href=//{MARK}.example/>",
    f"{{{{ {MARK} }}}}{{% debug %}}${{{MARK}}}",
    f"<template shadowrootmode=open><script>{MARK}()</script></template>",
    f"<!--><script>{MARK}()</script>-->",
    f"<math><mtext><table><mglyph><style><img src=x onerror={MARK}()></style></mglyph></table></mtext></math>",
)
RUNS = ("script", "style", "iframe", "object", "embed", "svg", "math", "base", "meta", "form", "template", "link")
LEADS = ("href", "src", "action", "formaction", "srcdoc", "srcset", "data", "poster", "ping", "xlink:href", "hx-get", "hx-post")


class Page(HTMLParser):
    """What of a page came of an attack: elements that run or lead away, and attributes that are code."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag if tag in ("script", "style") else ""
        for name, given in attrs:
            value = given or ""
            plain = "".join(sign for sign in value if sign > " ").lower()
            if name.startswith("on") or (MARK in value and name in LEADS and not harmless(tag, name, plain)):
                self.wrong.append(f"{tag} {name}={value}")
            if MARK in name or (MARK in value and tag in RUNS):
                self.wrong.append(f"{tag} {name}")

    def handle_data(self, data: str) -> None:
        if self._inside and MARK in data:
            self.wrong.append(f"{self._inside}: {data.strip()[:80]}")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def harmless(tag: str, name: str, address: str) -> bool:
    """A link may lead to the web and into this installation; nothing may be loaded from elsewhere."""
    if address.startswith("/") and not address.startswith("//"):
        return True
    return (tag, name) == ("a", "href") and address.startswith(("https://", "http://", "?"))


@pytest.fixture
def browser(world: World) -> Client:
    return signed_in(world, Role.OWNER, world.north)


def line(attack: str, most: int) -> str:
    """An attack where only words of one line fit."""
    return " ".join(attack.replace("\x01", "").split())[:most]


def articles(world: World, office: Office) -> list[str]:
    by, publisher, read = access.system("test"), world.actor(Role.OWNER, world.north), []
    for attack in ATTACKS:
        title = Text(line(attack, 119), "b")
        made = knowledge.add_article(organisation=world.north, title=title, body=Text(attack, f"# b\n\n* {attack}"), by=by, now=NOW)
        knowledge.describe_article(article=made, audience=Audience.PUBLIC, shared_below=True, topics=[], review_at=None, by=by)
        knowledge.submit_article(article=made, by=by, now=NOW)
        knowledge.publish_article(article=made, by=publisher, now=NOW)
        read.append(f"/console/knowledge/{made}/")
    return [
        *read,
        f"{read[0]}edit/",
        f"{read[1]}versions/",
        "/console/knowledge/",
        f"/console/knowledge/?q={MARK}",
        f"/console/search?q={MARK}",
    ]


def a_case(world: World, office: Office) -> list[str]:
    for attack in ATTACKS:
        office.open(title=line(attack, 100), description=attack.replace("\x01", ""))
    made = office.sent(title=line(ATTACKS[0], 100), description="\n".join(ATTACKS).replace("\x01", ""))
    for attack in ATTACKS:
        words = attack.replace("\x01", "")
        cases.add_note(case=made, text=words, by=office.worker, now=MONDAY)
        cases.send_reply(case=made, text=words, recipient=line(attack, 60), channel="text", by=office.worker, now=MONDAY)
    here = f"/console/cases/{office.row(made).number}"
    return [here, f"{here}/edit", "/console/", f"/console/?q={MARK}&view=all", f"/console/search?q={MARK}"]


def a_person(world: World, office: Office) -> list[str]:
    by = access.system("test")
    for attack in ATTACKS:
        data = PersonData(name=line(attack, 100), notes=attack.replace("\x01", ""))
        made = people.add_person(organisation=world.north, data=data, by=by, now=NOW)
    call = Contact(channel=Channel.CHAT, contact=line(ATTACKS[0], 60), subject=line(ATTACKS[1], 60), person=made)
    contact = interactions.add_interaction(organisation=world.north, contact=call, by=by, now=NOW)
    for attack in ATTACKS:
        interactions.add_part(interaction=contact, side=Side.THEIRS, text=attack, by=by, at=NOW)
    people_page = f"/console/people/{made}/"
    return [people_page, "/console/people/", f"/console/contacts/{contact}/", "/console/contacts/", f"/console/search?q={MARK}"]


@pytest.mark.parametrize("write", [articles, a_case, a_person])
def test_what_people_write_is_shown_and_never_run(world: World, browser: Client, write: Callable[[World, Office], list[str]]) -> None:
    seen, wrong = 0, []
    for address in write(world, office_of(world)):
        answer = browser.get(address)
        text = answer.content.decode()
        assert answer.status_code == 200 and "default-src 'self'" in answer["Content-Security-Policy"], address
        seen += text.count(MARK)
        wrong += [f"{address}: {each}" for each in Page(text).wrong]
    assert wrong == [] and seen > len(ATTACKS)


def test_the_preview_of_an_article_runs_nothing(browser: Client) -> None:
    wrong = []
    for attack in ATTACKS:
        given = {"title_zh": attack, "body_zh": attack, "title_en": attack, "body_en": attack}
        answer = browser.post("/console/knowledge/preview", given)
        wrong += [f"{attack!r}: {each}" for each in Page(answer.content.decode()).wrong]
    assert wrong == []


def test_the_parser_of_these_tests_sees_what_a_browser_would_run() -> None:
    assert all(Page(attack).wrong for attack in ATTACKS if attack.startswith(("<script", "<img", "<svg", "<iframe", "<a", "<base")))
