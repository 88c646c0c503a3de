"""What articles are called on pages: states, audiences, and who wrote them."""

from collections.abc import Iterable
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from jilink.core.knowledge.rules import ArticleState, Audience, Step
from jilink.core.parties import reads as parties
from jilink.kernel.clock import CHINA, utc_now

STATES = {
    ArticleState.DRAFT: _("Draft"),
    ArticleState.IN_REVIEW: _("In review"),
    ArticleState.PUBLISHED: _("Published"),
    ArticleState.RETIRED: _("Retired"),
}
TONES = {ArticleState.DRAFT: "neutral", ArticleState.IN_REVIEW: "warn", ArticleState.PUBLISHED: "good", ArticleState.RETIRED: "neutral"}
AUDIENCES = {Audience.STAFF: _("Colleagues only"), Audience.PUBLIC: _("Public")}
STEPS = {
    Step.SUBMIT: (_("Submit for review"), _("Submitted. Somebody other than the author has to publish it.")),
    Step.RETURN: (_("Return to the author"), _("Returned to the author.")),
    Step.PUBLISH: (_("Publish"), _("Published. Readers see and find it now.")),
    Step.RETIRE: (_("Retire"), _("Retired. Readers no longer see it; every version is kept.")),
}
"""What the button of a step says, and what was done."""


def shown_state(state: ArticleState) -> str | Promise:
    """Return the word of a state."""
    return STATES[state]


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """Return the account names of actors as versions keep them (``user:7``, ``user:7/token:3``)."""
    numbers = {actor: int(actor.split("/")[0][5:]) for actor in actors if actor.startswith("user:")}
    names = parties.usernames(set(numbers.values()))
    return {actor: names.get(numbers[actor], "—") if actor in numbers else actor.removeprefix("system:") for actor in actors}


def language() -> str:
    """Return the viewer's language."""
    return get_language() or "zh-hans"


def today() -> date:
    """Return the day in China."""
    return utc_now().astimezone(CHINA).date()
