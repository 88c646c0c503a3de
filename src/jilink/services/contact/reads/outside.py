"""Trunks: as supervisors see them, as engines read them, and how a call goes out to a number outside.

Whoever orders a call to an outside number asks `way_out` and gives ``calls.Dial(leg=…, endpoint=way.endpoint, number=way.number,
caller=way.caller)``. `LegEnded` with cause 3 or 20 tells that the trunk is not there, `NotDone("full")` that it carries all it may.
"""

from dataclasses import dataclass

from jilink.core.parties import access
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import OrganisationId
from jilink.services.contact.models import Trunk
from jilink.services.contact.rules.trunks import TrunkDesign, outside_number, read_trunk
from jilink.spine.calls import Trunk as Line
from jilink.spine.calls import trunk_key

HIDDEN = "There is no such thing, or you may not see it."


@dataclass(frozen=True, slots=True)
class TrunkView:
    """A trunk without its password."""

    id: int
    organisation: int
    name: str
    design: TrunkDesign
    has_password: bool
    enabled: bool
    version: int

    @property
    def endpoint(self) -> str:
        """Return its name at the engines."""
        return trunk_key(self.id)


@dataclass(frozen=True, slots=True)
class WayOut:
    """How to call a number outside: what `calls.Dial` takes."""

    endpoint: str
    number: str
    caller: str


def trunks(actor: Actor) -> list[TrunkView]:
    """Return the trunks of organisations whose queues the actor may manage."""
    allowed = access.organisations_of(actor, Permission.MANAGE_QUEUES)
    return [_view(row) for row in Trunk.objects.filter(organisation__in=allowed).order_by("organisation", "name")]


def trunk(actor: Actor, trunk: int) -> TrunkView:
    """Return one trunk. Raises NotFound."""
    found = next((one for one in trunks(actor) if one.id == trunk), None)
    if found is None:
        raise NotFound(HIDDEN)
    return found


def ways_out(organisation: int, number: str) -> list[WayOut]:
    """Return the ways to a number outside, the best first: trunks of the organisation itself, then of those above it, by name.

    For the router, no wall is asked. Raises TrunkRefused for what is no number.
    """
    text = outside_number(number)
    line = parties.line(OrganisationId(organisation))
    near = {int(one): place for place, one in enumerate(reversed(line))}
    rows = Trunk.objects.filter(organisation__in=line, enabled=True)
    designed = [(row, read_trunk(row.design)) for row in sorted(rows, key=lambda row: (near[row.organisation_id], row.name))]
    return [
        WayOut(trunk_key(row.pk), f"{design.prefix}{text}", design.caller or design.user)
        for row, design in designed
        if design.host and design.calls_out
    ]


def way_out(organisation: int, number: str) -> WayOut | None:
    """Return the best way to a number outside, None where no trunk goes out. As `ways_out`."""
    return next(iter(ways_out(organisation, number)), None)


def trunk_lines() -> dict[str, Line]:
    """Return every trunk as engines read it, by its endpoint. For the projection, no wall is asked."""
    return {trunk_key(row.pk): _line(row) for row in Trunk.objects.order_by("pk")}


def trunk_line(trunk: int) -> Line | None:
    """Return one trunk as engines read it; None where there is none. For the projection, no wall is asked."""
    row = Trunk.objects.filter(pk=trunk).first()
    return None if row is None else _line(row)


def _view(row: Trunk) -> TrunkView:
    return TrunkView(row.pk, row.organisation_id, row.name, read_trunk(row.design), bool(row.sealed), row.enabled, row.version)


def _line(row: Trunk) -> Line:
    design = read_trunk(row.design)
    return Line(
        host=design.server,
        addresses=design.addresses,
        user=design.user,
        sealed=row.sealed,
        register=design.register,
        transport=design.transport,
        codecs=design.codecs,
        number_in=design.number_in,
        numbers=design.numbers,
        headers=design.headers,
        most_calls=design.most_calls,
        enabled=row.enabled,
    )
