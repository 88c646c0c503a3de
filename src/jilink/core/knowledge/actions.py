"""The only writers of articles."""

from datetime import date, datetime

from django.db import transaction

from jilink.core.files import actions as files
from jilink.core.knowledge import rules
from jilink.core.knowledge.events import ArticlePublished, ArticleRetired
from jilink.core.knowledge.models import INDEX, Article, Attachment, Version
from jilink.core.knowledge.rules import ArticleRefused, ArticleState, Audience, Step
from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.core.search.index import Document
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import ArticleId, FileId, OrganisationId
from jilink.kernel.still import Still
from jilink.kernel.texts import Text


class WrittenMeanwhile(ArticleRefused):
    """Somebody else wrote a version since the one this was based on."""


@transaction.atomic
def add_article(*, organisation: OrganisationId, title: Text, body: Text, by: Actor, now: datetime | None = None) -> ArticleId:
    """Begin an article with its first version, a draft for staff. Raises NotFound, ArticleRefused."""
    require(by, Permission.WRITE_KNOWLEDGE, organisation)
    moment = now or utc_now()
    row = Article.objects.create(organisation_id=organisation, state=ArticleState.DRAFT, audience=Audience.STAFF, changed_at=moment)
    _write(row, title, body, by, moment)
    return ArticleId(row.pk)


@transaction.atomic
def write_version(
    *, article: ArticleId, title: Text, body: Text, based_on: int | None, by: Actor, now: datetime | None = None, still: Still = None
) -> int:
    """Add a version and return its number; readers go on seeing the published one.

    `based_on` is the number of the version that was changed, None where `still` looks. Raises NotFound, ArticleRefused, WrittenMeanwhile.
    """
    row = _row(article, Permission.WRITE_KNOWLEDGE, by, still)
    if based_on not in (None, row.latest):
        raise WrittenMeanwhile(
            "Version %(latest)s was written meanwhile. Nothing of yours is lost: compare the two and save again.", latest=row.latest
        )
    row.state = rules.after(row.state, Step.WRITE)
    return _write(row, title, body, by, now or utc_now())


@transaction.atomic
def describe_article(
    *,
    article: ArticleId,
    audience: Audience,
    shared_below: bool,
    topics: list[str],
    review_at: date | None,
    by: Actor,
    still: Still = None,
) -> None:
    """Say who reads an article, what it is filed under, and when somebody should look at it again. Raises NotFound, ArticleRefused."""
    row = _row(article, Permission.REVIEW_KNOWLEDGE, by, still)
    row.audience, row.shared_below, row.topics, row.review_at = audience, shared_below, rules.filed(topics), review_at
    row.save(update_fields=["audience", "shared_below", "topics", "review_at"])
    audit.record(by, "article.described", f"article:{article}", row.organisation_id, detail=audience.value)


@transaction.atomic
def submit_article(*, article: ArticleId, by: Actor, now: datetime | None = None, still: Still = None) -> None:
    """Ask for the latest version to be published. Raises NotFound, ArticleRefused."""
    _step(_row(article, Permission.WRITE_KNOWLEDGE, by, still), Step.SUBMIT, now)


@transaction.atomic
def return_article(*, article: ArticleId, by: Actor, now: datetime | None = None, still: Still = None) -> None:
    """Give a version back to its writer. Raises NotFound, ArticleRefused."""
    _step(_row(article, Permission.REVIEW_KNOWLEDGE, by, still), Step.RETURN, now)


@transaction.atomic
def publish_article(*, article: ArticleId, by: Actor, now: datetime | None = None, still: Still = None) -> None:
    """Let readers see, and find, the latest version; somebody other than its writer does it. Raises NotFound, ArticleRefused."""
    row = _row(article, Permission.PUBLISH_KNOWLEDGE, by, still)
    moment = now or utc_now()
    version = Version.objects.get(article=row, number=row.latest)
    rules.after(row.state, Step.PUBLISH)
    rules.check_publisher(version.written_by, by.name)
    row.published = version.number
    _step(row, Step.PUBLISH, moment)
    Version.objects.filter(pk=version.pk).update(published_by=by.name, published_at=moment)
    INDEX.put(row.pk, [Document(t, (b,)) for t, b in ((version.title_zh, version.body_zh), (version.title_en, version.body_en)) if t])
    outbox.add(ArticlePublished(article=row.pk, version=version.number), organisation=row.organisation_id, aggregate=f"article:{row.pk}")
    audit.record(by, "article.published", f"article:{article}", row.organisation_id, detail=f"version {version.number}")


