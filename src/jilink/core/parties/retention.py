"""What this room keeps for a time only."""

from datetime import datetime

from django.contrib.sessions.models import Session

from jilink.core.parties.invitations import actions as invitations
from jilink.core.parties.keeping import kept_for_a_time
from jilink.core.parties.people import actions as people
from jilink.core.parties.tokens import actions as tokens


@kept_for_a_time("sessions")
def forget_sessions(now: datetime) -> int:
    """Remove sessions that ended; nobody is signed in by them any more."""
    return Session.objects.filter(expire_date__lt=now).delete()[0]


@kept_for_a_time("tokens")
def forget_tokens(now: datetime) -> int:
    """Remove tokens that ended 90 days ago; until then their owner sees what they were."""
    return tokens.forget_tokens(now)


@kept_for_a_time("consents")
def forget_consents(now: datetime) -> int:
    """Remove consents that ended three years ago; until then they are evidence."""
    return people.forget_consents(now)


@kept_for_a_time("invitations")
def forget_invitations(now: datetime) -> int:
    """Remove invitations that ended 90 days ago."""
    return invitations.forget_invitations(now)
