"""The life of an article, and what its words may be: pure decisions."""

import re
from datetime import date
from enum import StrEnum

from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text

LONGEST_TITLE = 120
LONGEST_BODY = 100_000
MOST_TOPICS = 12


class ArticleState(StrEnum):
    """Where an article is. What readers see is its published version, whatever is being written meanwhile."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    RETIRED = "retired"


class Step(StrEnum):
    """What can be done with an article."""

    WRITE = "write"
    SUBMIT = "submit"
    RETURN = "return"
    PUBLISH = "publish"
    RETIRE = "retire"


class Audience(StrEnum):
    """Who reads a published article; each holds those before it."""

    STAFF = "staff"
    PUBLIC = "public"


NEXT: dict[tuple[ArticleState, Step], ArticleState] = {
    (ArticleState.DRAFT, Step.WRITE): ArticleState.DRAFT,
    (ArticleState.DRAFT, Step.SUBMIT): ArticleState.IN_REVIEW,
    (ArticleState.DRAFT, Step.RETIRE): ArticleState.RETIRED,
    (ArticleState.IN_REVIEW, Step.WRITE): ArticleState.DRAFT,
    (ArticleState.IN_REVIEW, Step.RETURN): ArticleState.DRAFT,
    (ArticleState.IN_REVIEW, Step.PUBLISH): ArticleState.PUBLISHED,
    (ArticleState.PUBLISHED, Step.WRITE): ArticleState.DRAFT,
    (ArticleState.PUBLISHED, Step.RETIRE): ArticleState.RETIRED,
    (ArticleState.RETIRED, Step.WRITE): ArticleState.DRAFT,
}


STATE_WORDS = {
    ArticleState.DRAFT: Text("草稿", "a draft"),
    ArticleState.IN_REVIEW: Text("待审核", "in review"),
    ArticleState.PUBLISHED: Text("已发布", "published"),
    ArticleState.RETIRED: Text("已停用", "retired"),
}
STEP_WORDS = {
    Step.WRITE: Text("编写", "write"),
    Step.SUBMIT: Text("提交审核", "submit for review"),
    Step.RETURN: Text("退回撰写人", "return to the writer"),
    Step.PUBLISH: Text("发布", "publish"),
    Step.RETIRE: Text("停用", "retire"),
}
"""How refusals call states and steps."""


class ArticleRefused(Refused):
    """An article cannot be so, or this cannot be done with it now."""


def after(state: str, step: Step) -> ArticleState:
    """Return the state after a step. Raises ArticleRefused."""
    found = NEXT.get((ArticleState(state), step))
    if found is None:
        raise ArticleRefused(
            "An article that is %(state)s cannot take the step %(step)s.", state=STATE_WORDS[ArticleState(state)], step=STEP_WORDS[step]
        )
    return found


def check_publisher(writer: str, publisher: str) -> None:
    """Return where somebody other than the writer publishes. Raises ArticleRefused."""
    if writer == publisher:
        raise ArticleRefused("Somebody other than the writer publishes an article. Ask a colleague to look at it.")


def check_words(title: Text, body: Text) -> None:
    """Return where each language that has a title has a body and the reverse, and nothing is too long. Raises ArticleRefused."""
    if not title:
        raise ArticleRefused("An article needs a title in at least one language.")
    for name, head, text in (("Chinese", title.zh, body.zh), ("English", title.en, body.en)):
        if bool(head.strip()) != bool(text.strip()):
            raise ArticleRefused("The %(name)s version has a title without a text or a text without a title.", name=name)
        if len(head) > LONGEST_TITLE or len(text) > LONGEST_BODY:
            raise ArticleRefused(
                "The %(name)s version is too long: at most %(longest_title)s characters of title, %(longest_body)s of text.",
                name=name,
                longest_title=LONGEST_TITLE,
                longest_body=LONGEST_BODY,
            )


def filed(topics: list[str]) -> str:
    """Return topics as they are kept: each between bars, without doubles. Raises ArticleRefused."""
    clean = list(dict.fromkeys(re.sub(r"\s+", " ", topic).strip() for topic in topics if topic.strip()))
    if len(clean) > MOST_TOPICS or any("|" in topic or len(topic) > 30 for topic in clean):
        raise ArticleRefused("At most %(most_topics)s topics of 30 characters, without a bar.", most_topics=MOST_TOPICS)
    return f"|{'|'.join(clean)}|" if clean else ""


def is_due(review_at: date | None, today: date) -> bool:
    """Return whether somebody should look at it again."""
    return review_at is not None and review_at <= today
