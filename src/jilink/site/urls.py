"""Every address of the site."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from jilink.services.vehicles.api import api
from jilink.services.vehicles.pages.operations import operations
from jilink.site import probes

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="vehicles:map"), name="home"),
    path("accounts/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("jilink.webkit.urls")),
    path("vehicles/", include("jilink.services.vehicles.urls")),
    path("operations/", operations, name="operations"),
    path("api/v1/", api.urls),
    path("healthz", probes.healthz),
    path("readyz", probes.readyz),
]
