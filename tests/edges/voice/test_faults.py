"""Calls outlive the process `voice`; the spine learns the truth after every fault."""

import signal

from jilink.spine import calls, subjects
from tests.edges.voice.conftest import Floor, ha1
from tests.edges.voice.test_calls import AGENT, CALLER, answered, incoming


async def test_calls_go_on_without_the_process_voice_and_its_successor_knows_them(floor: Floor) -> None:
    carrier, agent = await floor.carrier("t1", "127.0.0.2"), await floor.agent("o1-3001", AGENT)
    caller, arrived = await incoming(floor, carrier)
    leg = calls.new_id("agent")
    phone = await answered(floor, agent, leg)
    await floor.give(calls.Record(recording=(recording := calls.new_id()), leg=arrived.leg))
    await floor.give(calls.Join(talk=(talk := calls.new_id("talk")), legs=(arrived.leg, leg)))
    await floor.heard(caller, AGENT)
    await floor.line(subjects.PHONES, "o1-3005", calls.Phone(ha1=ha1("o1-3005")))
    await floor.eventually(lambda: floor.exchange.ari("endpoints/PJSIP/o1-3005"), "another phone")

    waiting, parked = await incoming(floor, carrier, "95004")
    await floor.give(calls.Park(leg=parked.leg))
    spoken = calls.Play(leg=parked.leg, play=calls.new_id(), pieces=(calls.Tone(ms=9000, hz=2500),))
    await floor.give(spoken)
    await floor.heard(waiting, 2500)

    floor.exchange.end("voice", signal.SIGKILL)
    await floor.spine.bucket(subjects.PHONES).delete("o1-3005")
    late = await carrier.call("95002", "13904310002", X_Case="C8")
    await floor.heard(caller, AGENT, seconds=0.3)
    await floor.heard(phone, CALLER, seconds=0.3)
    await floor.eventually(lambda: late.state == "ringing", "a new caller hears ringing")
    floor.exchange.start("voice")
    up = await floor.told(calls.NodeUp, patience_s=30)
    assert {state.leg: (state.origin, state.answered, state.talk) for state in up.legs if state.talk} == {
        arrived.leg: ("arrived", True, talk),
        leg: ("dialled", True, talk),
    }
    assert [set(state.legs) for state in up.talks] == [{arrived.leg, leg}]
    assert [state.leg for state in up.legs if state.parked] == [parked.leg]
    assert up.online == ("o1-3001",)
    assert floor.exchange.ari("endpoints/PJSIP/o1-3005") == b""
    came = await floor.told(calls.LegArrived, lambda fact: fact.dialled == "95002")
    assert came.headers == {"X-Case": "C8"}
    await floor.give(calls.HangUp(leg=came.leg, cause=17))
    await floor.eventually(lambda: late.status == 486, "a busy tone")

    await floor.give(spoken)
    await floor.heard(waiting, 2500, seconds=0.3)
    await floor.give(calls.StopPlay(play=spoken.play))
    assert (await floor.told(calls.PlayEnded)).outcome == "stopped"
    await floor.give(calls.Hold(leg=arrived.leg))
    await floor.heard(caller, not_=(AGENT,))
    await floor.give(calls.StopRecording(recording=recording, leg=arrived.leg))
    recorded = await floor.told(calls.RecordingEnded)
    assert (recorded.recording, recorded.problem) == (recording, "") and recorded.duration_s > 0.5
    await floor.spine.delete_object(recorded.object)
    await floor.give(calls.HangUp(leg=leg))
    await floor.eventually(lambda: phone.state == "ended", "the agent's phone is free")


async def test_when_the_engine_dies_its_legs_are_told_as_ended_and_phones_are_pushed_again(floor: Floor) -> None:
    carrier, agent = await floor.carrier("t1", "127.0.0.2"), await floor.agent("o1-3001", AGENT)
    _caller, arrived = await incoming(floor, carrier)
    floor.exchange.end("engine", signal.SIGKILL)
    await floor.eventually(lambda: floor.exchange.ari("asterisk/ping") == b"", "the engine is gone")
    answer = await floor.ask(calls.HangUp(leg=arrived.leg))
    assert isinstance(answer, calls.NotDone) and answer.reason == "down"
    await floor.told(calls.NodeDown)
    floor.exchange.start("engine")
    ended = await floor.told(calls.LegEnded, patience_s=30)
    assert (ended.leg, ended.cause) == (arrived.leg, 0)
    up = await floor.told(calls.NodeUp)
    assert up.legs == () and up.talks == ()
    kinds = [type(fact) for fact in floor.facts]
    assert kinds.index(calls.NodeDown) < kinds.index(calls.LegEnded) < kinds.index(calls.NodeUp)
    assert await agent.register() == 200
    again, _arrived = await incoming(floor, carrier, "95003")
    await again.hang_up()


async def test_a_second_owner_takes_over_and_the_first_stands_by_until_it_is_gone(floor: Floor) -> None:
    floor.exchange.start("voice", alias="other")
    try:
        await floor.told(calls.NodeUp, patience_s=30)
        await floor.eventually(lambda: "voice.replaced" in floor.exchange.log("voice").read_text(), "the first stands by")
        carrier = await floor.carrier("t1", "127.0.0.2")
        call, _arrived = await incoming(floor, carrier)
        assert len([fact for fact in floor.facts if isinstance(fact, calls.LegArrived)]) == 1
        await call.hang_up()
        await floor.told(calls.LegEnded)
    finally:
        floor.exchange.end("other", signal.SIGKILL)
    await floor.eventually(lambda: sum(isinstance(fact, calls.NodeUp) for fact in floor.facts) == 2, "the first takes over again", 30)
    assert await floor.ask(calls.Look()) == calls.Sight(legs=(), talks=(), online=())
