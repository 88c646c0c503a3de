"""The Django application of the page shell."""

from django.apps import AppConfig


class WebkitConfig(AppConfig):
    """Shell, components, charts and map that every service's pages stand on."""

    name = "jilink.webkit"
    label = "webkit"
