"""What may be asked about articles. Readers see published versions; writers see everything of their organisation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import F, Q, QuerySet

from jilink.core.files import reads as files
from jilink.core.files.reads import FileView
from jilink.core.knowledge.models import INDEX, Article, Attachment, Version
from jilink.core.knowledge.rules import ArticleState, Audience
from jilink.core.parties import walls
from jilink.core.parties.access import Actor, NotFound, require, require_anywhere
from jilink.core.parties.models import Organisation
from jilink.core.parties.rules import Permission
from jilink.core.search.index import excerpt
from jilink.kernel.ids import ArticleId, FileId, OrganisationId
from jilink.kernel.texts import Text

PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleView:
    """An article as somebody sees it: `title` and `body` are those of `version`. Bodies are Markdown."""

    id: ArticleId
    organisation: OrganisationId
    state: ArticleState
    audience: Audience
    shared_below: bool
    topics: tuple[str, ...]
    review_at: date | None
    version: int
    latest: int
    published: int
    title: Text
    body: Text
    written_by: str
    written_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """An article that a search found, and the piece of it around what was looked for."""

    article: ArticleView
    excerpt: str


def article(actor: Actor, article: ArticleId) -> ArticleView:
    """Return the published version of an article. Raises NotFound."""
    return _one(_readable(actor), article, "published")


def draft(actor: Actor, article: ArticleId, version: int | None = None) -> ArticleView:
    """Return the latest, or the named, version of an article to one who may write in its organisation. Raises NotFound."""
    row = Article.objects.filter(pk=article).first()
    require(actor, Permission.WRITE_KNOWLEDGE, row.organisation_id if row else None)
    return _one(Article.objects.all(), article, "latest", version)


def versions(actor: Actor, article: ArticleId) -> list[tuple[int, str, datetime, datetime | None]]:
    """Return number, writer, time of writing and of publication of every version, newest first. Raises NotFound."""
    view = draft(actor, article)
    rows = Version.objects.filter(article_id=view.id).order_by("-number")
    return [(row.number, row.written_by, row.written_at, row.published_at) for row in rows]


def articles(
    actor: Actor, *, state: str = "", topic: str = "", due: date | None = None, offset: int = 0, size: int = PAGE
) -> tuple[int, list[ArticleView]]:
    """Return how many articles a writer's organisations have, and a page of their latest versions, last changed first.

    `due` keeps those somebody should look at by that day. Raises NotFound.
    """
    rows = Article.objects.filter(organisation_id__in=require_anywhere(actor, Permission.WRITE_KNOWLEDGE))
    if state:
        rows = rows.filter(state=state)
    if topic:
        rows = rows.filter(topics__contains=f"|{topic}|")
    if due is not None:
        rows = rows.filter(review_at__lte=due).exclude(state=ArticleState.RETIRED)
    page = list(rows.order_by("-changed_at", "-pk")[offset : offset + size])
    return rows.count(), _views(page, "latest")


def published(actor: Actor, *, topic: str = "", offset: int = 0, size: int = PAGE) -> tuple[int, list[ArticleView]]:
    """Return how many published articles the actor may read, and a page of them, last changed first. Raises NotFound."""
    with walls.everything():  # `_readable` names the organisations
        rows = _readable(actor)
        if topic:
            rows = rows.filter(topics__contains=f"|{topic}|")
        page = list(rows.order_by("-changed_at", "-pk")[offset : offset + size])
        return rows.count(), _views(page, "published")


def find(actor: Actor, text: str, *, language: str = "zh-hans", size: int = 20) -> list[Found]:
    """Return the published articles that hold every word or piece of a word in `text`, the most fitting first. Raises NotFound."""
    return _found(_readable(actor), text, language, size)


def find_public(organisation: OrganisationId, text: str, *, language: str = "zh-hans", size: int = 20) -> list[Found]:
    """Return what anybody may find in an organisation's public articles."""
    return _found(_public(organisation), text, language, size)


def public_article(organisation: OrganisationId, article: ArticleId) -> ArticleView:
    """Return a public article of an organisation to anybody. Raises NotFound."""
    return _one(_public(organisation), article, "published")


