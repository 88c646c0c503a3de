"""The Django application of the contact service."""

from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from jilink.webkit import navigation
from jilink.webkit.navigation import Entry


class ContactConfig(AppConfig):
    """Queues, agents, calls and what is said in them."""

    name = "jilink.services.contact"
    label = "contact"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let flows know which queues there are, and put this service's pages into the navigation; the desk only where calls are routed."""
        if not settings.JILINK.absent("router"):
            navigation.register(Entry(_("Desk"), "contact:desk", "phone", "queues.serve", 7, navigation.WORK))
        navigation.register(
            Entry(_("Contacts of queues"), "contact:contacts", "inbox", "queues.view", 22, navigation.CONTACT),
            Entry(_("Queues"), "contact:queues", "people", "queues.view", 70, navigation.CONTACT),
            Entry(_("Telephone numbers"), "contact:numbers", "phone", "queues.manage", 71, navigation.CONTACT),
            Entry(_("Phones"), "contact:phones", "phone", "queues.manage", 72, navigation.CONTACT),
            Entry(_("Web chat"), "contact:chat-sites", "globe", "queues.manage", 68, navigation.CONTACT),
            Entry(_("Capacity"), "contact:capacity", "chart", "queues.manage", 69, navigation.CONTACT),
            Entry(_("Trunks"), "contact:trunks", "diagram", "queues.manage", 73, navigation.CONTACT),
        )
        navigation.register(Entry(_("Forecast"), "contact:forecasts", "chart", "queues.view", 50, navigation.CONTACT))
        navigation.register(Entry(_("Statements"), "contact:statements", "chart", "statements.view", 60, navigation.CONTACT))
        navigation.register(Entry(_("Recordings"), "contact:recordings", "play", "recordings.listen", 39, navigation.CONTACT))
        navigation.register(Entry(_("Quality"), "contact:quality", "check", "quality.score", 40, navigation.CONTACT))
        navigation.register(Entry(_("My quality"), "contact:my-quality", "check", "recordings.own", 41, navigation.CONTACT))
        navigation.register(Entry(_("Campaigns"), "contact:campaigns", "phone", "campaigns.view", 30, navigation.CONTACT))
        library, desk = import_module("jilink.core.flows.library"), import_module("jilink.services.contact.reads.desk")
        library.queues_come_from(desk.queue_keys)
