"""Articles are found, read, written, reviewed and published on pages; nobody beside or below sees more than they may."""

import io
from collections.abc import Callable

import pytest
from django.test import Client

from jilink.core.knowledge import actions, reads
from jilink.core.knowledge.models import Article, Version
from jilink.core.knowledge.rules import Audience
from jilink.core.parties.rules import Role
from jilink.kernel.ids import ArticleId
from jilink.kernel.texts import Text
from jilink.services.console.pages import knowledge_text
from tests.core.world import NOW, World
from tests.services.conftest import signed_in

TITLE = Text("稻瘟病怎么防", "Rice blast: what to do")
BODY = Text("## 症状\n\n叶片上有**梭形**病斑。\n\n| 时期 | 药剂 |\n|---|--:|\n| 破口 | 三环唑 |", "Spindle-shaped spots on the leaves.")


@pytest.fixture
def article(world: World) -> ArticleId:
    writer = world.actor(Role.EXPERT, world.north)
    made = actions.add_article(organisation=world.north, title=TITLE, body=BODY, by=writer, now=NOW)
    actions.submit_article(article=made, by=writer, now=NOW)
    return made


@pytest.fixture
def published(world: World, article: ArticleId) -> ArticleId:
    owner = world.actor(Role.OWNER, world.north)
    actions.describe_article(article=article, audience=Audience.STAFF, shared_below=False, topics=["水稻"], review_at=NOW.date(), by=owner)
    actions.publish_article(article=article, by=owner, now=NOW)
    return article


def text_of(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def test_a_piece_of_a_word_finds_an_article_and_is_marked(world: World, published: ArticleId) -> None:
    reader = signed_in(world, Role.ANALYST, world.north)
    found = text_of(reader, "/console/knowledge/?q=稻瘟")
    assert "<mark>稻瘟</mark>病怎么防" in found and f"/console/knowledge/{published}/" in found
    assert "<mark>梭形</mark>" in text_of(reader, "/console/knowledge/?q=梭形")
    assert "**" not in text_of(reader, "/console/knowledge/?q=梭形")
    assert f"/knowledge/{published}/" not in text_of(reader, "/console/knowledge/?q=霜冻")


def test_typing_asks_for_the_results_alone(world: World, published: ArticleId) -> None:
    reader = signed_in(world, Role.ANALYST, world.north)
    part = reader.get("/console/knowledge/?q=稻瘟", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and f"/console/knowledge/{published}/" in part


def test_an_article_is_read_in_either_language(world: World, published: ArticleId) -> None:
    reader = signed_in(world, Role.ANALYST, world.north)
    chinese = text_of(reader, f"/console/knowledge/{published}/")
    assert '<article class="card prose" lang="zh-Hans"><h2>症状</h2>' in chinese and '<td class="right">三环唑</td>' in chinese
    assert '<article class="card prose" lang="en"><p>Spindle' in text_of(reader, f"/console/knowledge/{published}/?in=en")


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        '<img src=x onerror="alert(1)">',
        "![x](https://evil.example/a.png)",
        "[x](data:text/html,hello)",
        "[x](//evil.example)",
        "[x]( java\nscript:alert(1))",
        '[x](https://a.example "\\" onmouseover=alert(1) x=\\"")',
    ],
)
def test_nothing_that_a_writer_wrote_runs_or_loads_from_elsewhere(body: str) -> None:
    html = str(knowledge_text.rendered(body)).lower()
    assert "<script" not in html and "<img" not in html
    assert (
        'href="javascript' not in html
        and 'href="data:' not in html
        and 'href="//' not in html
        and " onmouseover=" not in html.replace("&quot;", "")
    )


def test_links_tell_the_other_side_nothing_and_own_pictures_are_shown() -> None:
    assert '<a href="https://a.example" rel="noopener noreferrer">' in knowledge_text.rendered("[x](https://a.example)")
    assert '<img src="/k/7/files/12" alt="leaf" loading="lazy">' in knowledge_text.rendered("![leaf](files/12)", "/k/7/files/")


def test_an_article_goes_from_its_writer_to_its_readers(world: World) -> None:
    writer, owner = signed_in(world, Role.EXPERT, world.north), signed_in(world, Role.OWNER, world.north)
    given = {"organisation": world.north, "title_zh": "水表冻了", "body_zh": "先关阀门。", "title_en": "", "body_en": ""}
    saved = writer.post("/console/knowledge/add/", given)
    address = saved["Location"]
    number = address.strip("/").split("/")[-1]
    assert "/take/submit" in text_of(writer, address) and "/take/publish" not in text_of(writer, address)
    writer.post(f"/console/knowledge/{number}/take/submit")
    assert "/take/publish" in text_of(owner, address)
    owner.post(f"/console/knowledge/{number}/take/publish")
    assert "先关阀门" in text_of(signed_in(world, Role.ANALYST, world.north), address)
    owner.post(f"/console/knowledge/{number}/take/retire")
    assert signed_in(world, Role.ANALYST, world.north).get(address).status_code == 404


def test_a_writer_does_not_publish_their_own_words(world: World) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    address = owner.post("/console/knowledge/add/", {"organisation": world.north, "title_zh": "水表", "body_zh": "关阀门。"})["Location"]
    owner.post(f"{address}take/submit")
    assert "disabled" in text_of(owner, address)
    owner.post(f"{address}take/publish")
    assert Article.objects.get().published == 0


