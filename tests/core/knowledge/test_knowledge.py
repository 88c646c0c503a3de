"""Articles: two pairs of eyes, nothing overwritten, and found by any piece of a word."""

import dataclasses
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jilink.core.knowledge import actions, reads
from jilink.core.knowledge.actions import WrittenMeanwhile
from jilink.core.knowledge.events import ArticlePublished
from jilink.core.knowledge.models import INDEX, Article
from jilink.core.knowledge.rules import ArticleRefused, Audience
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties.access import NOBODY, Actor, NotFound
from jilink.core.parties.rules import Role
from jilink.core.search import words
from jilink.core.search.index import PART, Document
from jilink.kernel.ids import ArticleId, FileId, OrganisationId
from jilink.kernel.texts import Text
from tests.core.world import NOW, World

BLAST = Text("水稻稻瘟病怎么防治", "How to prevent rice blast")
CURE = Text(
    "稻瘟病在高温多雨时发生。破口前七天喷施三环唑，每亩 100 克。Ｎ９５口罩防护。",
    "Rice blast comes with heat and rain. Spray before heading. Don't wait.",
)


@pytest.fixture
def writer(world: World) -> Actor:
    return world.actor(Role.EXPERT, world.north)


@pytest.fixture
def owner(world: World) -> Actor:
    return world.actor(Role.OWNER, world.north)


def published(
    world: World,
    title: Text = BLAST,
    body: Text = CURE,
    *,
    organisation: OrganisationId | None = None,
    audience: Audience = Audience.STAFF,
    shared_below: bool = False,
) -> ArticleId:
    place = organisation or world.north
    author, publisher = world.actor(Role.EXPERT, place), world.actor(Role.OWNER, place)
    article = actions.add_article(organisation=place, title=title, body=body, by=author, now=NOW)
    actions.describe_article(article=article, audience=audience, shared_below=shared_below, topics=["水稻"], review_at=None, by=publisher)
    actions.submit_article(article=article, by=author, now=NOW)
    actions.publish_article(article=article, by=publisher, now=NOW)
    return article


def found(actor: Actor, text: str) -> list[ArticleId]:
    return [each.article.id for each in reads.find(actor, text)]


@pytest.mark.parametrize(
    "text",
    [
        "稻瘟病",
        "稻瘟",
        "瘟",
        "防治",
        "水稻 三环唑",
        "破口前七天",
        "rice blast",
        "RICE bla",
        "spray",
        "n95口罩",
        "N95",
        "don't",
        "100 克",
        "１００",
    ],
)
def test_any_piece_of_a_word_is_found(world: World, writer: Actor, text: str) -> None:
    article = published(world)
    published(world, Text("玉米螟的防控"), Text("释放赤眼蜂。"))
    assert article in found(writer, text)


@pytest.mark.parametrize("text", ["病稻", "水稻 玉米", "last", "95口", "", "  ", "！", "'", '"', "*", "a:b OR c", "NEAR(稻 病)", "\0"])
def test_what_is_not_there_is_not_found_and_nothing_typed_breaks_the_search(world: World, writer: Actor, text: str) -> None:
    published(world)
    assert found(writer, text) == []


def test_titles_and_whole_words_come_first(world: World, writer: Actor) -> None:
    in_text = published(world, Text("水田管理"), Text("有时会有稻瘟病。" + "灌水、晒田。" * 30))
    in_title = published(world)
    assert found(writer, "稻瘟病") == [in_title, in_text]
    split = published(world, Text("早稻"), Text("早稻，瘟疫与病害。大小不同的稻。" + "早稻，瘟疫与病害。" * 9))
    assert split not in found(writer, "稻瘟病")


