"""Rows of responsibilities: which unit answers for a category in an area."""

from jilink.core.areas import actions
from jilink.core.imports.registry import Column, Into, Noun, Row, imports
from jilink.core.imports.rules import RowRefused, blames
from jilink.core.parties.rules import Permission
from jilink.kernel.texts import Text
from jilink.services.console.importers.places import organisation


class DutyRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A unit, by number or name, that answers for a category (empty: all) in an area."""

    layer: str
    area: str
    unit: str
    category: str = ""


def _set(row: DutyRow, into: Into) -> int:
    unit = organisation("unit", row.unit, into, Permission.MANAGE_AREAS)
    if unit is None:
        raise RowRefused("This is missing.", field="unit")
    with blames("area"):
        actions.set_responsibility(
            organisation=into.organisation, layer_key=row.layer, area_code=row.area, category=row.category, unit=unit, by=into.by
        )
    return 0


imports(
    Noun(
        key="responsibilities",
        title=Text("责任分工", "responsibilities"),
        row=DutyRow,
        permission=Permission.MANAGE_AREAS,
        columns={
            "layer": Column(Text("图层", "Layer"), "divisions"),
            "area": Column(Text("区域编码", "Area code"), "220102"),
            "unit": Column(Text("责任单位", "Unit"), "12"),
            "category": Column(Text("事项类别", "Category"), "roads"),
        },
        create=_set,
        change=lambda subject, row, into: _set(row, into),
        look=lambda subject, into: None,
        natural=lambda row, into: f"{row.layer}/{row.area}/{row.category}",
    )
)