def test_two_writers_at_once_see_both_versions_and_lose_none(world: World, article: ArticleId) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    actions.write_version(
        article=article, title=TITLE, body=Text("叶片上有褐色病斑。", BODY.en), based_on=1, by=world.actor(Role.EXPERT, world.north)
    )
    mine = {"title_zh": TITLE.zh, "body_zh": "叶片上有大病斑。", "title_en": TITLE.en, "body_en": BODY.en, "based_on": "1"}
    answer = owner.post(f"/console/knowledge/{article}/edit/", mine)
    shown = answer.content.decode()
    assert answer.status_code == 400 and "<del>褐色</del>" in shown and "<ins>大</ins>" in shown and "叶片上有大病斑。</textarea>" in shown
    assert 'name="based_on" value="2"' in shown
    assert owner.post(f"/console/knowledge/{article}/edit/", {**mine, "based_on": "2"}).status_code == 302
    assert list(Version.objects.order_by("number").values_list("body_zh", flat=True))[1:] == ["叶片上有褐色病斑。", "叶片上有大病斑。"]


def test_a_preview_without_scripts_keeps_what_was_typed(world: World) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    shown = owner.post(
        "/console/knowledge/add/", {"organisation": world.north, "title_zh": "水", "body_zh": "**阀门**", "preview": "1"}
    ).content.decode()
    assert "<strong>阀门</strong>" in shown and "**阀门**</textarea>" in shown and not Article.objects.exists()
    assert owner.post("/console/knowledge/preview", {"body_zh": "**阀门**"}).content.decode().strip() == "<p><strong>阀门</strong></p>"


def test_versions_are_compared(world: World, article: ArticleId) -> None:
    writer = world.actor(Role.EXPERT, world.north)
    actions.write_version(article=article, title=TITLE, body=Text(BODY.zh.replace("梭形", "褐色"), BODY.en), based_on=1, by=writer)
    shown = text_of(signed_in(world, Role.OWNER, world.north), f"/console/knowledge/{article}/versions/?old=1&new=2")
    assert "<del>梭形</del>" in shown and "<ins>褐色</ins>" in shown


def test_readers_topics_and_the_day_of_review_are_set(world: World, article: ArticleId) -> None:
    owner = signed_in(world, Role.OWNER, world.north)
    given = {"audience": "public", "shared_below": "on", "topics": "水稻，病害、药剂", "review_at": "2026-01-01"}
    assert owner.post(f"/console/knowledge/{article}/describe/", given).status_code == 302
    view = reads.draft(world.actor(Role.OWNER, world.north), article)
    assert view.topics == ("水稻", "病害", "药剂") and view.audience is Audience.PUBLIC and view.shared_below
    assert TITLE.zh in text_of(owner, "/console/knowledge/writing/?state=due")
    assert TITLE.zh not in text_of(owner, "/console/knowledge/writing/?state=published")


def test_files_are_attached_sent_and_removed(world: World, published: ArticleId) -> None:
    owner, reader = signed_in(world, Role.OWNER, world.north), signed_in(world, Role.ANALYST, world.north)
    upload = io.BytesIO("亩用量\n20 克\n".encode())
    upload.name = "用量.txt"
    owner.post(f"/console/knowledge/{published}/attach", {"file": upload})
    file = reads.attachments(world.actor(Role.ANALYST, world.north), published)[0].id
    sent = reader.get(f"/console/knowledge/{published}/files/{file}")
    assert (
        "20 克" in sent.content.decode()
        and sent["Content-Disposition"].startswith("attachment")
        and "sandbox" in sent["Content-Security-Policy"]
    )
    assert signed_in(world, Role.OWNER, world.south).get(f"/console/knowledge/{published}/files/{file}").status_code == 404
    owner.post(f"/console/knowledge/{published}/files/{file}/detach")
    assert reader.get(f"/console/knowledge/{published}/files/{file}").status_code == 404


READING = ["", "?q=稻瘟"]
OF_ONE = [
    "{}/",
    "{}/edit/",
    "{}/versions/",
    "{}/describe/",
    "{}/take/publish",
    "{}/take/retire",
    "{}/attach",
    "{}/files/1",
    "{}/files/1/detach",
]
WRITING = ["writing/", "add/", "preview"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_another_organisation_learns_nothing(world: World, published: ArticleId, method: str) -> None:
    stranger = signed_in(world, Role.OWNER, world.south)
    for tail in [*READING, *WRITING, *(each.format(published) for each in OF_ONE)]:
        answer = getattr(stranger, method)(f"/console/knowledge/{tail}")
        assert "病怎么防" not in answer.content.decode(), tail
        if tail.startswith(str(published)):
            missing = getattr(stranger, method)(f"/console/knowledge/{tail.replace(str(published), '987654', 1)}")
            assert answer.status_code == missing.status_code and answer.status_code in (404, 405), tail
    assert Article.objects.get().state == "published"


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_reader_does_not_write(world: World, published: ArticleId, method: str) -> None:
    reader = signed_in(world, Role.ANALYST, world.north)
    for tail in [*WRITING, *(each.format(published) for each in OF_ONE[1:])]:
        assert getattr(reader, method)(f"/console/knowledge/{tail}").status_code in (404, 405), tail
    assert Article.objects.get().state == "published"


@pytest.mark.parametrize("method", ["get", "post"])
def test_whoever_is_signed_out_is_sent_to_the_door(world: World, published: ArticleId, method: str) -> None:
    ask: Callable[..., object] = getattr(Client(), method)
    for tail in [*READING, *WRITING, *(each.format(published) for each in OF_ONE)]:
        answer = ask(f"/console/knowledge/{tail}")
        assert answer.status_code in (302, 405), tail  # type: ignore[attr-defined]  # -- the client's answer