@hypothesis_settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(min_size=1, max_size=30), start=st.integers(0, 29), length=st.integers(1, 8))
def test_every_piece_of_any_text_is_found(world: World, writer: Actor, text: str, start: int, length: int) -> None:
    piece = text[start : start + length]
    tokens = words.terms(piece)
    whole = words.characters(text)
    if len(tokens) != 1 or not any(whole[i : i + len(tokens[0])] == tokens[0] for i in range(len(whole))):
        return  # the piece begins inside a Latin word, or holds no letter
    article = Article.objects.create(
        organisation_id=world.north, state="published", audience="staff", published=1, latest=1, changed_at=NOW
    )
    INDEX.put(article.pk, [Document("", (text,))])
    assert article.pk in {hit.item for hit in INDEX.search(piece, Article.objects.filter(pk=article.pk))}


def test_a_phrase_across_two_rows_of_a_long_article_is_found(world: World, writer: Actor) -> None:
    long = "灌" * (PART - 2) + "赤眼蜂与白僵菌" + "溉" * 100
    article = published(world, Text("长文"), Text(long))
    assert found(writer, "赤眼蜂与白僵菌") == [article]


def test_the_excerpt_shows_what_was_looked_for(world: World, writer: Actor) -> None:
    published(world, Text("水田"), Text("晒田。" * 100 + "喷施三环唑。" + "灌水。" * 100))
    (only,) = reads.find(writer, "三环唑")
    assert "三环唑" in only.excerpt
    assert only.excerpt.startswith("…")
    assert only.excerpt.endswith("…")


def test_somebody_other_than_the_writer_publishes(world: World, owner: Actor) -> None:
    article = actions.add_article(organisation=world.north, title=BLAST, body=CURE, by=owner, now=NOW)
    with pytest.raises(ArticleRefused, match="a draft cannot take the step publish"):
        actions.publish_article(article=article, by=owner)
    actions.submit_article(article=article, by=owner)
    with pytest.raises(ArticleRefused, match="other than the writer"):
        actions.publish_article(article=article, by=owner)
    assert found(owner, "稻瘟病") == []
    actions.publish_article(article=article, by=world.actor(Role.SUPERVISOR, world.north), now=NOW)
    assert found(owner, "稻瘟病") == [article]
    assert OutboxEvent.objects.filter(name=ArticlePublished.NAME).count() == 1


def test_readers_see_the_published_version_until_the_next_is(world: World, writer: Actor, owner: Actor) -> None:
    article = published(world)
    actions.write_version(article=article, title=Text(BLAST.zh), body=Text("改用生物防治。"), based_on=1, by=writer, now=NOW)
    assert reads.article(writer, article).body == CURE
    assert reads.draft(writer, article).body.zh == "改用生物防治。"
    assert found(writer, "生物防治") == []
    actions.submit_article(article=article, by=writer)
    actions.return_article(article=article, by=owner)
    actions.submit_article(article=article, by=writer)
    actions.publish_article(article=article, by=owner, now=NOW)
    assert (found(writer, "生物防治"), found(writer, "三环唑")) == ([article], [])
    assert [(number, at is not None) for number, _who, _when, at in reads.versions(writer, article)] == [(2, True), (1, True)]


def test_nothing_is_overwritten_when_two_write_at_once(world: World, writer: Actor, owner: Actor) -> None:
    article = published(world)
    actions.write_version(article=article, title=Text(BLAST.zh), body=Text("甲"), based_on=1, by=writer)
    with pytest.raises(WrittenMeanwhile, match="Version 2"):
        actions.write_version(article=article, title=Text(BLAST.zh), body=Text("乙"), based_on=1, by=owner)
    assert reads.draft(owner, article).body.zh == "甲"
    assert reads.draft(owner, article, 1).body == CURE


def test_a_retired_article_is_gone_from_its_readers_and_kept_for_its_writers(world: World, writer: Actor, owner: Actor) -> None:
    article = published(world)
    actions.retire_article(article=article, by=owner)
    assert found(writer, "稻瘟病") == []
    with pytest.raises(NotFound):
        reads.article(writer, article)
    assert reads.draft(writer, article).title == BLAST


@pytest.mark.parametrize(
    ("title", "body"), [(Text(), Text("x")), (Text("题"), Text()), (Text("题"), Text("文", "text")), (Text("题" * 121), Text("文"))]
)
def test_words_that_are_missing_or_too_long_are_refused(world: World, writer: Actor, title: Text, body: Text) -> None:
    with pytest.raises(ArticleRefused):
        actions.add_article(organisation=world.north, title=title, body=body, by=writer)


