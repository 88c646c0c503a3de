"""Programs for the tests of the API: tokens, and no limits where the test is about something else."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.http import HttpResponse
from django.test import Client

from jilink.core.parties import access
from jilink.core.parties.rules import Permission, Role
from jilink.core.parties.tokens import actions as tokens
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import OrganisationId
from tests.core.world import World

Ask = Callable[..., HttpResponse]


ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def generated_client(folder: Path) -> Iterator[Path]:
    """Generate the typed client anew from the description and make it ready to be imported as `jilink_client`."""
    subprocess.run([sys.executable, str(ROOT / "tools" / "client.py"), str(folder)], check=True, cwd=ROOT)
    sys.path.insert(0, str(folder))
    try:
        yield folder / "jilink_client"
    finally:
        sys.path.remove(str(folder))


def token_of(world: World, role: Role, organisation: OrganisationId, permissions: frozenset[Permission] | None = None) -> str:
    """Return the secret of a new token of a program with a role in an organisation."""
    owner = access.system("test")
    account = tokens.add_service_account(organisation=organisation, name="program", role=role, by=owner)
    granted = permissions if permissions is not None else owner.grants[organisation]
    made = tokens.issue_token(account=account, name="t", permissions=granted, expires_at=utc_now() + timedelta(days=1), by=owner)
    return made.secret


def lift_limits(settings: Any) -> None:
    """Let the API be asked as often as a test likes."""
    settings.JILINK = replace(settings.JILINK, api_per_minute=0, api_strangers_per_minute=0)


def asking(token: str) -> Ask:
    """Return a program that asks with a token; a body is sent as JSON."""

    def ask(method: str, place: str, body: object = None, **headers: str) -> HttpResponse:
        data = b"" if body is None else json.dumps(body).encode()
        given = {"authorization": f"Bearer {token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return Client().generic(method, f"/api/v1{place}", data, "application/json", headers=given)  # type: ignore[return-value]  # -- the client adds to HttpResponse

    return ask
