"""At the desk: the next record of a campaign, looked at before it is dialled, and the script of the campaign in a call."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.services.contact.actions import previewing
from jilink.services.contact.pages.campaigns_words import OUTCOMES
from jilink.services.contact.pages.desk_orders import order
from jilink.services.contact.reads import campaigns as reads
from jilink.services.contact.router import asks
from jilink.webkit.door import said, signed_in
from jilink.webkit.markdown import rendered


def preview(actor: Actor) -> dict[str, object]:
    """Return what the desk shows of campaigns: those with records to take, and the record that is looked at."""
    record = reads.record(actor)
    return {
        "previews": [] if record else [one for one in reads.previews(actor, utc_now()) if one.due],
        "record": record,
        "script": rendered(record.script.in_(_language())) if record and record.script else "",
        "last_outcome": OUTCOMES.get(record.last_outcome, "") if record else "",
    }


@require_POST
@signed_in
def take(request: HttpRequest, actor: Actor, campaign: int) -> HttpResponse:
    """Show the next record."""
    if _tried(request, lambda: previewing.take_record(campaign=campaign, by=actor)) is None:
        messages.info(request, _("Nobody of this campaign can be called now."))
    return redirect("contact:desk")


@require_POST
@signed_in
def skip(request: HttpRequest, actor: Actor, target: int) -> HttpResponse:
    """Call this person not at all, with a reason."""
    _tried(request, lambda: previewing.skip_record(target=target, reason=request.POST.get("reason", ""), by=actor))
    return redirect("contact:desk")


@require_POST
@signed_in
def back(request: HttpRequest, actor: Actor, target: int) -> HttpResponse:
    """Let somebody else have the record."""
    _tried(request, lambda: previewing.put_back_record(target=target, by=actor))
    return redirect("contact:desk")


@require_POST
@signed_in
def dial(request: HttpRequest, actor: Actor, target: int) -> HttpResponse:
    """Call the person."""
    record = reads.record(actor)
    if record is None or record.target != target:
        raise NotFound("There is no such thing, or you may not see it.")
    _tried(request, lambda: order(asks.DialShown(account=actor.user or 0, target=target)))
    return redirect("contact:desk")


def _tried(request: HttpRequest, deed: Callable[[], object]) -> object:
    try:
        return deed()
    except NotFound:
        raise
    except Refused as error:
        messages.error(request, said(error))
        return False


def _language() -> str:
    return get_language() or "zh-hans"


patterns: list[URLPattern] = [
    path("desk/preview/<int:campaign>/take", take, name="preview-take"),
    path("desk/preview/<int:target>/skip", skip, name="preview-skip"),
    path("desk/preview/<int:target>/back", back, name="preview-back"),
    path("desk/preview/<int:target>/dial", dial, name="preview-dial"),
]
