"""The engine of assignment: always an answer, always the same, and readable."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from jilink.core.cases.assignment.rules import (
    Candidate,
    Facts,
    Hours,
    Keeper,
    Rule,
    RuleBook,
    ToKeeper,
    ToLeastLoaded,
    ToUnit,
    When,
    decide,
    problems,
    read_rules,
    write_rules,
)
from jilink.core.cases.rules.form import Is
from jilink.kernel.texts import Text

HOME = 1


@dataclass(frozen=True)
class Place:
    """Units that exist, who keeps what, and who works."""

    units: frozenset[int] = frozenset({1, 2, 3})
    keepers: dict[Keeper, int] = field(default_factory=dict)
    people: tuple[Candidate, ...] = ()

    def keeper(self, keeper: Keeper, category: str) -> int | None:
        return self.keepers.get(keeper)

    def fits(self, unit: int, team: int | None) -> bool:
        return unit in self.units

    def candidates(self, unit: int, team: int | None) -> Sequence[Candidate]:
        return self.people


def facts(**values: object) -> Facts:
    return Facts(**{"organisation": HOME, "answers": {}, "priority": 3} | values)  # type: ignore[arg-type] # -- values of any field


def book(*rules: tuple[When, object]) -> RuleBook:
    return RuleBook(
        rules=tuple(Rule(key=f"r{n}", label=Text(f"规则{n}", f"Rule {n}"), when=w, outcome=o) for n, (w, o) in enumerate(rules))  # type: ignore[arg-type] # -- outcomes of any kind
    )


outcomes = st.one_of(
    st.builds(ToUnit, unit=st.integers(0, 5), team=st.none() | st.integers(0, 2)),
    st.builds(
        ToLeastLoaded, unit=st.integers(0, 5), skills=st.tuples(st.sampled_from(["road", "gas"])) | st.just(()), speaks=st.booleans()
    ),
    st.builds(ToKeeper, order=st.lists(st.sampled_from(Keeper), min_size=1, max_size=3, unique=True).map(tuple)),
)
whens = st.builds(
    When,
    answers=st.none() | st.builds(Is, question=st.just("sort"), value=st.sampled_from(["part", "event"])),
    areas=st.lists(st.sampled_from(["22", "2201", "220102"]), max_size=2).map(tuple),
    lowest_priority=st.integers(1, 5),
    channels=st.lists(st.sampled_from(["phone", "web"]), max_size=1).map(tuple),
    languages=st.lists(st.sampled_from(["ko"]), max_size=1).map(tuple),
    hours=st.sampled_from(Hours),
    about_asset=st.none() | st.booleans(),
)
books = st.lists(st.tuples(whens, outcomes), max_size=6).map(lambda rows: book(*rows))
questions = st.builds(
    Facts,
    organisation=st.just(HOME),
    answers=st.sampled_from([{}, {"sort": "part"}, {"sort": "event"}]),
    priority=st.integers(1, 9),
    channel=st.sampled_from(["phone", "web", ""]),
    area=st.sampled_from(["", "/22/2201/220102/", "/22/2202/"]),
    languages=st.sampled_from([frozenset(), frozenset({"ko"})]),
    asset=st.booleans(),
    working=st.booleans(),
)
people = st.lists(
    st.builds(Candidate, user=st.integers(1, 9), skills=st.frozensets(st.sampled_from(["road", "gas", "lang.ko"])), load=st.integers(0, 3)),
    max_size=5,
    unique_by=lambda one: one.user,
).map(tuple)
places = st.builds(
    Place, units=st.frozensets(st.integers(0, 5)), keepers=st.dictionaries(st.sampled_from(Keeper), st.integers(0, 5)), people=people
)


@given(books, questions, places)
def test_there_is_always_an_answer_and_for_the_same_question_the_same(rules: RuleBook, asked: Facts, place: Place) -> None:
    verdict = decide(rules, asked, place)
    assert verdict == decide(rules, asked, place)
    assert verdict.unit in place.units | {HOME}
    deciding = [each for each in verdict.considered if each.decided]
    assert [each.rule for each in deciding] == [verdict.rule]
    assert all(each.why.zh and each.why.en for each in verdict.considered)


@given(books, questions, places)
def test_rules_behind_the_one_that_decides_change_nothing(rules: RuleBook, asked: Facts, place: Place) -> None:
    verdict = decide(rules, asked, place)
    if verdict.rule:
        kept = rules.rules[: [rule.key for rule in rules.rules].index(verdict.rule) + 1]
        assert decide(RuleBook(rules=kept), asked, place) == verdict


@given(people, st.randoms(use_true_random=False))
def test_the_least_loaded_gets_it_and_ties_do_not_depend_on_order(crew: tuple[Candidate, ...], dice: object) -> None:
    shuffled = list(crew)
    dice.shuffle(shuffled)  # type: ignore[attr-defined] # -- a random.Random
    rules = book((When(), ToLeastLoaded(unit=2)))
    one = decide(rules, facts(), Place(people=crew))
    assert one.assignee == decide(rules, facts(), Place(people=tuple(shuffled))).assignee
    if crew:
        assert one.assignee == min(crew, key=lambda each: (each.load, each.user)).user
    else:
        assert (one.unit, one.rule) == (HOME, "")


@given(books)
def test_rules_are_read_back_as_they_were_written(rules: RuleBook) -> None:
    assert read_rules(write_rules(rules)) == rules


def test_a_thing_goes_to_its_maintainer_then_its_owner_then_the_territory() -> None:
    order = (Keeper.MAINTAINER, Keeper.OWNER, Keeper.TERRITORY)
    rules = book((When(), ToKeeper(order=order)))
    known = {Keeper.MAINTAINER: 2, Keeper.OWNER: 3, Keeper.TERRITORY: 1}
    assert decide(rules, facts(), Place(keepers=known)).unit == 2
    del known[Keeper.MAINTAINER]
    found = decide(rules, facts(), Place(keepers=known))
    assert found.unit == 3
    assert found.considered[0].why == Text(
        "条件符合，没有养护单位；交给权属单位。", "The conditions hold. There is no maintainer. It goes to the owner."
    )


def test_a_rule_says_which_condition_did_not_hold() -> None:
    found = decide(book((When(lowest_priority=5), ToUnit(unit=2))), facts(), Place())
    assert [each.why.en for each in found.considered] == [
        "Priority 3 is not between 5 and 9.",
        "It stays with the organisation that answers for it.",
    ]


def test_what_is_wrong_with_rules_is_said_with_its_place() -> None:
    rule = Rule(
        key="a", label=Text(), when=When(answers=Is("nothing", "x"), lowest_priority=9, highest_priority=2), outcome=ToKeeper(order=())
    )
    found = problems(RuleBook(rules=(rule, rule)), ["sort"])
    assert {problem.place for problem in found} >= {
        "$.rules[1].key",
        "$.rules[0].label",
        "$.rules[0].when",
        "$.rules[0].when.answers",
        "$.rules[0].outcome",
    }
