"""How the office works: its case types and calendar, who answers where, and the rules by which cases find a unit."""

from datetime import date, datetime, timedelta

import msgspec

from jilink.core.areas import actions as areas
from jilink.core.areas import reads as places
from jilink.core.cases import actions as cases
from jilink.core.cases import shipped
from jilink.core.cases.assignment import actions as assignment
from jilink.core.cases.assignment.rules import Keeper, Rule, RuleBook, ToKeeper, ToLeastLoaded, ToUnit, When, write_rules
from jilink.core.cases.rules.calendar import CalendarData, Source, WorkingCalendar, compiled
from jilink.core.cases.rules.form import Is, Some
from jilink.core.flows import actions as flows
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.clock import CHINA
from jilink.kernel.texts import Text
from jilink.services.console.demonstration.data import cities
from jilink.services.console.demonstration.staff import KNOWN_BEFORE, Staff, Units

AHEAD = timedelta(days=120)
"""How far the calendar must reach for every clock of the demonstration."""


def arrange(units: Units, staff: Staff, *, by: Actor, now: datetime) -> WorkingCalendar:
    """Publish the example types and the rules, say who answers where, and return the calendar that counts."""
    since = now - KNOWN_BEFORE
    calendar = _calendar(units, by, now)
    cases.load_examples(organisation=units.office, by=by, now=since)
    flows.load_example(organisation=units.office, by=by, now=since)
    for key, book in _books(units, staff).items():
        draft = assignment.save_rules(organisation=units.office, type_key=key, rules=write_rules(book), by=by, now=since)
        assignment.publish_rules(rules=draft, by=by, now=since)
    _answer(units, by, now)
    return calendar


def _calendar(units: Units, by: Actor, now: datetime) -> WorkingCalendar:
    """Return China's calendar; where it is not announced far enough yet, the office gets one that goes on with plain weeks."""
    known, needed = shipped.china(), (now + AHEAD).astimezone(CHINA).date()
    if known.last >= needed:
        return compiled(known)
    plain = Source(
        year=needed.year,
        issuer=Text("演示数据", "Demonstration"),
        title=Text("按普通周顺延，未计节假日", "Plain weeks, no holidays counted"),
        issued_on=now.astimezone(CHINA).date(),
    )
    name = Text("演示用工作日历", "Calendar of the demonstration")
    longer: CalendarData = msgspec.structs.replace(known, name=name, last=date(needed.year, 12, 31), sources=(*known.sources, plain))
    cases.load_calendar(organisation=units.office, key="china", data=msgspec.json.encode(longer), by=by, now=now - KNOWN_BEFORE)
    return compiled(longer)


def _books(units: Units, staff: Staff) -> dict[str, RuleBook]:
    """Return the rules by case type."""
    territory = (Keeper.TERRITORY,)
    things = Rule(
        key="keeper",
        label=Text("部件：先养护单位，后属地", "Facilities: the maintainer first, then the place"),
        when=When(about_asset=True),
        outcome=ToKeeper(order=(Keeper.MAINTAINER, Keeper.TERRITORY), category="road"),
    )
    matters = Rule(
        key="territory",
        label=Text("事件：属地分中心", "Disturbances: the unit of the place"),
        outcome=ToKeeper(order=territory, category="city"),
    )
    korean = Rule(
        key="korean",
        label=Text("朝鲜语咨询：会朝鲜语的坐席", "Questions in Korean: somebody who speaks it"),
        when=When(answers=Is("sort", "question"), languages=("ko",)),
        outcome=ToLeastLoaded(unit=units.office, team=staff.team, speaks=True),
    )
    question = Rule(
        key="question",
        label=Text("咨询：懂政策且在办最少的坐席", "Questions: whoever knows the rules and has least to do"),
        when=When(answers=Is("sort", "question")),
        outcome=ToLeastLoaded(unit=units.office, team=staff.team, skills=("policy",)),
    )
    heat = Rule(
        key="heat",
        label=Text("供热：属地分中心当天处置", "Heating: the unit of the place, the same day"),
        when=When(answers=Is("subject", "heat")),
        outcome=ToKeeper(order=territory, category="heat"),
    )
    place = Rule(key="territory", label=Text("其他诉求：属地分中心", "All else: the unit of the place"), outcome=ToKeeper(order=territory))
    animals = Rule(
        key="animals",
        label=Text("畜禽：畜牧专家", "Animals: an expert in animals"),
        when=When(answers=Some((Is("crop", "pig"), Is("crop", "cattle")))),
        outcome=ToLeastLoaded(unit=units.farming, team=staff.experts, skills=("animals",)),
    )
    crops = Rule(
        key="crops",
        label=Text("作物：农技专家", "Crops: an expert in crops"),
        outcome=ToLeastLoaded(unit=units.farming, team=staff.experts, skills=("crops",)),
    )
    rescue = Rule(key="rescue", label=Text("救援：道路救援站", "Help on the road: the rescue station"), outcome=ToUnit(unit=units.rescue))
    return {
        "city_fault": RuleBook(rules=(things, matters)),
        "hotline": RuleBook(rules=(korean, question, heat, place)),
        "rural_question": RuleBook(rules=(animals, crops)),
        "breakdown": RuleBook(rules=(rescue,)),
    }


def _answer(units: Units, by: Actor, now: datetime) -> None:
    """Name who answers: each city's and county's unit at its place, and units of a trade in Changchun."""
    day = now.astimezone(CHINA).date()
    changchun = cities()[0]
    try:
        city = places.by_code(by, areas.DIVISIONS, changchun.code, on=day)
    except NotFound:  # the divisions are not loaded here
        return
    rows = [(code, "", unit) for code, unit in units.territory.items()]
    for county in places.below(by, city):
        rows += [(county.code, "road.lamp", units.light), (county.code, "road.manhole", units.drains)]
    for code, category, unit in [*rows, *((each.code, "farming", units.farming) for each in cities())]:
        areas.set_responsibility(organisation=units.office, layer_key=areas.DIVISIONS, area_code=code, category=category, unit=unit, by=by)