def test_articles_due_for_review_are_listed(world: World, writer: Actor, owner: Actor) -> None:
    article = published(world)
    actions.describe_article(
        article=article, audience=Audience.STAFF, shared_below=False, topics=["水稻", "病害", "水稻"], review_at=date(2026, 6, 1), by=owner
    )
    assert reads.articles(writer, due=date(2026, 5, 31))[0] == 0
    total, (due,) = reads.articles(writer, due=date(2026, 6, 1))
    assert (total, due.id, due.topics) == (1, article, ("水稻", "病害"))
    assert reads.topics(writer) == ["水稻", "病害"]
    assert reads.articles(writer, topic="病害")[0] == 1
    assert reads.articles(writer, topic="病")[0] == 0


def test_an_article_is_seen_below_only_when_shared_and_never_beside(world: World) -> None:
    below, beside = world.actor(Role.AGENT, world.depot), world.actor(Role.OWNER, world.south)
    article = published(world)
    shared = published(world, Text("稻瘟病通知"), Text("各县注意。"), shared_below=True)
    assert found(below, "稻瘟病") == [shared]
    assert reads.article(below, shared).title.zh == "稻瘟病通知"
    for asking, hidden in ((below, article), (beside, article), (beside, shared), (NOBODY, shared)):
        _is_not_found(lambda who, which=hidden: reads.article(who, which), asking)
    assert found(beside, "稻瘟病") == []
    low = world.actor(Role.AGENT, world.north)
    for asking in (below, beside, low, NOBODY):
        for do in (
            lambda who: actions.write_version(article=shared, title=BLAST, body=CURE, based_on=1, by=who),
            lambda who: actions.submit_article(article=shared, by=who),
            lambda who: actions.publish_article(article=shared, by=who),
            lambda who: actions.retire_article(article=shared, by=who),
            lambda who: actions.attach_file(article=shared, data=b"x", name="x", by=who),
            lambda who: actions.detach_file(article=shared, file=FileId(1), by=who),
            lambda who: actions.add_article(organisation=world.north, title=BLAST, body=CURE, by=who),
            lambda who: reads.draft(who, shared),
            lambda who: reads.versions(who, shared),
        ):
            _is_not_found(do, asking)
    assert reads.articles(beside) == (0, [])
    _is_not_found(lambda who: reads.articles(who), low)


def _is_not_found(ask: Callable[[Actor], object], asking: Actor) -> None:
    with pytest.raises(NotFound):
        ask(asking)


def test_the_public_reads_public_articles_and_no_others(world: World) -> None:
    published(world)
    public = published(world, Text("防霜冻"), Text("熏烟。"), audience=Audience.PUBLIC)
    assert [each.article.id for each in reads.find_public(world.north, "防")] == [public]
    assert reads.public_article(world.north, public).title.zh == "防霜冻"
    with pytest.raises(NotFound):
        reads.public_article(world.south, public)


def test_files_of_an_article_go_where_it_goes(world: World, writer: Actor, tmp_path: Path, settings: Any) -> None:
    settings.JILINK = dataclasses.replace(settings.JILINK, data=tmp_path)
    below, beside = world.actor(Role.AGENT, world.depot), world.actor(Role.OWNER, world.south)
    article = published(world, shared_below=True)
    file = actions.attach_file(article=article, data="每亩 100 克".encode(), name="用量.txt", by=writer)
    for reader in (writer, below):
        assert [view.name for view in reads.attachments(reader, article)] == ["用量.txt"]
        assert reads.attachment(reader, article, file)[1] == "每亩 100 克".encode()
    for ask in (lambda who: reads.attachments(who, article), lambda who: reads.attachment(who, article, file)):
        _is_not_found(ask, beside)
    other = published(world, Text("别的"), Text("文"))
    _is_not_found(lambda who: reads.attachment(who, other, file), writer)
    actions.detach_file(article=article, file=file, by=writer)
    assert reads.attachments(writer, article) == []
