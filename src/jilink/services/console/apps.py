"""The Django application of the console."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Cases and all that they stand on, for those who work with them."""

    name = "jilink.services.console"
    label = "console"
