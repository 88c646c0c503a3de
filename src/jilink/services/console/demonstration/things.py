"""What the office keeps: articles, and kinds of assets with some dozens of each."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.resources import files

from jilink.core.assets.inventory import actions as inventory
from jilink.core.assets.inventory.actions import AssetData
from jilink.core.assets.kinds import ChoiceAttribute, DateAttribute, FlagAttribute, Kind, NumberAttribute
from jilink.core.knowledge import actions as knowledge
from jilink.core.knowledge.rules import Audience
from jilink.core.parties.access import Actor
from jilink.kernel.clock import CHINA
from jilink.kernel.ids import OrganisationId
from jilink.kernel.texts import Text
from jilink.services.console.demonstration.staff import Units

ARTICLES = {"frost": ["防灾", "蔬菜"], "blast": ["水稻", "病虫害"], "subsidy": ["补贴", "农机"], "meter": ["供水", "冬季"]}
"""Each article's files in `data/demonstration`, and its topics."""
LAMP = Kind(
    title=Text("路灯", "Street lamp"),
    code="[0-9]{16}",
    attributes=(
        NumberAttribute(key="height", title=Text("灯杆高度", "Height of the post"), unit="m", least=2, most=30),
        ChoiceAttribute(
            key="source", title=Text("光源", "Light source"), choices={"led": Text("LED 灯", "LED"), "sodium": Text("高压钠灯", "Sodium")}
        ),
        NumberAttribute(key="power", title=Text("功率", "Power"), unit="W", least=1, most=2000),
    ),
)
MANHOLE = Kind(
    title=Text("窨井", "Manhole"),
    code="[0-9]{16}",
    attributes=(
        ChoiceAttribute(
            key="use",
            title=Text("用途", "Use"),
            choices={"rain": Text("雨水", "Rain water"), "sewer": Text("污水", "Sewage"), "supply": Text("供水", "Water supply")},
        ),
        NumberAttribute(key="depth", title=Text("井深", "Depth"), unit="m", least=0, most=40),
        FlagAttribute(key="net", title=Text("装有防坠网", "With a safety net")),
    ),
)
SENSOR = Kind(
    title=Text("气象传感器", "Weather sensor"),
    attributes=(
        NumberAttribute(key="above_ground", title=Text("离地高度", "Above the ground"), unit="m", least=0, most=50),
        DateAttribute(key="calibrated", title=Text("校准日期", "Calibrated on")),
    ),
)
SPOTS = {
    "农安县合隆镇": (44.17, 125.19),
    "德惠市米沙子镇": (44.25, 125.53),
    "榆树市五棵树镇": (44.80, 126.10),
    "九台区其塔木镇": (44.33, 126.02),
    "双阳区齐家镇": (43.62, 125.72),
    "公主岭市范家屯镇": (43.71, 125.09),
    "净月潭西门": (43.79, 125.45),
    "南湖公园": (43.86, 125.30),
}


def load(units: Units, *, by: Actor, reviewer: Actor, now: datetime) -> None:
    """Enter articles, kinds and assets; `reviewer` publishes what `by` writes."""
    for name, topics in ARTICLES.items():
        _write(units.office, name, topics, by, reviewer, now)
    for key, kind in {"street_lamp": LAMP, "manhole": MANHOLE, "weather_sensor": SENSOR}.items():
        inventory.set_kind(organisation=units.office, key=key, kind=kind, by=by, now=now)
    for key, rows in {"street_lamp": _lamps(units), "manhole": _manholes(units), "weather_sensor": _sensors(units)}.items():
        inventory.load_assets(organisation=units.office, kind=key, rows=list(rows), by=by, now=now)


def _write(organisation: OrganisationId, name: str, topics: list[str], by: Actor, reviewer: Actor, now: datetime) -> None:
    (title_zh, body_zh), (title_en, body_en) = _read(name, "zh"), _read(name, "en")
    title, body = Text(title_zh, title_en), Text(body_zh, body_en)
    article = knowledge.add_article(organisation=organisation, title=title, body=body, by=by, now=now)
    review = (now + timedelta(days=180)).astimezone(CHINA).date()
    knowledge.describe_article(article=article, audience=Audience.PUBLIC, shared_below=True, topics=topics, review_at=review, by=reviewer)
    knowledge.submit_article(article=article, by=by, now=now)
    knowledge.publish_article(article=article, by=reviewer, now=now)


def _read(name: str, language: str) -> tuple[str, str]:
    text = (files("jilink.services.console") / "data" / "demonstration" / f"{name}.{language}.md").read_text(encoding="utf-8")
    title, _, body = text.partition("\n")
    return title.removeprefix("# ").strip(), body.strip()


def _lamps(units: Units) -> Iterator[AssetData]:
    """Yield lamps on both sides of a straight avenue from south to north."""
    for number in range(1, 31):
        yield AssetData(
            label=f"人民大街 {number:02} 号灯",
            code=f"2201040118{number:06}",
            maintainer=units.light,
            attributes={"height": 10, "source": "led" if number % 5 else "sodium", "power": 150},
            tags=("主干道",) if number % 5 else ("主干道", "待改造"),
            latitude=round(43.842 + number * 0.0021, 6),
            longitude=round(125.3235 + (0.0004 if number % 2 else -0.0004), 6),
        )


def _manholes(units: Units) -> Iterator[AssetData]:
    uses = ("rain", "sewer", "supply")
    for number in range(1, 21):
        yield AssetData(
            label=f"解放大路 {number:02} 号井",
            code=f"2201040101{number:06}",
            maintainer=units.drains,
            attributes={"use": uses[number % 3], "depth": 2 + number % 4, "net": number % 4 != 0},
            tags=() if number % 4 else ("缺防坠网",),
            latitude=round(43.8735 + (0.0003 if number % 2 else -0.0003), 6),
            longitude=round(125.292 + number * 0.0029, 6),
        )


def _sensors(units: Units) -> Iterator[AssetData]:
    for name, (latitude, longitude) in SPOTS.items():
        attributes = {"above_ground": 2, "calibrated": "2026-04-15"}
        data = AssetData(label=f"{name}气象站", maintainer=units.farming, attributes=attributes, latitude=latitude, longitude=longitude)
        yield data
