"""The Django application of the console."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from jilink.webkit import navigation
from jilink.webkit.navigation import Entry


class ConsoleConfig(AppConfig):
    """Cases and all that they stand on, for those who work with them."""

    name = "jilink.services.console"
    label = "console"

    def ready(self) -> None:
        """Put this service's pages into the navigation."""
        navigation.register(
            Entry(_("Knowledge"), "console:knowledge", "book", "knowledge.read", 50, navigation.WORK),
        )
