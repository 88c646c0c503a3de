"""Rules of assignment as data, and the engine that decides by them: pure, deterministic, and always with an answer.

Rules are asked in their order. The first whose conditions hold and that finds somebody decides; where none does, the fallback.
Things go to their maintainer or owner first and to the territory after (先属主、后属地), matters the other way round.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgspec

from jilink.core.cases.rules.form import KEY, Answers, Condition, holds, leaves
from jilink.core.cases.rules.problems import UNREADABLE, Problem
from jilink.core.cases.rules.timeline import Considered
from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text, gettext_noop

MOST_RULES = 100
TONGUE = "lang."
"""What the key of a skill begins with that is a language: ``lang.ko``."""


class Keeper(StrEnum):
    """Who may be asked for, in the order that a rule names."""

    MAINTAINER = "maintainer"
    OWNER = "owner"
    TERRITORY = "territory"


class Hours(StrEnum):
    """At what times a rule holds."""

    ANY = "any"
    WORKING = "working"
    OFF = "off"


class When(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Conditions of a rule; all that are given must hold, and none given holds always."""

    answers: Condition | None = None
    areas: tuple[str, ...] = ()
    """Codes of areas; the place lies in one of them."""
    lowest_priority: int = 1
    highest_priority: int = 9
    channels: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    """Tags; whoever is served speaks one of them."""
    hours: Hours = Hours.ANY
    about_asset: bool | None = None


class ToUnit(msgspec.Struct, frozen=True, kw_only=True, tag="unit", tag_field="to"):
    """A unit, or a team of it."""

    unit: int
    team: int | None = None


class ToLeastLoaded(msgspec.Struct, frozen=True, kw_only=True, tag="member", tag_field="to"):
    """Whoever of a unit (or team) has the fewest open cases among those with every skill; `speaks`: and a language of the person served."""

    unit: int
    team: int | None = None
    skills: tuple[str, ...] = ()
    speaks: bool = False


class ToKeeper(msgspec.Struct, frozen=True, kw_only=True, tag="keeper", tag_field="to"):
    """The first of these that there is: who maintains the thing, who owns it, who answers for the category where it lies."""

    order: tuple[Keeper, ...]
    category: str = ""


Outcome = ToUnit | ToLeastLoaded | ToKeeper


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: when it holds, and who then gets the case."""

    key: str
    label: Text
    when: When = When()
    outcome: Outcome


class RuleBook(msgspec.Struct, frozen=True, kw_only=True):
    """The ordered rules, and the unit for what none of them decides (None: the organisation that answers for the case)."""

    rules: tuple[Rule, ...] = ()
    fallback: int | None = None


class RulesRefused(Refused):
    """Rules of assignment contradict themselves or cannot be read: everything that is wrong."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{problem.place}: {problem.words}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who may get it: what they can do and how many open cases they have."""

    user: int
    skills: frozenset[str]
    load: int


