"""The link by which the person rates a case: made on the page of the case, shown once, to be sent or printed."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from jilink.core.cases import actions
from jilink.core.cases.rules import numbers
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.errors import Refused
from jilink.services.console.addresses import public_address
from jilink.services.console.pages.case_show import numbered, show
from jilink.webkit.door import said, signed_in


@require_POST
@signed_in
def offer(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Make a link and show it, with the words of a reply that carries it."""
    view = numbered(actor, number)
    try:
        link = actions.offer_rating(case=view.row.id, by=actor)
    except NotFound:
        raise
    except Refused as error:
        return show(request, actor, view, extra={"wrong": said(error)})
    address = public_address(reverse("rate", args=[link.token]), request)
    words = _("Your case %(number)s was closed. How satisfied are you? %(link)s")
    text = words % {"number": numbers.grouped(view.row.number), "link": address}
    fresh = numbered(actor, number)
    return show(request, actor, fresh, extra={"rating_link": address, "rating_until": link.until, "reply_text": text})
