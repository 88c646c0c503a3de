"""Rows of articles: each becomes a draft, or a further version; publishing stays with whoever may."""

from datetime import date

from jilink.core.imports.registry import Column, Into, Noun, Row, imports
from jilink.core.knowledge import actions, reads
from jilink.core.knowledge.rules import Audience
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import ArticleId
from jilink.kernel.texts import Text


class ArticleRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An article. Bodies are Markdown; who reads it, what it is filed under and when it is reviewed need the permission to review."""

    title_zh: str = ""
    title_en: str = ""
    body_zh: str = ""
    body_en: str = ""
    topics: tuple[str, ...] | None = None
    audience: Audience | None = None
    shared_below: bool | None = None
    review_at: date | None = None


def _create(row: ArticleRow, into: Into) -> int:
    title, body = Text(row.title_zh, row.title_en), Text(row.body_zh, row.body_en)
    article = actions.add_article(organisation=into.organisation, title=title, body=body, by=into.by, now=into.now)
    _describe(article, row, into)
    return article


def _change(subject: int, row: ArticleRow, into: Into) -> None:
    article = ArticleId(subject)
    latest = reads.draft(into.by, article).latest
    title, body = Text(row.title_zh, row.title_en), Text(row.body_zh, row.body_en)
    actions.write_version(article=article, title=title, body=body, based_on=latest, by=into.by, now=into.now)
    _describe(article, row, into)


def _describe(article: ArticleId, row: ArticleRow, into: Into) -> None:
    if (row.topics, row.audience, row.shared_below, row.review_at) == (None, None, None, None):
        return
    now = reads.draft(into.by, article)
    actions.describe_article(
        article=article,
        audience=row.audience if row.audience is not None else now.audience,
        shared_below=row.shared_below if row.shared_below is not None else now.shared_below,
        topics=list(row.topics if row.topics is not None else now.topics),
        review_at=row.review_at if row.review_at is not None else now.review_at,
        by=into.by,
    )


imports(
    Noun(
        key="articles",
        title=Text("知识文章", "articles"),
        row=ArticleRow,
        permission=Permission.WRITE_KNOWLEDGE,
        columns={
            "title_zh": Column(Text("中文标题", "Title in Chinese"), "如何申请补贴"),
            "title_en": Column(Text("英文标题", "Title in English"), "How to apply"),
            "body_zh": Column(Text("中文正文", "Text in Chinese"), "先……"),
            "body_en": Column(Text("英文正文", "Text in English")),
            "topics": Column(Text("主题", "Topics"), "subsidies"),
            "audience": Column(Text("读者", "Audience"), "staff"),
            "shared_below": Column(Text("下级可见", "Shared below"), "true"),
            "review_at": Column(Text("复审日期", "Review on"), "2027-05-01"),
        },
        create=_create,
        change=_change,
        look=lambda subject, into: reads.draft(into.by, ArticleId(subject)),
    )
)