class Surroundings(Protocol):
    """What the engine may ask about the world; the same question has the same answer while it decides."""

    def keeper(self, keeper: Keeper, category: str) -> int | None:
        """Return the unit that maintains or owns the thing, or answers for the category at the place."""
        ...

    def fits(self, unit: int, team: int | None) -> bool:
        """Return whether the unit (and its team) can be given cases of this organisation."""
        ...

    def candidates(self, unit: int, team: int | None) -> Sequence[Candidate]:
        """Return who works on cases of the unit, or of the team."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the conditions look at. `area` is a path of codes, `working` whether the calendar says so at that time."""

    organisation: int
    answers: Answers
    priority: int
    channel: str = ""
    area: str = ""
    languages: frozenset[str] = frozenset()
    asset: bool = False
    working: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Who gets it, the rule that decided ("" for the fallback), and every rule that was looked at."""

    unit: int
    team: int | None = None
    assignee: int | None = None
    rule: str = ""
    considered: tuple[Considered, ...] = ()


def decide(book: RuleBook, facts: Facts, around: Surroundings) -> Verdict:
    """Return who gets a case. There is always an answer, and for the same question the same."""
    seen: list[Considered] = []
    for rule in book.rules:
        against = _against(rule.when, facts)
        found, why = (None, against) if against is not None else _find(rule.outcome, facts, around)
        seen.append(Considered(rule=rule.key, label=rule.label, decided=found is not None, why=why))
        if found is not None:
            unit, team, assignee = found
            return Verdict(unit=unit, team=team, assignee=assignee, rule=rule.key, considered=tuple(seen))
    return _fallback(book, facts, around, seen)


def _fallback(book: RuleBook, facts: Facts, around: Surroundings, seen: list[Considered]) -> Verdict:
    label = Text("没有规则决定", "No rule decided")
    if book.fallback is not None and around.fits(book.fallback, None):
        why = Text("交给规则之外的指定单位。", "It goes to the unit named for what no rule decides.")
        unit = book.fallback
    else:
        why = Text("留在负责答复的单位。", "It stays with the organisation that answers for it.")
        unit = facts.organisation
    return Verdict(unit=unit, considered=(*seen, Considered(rule="", label=label, decided=True, why=why)))


def _inside(area: str, codes: Collection[str]) -> bool:
    return not set(codes).isdisjoint(area.strip("/").split("/"))


def _against(when: When, facts: Facts) -> Text | None:
    """Return the first condition that does not hold, in words; None where all do."""
    shown = Text(facts.channel or "无", facts.channel or "none")
    tests: tuple[tuple[bool, Text], ...] = (
        (holds(when.answers, facts.answers), Text("所填内容不符合条件。", "The answers do not meet the condition.")),
        (not when.areas or _inside(facts.area, when.areas), Text("地点不在所列区域内。", "The place lies in none of the areas.")),
        (
            when.lowest_priority <= facts.priority <= when.highest_priority,
            Text(
                f"优先级 {facts.priority} 不在 {when.lowest_priority} 至 {when.highest_priority} 之间。",
                f"Priority {facts.priority} is not between {when.lowest_priority} and {when.highest_priority}.",
            ),
        ),
        (
            not when.channels or facts.channel in when.channels,
            Text(f"来源渠道是“{shown.zh}”。", f"It came by another channel: {shown.en}."),
        ),
        (
            not when.languages or not facts.languages.isdisjoint(when.languages),
            Text("诉求人不使用所列语言。", "Whoever is served speaks none of the languages."),
        ),
        (
            when.hours == Hours.ANY or (when.hours == Hours.WORKING) == facts.working,
            Text("当时是工作时间。", "It was within working hours.")
            if facts.working
            else Text("当时不是工作时间。", "It was outside working hours."),
        ),
        (
            when.about_asset is None or when.about_asset == facts.asset,
            Text("涉及一项资产。", "It is about an asset.") if facts.asset else Text("不涉及任何资产。", "It is about no asset."),
        ),
    )
    return next((words for held, words in tests if not held), None)


Found = tuple[int, int | None, int | None]
_KEEPERS = {
    Keeper.MAINTAINER: Text("养护单位", "the maintainer"),
    Keeper.OWNER: Text("权属单位", "the owner"),
    Keeper.TERRITORY: Text("属地责任单位", "the unit that answers for the area"),
}
_GONE = Text("条件符合，但该单位或班组已不可用。", "The conditions hold, but the unit or team is no longer there.")


def _find(outcome: Outcome, facts: Facts, around: Surroundings) -> tuple[Found | None, Text]:
    match outcome:
        case ToUnit(unit=unit, team=team):
            if not around.fits(unit, team):
                return None, _GONE
            return (unit, team, None), Text("条件符合，交给指定单位。", "The conditions hold; it goes to the unit named.")
        case ToKeeper():
            return _keeper(outcome, around)
        case ToLeastLoaded():
            return _least_loaded(outcome, facts, around)


def _keeper(outcome: ToKeeper, around: Surroundings) -> tuple[Found | None, Text]:
    passed: list[Text] = []
    for keeper in outcome.order:
        unit = around.keeper(keeper, outcome.category)
        words = _KEEPERS[keeper]
        if unit is not None and around.fits(unit, None):
            zh = "".join(f"没有{each.zh}；" for each in passed)
            en = "".join(f"There is no {each.en.removeprefix('the ')}. " for each in passed)
            return (unit, None, None), Text(f"条件符合，{zh}交给{words.zh}。", f"The conditions hold. {en}It goes to {words.en}.")
        passed.append(words)
    return None, Text(
        f"条件符合，但没有{'、'.join(each.zh for each in passed)}。",
        f"The conditions hold, but there is no {' and no '.join(each.en.removeprefix('the ') for each in passed)}.",
    )


def _least_loaded(outcome: ToLeastLoaded, facts: Facts, around: Surroundings) -> tuple[Found | None, Text]:
    if not around.fits(outcome.unit, outcome.team):
        return None, _GONE
    wanted = frozenset(outcome.skills)
    tongues = {f"{TONGUE}{tag}" for tag in facts.languages}
    able = [
        one
        for one in around.candidates(outcome.unit, outcome.team)
        if wanted <= one.skills and not (outcome.speaks and one.skills.isdisjoint(tongues))
    ]
    if not able:
        return None, Text("条件符合，但没有具备所需技能的人员。", "The conditions hold, but nobody there has the skills that are needed.")
    best = min(able, key=lambda one: (one.load, one.user))
    return (outcome.unit, outcome.team, best.user), Text(
        f"条件符合，{len(able)} 人合适，其中在办最少的有 {best.load} 件。",
        f"The conditions hold; {len(able)} could do it, and the one chosen has the fewest open cases, {best.load}.",
    )


def read_rules(text: str | bytes) -> RuleBook:
    """Return rules from JSON without asking whether they make sense (`problems` does). Raises RulesRefused."""
    try:
        return msgspec.json.decode(text, type=RuleBook)
    except msgspec.DecodeError as error:
        reason, _, place = str(error).partition(" - at ")
        raise RulesRefused((Problem(place.strip("`") or "$", UNREADABLE, {"error": reason}),)) from error


def write_rules(book: RuleBook) -> str:
    """Return rules as JSON."""
    return msgspec.json.format(msgspec.json.encode(book), indent=1).decode()


def problems(book: RuleBook, questions: Collection[str] | None = None) -> tuple[Problem, ...]:
    """Return everything that is wrong with rules. `questions` are the keys of the type's form, None where any may come."""
    found: list[Problem] = []
    if len(book.rules) > MOST_RULES:
        found.append(Problem("$.rules", gettext_noop("At most %(most)d rules are kept."), {"most": MOST_RULES}))
    seen: set[str] = set()
    for number, rule in enumerate(book.rules):
        here = f"$.rules[{number}]"
        if not KEY.fullmatch(rule.key) or rule.key in seen:
            found.append(Problem(f"{here}.key", gettext_noop("A key is small letters, digits and _, and each once.")))
        seen.add(rule.key)
        if not rule.label:
            found.append(Problem(f"{here}.label", gettext_noop("It has no name.")))
        if not 1 <= rule.when.lowest_priority <= rule.when.highest_priority <= 9:
            found.append(Problem(f"{here}.when", gettext_noop("Priorities lie between 1 and 9, the lowest first.")))
        asked = {leaf.question for leaf in leaves(rule.when.answers)}
        if questions is not None and asked - set(questions):
            found.append(Problem(f"{here}.when.answers", gettext_noop("It asks for a question that the form does not have.")))
        if isinstance(rule.outcome, ToKeeper) and not rule.outcome.order:
            found.append(Problem(f"{here}.outcome", gettext_noop("It names nobody to look for.")))
    return tuple(found)
