"""Case types as data: the examples are sound, and every contradiction is refused with its place."""

from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jilink.core.cases.rules.checking import decode_definition, problems
from jilink.core.cases.rules.definition import Definition, DefinitionRefused, StageKind, Step, write_definition
from jilink.core.cases.rules.diagram import diagram
from jilink.core.cases.rules.form import AnswersRefused, Place, check_answers

TYPES = {path.name.removesuffix(".json"): path.read_text() for path in files("jilink.core.cases").joinpath("data", "types").iterdir()}
CITY = TYPES["city_fault"]


@pytest.mark.parametrize("key", sorted(TYPES))
def test_an_example_is_sound_bilingual_and_survives_being_written(key: str) -> None:
    definition = decode_definition(TYPES[key])
    assert decode_definition(write_definition(definition)) == definition
    labels = [definition.label, *(stage.label for stage in definition.stages), *(way.label for way in definition.transitions)]
    labels += [question.label for question in (*definition.form, *definition.questions)]
    assert all(label.zh and label.en for label in labels)


@pytest.mark.parametrize("key", sorted(TYPES))
def test_the_drawing_shows_every_stage_once_and_every_way(key: str) -> None:
    definition = decode_definition(TYPES[key])
    drawn = diagram(definition)
    assert len({(node.column, node.row) for node in drawn.nodes}) == len(definition.stages)
    assert {(edge.source, edge.key) for edge in drawn.edges if not edge.implied} == {(w.source, w.key) for w in definition.transitions}
    ends = [node for node in drawn.nodes if node.kind in {StageKind.CLOSED, StageKind.VOID}]
    assert all(node.column == drawn.columns - 1 for node in ends)
    returned = any(way.step == Step.RETURN for way in definition.transitions)
    assert any(edge.implied for edge in drawn.edges) == returned


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"kind": "intake"', '"kind": "work"', "$.stages[0].kind"),
        ('"kind": "arbitration"', '"kind": "check"', "$.stages"),
        ('"source": "intake"', '"source": "nowhere"', "$.transitions[0].source"),
        ('"usual_priority": 3', '"usual_priority": 4', "$.usual_priority"),
        ('"question": "sort"', '"question": "danger"', "$.form[1].show_when"),
        ('"rank": 1', '"rank": 12', "$.priorities"),
        ('"amount": 2', '"amount": 0', "$.stages[0].limits.usual.amount"),
        ('"percent": 80', '"percent": 180', "$.ladder[0].percent"),
        ('"assignee"', '"grandmother"', "$.ladder[0].notify"),
        ('"key": "part"', '"key": "Part!"', "$.form[0].choices[0].key"),
        ('"step": "accept"', '"step": "rework"', "$.transitions[0].step"),
        ('"label": {\n  "zh": "城市部件事件",\n  "en": "City fault"\n }', '"label": {}', "$.label"),
        ('"key": "rework"', '"key": "confirm"', "$.transitions[11].key"),
        ('"step": "rework"', '"step": "zap"', "$.transitions[11].step"),
        ('"permission": "cases.add"', '"permission": "cases.fly"', "$.transitions[0].permission"),
        ('"most": "1000000"', '"most": "-1"', "$.form[9].most"),
        ('"closing_codes": [', '"closing_codes": [], "x": [', "$.closing_codes"),
    ],
)
def test_a_contradiction_is_refused_with_its_place(old: str, new: str, place: str) -> None:
    assert old in CITY
    with pytest.raises(DefinitionRefused) as caught:
        decode_definition(CITY.replace(old, new, 1))
    assert place in [problem.place for problem in caught.value.problems]
    assert all(problem.words for problem in caught.value.problems)


def test_a_stage_without_way_in_or_out_is_found() -> None:
    definition = decode_definition(CITY)
    without = tuple(way for way in definition.transitions if way.key not in {"confirm", "answer"})
    lost = Definition(**{name: getattr(definition, name) for name in definition.__struct_fields__} | {"transitions": without})
    reasons = {problem.reason for problem in problems(lost)}
    assert {"No way leads to this stage.", "No way leads from this stage to an end."} <= reasons


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_bytes_are_a_definition_or_refused(data: str | bytes) -> None:
    with pytest.raises(DefinitionRefused):
        decode_definition(data)


FORM = decode_definition(CITY).form
GOOD = {"sort": "part", "part": "road", "place": {"address": "人民大街 1 号"}}


def test_answers_are_kept_as_their_questions_say() -> None:
    kept = check_answers(FORM, GOOD | {"size": "12.50", "before": [1, 2], "asset": "7"})
    assert kept["place"] == Place(address="人民大街 1 号")
    assert (kept["size"], kept["before"], kept["asset"]) == ("12.50", ("1", "2"), 7)


def test_a_question_that_is_not_asked_keeps_no_answer_and_is_not_needed() -> None:
    kept = check_answers(FORM, GOOD | {"event": "order", "danger": "no", "danger_text": "left over"})
    assert "event" not in kept and "danger_text" not in kept


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"sort": None}, "sort"),
        ({"part": "bridge"}, "part"),
        ({"place": {"latitude": 43.8}}, "place"),
        ({"place": {"latitude": 143.8, "longitude": 125.3}}, "place"),
        ({"place": "here"}, "place"),
        ({"danger": "yes"}, "danger_text"),
        ({"size": "a lot"}, "size"),
        ({"size": "NaN"}, "size"),
        ({"size": "1.25"}, "size"),
        ({"size": -1}, "size"),
        ({"before": [str(n) for n in range(9)]}, "before"),
        ({"asset": "x"}, "asset"),
        ({"surprise": "x"}, "surprise"),
    ],
)
def test_what_does_not_fit_is_named_by_its_question(change: dict[str, object], key: str) -> None:
    with pytest.raises(AnswersRefused) as caught:
        check_answers(FORM, GOOD | change)
    assert list(caught.value.problems) == [key]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([question.key for question in FORM]), json_values))
@settings(deadline=None)
def test_any_answers_fit_or_are_refused_and_what_fits_fits_again(given_answers: dict[str, object]) -> None:
    try:
        kept = check_answers(FORM, given_answers)
    except AnswersRefused as refusal:
        assert refusal.problems
    else:
        assert check_answers(FORM, kept) == kept
