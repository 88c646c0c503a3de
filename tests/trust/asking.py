"""Pages asked by somebody who holds any set of permissions, without anything that was done remaining."""

from dataclasses import dataclass

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import resolve

from jilink.core.parties.models import AuditEntry
from jilink.core.parties.rules import ROLES, Permission, Role, Scope
from tests.core.world import World
from tests.trust.planted import Things, filled

GIVEN = {"terminal": "1", "plate": "X", "text": "hello", "start": "2026-05-01T00:00Z", "end": "2026-05-02T00:00Z"}
METHODS = ("get", "post")


@dataclass(frozen=True)
class Answer:
    """What became of one request: its answer, and how many entries of a refusal at that page it left."""

    response: HttpResponse
    entries: int

    @property
    def status(self) -> int:
        return self.response.status_code


def ask(client: Client, address: str, method: str, things: Things) -> Answer:
    """Ask in the name of the organisation of what was planted, count the entries, and let nothing of it remain."""
    cache.clear()
    with transaction.atomic():
        response = getattr(client, method)(address, {**GIVEN, "organisation": things["organisation"]})
        entries = AuditEntry.objects.filter(action="access.refused", subject=name_of(address)).count()
        transaction.set_rollback(True)
    return Answer(response, entries)


def name_of(address: str) -> str:
    """How the audit calls a page."""
    match = resolve(address)
    return f"page:{match.view_name or match.route}"


class Somebody:
    """A member of the north whose role grants whatever a test says."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch) -> None:
        person = world.person(Role.AUDITOR, world.north, Scope.SUBTREE, also="somebody")
        self.client, self._patch = Client(), patch
        self.client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")

    def holds(self, permissions: frozenset[Permission]) -> None:
        """Grant these and no others."""
        self._patch.setitem(ROLES, Role.AUDITOR, permissions)

    def asks(self, permissions: frozenset[Permission], route: str, method: str, things: Things) -> Answer:
        """Ask a page holding these."""
        self.holds(permissions)
        return ask(self.client, filled(route, things), method, things)
