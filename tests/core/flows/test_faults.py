"""A flow that could leave somebody in silence is refused, with the place and the reason."""

import pytest
from msgspec.structs import replace

from jilink.core.flows.rules import definition as d
from jilink.core.flows.rules.conditions import Between, Hours, Is, Like, Speaks
from jilink.core.flows.rules.faults import Known, faults
from jilink.core.flows.rules.words import Prompt
from tests.core.flows.flows import MENU, words

KNOWN = Known(
    queues=frozenset({"hotline"}), calendars=frozenset({"china"}), types={"hotline": frozenset({"matter"})}, hooks=frozenset({"prices"})
)


def changed(key: str, **values: object) -> d.Flow:
    return replace(MENU, steps=tuple(replace(step, **values) if step.key == key else step for step in MENU.steps))


def added(step: d.AnyStep) -> d.Flow:
    """The menu with one more step, before the last."""
    flow = changed("hello", next=step.key)
    return replace(flow, steps=(*flow.steps, step))


def endless() -> d.Flow:
    """The menu with no way out but time."""
    flow = changed("bye", next="menu")
    return replace(flow, steps=tuple(replace(step, served="bye") if isinstance(step, d.Queue) else step for step in flow.steps))


def test_the_flow_of_the_other_tests_has_no_faults() -> None:
    assert faults(MENU, KNOWN) == ()


@pytest.mark.parametrize(
    ("flow", "place", "reason"),
    [
        (changed("hello", next=""), "$.steps[0].next", "Nobody said"),
        (changed("hello", next="nowhere"), "$.steps[0].next", "no step nowhere"),
        (changed("hello", prompt=Prompt(words={"zh": "您好"})), "$.steps[0].prompt.words.en", "nothing to say in en"),
        (changed("hello", prompt=words("{who}")), "$.steps[0].prompt.words.zh", "variable who"),
        (changed("hello", prompt=words("{caller")), "$.steps[0].prompt.words.zh", "braces"),
        (changed("hello", prompt=words("很长" * 200)), "$.steps[0].prompt.words.zh", "100 seconds"),
        (changed("menu", next="look"), "$.steps[2]", "No way leads"),
        (endless(), "$.steps[0]", "no way leads to an end"),
        (changed("sorry", next="look"), "$.steps[4]", "goes round"),
        (changed("people", full="people"), "$.steps[8]", "goes round"),
        (changed("people", queue="other"), "$.steps[8].queue", "no queue other"),
        (changed("people", priority=10), "$.steps[8].priority", "between 0 and 9"),
        (changed("people", leave_on="9"), "$.steps[8].left", "Nobody said"),
        (changed("message", type="other"), "$.steps[9].type", "no case type other"),
        (changed("message", answers={"who": "x"}), "$.steps[9].answers", "no question who"),
        (changed("menu", allowed=("12",)), "$.steps[1].allowed[0]", "cannot be the answer"),
        (changed("menu", save="caller"), "$.steps[1].save", "set by the flow itself"),
        (changed("menu", tries=0), "$.steps[1].tries", "between 1 and 10"),
        (changed("open", arms=()), "$.steps[7].arms", "At least one"),
        (changed("open", arms=(d.Arm(test=Hours("moon"), to="people"),)), "$.steps[7].arms[0].test.calendar", "no working calendar moon"),
        (changed("open", arms=(d.Arm(on="who", test=Is(("1",)), to="people"),)), "$.steps[7].arms[0].on", "variable who"),
        (
            changed("open", arms=(d.Arm(on="choice", test=Between(least="x"), to="people"),)),
            "$.steps[7].arms[0].test.least",
            "not a number",
        ),
        (changed("open", arms=(d.Arm(on="choice", test=Like("(a+)+"), to="people"),)), "$.steps[7].arms[0].test.pattern", "too long"),
        (changed("open", arms=(d.Arm(test=Speaks(("ko",)), to="people"),)), "$.steps[7].arms[0].test.languages", "does not speak ko"),
        (added(d.SetLanguage(key="ko", language="ko", next="menu")), "$.steps[11].language", "does not speak ko"),
        (added(d.SetVariable(key="x", name="case.number", next="menu")), "$.steps[11].name", "set by the flow itself"),
        (added(d.Webhook(key="x", hook="other", answered="menu", failed="menu")), "$.steps[11].hook", "no address other"),
        (added(d.Transfer(key="x", failed="menu")), "$.steps[11].target", "number is needed"),
        (added(d.Call(key="x", flow="other", next="menu")), "$.steps[11].flow", "no published flow other"),
        (added(d.Wait(key="x", seconds=0, next="menu")), "$.steps[11].seconds", "between 1"),
        (added(d.Say(key="hello", prompt=words("x"), next="menu")), "$.steps[11].key", "twice"),
        (replace(MENU, languages=("zh", "en", "fr")), "$.languages[2]", "no language"),
        (replace(MENU, first="nowhere"), "$.first", "no step nowhere"),
        (replace(MENU, longest_minutes=0), "$.longest_minutes", "between 1"),
        (replace(MENU, steps=()), "$.steps", "At least one"),
        (replace(MENU, shortcuts=(d.Shortcut(words=("x",), to="nowhere"),)), "$.shortcuts[0].to", "no step nowhere"),
    ],
)
def test_a_fault_is_told_with_its_place(flow: d.Flow, place: str, reason: str) -> None:
    found = [(problem.place, problem.words) for problem in faults(flow, KNOWN)]
    assert any(where == place and reason in why for where, why in found), found


def test_flows_that_call_each_other_in_a_ring_are_refused() -> None:
    one = d.Flow(label=MENU.label, steps=(d.Call(key="x", flow="two", next="end"),))
    two = d.Flow(label=MENU.label, steps=(d.Call(key="x", flow="one", next="end"),))
    assert any("calls itself" in problem.words for problem in faults(one, Known(flows={"one": one, "two": two})))


def test_a_flow_survives_its_json_and_rubbish_is_refused_with_its_place() -> None:
    assert d.read_flow(d.write_flow(MENU)) == MENU
    with pytest.raises(d.FlowRefused) as refused:
        d.read_flow(b'{"steps":[{"kind":"say","key":5}]}')
    assert refused.value.problems[0].place == "$.steps[0].key" or "steps" in refused.value.problems[0].place
