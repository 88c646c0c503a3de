"""What people write is understood however they write it."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from jilink.core.flows.rules import definition as d
from jilink.core.flows.rules.simulation import failures, simulate
from jilink.core.flows.rules.understanding import amount_of, has_word, keys_of
from tests.core.flows.flows import MENU, NOW


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("120斤", "120"),
        ("１２０ 斤", "120"),
        ("一百二", "120"),
        ("一百零二", "102"),
        ("两万三", "23000"),
        ("十二亩", "12"),
        ("二十", "20"),
        ("三点五", "3.5"),
        ("半", "0.5"),
        ("两亩半", "2.5"),
        ("1,200.50元", "1200.50"),
        ("2万", "20000"),
        ("二〇二六", "2026"),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, amount: str) -> None:
    assert amount_of(text) == Decimal(amount)


def test_a_text_without_an_amount_has_none() -> None:
    assert amount_of("不知道") is None and amount_of("") is None


def test_words_are_found_in_full_width_traditional_and_run_together_texts() -> None:
    assert has_word("請問玉米價格多少", "价格")
    assert has_word("ＳＴＯＰ please", "stop")
    assert not has_word("nonstop", "stop")
    assert keys_of("１ 二 叁") == "123" and keys_of("hello") == ""


def test_a_simulation_tells_what_was_said_and_a_failing_test_says_what_was_missing() -> None:
    test = d.FlowTest(
        name="person",
        open=("china",),
        lines=(d.Line(answer="2"), d.Line(outcome="served")),
        expects=d.Expected(said=("您好", "查询"), passed=("menu", "people"), ends="done"),
    )
    played = simulate(MENU, test, NOW)
    assert [line.kind for line in played.heard] == ["say", "say", "take_digits", "answer", "put_in_queue", "outcome", "end"]
    assert failures(replace(MENU, tests=(test,)), NOW) == ()
    closed = replace(test, open=(), expects=d.Expected(said=("留言", "您好"), passed=("people",), ends="gone"))
    assert [problem.place for problem in failures(replace(MENU, tests=(closed,)), NOW)] == [
        "$.tests[0].expects.said",
        "$.tests[0].expects.passed",
        "$.tests[0].expects.ends",
    ]
