"""Lines to carriers: what supervisors agree with them."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.services.contact.actions.designing import HIDDEN
from jilink.services.contact.events import TrunkSet
from jilink.services.contact.models import Trunk
from jilink.services.contact.rules.trunks import TrunkDesign, TrunkRefused, check, write_trunk
from jilink.spine.calls.sealing import seal

LONGEST_PASSWORD = 120


@transaction.atomic
def add_trunk(*, organisation: int, name: str, design: TrunkDesign, password: str = "", by: Actor, now: datetime | None = None) -> int:
    """Add a trunk and return its id; only a sealed password is kept. Raises NotFound, TrunkRefused."""
    require(by, Permission.MANAGE_QUEUES, organisation)
    row = Trunk(organisation_id=organisation)
    _fill(row, name, design)
    row.sealed = _sealed(password)
    _save(row, by, "trunk.added", now)
    return row.pk


@transaction.atomic
def change_trunk(
    *, trunk: int, name: str, design: TrunkDesign, based_on: int, password: str | None = None, by: Actor, now: datetime | None = None
) -> None:
    """Change a trunk; without a password the one it has stays. `based_on` is the version that was seen. Raises NotFound, TrunkRefused."""
    row = _trunk(trunk, by)
    if row.version != based_on:
        raise TrunkRefused("Somebody changed the trunk meanwhile. Look at it again.")
    _fill(row, name, design)
    if password is not None:
        row.sealed = _sealed(password)
    row.version += 1
    _save(row, by, "trunk.changed", now)


@transaction.atomic
def enable_trunk(*, trunk: int, enabled: bool, by: Actor, now: datetime | None = None) -> None:
    """Let a trunk carry calls, or none until further notice. Raises NotFound."""
    row = _trunk(trunk, by)
    row.enabled = enabled
    _save(row, by, "trunk.enabled" if enabled else "trunk.disabled", now)


@transaction.atomic
def remove_trunk(*, trunk: int, by: Actor, now: datetime | None = None) -> None:
    """Take a trunk away. Raises NotFound."""
    row, moment = _trunk(trunk, by), now or utc_now()
    _tell(row, by, "trunk.removed", moment)
    row.delete()


def _fill(row: Trunk, name: str, design: TrunkDesign) -> None:
    row.name = " ".join(name.split())[:60]
    if not row.name:
        raise TrunkRefused("A trunk needs a name.")
    if Trunk.objects.filter(organisation_id=row.organisation_id, name=row.name).exclude(pk=row.pk).exists():
        raise TrunkRefused("There is a trunk of this name already.")
    check(design)
    row.design = write_trunk(design)


def _sealed(password: str) -> str:
    if len(password) > LONGEST_PASSWORD or not password.isprintable():
        raise TrunkRefused("A password has at most %(most)s characters.", most=LONGEST_PASSWORD)
    return seal(settings.SECRET_KEY, password)


def _save(row: Trunk, by: Actor, what: str, now: datetime | None) -> None:
    row.changed_at = now or utc_now()
    row.save()
    _tell(row, by, what, row.changed_at)


def _tell(row: Trunk, by: Actor, what: str, moment: datetime) -> None:
    outbox.add(TrunkSet(trunk=row.pk), organisation=row.organisation_id, aggregate=f"trunk:{row.pk}", now=moment)
    audit.record(by, what, f"trunk:{row.pk}", row.organisation_id, at=moment)


def _trunk(trunk: int, by: Actor) -> Trunk:
    row = Trunk.objects.select_for_update().filter(pk=trunk).first()
    require(by, Permission.MANAGE_QUEUES, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    return row
