"""Django application of the contact service."""

from django.apps import AppConfig


class ContactConfig(AppConfig):
    """The contact service."""

    name = "jilink.services.contact"
    default_auto_field = "django.db.models.BigAutoField"
