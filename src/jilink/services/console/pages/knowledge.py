"""Knowledge for readers: search, articles and their files. Writing is in `knowledge_writing`."""

from dataclasses import dataclass
from urllib.parse import quote

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from jilink.core.files import reads as files
from jilink.core.knowledge import reads, rules
from jilink.core.knowledge.reads import ArticleView
from jilink.core.knowledge.rules import ArticleState
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, organisations_of
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import ArticleId, FileId
from jilink.services.console.pages import knowledge_steps, knowledge_text, knowledge_writing
from jilink.services.console.pages.knowledge_words import TONES, language, names_of, shown_state, today
from jilink.webkit.door import signed_in
from jilink.webkit.parts import Choice

PAGE = 20


@dataclass(frozen=True, slots=True)
class Result:
    """An article in a list: its title and a piece of it, both with what was looked for marked."""

    article: ArticleView
    title: SafeString
    excerpt: SafeString
    other: str
    due: bool


@require_safe
@signed_in
def knowledge(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Search the published articles; without a question, the newest of them."""
    text, topic = request.GET.get("q", "").strip()[:200], request.GET.get("topic", "")
    topics = reads.topics(actor)
    size = 60
    if text:
        hits = [each.article for each in reads.find(actor, text, language=language(), size=size)]
        views = [each for each in hits if not topic or topic in each.topics]
        total = len(views)
    else:
        total, views = reads.published(actor, topic=topic, size=size)
    page = Paginator([result(each, text) for each in views], PAGE).get_page(request.GET.get("page"))
    context = {
        "q": text,
        "topic": topic,
        "page": page,
        "total": total,
        "topics": [Choice("", _("All topics")), *(Choice(each, each) for each in topics)] if topics else [],
        "may_write": actor.may(Permission.WRITE_KNOWLEDGE),
    }
    name = "console/knowledge_results.html" if request.headers.get("HX-Request") else "console/knowledge.html"
    response = render(request, name, context)
    response["Vary"] = "HX-Request"
    return response


def result(view: ArticleView, text: str) -> Result:
    """Return an article as a list shows it, in the viewer's language."""
    title = view.title.in_(language())
    bodies = (view.body.in_(language()), view.body.zh, view.body.en)
    other = {view.title.zh, view.title.en} - {"", title}
    excerpt = knowledge_text.found(bodies, text) if text else SafeString(_short(bodies[0]))
    return Result(view, knowledge_text.marked(title, text), excerpt, next(iter(other), ""), rules.is_due(view.review_at, today()))


def _short(body: str) -> str:
    return knowledge_text.marked(knowledge_text.plain(body)[:140], "")


@require_safe
@signed_in
def article(request: HttpRequest, actor: Actor, article: int) -> HttpResponse:
    """Show an article: what readers see, or to its writers the version they are at."""
    number = ArticleId(article)
    published, latest = known(actor, number)
    view = latest if latest and (published is None or "draft" in request.GET) else published
    if view is None:
        raise NotFound("There is no such article, or you may not see it.")
    shown = request.GET.get("in", "")
    tongue = shown if shown in ("zh-hans", "en") else language()
    chinese = bool(view.title.zh) and (tongue.startswith("zh") or not view.title.en)
    context = {
        "article": view,
        "published": published,
        "latest": latest,
        "title": view.title.in_(tongue),
        "body": knowledge_text.rendered(view.body.in_(tongue), reverse("console:knowledge_file", args=[article, 0])[:-1]),
        "tongue": "zh-Hans" if chinese else "en",
        "both": bool(view.title.zh and view.title.en),
        "attachments": reads.attachments(actor, number),
        "due": rules.is_due(view.review_at, today()),
        "writer": names_of([view.written_by])[view.written_by],
        "organisation": next((each.name for each in parties.choices(actor, Permission.READ_KNOWLEDGE) if each.id == view.organisation), ""),
        "state": shown_state(view.state),
        "tone": TONES[view.state],
        "steps": knowledge_steps.offered(actor, latest) if latest else [],
        "may_describe": view.organisation in organisations_of(actor, Permission.REVIEW_KNOWLEDGE),
        "retired": view.state is ArticleState.RETIRED,
    }
    return render(request, "console/knowledge_article.html", context)


def known(actor: Actor, article: ArticleId) -> tuple[ArticleView | None, ArticleView | None]:
    """Return the published version of an article and the latest one, each where the actor may see it. Raises NotFound."""
    try:
        published = reads.article(actor, article)
    except NotFound:
        return None, reads.draft(actor, article)
    if published.organisation in organisations_of(actor, Permission.WRITE_KNOWLEDGE):
        return published, reads.draft(actor, article)
    return published, None


@require_safe
@signed_in
def file(request: HttpRequest, actor: Actor, article: int, file: int) -> HttpResponse:
    """Send a file of an article: shown where a browser may show it, saved otherwise."""
    view, data = reads.attachment(actor, ArticleId(article), FileId(file))
    response = HttpResponse(data, content_type=view.content_type, headers=files.HEADERS)
    how = "inline" if view.inline else "attachment"
    response["Content-Disposition"] = f"{how}; filename*=UTF-8''{quote(view.name)}"
    return response


patterns = [
    path("", knowledge, name="knowledge"),
    path("writing/", knowledge_writing.writing, name="knowledge_writing"),
    path("add/", knowledge_writing.add, name="knowledge_add"),
    path("preview", knowledge_writing.preview, name="knowledge_preview"),
    path("<int:article>/", article, name="knowledge_article"),
    path("<int:article>/edit/", knowledge_writing.edit, name="knowledge_edit"),
    path("<int:article>/versions/", knowledge_writing.versions, name="knowledge_versions"),
    path("<int:article>/describe/", knowledge_writing.describe, name="knowledge_describe"),
    path("<int:article>/take/<slug:step>", knowledge_steps.take, name="knowledge_step"),
    path("<int:article>/attach", knowledge_writing.attach, name="knowledge_attach"),
    path("<int:article>/files/<int:file>", file, name="knowledge_file"),
    path("<int:article>/files/<int:file>/detach", knowledge_writing.detach, name="knowledge_detach"),
]
