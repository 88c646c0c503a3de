"""Knowledge: articles in versions, from draft to published, their files, and search."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import File, Query, Router, Status
from ninja.files import UploadedFile
from pydantic import Field

from jilink.core.files.reads import FileView
from jilink.core.knowledge import actions, reads
from jilink.core.knowledge.actions import WrittenMeanwhile
from jilink.core.knowledge.rules import ArticleState, Audience
from jilink.kernel.ids import ArticleId, FileId, OrganisationId
from jilink.kernel.still import Still
from jilink.kernel.texts import Text
from jilink.services.console.api.files import BYTES, FileOut, sent
from jilink.webkit.api import cursors, problems
from jilink.webkit.api.assembly import VERSIONED
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Page, Paging
from jilink.webkit.api.marks import Watched
from jilink.webkit.api.problems import Fault, Faulty
from jilink.webkit.api.shapes import Day, Id, In, Line, Long, MadeOut, Out, TextOut, Words

router = Router(tags=["knowledge"])
problems.conflicts(WrittenMeanwhile)
Most = Annotated[int, Field(ge=1, le=100)]


class ArticleOut(Out):
    """An article in one version. Bodies are Markdown (CommonMark)."""

    id: int
    organisation: int
    state: ArticleState
    audience: Audience
    shared_below: bool
    topics: list[str]
    review_at: date | None
    version: int
    latest: int
    published: int
    title: TextOut
    body: TextOut
    written_by: str
    written_at: datetime
    changed_at: datetime


class FoundArticleOut(Out):
    """An article that was found, and the piece of it around what was looked for."""

    article: ArticleOut
    excerpt: str


class ArticleVersionOut(Out):
    """One version without its words."""

    number: int
    written_by: str
    written_at: datetime
    published_at: datetime | None


class TitleIn(In):
    """A title in both languages; one may be empty."""

    zh: str = Field("", max_length=120)
    en: str = Field("", max_length=120)


class BodyIn(In):
    """Markdown in both languages; one may be empty."""

    zh: Long = ""
    en: Long = ""


class ArticleIn(In):
    """A new article."""

    organisation: Id
    title: TitleIn
    body: BodyIn


class ArticleWordsIn(In):
    """A new version. `based_on` is the number of the version that was changed, where If-Match does not say what was read."""

    title: TitleIn
    body: BodyIn
    based_on: int | None = Field(None, ge=0, le=2**31 - 1)


class DescriptionIn(In):
    """Who reads it, what it is filed under, and when somebody should look at it again."""

    audience: Audience
    shared_below: bool = False
    topics: list[Line] = Field([], max_length=20)
    review_at: Day | None = None


class NumberOut(Out):
    """The number of the version that was written."""

    version: int


class ArticleStep(StrEnum):
    """What can be done with the latest version."""

    SUBMIT = "submit"
    RETURN = "return"
    PUBLISH = "publish"
    RETIRE = "retire"


_STEPS = {
    ArticleStep.SUBMIT: actions.submit_article,
    ArticleStep.RETURN: actions.return_article,
    ArticleStep.PUBLISH: actions.publish_article,
    ArticleStep.RETIRE: actions.retire_article,
}
_WATCHED = Watched(ArticleOut, "/state", "/audience", "/shared_below", "/topics", "/review_at", "/latest", "/published")


def _still(request: HttpRequest, article: int) -> Still:
    """Let an action ask whether an article is as If-Match says; its words are guarded by the number of the latest version."""
    return _WATCHED.check(request, lambda: reads.draft(actor_of(request), ArticleId(article)))


@router.get("/articles", response=Page[ArticleOut], operation_id="list_articles")
def list_articles(
    request: HttpRequest, paging: Query[Paging], state: ArticleState | None = None, topic: Words = "", due: Day | None = None
) -> dict[str, object]:
    """Return the latest versions of a writer's articles, last changed first; `due` keeps those to look at by that day."""
    offset = max(cursors.number(request, paging) or 0, 0)
    _total, rows = reads.articles(actor_of(request), state=state or "", topic=topic, due=due, offset=offset, size=paging.limit + 1)
    more = str(offset + paging.limit) if len(rows) > paging.limit else ""
    return {"items": rows[: paging.limit], "next": cursors.after(request, more)}


@router.get("/articles/search", response=list[FoundArticleOut], operation_id="find_articles")
def find_articles(
    request: HttpRequest, q: Words, language: Words = "zh-hans", limit: Annotated[int, Field(ge=1, le=100)] = 20
) -> list[reads.Found]:
    """Return the published articles that hold every word or piece of a word, the most fitting first."""
    return reads.find(actor_of(request), q, language=language, size=limit)


