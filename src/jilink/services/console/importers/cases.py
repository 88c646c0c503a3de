"""Rows of past cases: opened and closed elsewhere, kept here so that people, places and reports know them."""

from datetime import datetime

from jilink.core.cases.actions import history
from jilink.core.cases.actions.history import PastCase
from jilink.core.cases.rules.form import AnswersRefused
from jilink.core.imports import reads as imported
from jilink.core.imports.registry import Column, Into, Noun, Row, imports
from jilink.core.imports.rules import RowRefused
from jilink.core.parties.rules import Permission
from jilink.kernel.texts import Text
from jilink.services.console.importers.places import organisation


class CaseRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A closed case. `person` and `asset` are keys of rows imported before, `unit` is the number or name of who had it."""

    type: str
    title: str
    opened_at: datetime
    closed_at: datetime
    code: str
    dispatched_at: datetime | None = None
    description: str = ""
    unit: str = ""
    person: str = ""
    asset: str = ""
    channel: str = ""
    priority: int | None = None
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None
    area: str = ""
    answers: dict[str, object] = {}


def _linked(field: str, noun: str, key: str, into: Into) -> int | None:
    if not key:
        return None
    found = imported.known(into.organisation, noun, key)
    if found is None:
        raise RowRefused("Nothing with the key “%(key)s” was imported.", field=field, key=key[:60])
    return found


def _create(row: CaseRow, into: Into) -> int:
    past = PastCase(
        type=row.type,
        title=row.title,
        description=row.description,
        opened_at=_aware("opened_at", row.opened_at),
        dispatched_at=_aware("dispatched_at", row.dispatched_at) if row.dispatched_at is not None else None,
        closed_at=_aware("closed_at", row.closed_at),
        code=row.code,
        unit=organisation("unit", row.unit, into, Permission.ADD_CASES),
        person=_linked("person", "people", row.person, into),
        asset=_linked("asset", "assets", row.asset, into),
        channel=row.channel,
        priority=row.priority,
        address=row.address,
        latitude=row.latitude,
        longitude=row.longitude,
        area=row.area,
        answers=row.answers,
    )
    try:
        return history.record_past_case(organisation=into.organisation, past=past, by=into.by, now=into.now)
    except AnswersRefused as error:
        key, first = next(iter(error.problems.items()))
        raise RowRefused(first.message, field=f"answers.{key}", **first.values) from error
    except history.PastRefused as error:
        raise RowRefused(error.message, field=error.field, **error.values) from error


def _aware(field: str, told: datetime) -> datetime:
    if told.tzinfo is None:
        raise RowRefused("This is not a time with its zone, like 2026-11-22T08:00:00+08:00.", field=field)
    return told


def _change(subject: int, row: CaseRow, into: Into) -> None:
    raise RowRefused("A past case is entered once. Change it on its page.", field="key")


imports(
    Noun(
        key="cases",
        title=Text("历史工单", "past cases"),
        row=CaseRow,
        permission=Permission.CLOSE_CASES,
        columns={
            "type": Column(Text("工单类型", "Type"), "city_fault"),
            "title": Column(Text("标题", "Title"), "路灯不亮"),
            "opened_at": Column(Text("受理时间", "Opened"), "2025-03-01T08:00:00+08:00"),
            "closed_at": Column(Text("结案时间", "Closed"), "2025-03-02T08:00:00+08:00"),
            "code": Column(Text("结案代码", "Closing code"), "done"),
            "dispatched_at": Column(Text("派遣时间", "Dispatched")),
            "description": Column(Text("描述", "Description")),
            "unit": Column(Text("承办单位", "Unit")),
            "person": Column(Text("人员关键字", "Key of the person")),
            "asset": Column(Text("资产关键字", "Key of the asset")),
            "channel": Column(Text("渠道", "Channel"), "call"),
            "priority": Column(Text("优先级", "Priority")),
            "address": Column(Text("地址", "Address")),
            "latitude": Column(Text("纬度", "Latitude")),
            "longitude": Column(Text("经度", "Longitude")),
            "area": Column(Text("区域路径", "Path of the area")),
            "answers": Column(Text("表单答案", "Answers")),
        },
        nested=frozenset({"answers"}),
        create=_create,
        change=_change,
        look=lambda subject, into: history.past_case(subject, into.by),
    )
)
