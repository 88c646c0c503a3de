"""Sites whose visitors may write, how many agents have at once, and which cases wait in queues: as supervisors see them."""

from dataclasses import dataclass
from datetime import datetime

from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.members import reads as members
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import OrganisationId
from jilink.services.contact.models import Capacity, CaseFeed, ChatSite, Queue
from jilink.services.contact.rules import written as rules
from jilink.services.contact.rules.design import read_design
from jilink.services.contact.rules.written import SiteDesign

HIDDEN = "There is no such thing, or you may not see it."


@dataclass(frozen=True, slots=True)
class SiteView:
    """A site."""

    id: int
    organisation: int
    key: str
    queue: int
    enabled: bool
    version: int
    design: SiteDesign
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class CapacityView:
    """How many somebody has at once; without a user, everybody for whom nothing else is said."""

    user: int | None
    most: dict[str, int]
    own: bool
    """Whether it is said of them, and not of everybody."""


def sites(actor: Actor) -> list[SiteView]:
    """Return the sites of organisations whose queues the actor may manage."""
    allowed = access.organisations_of(actor, Permission.MANAGE_QUEUES)
    return [_view(row) for row in ChatSite.objects.filter(organisation__in=allowed).order_by("organisation", "pk")]


def site(actor: Actor, site: int) -> SiteView:
    """Return one site. Raises NotFound."""
    row = ChatSite.objects.filter(pk=site).first()
    access.require(actor, Permission.MANAGE_QUEUES, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    return _view(row)


def capacities(actor: Actor, organisation: int) -> list[CapacityView]:
    """Return what is said of everybody first, and then what holds for each who serves queues there. Raises NotFound."""
    access.require(actor, Permission.MANAGE_QUEUES, organisation)
    said: dict[int | None, dict[str, int]] = {}
    for row in Capacity.objects.filter(organisation_id=organisation):
        said.setdefault(row.user_id, {})[row.channel] = row.most
    usual = {**rules.USUAL, **said.get(None, {})}
    agents = sorted(members.holders(OrganisationId(organisation), Permission.SERVE_QUEUES))
    return [CapacityView(None, usual, None in said)] + [
        CapacityView(user, {**usual, **said.get(user, {})}, user in said) for user in agents
    ]


def fed_queues(actor: Actor) -> dict[int, tuple[str, ...]]:
    """Return the queues that the actor may manage, with the case types that wait in each."""
    allowed = access.organisations_of(actor, Permission.MANAGE_QUEUES)
    found: dict[int, tuple[str, ...]] = {}
    for row in CaseFeed.objects.filter(organisation__in=allowed).order_by("type_key"):
        found[row.queue_id] = (*found.get(row.queue_id, ()), row.type_key)
    return found


def queue_names(actor: Actor) -> dict[int, tuple[int, str, str]]:
    """Return organisation and name (Chinese, English) of the queues that the actor may manage."""
    allowed = access.organisations_of(actor, Permission.MANAGE_QUEUES)
    rows = Queue.objects.filter(organisation__in=allowed, retired_at=None).order_by("organisation", "key")
    names = {row.pk: (row.organisation_id, read_design(row.design).name) for row in rows}
    return {key: (place, name.in_("zh"), name.in_("en")) for key, (place, name) in names.items()}


def _view(row: ChatSite) -> SiteView:
    return SiteView(
        row.pk, row.organisation_id, row.key, row.queue_id, row.enabled, row.version, rules.read_site(row.design), row.changed_at
    )
