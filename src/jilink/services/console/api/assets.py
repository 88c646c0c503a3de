"""Assets of every kind: whatever reports or is maintained."""

from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from ninja import Query, Router, Status
from pydantic import Field

from jilink.core.assets import kinds
from jilink.core.assets.inventory import actions, reads
from jilink.core.assets.inventory.actions import AssetData, ChangedMeanwhile
from jilink.core.assets.labels import MOST
from jilink.core.parties.access import NotFound
from jilink.kernel.ids import AssetId, OrganisationId
from jilink.services.console.api.people import VersionOut
from jilink.webkit.api import cursors, marks, problems
from jilink.webkit.api.assembly import VERSIONED
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.cursors import Cut, Page, Paging
from jilink.webkit.api.marks import Watched
from jilink.webkit.api.problems import Fault, Faulty
from jilink.webkit.api.shapes import Id, In, Latitude, Line, Longitude, MadeOut, Out, Time, Words

router = Router(tags=["assets"])
problems.conflicts(ChangedMeanwhile)
_PDF = {
    "responses": {200: {"description": "The sheet", "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}}
}


class AssetOut(Out):
    """An asset. Degrees are WGS-84; `attributes` are those its kind declares."""

    id: int
    organisation: int
    organisation_name: str
    maintainer: int | None
    maintainer_name: str
    kind: str
    label: str
    code: str
    attributes: dict[str, Any]
    tags: list[str]
    latitude: float | None
    longitude: float | None
    version: int
    created_at: datetime


class AssetIn(In):
    """What is known of an asset."""

    label: str = Field(min_length=1, max_length=60)
    code: str = Field("", max_length=40)
    maintainer: Id | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)
    tags: list[Line] = Field([], max_length=20)
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class NewAssetIn(AssetIn):
    """A new asset."""

    organisation: Id
    kind: str = Field(max_length=30)


class ChangedAssetIn(AssetIn):
    """An asset as it is to be; `based_on` is the version that was read, where If-Match does not say it."""

    based_on: int | None = Field(None, ge=1, le=2**31 - 1)


class ManyAssetsIn(In):
    """Many assets of one kind: all are entered, or none."""

    organisation: Id
    kind: str = Field(max_length=30)
    rows: list[AssetIn] = Field(min_length=1, max_length=5000)


class IdsOut(Out):
    """The numbers of what was made, in order."""

    ids: list[int]


class AssetKindOut(Out):
    """A kind of asset, and where it was laid down."""

    key: str
    organisation: int
    kind: dict[str, Any]
    version: int


class AssetKindIn(In):
    """A kind of asset as it is to be: `title`, `code` (pattern of their codes) and `attributes`, as `list_asset_kinds` shows them."""

    organisation: Id
    kind: dict[str, Any]


class LabelsIn(In):
    """The assets, in the order of their labels."""

    assets: list[Id] = Field(min_length=1, max_length=MOST)


class CredentialIn(In):
    """A secret for a device."""

    name: str = Field("", max_length=40)
    expires_at: Time | None = None


class CredentialOut(Out):
    """A device's secret, by its prefix."""

    prefix: str
    name: str
    issued_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class DeviceSecretOut(Out):
    """A secret at the only moment at which it can be read."""

    secret: str


def _data(given: AssetIn) -> AssetData:
    return AssetData(
        label=given.label,
        code=given.code,
        maintainer=OrganisationId(given.maintainer) if given.maintainer is not None else None,
        attributes=given.attributes,
        tags=tuple(given.tags),
        latitude=given.latitude,
        longitude=given.longitude,
    )


_WATCHED = Watched(AssetKindOut, "/kind/title", "/kind/code", "/kind/attributes")


def _kind(view: reads.KindView) -> dict[str, object]:
    return {"key": view.key, "organisation": view.organisation, "kind": msgspec.to_builtins(view.kind), "version": view.version}


def _own_kind(request: HttpRequest, organisation: int, key: str) -> dict[str, object] | None:
    found = [view for view in reads.kinds_of(actor_of(request)) if (view.organisation, view.key) == (organisation, key)]
    return _kind(found[0]) if found else None


@router.get("/asset-kinds", response=list[AssetKindOut], operation_id="list_asset_kinds")
def list_asset_kinds(request: HttpRequest) -> list[dict[str, object]]:
    """Return the kinds that hold, with the attributes they declare."""
    return [_kind(view) for view in reads.kinds_of(actor_of(request))]


@router.get("/asset-kinds/{key}", response=AssetKindOut, operation_id="read_asset_kind")
def read_asset_kind(request: HttpRequest, key: Words, organisation: Id) -> object:
    """Return a kind that an organisation laid down itself."""
    found = _own_kind(request, organisation, key)
    if found is None:
        raise NotFound("There is no such kind of asset here.")
    return _WATCHED.shown(request, found)


@router.put("/asset-kinds/{key}", response={204: None}, operation_id="set_asset_kind", openapi_extra=VERSIONED)
def set_asset_kind(request: HttpRequest, key: Words, given: AssetKindIn) -> Status[None]:
    """Lay down a kind of asset for an organisation and those below it, or change it; assets that no longer fit stay for now."""
    kind = kinds.decode(msgspec.json.encode(given.kind))
    still = _WATCHED.check(request, lambda: _own_kind(request, given.organisation, key))
    actions.set_kind(organisation=OrganisationId(given.organisation), key=key, kind=kind, by=actor_of(request), still=still)
    return Status(204, None)


@router.delete("/asset-kinds/{key}", response={204: None}, operation_id="remove_asset_kind", openapi_extra=VERSIONED)
def remove_asset_kind(request: HttpRequest, key: Words, organisation: Id) -> Status[None]:
    """Remove a kind that no asset is of."""
    still = _WATCHED.check(request, lambda: _own_kind(request, organisation, key))
    actions.remove_kind(organisation=OrganisationId(organisation), key=key, by=actor_of(request), still=still)
    return Status(204, None)


@router.get("/assets", response=Page[AssetOut], operation_id="list_assets")
def list_assets(
    request: HttpRequest, paging: Query[Paging], kind: Words = "", q: Words = "", tag: Words = "", organisation: Id | None = None
) -> Cut[reads.ThingView]:
    """Return assets in the order they were entered; `q` is a piece of the label or the beginning of a code."""
    rows = reads.things(
        actor_of(request),
        kind=kind,
        text=q,
        tag=tag,
        organisation=OrganisationId(organisation) if organisation is not None else None,
        after=cursors.number(request, paging) or 0,
        size=paging.limit + 1,
    )
    return cursors.by_number(request, paging, rows, lambda row: row.id)


@router.post("/assets", response={201: MadeOut}, operation_id="register_asset")
def register_asset(request: HttpRequest, given: NewAssetIn) -> Status[dict[str, int]]:
    """Enter an asset."""
    place = OrganisationId(given.organisation)
    return Status(201, {"id": actions.register_asset(organisation=place, kind=given.kind, data=_data(given), by=actor_of(request))})


@router.post("/assets/load", response={201: IdsOut}, operation_id="load_assets")
def load_assets(request: HttpRequest, given: ManyAssetsIn) -> Status[dict[str, object]]:
    """Enter many assets of one kind, all or none; a refusal says in which row (from 1) it lies."""
    place, rows = OrganisationId(given.organisation), [_data(row) for row in given.rows]
    return Status(201, {"ids": actions.load_assets(organisation=place, kind=given.kind, rows=rows, by=actor_of(request))})


@router.post("/assets/labels", operation_id="print_labels", openapi_extra=_PDF)
def print_labels(request: HttpRequest, given: LabelsIn) -> HttpResponse:
    """Return a sheet of QR labels as PDF (A4, 24 a page); each code leads to the page of its asset."""
    address = request.build_absolute_uri("/console/assets/")
    chosen = [AssetId(asset) for asset in given.assets]
    sheet = reads.label_sheet(actor_of(request), chosen, address=address, language=get_language() or "zh-hans")
    return HttpResponse(sheet, content_type="application/pdf", headers={"Content-Disposition": 'attachment; filename="labels.pdf"'})


@router.get("/assets/{int:asset}", response=AssetOut, operation_id="read_asset")
def read_asset(request: HttpRequest, asset: Id) -> reads.ThingView:
    """Return one asset."""
    return reads.thing(actor_of(request), AssetId(asset))


@router.put("/assets/{int:asset}", response=VersionOut, operation_id="change_asset", openapi_extra=VERSIONED)
def change_asset(request: HttpRequest, asset: Id, given: ChangedAssetIn) -> dict[str, int]:
    """Change an asset. 409 (412 with If-Match) where somebody else changed it since it was read."""
    read = marks.expected_version(request) or given.based_on
    if read is None and not marks.takes_any(request):
        raise Faulty(Fault(detail=_("Say the version that was read, here or with If-Match."), pointer="/based_on"))
    return {"version": actions.change_asset(asset=AssetId(asset), data=_data(given), based_on=read, by=actor_of(request))}


@router.delete("/assets/{int:asset}", response={204: None}, operation_id="remove_asset")
def remove_asset(request: HttpRequest, asset: Id) -> Status[None]:
    """Remove an asset."""
    actions.remove_asset(asset=AssetId(asset), by=actor_of(request))
    return Status(204, None)


@router.get("/assets/{int:asset}/credentials", response=list[CredentialOut], operation_id="list_credentials")
def list_credentials(request: HttpRequest, asset: Id) -> list[reads.CredentialView]:
    """Return the secrets by which devices speak for an asset, without the secrets."""
    return list(reads.credentials(actor_of(request), AssetId(asset)))


@router.post("/assets/{int:asset}/credentials", response={201: DeviceSecretOut}, operation_id="issue_credential")
def issue_credential(request: HttpRequest, asset: Id, given: CredentialIn) -> Status[dict[str, str]]:
    """Make a secret for a device; it is told once."""
    made = actions.issue_credential(asset=AssetId(asset), name=given.name, expires_at=given.expires_at, by=actor_of(request))
    return Status(201, {"secret": made})


@router.delete("/assets/{int:asset}/credentials/{prefix}", response={204: None}, operation_id="revoke_credential")
def revoke_credential(request: HttpRequest, asset: Id, prefix: Words) -> Status[None]:
    """End a device's secret; ending it again changes nothing."""
    actions.revoke_credential(asset=AssetId(asset), prefix=prefix, by=actor_of(request))
    return Status(204, None)
