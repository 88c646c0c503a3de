"""Tables of articles, their versions and attachments, and their search index (`core.search`)."""

from django.db import models

from jilink.core.search.index import Index

INDEX = Index("knowledge_index")


class Article(models.Model):
    """What is known about something. The words are in its versions; `shared_below` opens it to the organisations below."""

    organisation = models.ForeignKey("parties.Organisation", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12)
    audience = models.CharField(max_length=12)
    shared_below = models.BooleanField(default=False)
    topics = models.CharField(max_length=400, blank=True, default="")
    """Words to file it under, each between bars: ``|frost|maize|``."""
    review_at = models.DateField(null=True, blank=True)
    """The day from which somebody should look whether it is still true."""
    latest = models.PositiveIntegerField(default=0)
    published = models.PositiveIntegerField(default=0)
    """The number of the version readers see; 0 before the first is published."""
    changed_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["organisation", "state", "-changed_at"], name="article_by_state"),
            models.Index(fields=["organisation", "review_at"], name="article_by_review"),
        ]

    def __str__(self) -> str:
        return f"article {self.pk}"


class Version(models.Model):
    """One wording of an article; never changed once written. Bodies are Markdown (CommonMark)."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    title_zh = models.CharField(max_length=120, blank=True, default="")
    title_en = models.CharField(max_length=120, blank=True, default="")
    body_zh = models.TextField(blank=True, default="")
    body_en = models.TextField(blank=True, default="")
    written_by = models.CharField(max_length=60)
    written_at = models.DateTimeField()
    published_by = models.CharField(max_length=60, blank=True, default="")
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["article", "number"], name="one_number_a_version")]

    def __str__(self) -> str:
        return f"article {self.article_id} version {self.number}"


class Attachment(models.Model):
    """A file of an article (`core.files`)."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="attachments")
    file = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["article", "file"], name="a_file_once_an_article")]

    def __str__(self) -> str:
        return f"article {self.article_id} file {self.file}"
