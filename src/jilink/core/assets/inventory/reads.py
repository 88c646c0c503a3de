"""What may be asked about assets of every kind. Who looks after one sees it as its owner does."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db.models import Count, Q, QuerySet

from jilink.core.assets import kinds, labels
from jilink.core.assets.kinds import Kind, Value
from jilink.core.assets.models import Asset, AssetKind, Credential
from jilink.core.parties import reads as parties
from jilink.core.parties import walls
from jilink.core.parties.access import Actor, NotFound, organisations_of, require, require_anywhere
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.kernel.ids import AssetId, OrganisationId

PAGE = 50
_HIDDEN = "There is no such thing, or you may not see it."


class SheetRefused(Refused):
    """There is nothing to print, or too much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingView:
    """An asset as people see it. Degrees WGS-84."""

    id: AssetId
    organisation: OrganisationId
    organisation_name: str
    maintainer: OrganisationId | None
    maintainer_name: str
    kind: str
    label: str
    code: str
    attributes: dict[str, Value]
    tags: tuple[str, ...]
    latitude: float | None
    longitude: float | None
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KindView:
    """A kind of asset, and where it was laid down."""

    key: str
    organisation: OrganisationId
    kind: Kind
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialView:
    """A device's secret, by its prefix."""

    prefix: str
    name: str
    issued_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def thing(actor: Actor, asset: AssetId) -> ThingView:
    """Return one asset. Raises NotFound."""
    row = _seen(actor).filter(pk=asset).first()
    if row is None:
        raise NotFound(_HIDDEN)
    return _view(row)


def things(
    actor: Actor,
    *,
    kind: str = "",
    text: str = "",
    tag: str = "",
    organisation: OrganisationId | None = None,
    after: int = 0,
    size: int = PAGE,
    without: Collection[str] = (),
    placed: bool = False,
) -> list[ThingView]:
    """Return assets in the order they were entered: of a kind, with a piece of label, the beginning of a code, a tag, an owner.

    `after` is the last id of the page before; `without` names kinds to leave out, `placed` keeps those that stand somewhere.
    """
    rows = _seen(actor).filter(pk__gt=after).exclude(kind__in=without)
    if placed:
        rows = rows.exclude(latitude=None)
    if kind:
        rows = rows.filter(kind=kind)
    if text:
        rows = rows.filter(Q(label__icontains=text) | Q(code__startswith=text))
    if tag:
        rows = rows.filter(tags__contains=f"|{tag}|")
    if organisation is not None:
        rows = rows.filter(organisation_id=organisation)
    return [_view(row) for row in rows.order_by("pk")[:size]]


def by_code(actor: Actor, code: str) -> list[ThingView]:
    """Return the assets that carry a code; codes are unique in one organisation and kind."""
    return [_view(row) for row in _seen(actor).filter(code=code).exclude(code="").order_by("pk")[:PAGE]]


def known_as(organisation: OrganisationId, kind: str, *, label: str, code: str = "") -> AssetId | None:
    """Return the asset of an organisation and kind with this code or else this label, None where there is none. No wall is asked."""
    rows = Asset.objects.filter(organisation_id=organisation, kind=kind)
    found = rows.filter(code=code).values_list("pk", flat=True).first() if code else None
    found = found or rows.filter(label=label).values_list("pk", flat=True).first()
    return AssetId(found) if found is not None else None


def counts(actor: Actor) -> dict[str, int]:
    """Return how many assets of each kind the actor may see."""
    return dict(_seen(actor).order_by().values_list("kind").annotate(Count("pk")))


def kinds_of(actor: Actor) -> list[KindView]:
    """Return the kinds that hold in the actor's organisations, by key. Raises NotFound."""
    mine = require_anywhere(actor, Permission.VIEW_ASSETS)
    with walls.everything():  # kinds of the organisations above hold below
        above = {place for organisation in mine for place in parties.line(organisation)}
        rows = list(AssetKind.objects.filter(organisation_id__in=above).order_by("key", "organisation_id"))
    return [
        KindView(key=row.key, organisation=OrganisationId(row.organisation_id), kind=kinds.decode(row.definition), version=row.version)
        for row in rows
    ]


def kind_of(organisation: OrganisationId, key: str) -> Kind:
    """Return the kind that holds in an organisation: its own, or that of the nearest above. Raises NotFound. For rules and actions."""
    with walls.everything():
        line = list(reversed(parties.line(organisation)))
        rows = {row.organisation_id: row for row in AssetKind.objects.filter(organisation_id__in=line, key=key)}
    nearest = next((rows[place] for place in line if place in rows), None)
    if nearest is None:
        raise NotFound("There is no such kind of asset here.")
    return kinds.decode(nearest.definition)


def credentials(actor: Actor, asset: AssetId) -> list[CredentialView]:
    """Return the credentials of an asset to those who manage it, the newest first. Raises NotFound."""
    view = thing(actor, asset)
    require(actor, Permission.MANAGE_ASSETS, view.organisation)
    return [
        CredentialView(prefix=row.prefix, name=row.name, issued_at=row.issued_at, expires_at=row.expires_at, revoked_at=row.revoked_at)
        for row in Credential.objects.filter(asset_id=asset).order_by("-issued_at", "-pk")
    ]


def label_sheet(actor: Actor, ids: Sequence[AssetId], *, address: str, language: str) -> bytes:
    """Return a PDF of QR labels for assets, in the order given; each code leads to `address` followed by the asset's id.

    Raises NotFound where one may not be seen, SheetRefused.
    """
    if not 0 < len(ids) <= labels.MOST:
        raise SheetRefused("Choose 1 to %(most)d assets.", most=labels.MOST)
    rows = {row.pk: row for row in _seen(actor).filter(pk__in=list(ids))}
    if any(asset not in rows for asset in ids):
        raise NotFound(_HIDDEN)
    titles = {(view.organisation, view.key): view.kind.title.in_(language) for view in kinds_of(actor)}
    found = []
    for asset in ids:
        row = rows[asset]
        with walls.everything():
            line = reversed(parties.line(OrganisationId(row.organisation_id)))
        title = next((titles[place, row.kind] for place in line if (place, row.kind) in titles), row.kind)
        found.append(labels.Label(row.label, title, row.code, row.organisation.name, f"{address}{asset}"))
    return labels.sheet(found)


def _seen(actor: Actor) -> QuerySet[Asset]:
    allowed = organisations_of(actor, Permission.VIEW_ASSETS)
    rows = Asset.objects.select_related("organisation", "maintainer")
    return rows.filter(Q(organisation_id__in=allowed) | Q(maintainer_id__in=allowed))


def _view(row: Asset) -> ThingView:
    return ThingView(
        id=AssetId(row.pk),
        organisation=OrganisationId(row.organisation_id),
        organisation_name=row.organisation.name,
        maintainer=None if row.maintainer_id is None else OrganisationId(row.maintainer_id),
        maintainer_name=row.maintainer.name if row.maintainer else "",
        kind=row.kind,
        label=row.label,
        code=row.code,
        attributes=msgspec.json.decode(row.attributes, type=dict[str, Value]),
        tags=tuple(row.tags.strip("|").split("|")) if row.tags else (),
        latitude=row.latitude,
        longitude=row.longitude,
        version=row.version,
        created_at=row.created_at,
    )
