"""What happened to articles, for those who react."""

from typing import ClassVar

from jilink.spine.events import Event


class ArticlePublished(Event, frozen=True, kw_only=True):
    """Readers see a new version of an article."""

    NOUN: ClassVar[str] = "knowledge"
    OUTWARD: ClassVar[bool] = True
    article: int
    version: int


class ArticleRetired(Event, frozen=True, kw_only=True):
    """Readers no longer see an article."""

    NOUN: ClassVar[str] = "knowledge"
    OUTWARD: ClassVar[bool] = True
    article: int
