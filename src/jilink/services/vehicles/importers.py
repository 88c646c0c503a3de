"""Rows of vehicles for `core.imports`: the same columns and words that the page for files of fleets understands."""

from dataclasses import replace

from jilink.core.assets import reads as assets
from jilink.core.assets.actions import LabelTaken
from jilink.core.assets.inventory.reads import known_as
from jilink.core.assets.rules import terminal_phone
from jilink.core.imports.registry import Column, Into, Noun, Row, imports
from jilink.core.imports.rules import RowRefused, blames
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import AssetId
from jilink.kernel.texts import Text
from jilink.services.vehicles import actions, importing, rules
from jilink.services.vehicles.actions import VehicleData
from jilink.services.vehicles.reads import fleet
from jilink.services.vehicles.reads.fleet import KIND


class VehicleRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vehicle; without a key it is known by its plate. In a change, what is left out stays."""

    plate: str
    plate_colour: str | int | None = None
    vin: str | None = None
    kind: str | None = None
    driver: str | None = None
    driver_phone: str | None = None
    terminal_phone: str | None = None
    profile: str | None = None
    note: str | None = None


def _data(row: VehicleRow, before: VehicleData, into: Into) -> VehicleData:
    """Return a vehicle as a row has it, over what was known before. Raises RowRefused with the field."""
    data = replace(before, plate=_plate(row))
    for field, told, read in (
        ("plate_colour", str(row.plate_colour) if row.plate_colour is not None else None, importing.colour),
        ("vin", row.vin, rules.vin),
        ("kind", row.kind, importing.kind),
        ("terminal_phone", row.terminal_phone, terminal_phone),
        ("profile", row.profile, importing.profile),
    ):
        with blames(field):
            if told is not None:
                data = replace(data, **{field: read(told)})  # type: ignore[arg-type]  # -- each field is read by its own function
    for field, most in (("driver", 60), ("driver_phone", 20), ("note", 200)):
        told = getattr(row, field)
        if told is not None and len(told) > most:
            raise RowRefused("This is too long.", field=field)
        data = replace(data, **({field: told} if told is not None else {}))
    return data


def _plate(row: VehicleRow) -> str:
    with blames("plate"):
        return rules.plate(row.plate)


def _create(row: VehicleRow, into: Into) -> int:
    data = _data(row, VehicleData(plate=row.plate, organisation=into.organisation), into)
    try:
        return actions.add_vehicle(data=data, by=into.by, now=into.now)
    except LabelTaken as error:
        raise RowRefused(error.message, field="plate", **error.values) from error


def _change(subject: int, row: VehicleRow, into: Into) -> None:
    known = fleet.record(into.by, AssetId(subject))
    before = VehicleData(
        plate=known.plate,
        organisation=known.organisation,
        plate_colour=rules.PlateColour(known.plate_colour),
        vin=known.vin,
        kind=rules.Kind(known.kind),
        driver=known.driver,
        driver_phone=known.driver_phone,
        note=known.note,
        terminal_phone=known.terminal_phone,
        profile=known.profile,
    )
    try:
        actions.edit_vehicle(asset=AssetId(subject), data=_data(row, before, into), by=into.by, now=into.now)
    except LabelTaken as error:
        raise RowRefused(error.message, field="plate", **error.values) from error


imports(
    Noun(
        key="vehicles",
        title=Text("车辆", "vehicles"),
        row=VehicleRow,
        permission=Permission.MANAGE_VEHICLES,
        columns={
            "plate": Column(Text("车牌号", "Plate"), "吉A12345"),
            "plate_colour": Column(Text("车牌颜色", "Plate colour"), "蓝"),
            "vin": Column(Text("车架号", "VIN")),
            "kind": Column(Text("车辆类型", "Kind"), "truck"),
            "driver": Column(Text("驾驶员", "Driver")),
            "driver_phone": Column(Text("驾驶员电话", "Driver's telephone")),
            "terminal_phone": Column(Text("终端手机号", "Terminal's telephone"), "013900001111"),
            "profile": Column(Text("终端型号", "Terminal profile"), "standard"),
            "note": Column(Text("备注", "Note")),
        },
        create=_create,
        change=_change,
        natural=lambda row, into: _plate(row),
        find=lambda row, into: known_as(into.organisation, KIND, label=_plate(row)),
        look=lambda subject, into: assets.asset(into.by, AssetId(subject), Permission.MANAGE_VEHICLES),
    )
)
