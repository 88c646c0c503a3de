"""Rows of assets: all of one kind, which is said once."""

from jilink.core.assets.actions import LabelTaken
from jilink.core.assets.inventory import actions, reads
from jilink.core.assets.inventory.actions import AssetData
from jilink.core.assets.kinds import AttributeRefused
from jilink.core.imports.registry import Column, Into, Noun, Row, imports
from jilink.core.imports.rules import RowRefused
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import AssetId
from jilink.kernel.texts import Text
from jilink.services.console.importers.places import organisation

KIND = "kind"


class AssetRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An asset as it is to be; without a key it is known by its code, or else its label."""

    label: str
    code: str = ""
    maintainer: str = ""
    tags: tuple[str, ...] = ()
    latitude: float | None = None
    longitude: float | None = None
    attributes: dict[str, str | int | float | bool | None] = {}


def _data(row: AssetRow, into: Into) -> AssetData:
    maintainer = organisation("maintainer", row.maintainer, into, Permission.VIEW_ASSETS)
    return AssetData(
        label=row.label,
        code=row.code,
        maintainer=maintainer,
        attributes=row.attributes,
        tags=row.tags,
        latitude=row.latitude,
        longitude=row.longitude,
    )


def _create(row: AssetRow, into: Into) -> int:
    try:
        return actions.register_asset(
            organisation=into.organisation, kind=into.options[KIND], data=_data(row, into), by=into.by, now=into.now
        )
    except (AttributeRefused, LabelTaken) as error:
        raise _blamed(error) from error


def _change(subject: int, row: AssetRow, into: Into) -> None:
    version = reads.thing(into.by, AssetId(subject)).version
    try:
        actions.change_asset(asset=AssetId(subject), data=_data(row, into), based_on=version, by=into.by)
    except (AttributeRefused, LabelTaken) as error:
        raise _blamed(error) from error


def _blamed(error: AttributeRefused | LabelTaken) -> RowRefused:
    return RowRefused(error.message, field="attributes" if isinstance(error, AttributeRefused) else "label", **error.values)


def _natural(row: AssetRow, into: Into) -> str:
    return f"{into.options[KIND]}/{row.code.strip() or ' '.join(row.label.split())}"


imports(
    Noun(
        key="assets",
        title=Text("资产", "assets"),
        row=AssetRow,
        permission=Permission.MANAGE_ASSETS,
        columns={
            "label": Column(Text("名称", "Label"), "路灯 1 号"),
            "code": Column(Text("编码", "Code"), "2201020102000001"),
            "maintainer": Column(Text("养护单位", "Maintainer")),
            "tags": Column(Text("标签", "Tags"), "winter;bridge"),
            "latitude": Column(Text("纬度", "Latitude"), "43.88"),
            "longitude": Column(Text("经度", "Longitude"), "125.32"),
            "attributes": Column(Text("属性", "Attributes")),
        },
        options={KIND: Column(Text("资产类别", "Kind of asset"), "lamp_post")},
        nested=frozenset({"attributes"}),
        create=_create,
        change=_change,
        natural=_natural,
        find=lambda row, into: reads.known_as(
            into.organisation, into.options[KIND], label=" ".join(row.label.split()), code=row.code.strip()
        ),
        look=lambda subject, into: reads.thing(into.by, AssetId(subject)),
    )
)
