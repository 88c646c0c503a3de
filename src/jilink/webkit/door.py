"""What every page begins with: who asks, and what the families of errors look like to people."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from jilink.core.parties import access, refusals
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused, Unavailable
from jilink.kernel.texts import Text

P = ParamSpec("P")


def signed_in(
    page: Callable[Concatenate[HttpRequest, Actor, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Give the page its actor. What a wall hides is 404, what the rules refuse 400, what is down 503."""

    @login_required
    @wraps(page)
    def entered(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        actor = access.actor_of(request.user)
        try:
            return page(request, actor, *args, **kwargs)
        except NotFound as error:
            refusals.note(actor, error, page_of(request))
            raise Http404 from error
        except Refused as error:
            return problem(request, 400, _("That cannot be done"), said(error))
        except Unavailable:
            return problem(request, 503, _("This is not available right now"), _("Nothing you entered was lost. Try again in a moment."))

    return entered


async def hidden(request: HttpRequest, actor: Actor, permission: Permission) -> HttpResponse:
    """Answer 404 where an asynchronous page found that the actor holds a permission nowhere, with the entry of `signed_in`."""
    await sync_to_async(refusals.note)(actor, NotFound.of(permission), page_of(request))
    return HttpResponse(status=404)


def page_of(request: HttpRequest) -> str:
    """Return a page by the name of its route, for the audit and the journal: an address may name a person."""
    match = request.resolver_match
    return f"page:{match.view_name or match.route}" if match else "page:unknown"


def said(error: Refused) -> str:
    """Return what the rules say, in the reader's language."""
    words, language = _(error.message), get_language() or "zh-hans"
    values = {name: _valued(value, language) for name, value in error.values.items()}
    return words % values if values else words


def _valued(value: object, language: str) -> object:
    return said(value) if isinstance(value, Refused) else value.in_(language) if isinstance(value, Text) else value


def problem(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    """Answer with a page that says what happened and what to do."""
    return render(request, "webkit/refused.html", {"title": title, "text": text}, status=status)
