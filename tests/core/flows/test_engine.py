"""Flows run as they are drawn, end whatever happens, and come back from the database as they were."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from jilink.core.flows.rules import definition as d
from jilink.core.flows.rules import effects as e
from jilink.core.flows.rules.engine import advance, begin, settle
from jilink.core.flows.rules.faults import Known, faults
from jilink.core.flows.rules.state import Contact, Moved, read_effects, read_state, write_effects, write_state
from jilink.core.flows.rules.words import Prompt, digit_by_digit
from jilink.kernel.texts import Text
from tests.core.flows.flows import MENU, NOW, faultless, happenings, inside, said, waiting

CALLER = Contact(caller="13904310001", dialled="12345")


def tell(moved: Moved, happened: e.AnyHappening, flow: d.Flow = MENU, **library: d.Flow) -> Moved:
    return settle(flow, advance(flow, moved.state, happened, NOW, library), inside, NOW, library)


def test_what_is_said_comes_before_the_question_and_an_answer_leads_on() -> None:
    moved = begin(MENU, CALLER, NOW)
    assert said(moved.effects) == ["您好。", "查询请按一，人工请按二。"]
    asked = waiting(moved.effects)
    assert isinstance(asked, e.TakeDigits) and asked.turn == moved.state.turn == 1
    moved = tell(moved, e.Pressed(turn=1, digits="2"))
    queue = waiting(moved.effects)
    assert isinstance(queue, e.PutInQueue) and queue.skills == ("lang.zh",)
    assert [(one.step, one.outcome) for one in moved.passed] == [("menu", "next"), ("which", "otherwise"), ("open", "1")]


def test_the_second_wrong_answer_leads_where_wrong_answers_lead_and_silence_where_silence_leads() -> None:
    moved = tell(begin(MENU, CALLER, NOW), e.Pressed(turn=1, digits="7"))
    assert said(moved.effects) == ["没有听清。", "查询请按一，人工请按二。"]
    moved = tell(moved, e.Silent(turn=2))
    assert said(moved.effects) == ["再见。"] and moved.state.outcome == "done"
    assert moved.passed[0].outcome == "none"


def test_what_is_told_twice_or_late_or_does_not_fit_changes_nothing() -> None:
    first = begin(MENU, CALLER, NOW)
    second = tell(first, e.Pressed(turn=1, digits="2"))
    here = second.state.turn
    for late in (e.Pressed(turn=1, digits="1"), e.Spoke(turn=here, recording="r", seconds=9), e.Came(turn=here, outcome="booked")):
        again = advance(MENU, second.state, late, NOW)
        assert (again.state, again.effects) == (second.state, ())
    over = advance(MENU, second.state, e.Gone(), NOW)
    assert over.state.outcome == "gone"
    assert advance(MENU, over.state, e.Parted(turn=over.state.turn), NOW).effects == ()


def test_a_case_is_found_by_a_number_whose_check_digit_fits_and_read_out_digit_by_digit() -> None:
    moved = tell(tell(begin(MENU, CALLER, NOW), e.Pressed(turn=1, digits="1")), e.Pressed(turn=2, digits="3810249670"))
    assert said(moved.effects)[0] == "没有这个编号。"
    moved = tell(moved, e.Pressed(turn=moved.state.turn, digits="1"))
    good = advance(MENU, moved.state, e.Pressed(turn=moved.state.turn, digits="3810249674"), NOW)
    asked = waiting(good.effects)
    assert isinstance(asked, e.AskCase) and asked.phone == "13904310001"
    case = d.CaseFacts(number="3810249674", stage=Text("处理中", "in work"))
    moved = advance(MENU, good.state, e.CaseFound(turn=asked.turn, case=case), NOW)
    assert said(moved.effects) == ["三八幺，零二四，九六七四：处理中", "再见。"]


def test_digits_are_said_as_telephonists_of_the_language_say_them() -> None:
    assert digit_by_digit("381 024 9674", "en") == "3 8 1, 0 2 4, 9 6 7 4"
    assert digit_by_digit("10", "ko") == "일공"


def test_words_answer_a_menu_and_words_for_a_person_lead_there_from_any_question() -> None:
    text = Contact(channel="text", language="en")
    assert isinstance(waiting(tell(begin(MENU, text, NOW), e.Wrote(turn=1, text="My CASE please")).effects), e.TakeDigits)
    person = tell(begin(MENU, text, NOW), e.Wrote(turn=1, text="Agent!"))
    assert isinstance(waiting(person.effects), e.PutInQueue) and person.passed[0].outcome == "shortcut"


def test_time_with_an_agent_does_not_count_and_the_time_of_a_flow_runs_out() -> None:
    queued = tell(begin(MENU, CALLER, NOW), e.Pressed(turn=1, digits="2"))
    turn = queued.state.turn
    talking = advance(MENU, queued.state, e.Connected(turn=turn), NOW)
    late = NOW + timedelta(hours=1)
    assert advance(MENU, talking.state, e.Parted(turn=turn), late).state.outcome == "done"
    assert advance(MENU, queued.state, e.Came(turn=turn, outcome="full"), late).state.outcome == "expired"


def test_a_message_becomes_a_case_and_one_of_no_length_does_not() -> None:
    queued = tell(begin(MENU, CALLER, NOW), e.Pressed(turn=1, digits="2"))
    full = tell(queued, e.Came(turn=queued.state.turn, outcome="full"))
    turn = full.state.turn
    made = advance(MENU, full.state, e.Spoke(turn=turn, recording="rec-1", seconds=8), NOW)
    effect = waiting(made.effects)
    assert isinstance(effect, e.MakeCase) and (effect.recording, effect.title) == ("rec-1", "留言 13904310001")
    assert settle(MENU, made, inside, NOW).state.variables["case.number"] == "381 024 9674"
    short = advance(MENU, full.state, e.Spoke(turn=turn, recording="rec-1", seconds=0.3), NOW)
    assert short.passed[0].outcome == "none"


def test_whoever_writes_has_time_and_leaves_a_message_in_words_and_a_talk_is_ended_by_nothing_late() -> None:
    asked = begin(MENU, Contact(channel="text", caller="1"), NOW)
    digits = waiting(asked.effects)
    assert isinstance(digits, e.TakeDigits) and digits.timeout_s == 600 and asked.state.expires_at > NOW + timedelta(minutes=9)
    queued = tell(asked, e.Wrote(turn=1, text="2"))
    talking = advance(MENU, queued.state, e.Connected(turn=queued.state.turn), NOW)
    assert advance(MENU, talking.state, e.Came(turn=queued.state.turn, outcome="waited"), NOW).state == talking.state
    full = tell(queued, e.Came(turn=queued.state.turn, outcome="full"))
    made = advance(MENU, full.state, e.Wrote(turn=full.state.turn, text=" 路灯不亮 "), NOW)
    effect = waiting(made.effects)
    assert isinstance(effect, e.MakeCase) and (effect.description, effect.recording) == ("路灯不亮", "")
    assert settle(MENU, made, inside, NOW).passed[-2].outcome == "recorded"


def test_a_called_flow_comes_back_with_its_variables_and_can_end_everything() -> None:
    inner = d.Flow(
        label=Text("x", "x"),
        steps=(
            d.AskText(
                key="ask", prompt=Prompt(words={"zh": "多少？"}), wants="amount", save="much", next="end", none="stop", invalid="stop"
            ),
            d.HangUp(key="stop", outcome="nothing"),
        ),
    )
    outer = d.Flow(
        label=Text("x", "x"),
        steps=(d.Call(key="call", flow="inner", next="say"), d.Say(key="say", prompt=Prompt(words={"zh": "共{much}斤"}), next="end")),
    )
    assert faults(outer, Known(flows={"inner": inner})) == ()
    asked = begin(outer, Contact(channel="text"), NOW, {"inner": inner})
    assert [(one.flow, one.step) for one in asked.state.frames] == [("", "call"), ("inner", "ask")]
    done = tell(asked, e.Wrote(turn=1, text="一百二十斤"), outer, inner=inner)
    assert said(done.effects) == ["共120斤"] and done.state.outcome == "done"
    assert (
        tell(
            tell(tell(asked, e.Silent(turn=1), outer, inner=inner), e.Silent(turn=2), outer, inner=inner),
            e.Silent(turn=3),
            outer,
            inner=inner,
        ).state.outcome
        == "nothing"
    )


@settings(max_examples=60, deadline=None)
@given(flow=faultless(), data=st.data())
def test_no_flow_without_faults_goes_on_for_ever_or_ends_without_an_end(flow: d.Flow, data: st.DataObject) -> None:
    known = Known(types={"t": frozenset()})
    if faults(flow, known):
        return
    now = NOW
    contact = Contact(
        channel=data.draw(st.sampled_from(["call", "text"])), inputs={"given": data.draw(st.sampled_from(["", "3810249674", "好"]))}
    )
    moved = settle(flow, begin(flow, contact, now), inside, now)
    for _turn in range(30):
        assert read_state(write_state(moved.state)) == moved.state
        assert read_effects(write_effects(moved.effects)) == moved.effects
        if moved.state.ended:
            break
        happened = data.draw(happenings(moved.state.turn))
        now += timedelta(seconds=data.draw(st.integers(0, 120)))
        before = moved
        moved = settle(flow, advance(flow, before.state, happened, now), inside, now)
        assert moved.state == before.state or moved.state.ended or now < moved.state.expires_at
        assert moved == settle(flow, advance(flow, read_state(write_state(before.state)), happened, now), inside, now)
    quiet = 0
    while not moved.state.ended:  # nobody says anything any more
        now, quiet = max(now, moved.state.expires_at), quiet + 1
        moved = settle(flow, advance(flow, moved.state, e.Silent(turn=moved.state.turn), now), inside, now)
        assert quiet < 50_000
    assert isinstance(moved.effects[-1], e.End) and moved.state.outcome in {"done", "expired"}