@router.post("/articles", response={201: MadeOut}, operation_id="add_article")
def add_article(request: HttpRequest, given: ArticleIn) -> Status[dict[str, int]]:
    """Begin an article with its first version, a draft for staff."""
    made = actions.add_article(
        organisation=OrganisationId(given.organisation),
        title=Text(given.title.zh, given.title.en),
        body=Text(given.body.zh, given.body.en),
        by=actor_of(request),
    )
    return Status(201, {"id": made})


@router.get("/articles/{int:article}", response=ArticleOut, operation_id="read_article")
def read_article(request: HttpRequest, article: Id) -> object:
    """Return the published version of an article."""
    return _WATCHED.shown(request, reads.article(actor_of(request), ArticleId(article)))


@router.get("/articles/{int:article}/draft", response=ArticleOut, operation_id="read_draft")
def read_draft(request: HttpRequest, article: Id, version: Id | None = None) -> object:
    """Return the latest, or a named, version to one who may write."""
    return _WATCHED.shown(request, reads.draft(actor_of(request), ArticleId(article), version))


@router.get("/articles/{int:article}/versions", response=list[ArticleVersionOut], operation_id="list_versions")
def list_versions(request: HttpRequest, article: Id) -> list[dict[str, object]]:
    """Return every version, the newest first."""
    names = ("number", "written_by", "written_at", "published_at")
    return [dict(zip(names, row, strict=True)) for row in reads.versions(actor_of(request), ArticleId(article))]


@router.post("/articles/{int:article}/versions", response={201: NumberOut}, operation_id="write_version", openapi_extra=VERSIONED)
def write_version(request: HttpRequest, article: Id, given: ArticleWordsIn) -> Status[dict[str, int]]:
    """Add a version; readers go on seeing the published one. 409 (412 with If-Match) where somebody else wrote one meanwhile."""
    still = _still(request, article)
    if still is None and given.based_on is None:
        raise Faulty(Fault(detail=_("Say the version that was read, here or with If-Match."), pointer="/based_on"))
    made = actions.write_version(
        article=ArticleId(article),
        title=Text(given.title.zh, given.title.en),
        body=Text(given.body.zh, given.body.en),
        based_on=given.based_on,
        by=actor_of(request),
        still=still,
    )
    return Status(201, {"version": made})


@router.put("/articles/{int:article}/description", response={204: None}, operation_id="describe_article", openapi_extra=VERSIONED)
def describe_article(request: HttpRequest, article: Id, given: DescriptionIn) -> Status[None]:
    """Say who reads it and what it is filed under."""
    actions.describe_article(
        article=ArticleId(article),
        audience=given.audience,
        shared_below=given.shared_below,
        topics=given.topics,
        review_at=given.review_at,
        by=actor_of(request),
        still=_still(request, article),
    )
    return Status(204, None)


@router.post("/articles/{int:article}/steps/{step}", response={204: None}, operation_id="step_article", openapi_extra=VERSIONED)
def step_article(request: HttpRequest, article: Id, step: ArticleStep) -> Status[None]:
    """Submit the latest version, return it to its writer, publish it, or retire the article."""
    _STEPS[step](article=ArticleId(article), by=actor_of(request), still=_still(request, article))
    return Status(204, None)


@router.get("/articles/{int:article}/files", response=list[FileOut], operation_id="list_article_files")
def list_article_files(request: HttpRequest, article: Id) -> list[FileView]:
    """Return the files of an article."""
    return reads.attachments(actor_of(request), ArticleId(article))


@router.post("/articles/{int:article}/files", response={201: MadeOut}, operation_id="attach_article_file")
def attach_article_file(request: HttpRequest, article: Id, file: File[UploadedFile]) -> Status[dict[str, int]]:
    """Add a file to an article."""
    made = actions.attach_file(article=ArticleId(article), data=file.read(), name=file.name or "", by=actor_of(request))
    return Status(201, {"id": made})


@router.get("/articles/{int:article}/files/{int:file}", operation_id="read_article_file", openapi_extra=BYTES)
def read_article_file(request: HttpRequest, article: Id, file: Id) -> HttpResponse:
    """Return a file of an article."""
    return sent(*reads.attachment(actor_of(request), ArticleId(article), FileId(file)))


@router.delete("/articles/{int:article}/files/{int:file}", response={204: None}, operation_id="detach_article_file")
def detach_article_file(request: HttpRequest, article: Id, file: Id) -> Status[None]:
    """Remove a file from an article."""
    actions.detach_file(article=ArticleId(article), file=FileId(file), by=actor_of(request))
    return Status(204, None)
