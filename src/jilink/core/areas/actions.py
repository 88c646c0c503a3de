"""The only writers of areas."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime

import shapely
from django.db import transaction
from django.db.models import Q

from jilink.core.areas import divisions
from jilink.core.areas.events import LayerLoaded, ResponsibilityChanged
from jilink.core.areas.geojson import Shape, Sheet
from jilink.core.areas.models import Area, Layer, Responsibility
from jilink.core.outbox import outbox
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, require
from jilink.core.parties.models import Organisation
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import CHINA, utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import LayerId, OrganisationId
from jilink.kernel.texts import Text

DIVISIONS = "divisions"
TOGETHER = 2_000
LONGEST_CATEGORY = 40


class EditionRefused(Refused):
    """An edition cannot hold from that day."""


class UnitRefused(Refused):
    """That unit cannot answer here."""


@transaction.atomic
def load_layer(
    *,
    organisation: OrganisationId,
    key: str,
    title: Text,
    sheet: Sheet,
    source: str,
    valid_from: date,
    by: Actor,
    now: datetime | None = None,
) -> LayerId:
    """Load a new edition of an organisation's areas; the one before holds until then. Raises NotFound, EditionRefused."""
    require(by, Permission.MANAGE_AREAS, organisation)
    if key == DIVISIONS:
        raise EditionRefused("The divisions of the country belong to the installation. Choose another key.")
    parents = {area.code: area.parent for area in sheet.areas}
    areas = [(area, _path(area.code, parents)) for area in sheet.areas]
    layer = _add_edition(organisation, key, title, source, valid_from, areas, now or utc_now())
    event = LayerLoaded(layer=layer.pk, key=key, edition=layer.edition, valid_from=valid_from.isoformat())
    outbox.add(event, organisation=organisation, aggregate=f"layer:{organisation}:{key}")
    audit.record(by, "areas.loaded", f"layer:{layer.pk}", organisation, detail=f"{key} {layer.edition}, {len(sheet.areas)} areas")
    return LayerId(layer.pk)


@transaction.atomic
def load_divisions(*, by: Actor, now: datetime | None = None) -> int:
    """Load the divisions of the province that come with this version unless they are there; return how many were loaded.

    Borders come from the optional data pack: without it the areas have names only, and no point is found in them.
    """
    if not by.is_installation:
        raise Refused("Only the installation loads the divisions of the country.")
    moment = now or utc_now()
    source = divisions.source()
    if Layer.objects.filter(organisation=None, key=DIVISIONS, source=source).exists():
        return 0
    areas = divisions.read()
    day = divisions.VALID_FROM
    if Layer.objects.filter(organisation=None, key=DIVISIONS).exists():  # another source: it holds from today
        day = moment.astimezone(CHINA).date()
    layer = _add_edition(None, DIVISIONS, divisions.TITLE, source, day, areas, moment)
    audit.record(by, "areas.loaded", f"layer:{layer.pk}", None, detail=f"{DIVISIONS} {layer.edition}, {len(areas)} areas")
    return len(areas)


@transaction.atomic
def set_responsibility(
    *, organisation: OrganisationId, layer_key: str, area_code: str, category: str, unit: OrganisationId | None, by: Actor
) -> None:
    """Say which unit, of the organisation or below it, answers for a category in an area; None takes it away.

    Raises NotFound, UnitRefused.
    """
    require(by, Permission.MANAGE_AREAS, organisation)
    if len(category) > LONGEST_CATEGORY or not category.isprintable():
        raise UnitRefused("A category has at most 40 characters.")
    held = Responsibility.objects.filter(organisation_id=organisation, layer_key=layer_key, area_code=area_code, category=category)
    if unit is None:
        held.delete()
    else:
        path = Organisation.objects.get(pk=organisation).path
        if not Organisation.objects.filter(pk=unit, path__startswith=path).exists():
            raise UnitRefused("Only the organisation itself or one below it can answer here.")
        seen = Q(layer__organisation=None) | Q(layer__organisation=organisation)
        if not Area.objects.filter(seen, layer__key=layer_key, code=area_code).exists():
            raise UnitRefused("There is no such area.")
        held.update_or_create(
            defaults={"unit_id": unit},
            create_defaults={
                "organisation_id": organisation,
                "layer_key": layer_key,
                "area_code": area_code,
                "category": category,
                "unit_id": unit,
            },
        )
    event = ResponsibilityChanged(layer_key=layer_key, area_code=area_code, category=category, unit=unit or 0)
    outbox.add(event, organisation=organisation, aggregate=f"responsibility:{organisation}")
    audit.record(by, "areas.responsibility", f"area:{layer_key}:{area_code}", organisation, detail=f"{category or 'all'}: {unit or 'none'}")


def _add_edition(
    organisation: OrganisationId | None,
    key: str,
    title: Text,
    source: str,
    valid_from: date,
    areas: Sequence[tuple[Shape, str]],
    now: datetime,
) -> Layer:
    owner = Q(organisation=None) if organisation is None else Q(organisation=organisation)
    last = Layer.objects.select_for_update().filter(owner, key=key).order_by("-edition").first()
    if last is not None and valid_from <= last.valid_from:
        raise EditionRefused(
            "The edition before holds from %(valid_from)s. A new one must begin after that day.", valid_from=last.valid_from
        )
    if last is not None:
        Layer.objects.filter(pk=last.pk).update(valid_until=valid_from)
    digest = hashlib.sha256()
    rows = []
    for area, path in areas:
        shape = None if area.shape is None else shapely.to_wkb(area.shape)
        digest.update(path.encode() + (shape or b""))
        rows.append(Area(code=area.code, level=area.level, name=area.name, name_en=area.name_en, path=path, shape=shape))
    layer = Layer.objects.create(
        organisation_id=organisation,
        key=key,
        title_zh=title.zh,
        title_en=title.en,
        edition=last.edition + 1 if last else 1,
        valid_from=valid_from,
        source=source[:200],
        size=len(rows),
        digest=digest.hexdigest(),
        loaded_at=now,
    )
    for row in rows:
        row.layer = layer
    Area.objects.bulk_create(rows, batch_size=TOGETHER)
    return layer


def _path(code: str, parents: dict[str, str]) -> str:
    codes = [code]
    while parent := parents[codes[0]]:  # levels grow on the way up, so that it ends
        codes.insert(0, parent)
    return f"/{'/'.join(codes)}/"
