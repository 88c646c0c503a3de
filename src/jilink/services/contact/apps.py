"""The Django application of the contact service."""

from django.apps import AppConfig


class ContactConfig(AppConfig):
    """Queues, agents, calls and what is said in them."""

    name = "jilink.services.contact"
    label = "contact"
    default_auto_field = "django.db.models.BigAutoField"
