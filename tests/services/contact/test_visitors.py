"""The public door of web chat, attacked: foreign pages and secrets, huge bodies, markup, files, haste; and the pages that set it up."""

import json
import secrets
from dataclasses import replace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from jilink.core.cases import actions as cases
from jilink.core.cases.models import Case
from jilink.core.interactions.models import Interaction, Part
from jilink.core.parties import access
from jilink.core.parties.models import Consent, Person
from jilink.core.parties.rules import Role
from jilink.kernel.texts import Text
from jilink.services.contact.actions import designing, sites
from jilink.services.contact.models import ChatSite, Conversation
from jilink.services.contact.reads import sites as site_reads
from jilink.services.contact.rules import written as rules
from jilink.services.contact.rules.design import QueueDesign
from jilink.services.contact.rules.written import SiteDesign, SiteRefused
from tests.core.files.test_files import photograph
from tests.core.world import World
from tests.services.conftest import signed_in

pytestmark = pytest.mark.usefixtures("site")
ORIGIN = "https://www.example.cn"
MARKUP = "<img src=x onerror=alert(1)><script>alert(2)</script>"


def queue_in(world: World, organisation: Any, key: str = "hotline") -> int:
    return designing.add_queue(
        organisation=organisation, key=key, design=QueueDesign(name=Text("热线", "Hotline")), by=access.system("test")
    )


def site_in(world: World, organisation: Any, **values: Any) -> str:
    design = SiteDesign(name="Shop", origins=(ORIGIN,), **values)
    made = sites.add_site(queue=queue_in(world, organisation), design=design, by=access.system("test"))
    return ChatSite.objects.get(pk=made).key


def ask(key: str, deed: str, origin: str = ORIGIN, **body: Any) -> HttpResponse:
    headers = {"Origin": origin} if origin else {}
    return Client(enforce_csrf_checks=True).post(f"/contact/chat/{key}/{deed}", json.dumps(body), "application/json", headers=headers)


def begun(key: str, secret: str = "", **body: Any) -> str:
    mine = secret or secrets.token_urlsafe(32)
    answer = ask(key, "begin", secret=mine, agreed=True, words="你好", client="1", **body)
    assert answer.status_code == 200, answer.content
    return mine


