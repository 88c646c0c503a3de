"""Writing knowledge: the list of what is being written, the editor, versions side by side, and who reads an article."""

from collections.abc import Mapping

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.knowledge import actions, reads, rules
from jilink.core.knowledge.actions import WrittenMeanwhile
from jilink.core.knowledge.reads import ArticleView
from jilink.core.knowledge.rules import ArticleState, Audience
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, require, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import ArticleId, FileId, OrganisationId
from jilink.kernel.texts import Text
from jilink.services.console.pages import knowledge_text
from jilink.services.console.pages.knowledge_words import AUDIENCES, STATES, TONES, language, names_of, today
from jilink.webkit.door import said, signed_in
from jilink.webkit.parts import Tab

WRITE = Permission.WRITE_KNOWLEDGE
PAGE = 50
LONGEST_UPLOAD = 25_000_000


class ArticleForm(forms.Form):
    """The words of an article, in one language or both."""

    title_zh = forms.CharField(label=gettext_lazy("Title in Chinese"), max_length=rules.LONGEST_TITLE, required=False)
    body_zh = forms.CharField(
        label=gettext_lazy("Text in Chinese"), max_length=rules.LONGEST_BODY, required=False, widget=forms.Textarea, strip=False
    )
    title_en = forms.CharField(label=gettext_lazy("Title in English"), max_length=rules.LONGEST_TITLE, required=False)
    body_en = forms.CharField(
        label=gettext_lazy("Text in English"), max_length=rules.LONGEST_BODY, required=False, widget=forms.Textarea, strip=False
    )
    based_on = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, actor: Actor | None, data: Mapping[str, object] | None = None, initial: Mapping[str, object] | None = None) -> None:
        super().__init__(data, initial=dict(initial or {}))
        for name in ("body_zh", "body_en"):
            self.fields[name].widget.attrs = {"rows": "20", "class": "mono", "data-typed": "", "spellcheck": "true"}
        for name in ("title_zh", "body_zh"):
            self.fields[name].widget.attrs["lang"] = "zh-Hans"
        for name in ("title_en", "body_en"):
            self.fields[name].widget.attrs["lang"] = "en"
        if actor is not None:
            choices = [(each.id, f"{'　' * each.depth}{each.name}") for each in parties.choices(actor, WRITE)]
            self.fields["organisation"] = forms.TypedChoiceField(label=_("Organisation"), choices=choices, coerce=int)

    def words(self) -> tuple[Text, Text]:
        """Return title and body as they were entered."""
        given = self.cleaned_data
        clean = {name: given[name].replace("\r\n", "\n") for name in ("body_zh", "body_en")}
        return Text(given["title_zh"], given["title_en"]), Text(clean["body_zh"].strip(), clean["body_en"].strip())


