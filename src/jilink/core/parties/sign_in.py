"""How people sign in: accounts are made by an owner or on the command line, never by strangers."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # -- allauth ships no type information
    """allauth's door with open registration shut."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: whoever should have an account is given one."""
        return False
