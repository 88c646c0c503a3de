"""Every address of the site."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path, re_path

from jilink.services.console.pages.rate import rate
from jilink.services.vehicles.pages.operations import operations, replay
from jilink.site import invitations, probes
from jilink.site.api import WORDS, api
from jilink.site.home import home
from jilink.webkit.api.pages import described


def shut(request: HttpRequest) -> HttpResponse:
    """Answer as if nothing were here."""
    raise Http404


_SHUT = r"^accounts/(?:signup|email|confirm-email|password/(?:reset|set)|login/code)/"
"""Doors of allauth that need e-mail or let strangers in: accounts are made, and passwords renewed, by `jilink user`."""

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    re_path(_SHUT, shut),
    path("accounts/invitation/", invitations.invitation, name="invitation"),
    path("accounts/invitation/<str:secret>/", invitations.opened, name="invitation-opened"),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("jilink.webkit.urls")),
    path("vehicles/", include("jilink.services.vehicles.urls")),
    path("console/", include("jilink.services.console.urls")),
    path("contact/", include("jilink.services.contact.urls")),
    path("rate/<str:token>", rate, name="rate"),
    path("operations/", operations, name="operations"),
    path("operations/letters/<int:letter>/replay", replay, name="replay"),
    path("api/", described(api, WORDS), name="api"),
    path("api/v1/", api.urls),
    path("healthz", probes.healthz),
    path("readyz", probes.readyz),
]
