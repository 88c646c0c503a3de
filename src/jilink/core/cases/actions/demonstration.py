"""Four case types to begin with: a city's faults, a hotline, farmers' questions, vehicles that broke down."""

from datetime import datetime
from importlib.resources import files

from django.db import transaction

from jilink.core.cases.actions.designing import publish_type, save_type
from jilink.core.cases.models import CaseType
from jilink.core.parties.access import Actor

KEYS = ("city_fault", "hotline", "rural_question", "breakdown")


@transaction.atomic
def load_examples(*, organisation: int, by: Actor, now: datetime | None = None) -> list[int]:
    """Publish the example types in an organisation and return the ids of those that were not there yet. Twice changes nothing."""
    made = []
    for key in KEYS:
        if not CaseType.objects.filter(organisation_id=organisation, key=key).exists():
            text = files("jilink.core.cases").joinpath("data", "types", f"{key}.json").read_bytes()
            made.append(save_type(organisation=organisation, key=key, definition=text, by=by, now=now))
            publish_type(type=made[-1], by=by, now=now)
    return made
