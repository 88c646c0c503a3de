"""Who may do nothing before a second factor is set up: operators, owners and supervisors, unless JILINK_TWO_FACTORS is off.

Their password alone opens nothing but the pages on which they set one up (an authenticator app or a security key), change the password
and sign out. Once it stands, allauth asks for it at every sign-in. Tokens of programs are no sessions, and not concerned.
"""

import time
from collections.abc import Awaitable, Callable
from typing import cast

import msgspec
from allauth.mfa.models import Authenticator
from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import sync_and_async_middleware
from django.utils.translation import gettext as _

from jilink.core.parties import walls
from jilink.core.parties.models import Member, User
from jilink.core.parties.rules import TWO_FACTORS

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
ASKED_AGAIN_S = 300
"""So long a session that was found in order is not looked at again."""
_FOUND = "second_factor_found_at"
WANTED = "second_factor_wanted"
"""Set in the session of somebody who was sent to set one up: the page then says why."""
_OPEN = ("/accounts/", "/i18n/", "/static/", "/healthz", "/readyz")
_ABOUT_FACTORS = "/accounts/2fa/"
_PROGRAMS = "/api/"

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


def required() -> bool:
    """Return whether this installation requires second factors at all."""
    return str(settings.JILINK.two_factors) == "required"


def lacks(user: int) -> bool:
    """Return whether an account must set up a second factor before it may do anything."""
    if not required():
        return False
    with walls.everything():
        concerned = Member.objects.filter(user_id=user, role__in=[role.value for role in TWO_FACTORS]).exists()
    return concerned and not Authenticator.objects.filter(user_id=user, type__in=FACTORS).exists()


@sync_and_async_middleware
def set_up_first(get_response: Callable[[HttpRequest], Answer]) -> Callable[[HttpRequest], Answer]:
    """Send whoever lacks a second factor to set one up, before anything else (Django's middleware protocol)."""

    async def asynchronously(request: HttpRequest) -> HttpResponseBase:
        stopped = await sync_to_async(_stopped)(request)
        return stopped or await cast(Awaitable[HttpResponseBase], get_response(request))

    def synchronously(request: HttpRequest) -> HttpResponseBase:
        return _stopped(request) or cast(HttpResponseBase, get_response(request))

    return asynchronously if iscoroutinefunction(get_response) else synchronously


def _stopped(request: HttpRequest) -> HttpResponseBase | None:
    if not required():
        return None
    if request.path.startswith(_OPEN):
        if request.path.startswith(_ABOUT_FACTORS) and _FOUND in request.session:
            del request.session[_FOUND]  # it may be taken away there: look again
        return None
    if not isinstance(request.user, User) or _found_lately(request):
        return None
    if not lacks(request.user.pk):
        request.session[_FOUND] = int(time.time())
        request.session.pop(WANTED, None)
        return None
    request.session[WANTED] = True
    return _sent_to_set_up(request)


def _found_lately(request: HttpRequest) -> bool:
    found = request.session.get(_FOUND)
    return isinstance(found, int) and 0 <= time.time() - found < ASKED_AGAIN_S


def _sent_to_set_up(request: HttpRequest) -> HttpResponseBase:
    place = reverse("mfa_index")
    if request.path.startswith(_PROGRAMS):
        told = _("Your role needs a second factor. Set one up first, on the page of your account.")
        body = {"type": "about:blank", "title": told, "status": 403}
        return HttpResponse(msgspec.json.encode(body), status=403, content_type="application/problem+json")
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=204, headers={"HX-Redirect": place})
    return redirect(place)
