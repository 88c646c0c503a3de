"""Work that goes on after its request has ended: who a name in the audit stands for now, with what they may do now."""

from datetime import datetime

from jilink.core.parties import access, walls
from jilink.core.parties.access import NOBODY, Actor
from jilink.core.parties.models import Token, User
from jilink.core.parties.tokens import rules as tokens


def actor_again(name: str, now: datetime) -> Actor:
    """Return the actor of a name (`Actor.name`) as it is now: NOBODY where the account was closed, the token ended or was revoked."""
    kind, _colon, rest = name.partition(":")
    if kind == "system":
        return access.system(rest)
    number, _slash, token = rest.partition("/token:")
    if kind != "user" or not number.isdecimal():
        return NOBODY
    with walls.everything():
        user = User.objects.filter(pk=int(number)).first()
        actor = access.actor_of(user) if user is not None else NOBODY
        if not token or actor is NOBODY:
            return actor
        row = Token.objects.filter(pk=int(token), user=user, revoked_at=None, expires_at__gt=now).first()
        return actor.limited(tokens.permissions_in(row.permissions), name=name) if row is not None else NOBODY
