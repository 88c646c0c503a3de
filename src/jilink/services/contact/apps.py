"""The Django application of the contact service."""

from importlib import import_module

from django.apps import AppConfig


class ContactConfig(AppConfig):
    """Queues, agents, calls and what is said in them."""

    name = "jilink.services.contact"
    label = "contact"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let flows know which queues there are."""
        library, desk = import_module("jilink.core.flows.library"), import_module("jilink.services.contact.reads.desk")
        library.queues_come_from(desk.queue_keys)