@require_safe
@signed_in
def writing(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what is written, by state, and what is due to be looked at again."""
    chosen = request.GET.get("state", "")
    chosen = chosen if chosen in {*STATES, "due"} else ""
    sizes = {state.value: reads.articles(actor, state=state.value, size=0)[0] for state in STATES}
    due_count = reads.articles(actor, due=today(), size=0)[0]
    state, due = ("", today()) if chosen == "due" else (chosen, None)
    number = max(1, int(text)) if (text := request.GET.get("page", "")).isdecimal() and len(text) < 6 else 1
    total, views = reads.articles(actor, state=state, due=due, offset=(number - 1) * PAGE, size=PAGE)
    names = names_of([view.written_by for view in views])
    rows = [
        {
            "article": view,
            "title": view.title.in_(language()),
            "state": STATES[view.state],
            "tone": TONES[view.state],
            "writer": names[view.written_by],
            "due": rules.is_due(view.review_at, today()) and view.state is not ArticleState.RETIRED,
        }
        for view in views
    ]
    tabs = [
        Tab(_("All"), "?", not chosen, sum(sizes.values())),
        *(Tab(word, f"?state={state}", chosen == state, sizes[state.value]) for state, word in STATES.items()),
        Tab(_("Due for review"), "?state=due", chosen == "due", due_count),
    ]
    page = Paginator(range(total), PAGE).get_page(number)
    return render(request, "console/knowledge_writing.html", {"tabs": tabs, "rows": rows, "page": page, "chosen": chosen})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Begin an article."""
    require_anywhere(actor, WRITE)
    form = ArticleForm(actor, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and "preview" not in request.POST:
        title, body = form.words()
        try:
            made = actions.add_article(organisation=OrganisationId(form.cleaned_data["organisation"]), title=title, body=body, by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Saved as a draft."))
            return redirect("console:knowledge_article", made)
    return _editor(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def edit(request: HttpRequest, actor: Actor, article: int) -> HttpResponse:
    """Write a version; where somebody else wrote one meanwhile, show both and lose neither."""
    view = reads.draft(actor, ArticleId(article))
    initial = {
        "title_zh": view.title.zh,
        "title_en": view.title.en,
        "body_zh": view.body.zh,
        "body_en": view.body.en,
        "based_on": view.latest,
    }
    form = ArticleForm(None, request.POST if request.method == "POST" else None, initial)
    theirs: ArticleView | None = None
    if form.is_bound and form.is_valid() and "preview" not in request.POST:
        title, body = form.words()
        based_on = form.cleaned_data["based_on"] or 0
        try:
            actions.write_version(article=view.id, title=title, body=body, based_on=based_on, by=actor)
        except WrittenMeanwhile as error:
            form.add_error(None, said(error))
            theirs = view
            form.data = {**form.data.dict(), "based_on": str(view.latest)}  # type: ignore[attr-defined]  # -- a QueryDict; saving again is a decision
        except Refused as error:
            form.add_error(None, said(error))
        else:
            messages.success(request, _("Saved as version %(number)d. Readers see it once it is published.") % {"number": view.latest + 1})
            return redirect("console:knowledge_article", article)
    return _editor(request, form, view, theirs)


def _editor(request: HttpRequest, form: ArticleForm, view: ArticleView | None, theirs: ArticleView | None = None) -> HttpResponse:
    given = {name: form[name].value() or "" for name in ("title_zh", "body_zh", "title_en", "body_en")}
    differences = []
    if theirs is not None:
        pairs = ((_("Chinese"), theirs.body.zh, given["body_zh"]), (_("English"), theirs.body.en, given["body_en"]))
        differences = [(word, knowledge_text.compared(old, new)) for word, old, new in pairs if old != new]
    context = {
        "form": form,
        "article": view,
        "theirs": theirs,
        "their_writer": names_of([theirs.written_by])[theirs.written_by] if theirs else "",
        "differences": differences,
        "previews": {"zh": knowledge_text.rendered(given["body_zh"]), "en": knowledge_text.rendered(given["body_en"])},
    }
    return render(request, "console/knowledge_edit.html", context, status=400 if form.errors else 200)


@require_POST
@signed_in
def preview(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Return a text as it will look."""
    require_anywhere(actor, WRITE)
    body = request.POST.get("body_zh", request.POST.get("body_en", ""))
    return HttpResponse(knowledge_text.rendered(body[: rules.LONGEST_BODY]))


@require_safe
@signed_in
def versions(request: HttpRequest, actor: Actor, article: int) -> HttpResponse:
    """List every version, and compare two of them."""
    number = ArticleId(article)
    view = reads.draft(actor, number)
    rows = reads.versions(actor, number)
    names = names_of([writer for _number, writer, _at, _published in rows])
    held = {row[0] for row in rows}
    new = _asked(request, "new", held) or view.latest
    old = _asked(request, "old", held) or (view.published if 0 < view.published < new else new - 1)
    before = reads.draft(actor, number, old) if old in held else None
    after = reads.draft(actor, number, new)
    parts = []
    if before is not None:
        pairs = (
            (_("Title"), f"{before.title.zh}\n{before.title.en}", f"{after.title.zh}\n{after.title.en}"),
            (_("Chinese"), before.body.zh, after.body.zh),
            (_("English"), before.body.en, after.body.en),
        )
        parts = [(word, knowledge_text.compared(one, two)) for word, one, two in pairs if one != two]
    listed = [{"number": n, "writer": names[who], "at": at, "published_at": published} for n, who, at, published in rows]
    context = {
        "article": view,
        "title": view.title.in_(language()),
        "rows": listed,
        "old": old,
        "new": new,
        "parts": parts,
        "compared": before,
    }
    return render(request, "console/knowledge_versions.html", context)


def _asked(request: HttpRequest, name: str, held: set[int]) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 and int(text) in held else None


class DescribeForm(forms.Form):
    """Who reads an article, what it is filed under, and when it is due."""

    audience = forms.ChoiceField(label=gettext_lazy("Audience"), choices=list(AUDIENCES.items()), widget=forms.RadioSelect)
    shared_below = forms.BooleanField(label=gettext_lazy("Open to the organisations below"), required=False)
    topics = forms.CharField(
        label=gettext_lazy("Topics"), max_length=400, required=False, help_text=gettext_lazy("Separated by commas, at most twelve.")
    )
    review_at = forms.DateField(
        label=gettext_lazy("Review on"), required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def describe(request: HttpRequest, actor: Actor, article: int) -> HttpResponse:
    """Say who reads an article, and when somebody looks at it again."""
    view = reads.draft(actor, ArticleId(article))
    require(actor, Permission.REVIEW_KNOWLEDGE, view.organisation)
    initial = {
        "audience": view.audience,
        "shared_below": view.shared_below,
        "topics": ", ".join(view.topics),
        "review_at": view.review_at,
    }
    form = DescribeForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        given = form.cleaned_data
        try:
            actions.describe_article(
                article=view.id,
                audience=Audience(given["audience"]),
                shared_below=given["shared_below"],
                topics=given["topics"].replace("，", ",").replace("、", ",").split(","),
                review_at=given["review_at"],
                by=actor,
            )
        except Refused as error:
            form.add_error("topics", said(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("console:knowledge_article", article)
    context = {"form": form, "article": view, "title": view.title.in_(language())}
    return render(request, "console/knowledge_describe.html", context, status=400 if form.errors else 200)


@require_POST
@signed_in
def attach(request: HttpRequest, actor: Actor, article: int) -> HttpResponse:
    """Attach a file."""
    reads.draft(actor, ArticleId(article))
    given = request.FILES.get("file")
    try:
        if given is None or (given.size or 0) > LONGEST_UPLOAD:
            messages.error(request, _("Choose a file of at most 25 MB."))
        else:
            actions.attach_file(article=ArticleId(article), data=given.read(), name=given.name or "", by=actor)
            messages.success(request, _("The file was attached."))
    except NotFound:
        raise
    except Refused as error:
        messages.error(request, said(error))
    return redirect("console:knowledge_article", article)


@require_POST
@signed_in
def detach(request: HttpRequest, actor: Actor, article: int, file: int) -> HttpResponse:
    """Remove a file."""
    actions.detach_file(article=ArticleId(article), file=FileId(file), by=actor)
    messages.success(request, _("The file was removed."))
    return redirect("console:knowledge_article", article)
