"""Ending what somebody is signed in by: their next request, and every open stream at its next look, finds them signed out."""

from django.db.models import F

from jilink.core.parties.models import User


def end_sessions(user: int) -> None:
    """End every session of an account. Rights are asked anew at each request anyway; this is for those who should not be there at all."""
    User.objects.filter(pk=user).update(session_round=F("session_round") + 1)