@transaction.atomic
def retire_article(*, article: ArticleId, by: Actor, now: datetime | None = None, still: Still = None) -> None:
    """Take an article from its readers; it is kept. Raises NotFound, ArticleRefused."""
    row = _row(article, Permission.PUBLISH_KNOWLEDGE, by, still)
    _step(row, Step.RETIRE, now)
    INDEX.forget([row.pk])
    outbox.add(ArticleRetired(article=row.pk), organisation=row.organisation_id, aggregate=f"article:{row.pk}")
    audit.record(by, "article.retired", f"article:{article}", row.organisation_id)


@transaction.atomic
def remove_articles(*, organisation: OrganisationId, by: Actor) -> int:
    """Remove every article of an organisation with its versions and files, before it is removed itself; return how many there were.

    Only the installation does it: people retire articles. Raises NotFound, ArticleRefused.
    """
    require(by, Permission.PUBLISH_KNOWLEDGE, organisation)
    if not by.is_installation:
        raise ArticleRefused("Articles are kept. Retire what readers should no longer see.")
    rows = list(Article.objects.select_for_update().filter(organisation_id=organisation).values_list("pk", flat=True))
    files.forget_files(Attachment.objects.filter(article__in=rows).values_list("file", flat=True))
    INDEX.forget(rows)
    Article.objects.filter(pk__in=rows).delete()
    if rows:
        audit.record(by, "article.removed_all", f"organisation:{organisation}", organisation, detail=str(len(rows)))
    return len(rows)


@transaction.atomic
def attach_file(*, article: ArticleId, data: bytes, name: str, by: Actor, now: datetime | None = None) -> FileId:
    """Add a file to an article. Raises NotFound, FileRefused."""
    row = _row(article, Permission.WRITE_KNOWLEDGE, by)
    organisation = OrganisationId(row.organisation_id)
    file = files.keep_file(organisation=organisation, data=data, name=name, permission=Permission.WRITE_KNOWLEDGE, by=by, now=now)
    Attachment.objects.create(article=row, file=file)
    return file


@transaction.atomic
def detach_file(*, article: ArticleId, file: FileId, by: Actor) -> None:
    """Remove a file from an article. Raises NotFound."""
    row = _row(article, Permission.WRITE_KNOWLEDGE, by)
    if Attachment.objects.filter(article=row, file=file).delete()[0]:
        files.remove_file(file=file, permission=Permission.WRITE_KNOWLEDGE, by=by)


def _row(article: ArticleId, permission: Permission, by: Actor, still: Still = None) -> Article:
    row = Article.objects.select_for_update().filter(pk=article).first()
    if row is None:
        raise NotFound("There is no such article, or you may not see it.")
    require(by, permission, row.organisation_id)
    if still is not None:
        still()
    return row


def _step(row: Article, step: Step, now: datetime | None) -> None:
    row.state = rules.after(row.state, step)
    row.changed_at = now or utc_now()
    row.save(update_fields=["state", "changed_at", "published"])


def _write(row: Article, title: Text, body: Text, by: Actor, now: datetime) -> int:
    rules.check_words(title, body)
    row.latest += 1
    row.changed_at = now
    row.save(update_fields=["latest", "state", "changed_at"])
    Version.objects.create(
        article=row,
        number=row.latest,
        title_zh=title.zh.strip(),
        title_en=title.en.strip(),
        body_zh=body.zh,
        body_en=body.en,
        written_by=by.name,
        written_at=now,
    )
    return row.latest
