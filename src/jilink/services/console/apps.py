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
            Entry(_("Inbox"), "console:inbox", "inbox", "cases.view", 5, navigation.WORK),
            Entry(_("New case"), "console:new-case", "plus", "cases.add", 6, navigation.WORK),
            Entry(_("Areas"), "console:areas", "globe", "areas.view", 60, navigation.WORK),
            Entry(_("Assets"), "console:assets", "box", "assets.view", 55, navigation.WORK),
            Entry(_("Contacts"), "console:contacts", "phone", "interactions.view", 10, navigation.WORK),
            Entry(_("People"), "console:people", "people", "people.view", 20, navigation.WORK),
            Entry(_("Knowledge"), "console:knowledge", "book", "knowledge.read", 50, navigation.WORK),
            Entry(_("Organisations"), "console:organisations", "tree", "members.view", 70, navigation.ADMINISTRATION),
            Entry(_("Reports"), "console:reports", "chart", "cases.report", 45, navigation.WORK),
            Entry(_("Case types"), "console:case-types", "diagram", "cases.manage_types", 72, navigation.ADMINISTRATION),
            Entry(_("Flows"), "console:flows", "diagram", "flows.read", 74, navigation.CONTACT),
            Entry(_("Webhooks"), "console:webhooks", "diagram", "webhooks.manage", 75, navigation.ADMINISTRATION),
            Entry(_("Imports"), "console:imports", "upload", "assets.manage", 77, navigation.ADMINISTRATION),
            Entry(_("Audit"), "console:audit", "shield", "audit.read", 80, navigation.ADMINISTRATION),
        )
        navigation.searches_at("console:search")
        navigation.rings_at("console:notices", "console:notices-unread", "cases.view", "jilink.services.console.reads.notices.unread")