def attachments(actor: Actor, article: ArticleId) -> list[FileView]:
    """Return the files of an article that the actor may read or write. Raises NotFound."""
    reader = _reader(actor, article)
    with walls.everything():
        ids = [FileId(file) for file in Attachment.objects.filter(article_id=article).order_by("pk").values_list("file", flat=True)]
        found = files.files(reader, ids, Permission.READ_KNOWLEDGE)
    return [found[file] for file in ids if file in found]


def attachment(actor: Actor, article: ArticleId, file: FileId) -> tuple[FileView, bytes]:
    """Return one file of an article and its bytes. Raises NotFound."""
    reader = _reader(actor, article)
    with walls.everything():
        if not Attachment.objects.filter(article_id=article, file=file).exists():
            raise NotFound("There is no such file, or you may not see it.")
        return files.content(reader, file, Permission.READ_KNOWLEDGE)


def topics(actor: Actor) -> list[str]:
    """Return every topic of the published articles the actor may read, in order. Raises NotFound."""
    with walls.everything():
        kept = list(_readable(actor).exclude(topics="").values_list("topics", flat=True).distinct())
    return sorted({topic for each in kept for topic in each.strip("|").split("|")})


def _reader(actor: Actor, article: ArticleId) -> Actor:
    """Return the actor as a reader in the organisation of an article that they may read or write: it lends them its files."""
    with walls.everything():
        row = _readable(actor).filter(pk=article).first()
        if row is None:
            row = Article.objects.filter(pk=article).first()
            require(actor, Permission.WRITE_KNOWLEDGE, row.organisation_id if row else None)
    if row is None:
        raise NotFound("There is no such article, or you may not see it.")
    return replace(actor, grants={OrganisationId(row.organisation_id): frozenset({Permission.READ_KNOWLEDGE})})


def _readable(actor: Actor) -> QuerySet[Article]:
    """Return the published articles of the actor's organisations, and those that organisations above them share."""
    mine = require_anywhere(actor, Permission.READ_KNOWLEDGE)
    with walls.everything():
        paths = Organisation.objects.filter(pk__in=mine).values_list("path", flat=True)
        above = {int(part) for path in paths for part in path.strip("/").split("/")} - mine
    return Article.objects.filter(Q(organisation_id__in=mine) | Q(organisation_id__in=above, shared_below=True), _PUBLISHED)


def _public(organisation: OrganisationId) -> QuerySet[Article]:
    return Article.objects.filter(_PUBLISHED, organisation_id=organisation, audience=Audience.PUBLIC)


_PUBLISHED = Q(published__gt=0) & ~Q(state=ArticleState.RETIRED)


def _found(readable: QuerySet[Article], text: str, language: str, size: int) -> list[Found]:
    with walls.everything():  # `readable` names the organisations; the policy would keep the index from being used
        hits = INDEX.search(text, readable)[:size]
        views = {view.id: view for view in _views(list(Article.objects.filter(pk__in=[hit.item for hit in hits])), "published")}
    ordered = [views[ArticleId(hit.item)] for hit in hits if ArticleId(hit.item) in views]
    return [Found(view, excerpt(view.body.in_(language), text)) for view in ordered]


def _one(rows: QuerySet[Article], article: ArticleId, which: str, version: int | None = None) -> ArticleView:
    with walls.everything():
        row = rows.filter(pk=article).first()
        views = _views([row], which, version) if row is not None else []
    if not views:
        raise NotFound("There is no such article, or you may not see it.")
    return views[0]


def _views(rows: Sequence[Article], which: str, version: int | None = None) -> list[ArticleView]:
    wanted = Q(number=version) if version is not None else Q(number=F(f"article__{which}"))
    held = {each.article_id: each for each in Version.objects.filter(wanted, article__in=[row.pk for row in rows])}
    return [_view(row, held[row.pk]) for row in rows if row.pk in held]


def _view(row: Article, version: Version) -> ArticleView:
    return ArticleView(
        id=ArticleId(row.pk),
        organisation=OrganisationId(row.organisation_id),
        state=ArticleState(row.state),
        audience=Audience(row.audience),
        shared_below=row.shared_below,
        topics=tuple(row.topics.strip("|").split("|")) if row.topics else (),
        review_at=row.review_at,
        version=version.number,
        latest=row.latest,
        published=row.published,
        title=Text(version.title_zh, version.title_en),
        body=Text(version.body_zh, version.body_en),
        written_by=version.written_by,
        written_at=version.written_at,
        changed_at=row.changed_at,
    )
