"""What somebody has typed and not sent."""

from jilink.core.parties.access import Actor
from jilink.services.console.models import Draft


def draft(actor: Actor, place: str) -> str:
    """Return what the actor left unsent at a place, "" where nothing. Nobody reads another's."""
    if actor.user is None:
        return ""
    found = Draft.objects.filter(user_id=actor.user, place=place).values_list("text", flat=True).first()
    return found or ""
