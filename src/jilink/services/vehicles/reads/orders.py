"""Commands given to a vehicle, and what became of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from jilink.core.assets import reads as assets
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import AssetId
from jilink.services.vehicles.models import Command
from jilink.services.vehicles.rules import FINAL, CommandState, Year


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command as people see it. `fields` and `reply` are JSON."""

    id: str
    message: int
    year: Year
    fields: str
    state: str
    reason: str
    reply_message: int | None
    reply: str
    given_by: str
    given_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None

    @property
    def final(self) -> bool:
        """Whether nothing more will come."""
        return CommandState(self.state) in FINAL


def of_asset(actor: Actor, asset: AssetId, limit: int = 20) -> list[Order]:
    """Return the newest commands of one vehicle, newest first. Raises NotFound without COMMAND_VEHICLES."""
    view = assets.asset(actor, asset, Permission.COMMAND_VEHICLES)
    rows = list(Command.objects.filter(asset_id=asset, organisation_id=view.organisation).order_by("-given_at", "-pk")[:limit])
    names = parties.usernames({row.given_by_id for row in rows if row.given_by_id})
    return [
        Order(
            id=row.pk,
            message=row.message,
            year=cast(Year, row.year),
            fields=bytes(row.fields).decode(),
            state=row.state,
            reason=row.reason,
            reply_message=row.reply_message,
            reply=bytes(row.reply).decode(),
            given_by=names.get(row.given_by_id or 0, ""),
            given_at=row.given_at,
            sent_at=row.sent_at,
            ended_at=row.ended_at,
        )
        for row in rows
    ]