def test_only_the_sites_own_pages_may_ask_and_no_cookie_is_set(world: World) -> None:
    key = site_in(world, world.north)
    for origin in ("https://evil.example", "", "null", "https://www.example.cn.evil.example", "http://www.example.cn"):
        answer = ask(key, "hello", origin)
        assert answer.status_code == 403 and "Access-Control-Allow-Origin" not in answer
    answer = ask(key, "hello", language="en-GB")
    assert answer["Access-Control-Allow-Origin"] == ORIGIN and "Origin" in answer["Vary"] and not answer.cookies
    assert "Access-Control-Allow-Credentials" not in answer and answer.json()["title"] == "Chat with us"
    flight = Client().options(f"/contact/chat/{key}/say", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    assert flight.status_code == 204 and flight["Access-Control-Allow-Methods"] == "POST"
    assert ask("unknown", "hello").status_code == 404
    ChatSite.objects.update(enabled=False)
    assert ask(key, "hello").status_code == 404


def test_nothing_is_kept_before_somebody_agrees_and_then_the_consent_with_its_purpose(world: World) -> None:
    key = site_in(world, world.north, purpose="chat.shop")
    answer = ask(key, "begin", secret=secrets.token_urlsafe(32), agreed=False, words="你好", client="1", name="王五")
    assert answer.status_code == 400 and not Conversation.objects.exists() and not Interaction.objects.exists()
    assert ask(key, "begin", secret="guess", agreed=True, words="x", client="1").status_code == 400
    mine = begun(key)
    assert not Person.objects.exists() and Conversation.objects.get().agreed_to == 1
    begun(key, mine)  # told twice
    assert Part.objects.count() == 1
    begun(key, name="王五", address="13904310001")
    consent = Consent.objects.get()
    assert (consent.purpose, consent.person.name) == ("chat.shop", "王五") and "version 1" in consent.evidence


def test_a_secret_opens_its_own_conversation_alone(world: World) -> None:
    key, other = site_in(world, world.north), site_in(world, world.south)
    mine, theirs = begun(key), begun(other)
    foreign = secrets.token_urlsafe(32)
    for secret in (theirs, foreign, "", "x" * 64 + "'"):
        for deed in ("news", "say", "leave", "rate", "typing", "file"):
            assert ask(key, deed, secret=secret, words="x", client="9", number=1, rating=5).status_code == 404, (secret, deed)
    seen = ask(key, "news", secret=mine).json()
    assert [line["text"] for line in seen["lines"]] == ["你好"] and Part.objects.count() == 2
    assert Conversation.objects.filter(state="wanting").count() == 2


def test_markup_stays_words_and_what_is_too_much_is_refused(world: World) -> None:
    key = site_in(world, world.north)
    mine = begun(key)
    assert ask(key, "say", secret=mine, words=MARKUP, client="2").status_code == 200
    assert ask(key, "news", secret=mine, has=1).json()["lines"][0]["text"] == MARKUP
    for words in ("x" * 4_001, "x" * 21_000, "x" * 70_000):
        assert ask(key, "say", secret=mine, words=words, client="3").status_code == 400
    for body in (b"{", b"[]", b'{"secret": 1}', b"\xff"):
        answer = Client().post(f"/contact/chat/{key}/say", body, "application/json", headers={"Origin": ORIGIN})
        assert answer.status_code == 400
    assert Part.objects.count() == 2


def test_a_file_is_checked_stripped_and_given_back_to_its_sender_alone(world: World) -> None:
    key = site_in(world, world.north)
    mine, other = begun(key), begun(key)

    def send(name: str, data: bytes, client: str) -> HttpResponse:
        body = {"secret": mine, "client": client, "words": "", "file": SimpleUploadedFile(name, data)}
        return Client().post(f"/contact/chat/{key}/say", body, headers={"Origin": ORIGIN})

    assert send("setup.exe", b"MZ" + bytes(64), "2").status_code == 400
    assert send("photo.jpg", photograph(), "3").status_code == 200
    answer = ask(key, "file", secret=mine, number=2)
    assert answer["Content-Type"] == "image/jpeg" and "sandbox" in answer["Content-Security-Policy"] and b"Exif" not in answer.content
    assert ask(key, "file", secret=other, number=2).status_code == 404


def test_haste_is_slowed(world: World, settings: Any) -> None:
    settings.JILINK = replace(settings.JILINK, api_strangers_per_minute=2)
    key = site_in(world, world.north)
    codes = [ask(key, "hello").status_code for _ in range(12)]
    assert codes[:8] == [200] * 8 and codes[-1] == 429


def test_out_of_hours_a_message_needs_a_way_back_and_becomes_a_case(world: World) -> None:
    by = access.system("test")
    cases.load_examples(organisation=world.north, by=by)
    key = site_in(world, world.north, case_type="hotline", answers=(("sort", "help"), ("subject", "water")))
    mine = secrets.token_urlsafe(32)
    told = {"secret": mine, "agreed": True, "words": "水管爆了", "client": "1"}
    assert ask(key, "message", **told).status_code == 400 and not Case.objects.exists()
    answer = ask(key, "message", **told, name="王五", address="13904310001")
    assert answer.json()["case"] == Case.objects.get().number
    case = Case.objects.get()
    assert (case.title, case.type_key) == ("水管爆了", "hotline") and case.person == Person.objects.get().pk


def test_who_manages_queues_makes_a_site_and_nobody_else_sees_it(world: World) -> None:
    queue_in(world, world.north)
    boss, stranger = signed_in(world, Role.SUPERVISOR, world.north), signed_in(world, Role.SUPERVISOR, world.south)
    page = boss.get("/contact/chat-sites/add/")
    given = {name: value for name, value in page.context["form"].initial.items() if value is not None}
    given |= {
        "name": "Shop",
        "queue": page.context["form"].fields["queue"].choices[0][0],
        "origins": "https://www.example.cn/shop\nhttp://localhost:8000",
    }
    assert boss.post("/contact/chat-sites/add/", given | {"colour": "#ffffff"}).status_code == 400
    assert boss.post("/contact/chat-sites/add/", given).status_code == 302
    made = ChatSite.objects.get()
    assert rules.read_site(made.design).origins == ("https://www.example.cn", "http://localhost:8000")
    shown = boss.get(f"/contact/chat-sites/{made.pk}/").content.decode()
    assert f"data-site=&quot;{made.key}&quot;" in shown
    assert made.key in boss.get(f"/contact/chat-sites/{made.pk}/try").content.decode()
    assert stranger.get(f"/contact/chat-sites/{made.pk}/").status_code == 404
    agent = world.person(Role.AGENT, world.north).pk
    assert boss.post(f"/contact/capacity/{world.north}/set", {"user": agent, "chat": "2", "text": "", "case": ""}).status_code == 302
    assert site_reads.capacities(access.system("test"), world.north)[-1].most["chat"] == 2
    assert stranger.post(f"/contact/capacity/{world.north}/set", {"user": "", "chat": "9"}).status_code == 404


@pytest.mark.parametrize(
    "values",
    [
        {"origins": ()}, {"origins": ("https://*.example.cn",)}, {"origins": ("https://a.cn/path",)}, {"origins": ("javascript:x",)},
        {"colour": "#ffff00"}, {"colour": "red;}"}, {"name": ""}, {"purpose": "All Purposes"}, {"title": Text("", "")},
    ],
)  # fmt: skip
def test_a_site_that_cannot_be_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(SiteRefused):
        rules.check_site(SiteDesign(**({"name": "Shop", "origins": (ORIGIN,)} | values)))
