"""Whether vehicles are any business of somebody at all: for what the navigation shows, never for what it allows."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from jilink.core.assets import reads as assets
from jilink.core.parties.access import actor_of
from jilink.core.parties.rules import Permission

KIND = "vehicle"


def has_vehicles(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Return whether there is a vehicle within somebody's reach, or they may add one."""
    actor = actor_of(user)
    return actor.may(Permission.MANAGE_VEHICLES) or bool(assets.following(actor, kind=KIND, limit=1))
