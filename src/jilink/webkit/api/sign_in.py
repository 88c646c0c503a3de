"""Who asks: a program with a token, or a person with the session of the pages. Tokens never stand in addresses."""

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import HttpBearer, SessionAuth

from jilink.core.parties import access
from jilink.core.parties.access import Actor
from jilink.webkit.api.calls import call_of


class WrongToken(HttpError):
    """A token was sent that lets nobody in."""

    def __init__(self) -> None:
        super().__init__(401, "The token is unknown, expired or revoked.")


class Token(HttpBearer):
    """A token of a service account: ``Authorization: Bearer jlk_...`` (RFC 6750, 2.1)."""

    openapi_description = "A token of a service account. It is made on the page of members, or with `issue_token`."

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        """Return the actor that sign-in found before the operation ran."""
        return _found(request)


class Session(SessionAuth):
    """Whoever signed in on the pages; changes need the header ``X-CSRFToken``."""

    openapi_description = "The session of somebody who signed in on the pages; changes need the header X-CSRFToken."

    def authenticate(self, request: HttpRequest, key: str | None) -> Actor | None:
        """Return the actor that sign-in found before the operation ran."""
        return _found(request)


def _found(request: HttpRequest) -> Actor | None:
    actor = call_of(request).actor
    return actor if actor.user is not None else None


def identify(request: HttpRequest) -> Actor:
    """Return who asks, and keep it with the call: a token counts before a session. Raises WrongToken; nobody is `access.NOBODY`."""
    call = call_of(request)
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        call.actor = access.actor_of_token(token.strip())
        if call.actor.user is None:
            raise WrongToken
    elif scheme:
        raise WrongToken
    else:
        call.actor = access.actor_of(request.user)
    return call.actor
