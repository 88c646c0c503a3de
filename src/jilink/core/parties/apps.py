"""The Django application of parties."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules

from jilink.core.parties import policies


class PartiesConfig(AppConfig):
    """Organisations, people, and the walls between them."""

    name = "jilink.core.parties"
    label = "parties"

    def ready(self) -> None:
        """Keep the second wall true to the models, after every migration; let every room say what it holds about people, and for teams."""
        post_migrate.connect(_keep_policies, sender=self)
        autodiscover_modules("holdings", "teamwork")


def _keep_policies(*, using: str, **_rest: object) -> None:
    policies.keep(using)
