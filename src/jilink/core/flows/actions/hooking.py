"""Addresses that flows may ask."""

import secrets
from datetime import datetime

from django.conf import settings
from django.db import transaction

from jilink.core.cases.rules.form import KEY
from jilink.core.flows.models import FlowHook
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.core.webhooks import rules, sealing
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused


class HookRefused(Refused):
    """A name is small letters, digits and _, beginning with a letter, and each is there once."""


@transaction.atomic
def add_hook(*, organisation: int, key: str, url: str, by: Actor, now: datetime | None = None) -> str:
    """Let flows ask an address by a name, and return the secret that signs. Raises NotFound, HookRefused, AddressRefused."""
    require(by, Permission.DESIGN_FLOWS, organisation)
    if not KEY.fullmatch(key) or FlowHook.objects.filter(organisation_id=organisation, key=key).exists():
        raise HookRefused("A name is small letters, digits and _, beginning with a letter, and each is there once.")
    secret = rules.new_secret(secrets.token_bytes(rules.SECRET_BYTES))
    place = rules.address(url, rules.networks(settings.JILINK.webhooks_allow))
    row = FlowHook.objects.create(organisation_id=organisation, key=key, url=place, secret=sealing.seal(secret), made_at=now or utc_now())
    audit.record(by, "flow.hook_added", f"flow_hook:{row.pk}", organisation, at=now)
    return secret


@transaction.atomic
def remove_hook(*, hook: int, by: Actor, now: datetime | None = None) -> None:
    """Let no flow ask an address any more: those that do go on as where it does not answer. Raises NotFound."""
    row = FlowHook.objects.select_for_update().filter(pk=hook).first()
    require(by, Permission.DESIGN_FLOWS, row.organisation_id if row else None)
    if row is None:
        raise NotFound("There is no such thing, or you may not see it.")
    audit.record(by, "flow.hook_removed", f"flow_hook:{row.pk}", row.organisation_id, at=now)
    row.delete()
