"""The steps of an article's life, each a button: submit, return, publish, retire."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.views.decorators.http import require_POST

from jilink.core.knowledge import actions, rules
from jilink.core.knowledge.reads import ArticleView
from jilink.core.knowledge.rules import ArticleRefused, Step
from jilink.core.parties.access import Actor, NotFound, organisations_of
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import ArticleId
from jilink.services.console.pages.knowledge_words import STEPS
from jilink.webkit.door import said, signed_in

PERMISSIONS = {
    Step.SUBMIT: Permission.WRITE_KNOWLEDGE,
    Step.RETURN: Permission.REVIEW_KNOWLEDGE,
    Step.PUBLISH: Permission.PUBLISH_KNOWLEDGE,
    Step.RETIRE: Permission.PUBLISH_KNOWLEDGE,
}
TAKEN: dict[str, Callable[[ArticleId, Actor], None]] = {
    Step.SUBMIT: lambda article, by: actions.submit_article(article=article, by=by),
    Step.RETURN: lambda article, by: actions.return_article(article=article, by=by),
    Step.PUBLISH: lambda article, by: actions.publish_article(article=article, by=by),
    Step.RETIRE: lambda article, by: actions.retire_article(article=article, by=by),
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A step that somebody may take now. `own`: they wrote the version themselves, so that somebody else must."""

    step: str
    word: str | Promise
    own: bool


def offered(actor: Actor, view: ArticleView) -> list[Offer]:
    """Return the steps that an article's state and the actor's permissions allow."""
    offers = []
    for step, permission in PERMISSIONS.items():
        try:
            rules.after(view.state, step)
        except ArticleRefused:
            continue
        if view.organisation in organisations_of(actor, permission):
            offers.append(Offer(step.value, STEPS[step][0], step is Step.PUBLISH and view.written_by == actor.name))
    return offers


@require_POST
@signed_in
def take(request: HttpRequest, actor: Actor, article: int, step: str) -> HttpResponse:
    """Take a step with an article."""
    if step not in TAKEN:
        raise NotFound("There is no such step.")
    try:
        TAKEN[step](ArticleId(article), actor)
    except ArticleRefused as error:
        messages.error(request, said(error))
    else:
        messages.success(request, str(STEPS[Step(step)][1]))
    return redirect("console:knowledge_article", article)
