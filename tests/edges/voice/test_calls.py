"""Calls as they are: a real engine, callers and agents with tones of their own, orders and facts through the spine."""

import asyncio
import io
import os
import shutil
import time
import wave
from asyncio.subprocess import DEVNULL

import numpy as np
import pytest

from jilink.spine import calls, subjects
from tests.edges.voice import sound
from tests.edges.voice.conftest import Floor
from tests.edges.voice.phone import Call, Phone
from tests.ports import free_port

TERMINAL = {**os.environ, "TERM": "dumb"}
CALLER, AGENT, BOSS, BEEP = 440.0, 1000.0, 1700.0, 2500


async def incoming(floor: Floor, carrier: Phone, number: str = "95001", **headers: str) -> tuple[Call, calls.LegArrived]:
    """A call that is answered."""
    carrier.hz = CALLER
    call = await carrier.call(number, "13904310001", **headers)
    arrived = await floor.told(calls.LegArrived, lambda fact: fact.dialled == number)
    await floor.give(calls.Answer(leg=arrived.leg))
    await floor.told(calls.LegAnswered, lambda fact: fact.leg == arrived.leg)
    await floor.eventually(lambda: call.state == "up", "up")
    return call, arrived


async def answered(floor: Floor, phone: Phone, leg: str, **more: object) -> Call:
    """A phone that is called and picks up."""
    await floor.give(calls.Dial(leg=leg, endpoint=phone.user, caller="95001", **more))
    call = await phone.rung()
    await floor.told(calls.LegAnswered, lambda fact: fact.leg == leg)
    return call


async def test_a_caller_is_answered_spoken_to_and_pressing_a_key_ends_the_prompt(floor: Floor) -> None:
    carrier = await floor.carrier("t1", "127.0.0.2")
    call = await carrier.call("95001", "13904310001", X_Vehicle="42", X_Case="C7")
    arrived = await floor.told(calls.LegArrived)
    assert (arrived.dialled, arrived.caller, arrived.endpoint, arrived.from_phone) == ("95001", "13904310001", "t1", False)
    assert arrived.headers == {"X-Vehicle": "42", "X-Case": "C7"}
    await floor.eventually(lambda: call.state == "ringing", "rings")
    assert (await floor.ask(calls.Park(leg=arrived.leg))).reason == "early"
    for _repeated in range(2):
        await floor.give(calls.Answer(leg=arrived.leg))
    began = time.monotonic()
    prompt = calls.Play(
        leg=arrived.leg, play="p1", pieces=(calls.Speech(text="您好，请按一。", language="zh"), calls.Tone(ms=9000, hz=BEEP))
    )
    await floor.give(prompt)
    await floor.give(prompt)
    await floor.eventually(lambda: np.abs(call.since(began)).max(initial=0) > 2000, "a voice")
    await floor.heard(call, BEEP)
    call.press("1#")
    await floor.told(calls.DigitPressed, lambda fact: fact.digit == "1")
    await floor.told(calls.DigitPressed, lambda fact: fact.digit == "#")
    await floor.give(calls.StopPlay(play="p1"))
    assert (await floor.told(calls.PlayEnded)).outcome == "stopped"
    korean = (calls.Speech(text="안녕하세요", language="ko"), calls.Speech(text="Hello", language="en"))
    await floor.give(calls.Play(leg=arrived.leg, play="p2", pieces=korean))
    assert (await floor.told(calls.PlayEnded, lambda fact: fact.play == "p2")).outcome == "done"
    assert (await floor.ask(calls.Play(leg=arrived.leg, play="p3", pieces=(calls.Speech(text="x", language="la"),)))).reason == "malformed"
    await call.hang_up()
    ended = await floor.told(calls.LegEnded)
    assert (ended.leg, ended.cause) == (arrived.leg, 16)
    assert (await floor.ask(calls.Answer(leg=arrived.leg))).reason == "gone"
    assert [fact.leg for fact in floor.facts if isinstance(fact, calls.LegEnded)] == [arrived.leg]


async def test_who_hears_whom_from_the_queue_to_the_end_of_a_recorded_call(floor: Floor) -> None:
    carrier = await floor.carrier("t1", "127.0.0.2")
    agent, boss = await floor.agent("o1-3001", AGENT), await floor.agent("o1-3002", BOSS)
    leg_a1, leg_b1 = calls.new_id("agent"), calls.new_id("boss")
    caller, arrived = await incoming(floor, carrier)
    leg = arrived.leg

    await floor.give(calls.Park(leg=leg))
    await floor.eventually(lambda: np.abs(caller.since(time.monotonic() - 0.5)).max(initial=0) > 500, "music")
    await floor.give(calls.Play(leg=leg, play="p4", pieces=(calls.Tone(ms=600, hz=BEEP),)))
    await floor.heard(caller, BEEP, seconds=0.3)
    await floor.told(calls.PlayEnded)
    await floor.eventually(lambda: np.abs(caller.since(time.monotonic() - 0.5)).max(initial=0) > 500, "music goes on")

    phone = await answered(floor, agent, leg_a1, headers={"X-Case": "C7"}, originator=leg)
    await floor.told(calls.LegRinging, lambda fact: fact.leg == leg_a1)
    assert phone.invite.get("x-case") == "C7" and "95001" in phone.invite.get("from")
    await floor.give(calls.Record(recording="r1", leg=leg))
    for _repeated in range(2):
        await floor.give(calls.Join(talk="k1", legs=(leg, leg_a1)))
    await floor.told(calls.TalkChanged, lambda fact: set(fact.legs) == {leg, leg_a1})
    await floor.heard(caller, AGENT, not_=(BOSS, BEEP))
    await floor.heard(phone, CALLER, not_=(BOSS,))

    await floor.give(calls.Hold(leg=leg))
    await floor.heard(phone, not_=(CALLER,))
    await floor.heard(caller, not_=(AGENT,))
    await floor.give(calls.Unhold(leg=leg))
    await floor.heard(phone, CALLER)
    await floor.heard(caller, AGENT)

    listener = await answered(floor, boss, leg_b1)
    await floor.give(calls.Listen(leg=leg_b1, target=leg_a1, talk="k2"))
    await floor.heard(listener, CALLER, AGENT)
    await floor.heard(phone, CALLER, not_=(BOSS,))
    await floor.give(calls.Listen(leg=leg_b1, target=leg_a1, talk="k2", whisper=True))
    await floor.heard(phone, CALLER, BOSS)
    await floor.heard(caller, AGENT, not_=(BOSS,))
    await floor.give(calls.Join(talk="k1", legs=(leg_b1,)))
    await floor.heard(caller, AGENT, BOSS)
    await floor.told(calls.TalkChanged, lambda fact: fact.talk == "k2" and not fact.legs)
    sight = await floor.ask(calls.Look())
    assert {state.leg for state in sight.legs} == {leg, leg_a1, leg_b1}
    assert [set(talk.legs) for talk in sight.talks] == [{leg, leg_a1, leg_b1}]

    await floor.give(calls.HangUp(leg=leg_a1))
    await floor.told(calls.LegEnded, lambda fact: fact.leg == leg_a1 and fact.cause == 16)
    await floor.heard(caller, BOSS, not_=(AGENT,))
    await caller.hang_up()
    recorded = await floor.told(calls.RecordingEnded)
    assert (recorded.recording, recorded.leg, recorded.channels, recorded.problem) == ("r1", leg, 2, "")
    data = await floor.spine.get_object(recorded.object)
    assert data is not None and len(data) == recorded.size
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels()) == (8000, 2)
        both = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2).astype(float)
    assert abs(recorded.duration_s - len(both) / 8000) < 0.01
    left, right = both[:, 0], both[:, 1]
    assert sound.strength(left, CALLER) > 5 * sound.strength(left, AGENT)
    assert sound.strength(right, AGENT) > 5 * sound.strength(right, CALLER)
    pieces = [right[first : first + 1600] for first in range(0, len(right) - 1600, 800)]
    assert max(sound.strength(piece, BOSS) for piece in pieces) > 2000
    spool = floor.exchange.settings.data / "voice/engine/spool/recording"
    await floor.eventually(lambda: not list(spool.iterdir()), "the engine keeps no copy")
    await floor.spine.delete_object(recorded.object)


async def test_what_becomes_of_a_dialled_leg(floor: Floor) -> None:
    carrier = await floor.carrier("t1", "127.0.0.2", most_calls=1)
    agent = await floor.agent("o1-3001", AGENT)

    leg_d1, leg_d2, leg_d3, leg_d4, leg_d5 = (calls.new_id() for _ in range(5))

    async def cause(leg: str) -> int:
        return (await floor.told(calls.LegEnded, lambda fact: fact.leg == leg)).cause

    agent.answers_after = -1
    await floor.give(calls.Dial(leg=leg_d1, endpoint="o1-3001"))
    assert await cause(leg_d1) == 17
    await agent.rung()
    agent.answers_after = None
    await floor.give(calls.Dial(leg=leg_d2, endpoint="o1-3001", timeout_s=1))
    assert await cause(leg_d2) == 19
    await floor.give(calls.Dial(leg=leg_d2, endpoint="o1-3001"))
    await floor.give(calls.Dial(leg=leg_d3, endpoint="o1-3999"))
    assert await cause(leg_d3) == 20
    await floor.give(calls.Dial(leg=leg_d4, endpoint="t1", number="13904310002", caller="95001"))
    assert (await floor.ask(calls.Dial(leg=leg_d5, endpoint="t1", number="13904310003"))).reason == "full"
    called = await carrier.rung()
    assert "sip:13904310002@" in called.invite.first and "95001" in called.invite.get("from")
    await floor.told(calls.LegAnswered, lambda fact: fact.leg == leg_d4)
    await floor.give(calls.SendDigits(leg=leg_d4, digits="12#"))
    await floor.give(calls.HangUp(leg=leg_d4))
    await floor.give(calls.HangUp(leg=leg_d4))
    assert await cause(leg_d4) == 16
    for wrong in (
        calls.Dial(leg="d6", endpoint="a/b"),
        calls.Dial(leg="d7", endpoint="t1", number="1@evil"),
        calls.Join(talk="../x", legs=()),
    ):
        assert (await floor.ask(wrong)).reason == "malformed"
    ended = [fact.leg for fact in floor.facts if isinstance(fact, calls.LegEnded)]
    assert sorted(ended) == sorted([leg_d1, leg_d2, leg_d3, leg_d4])


async def test_a_phone_asks_for_a_transfer_and_leaves_a_message(floor: Floor) -> None:
    carrier = await floor.carrier("t1", "127.0.0.2", number_in="to")
    agent = await floor.agent("o1-3001", AGENT)
    caller, arrived = await incoming(floor, carrier)
    leg_a1 = calls.new_id("agent")
    phone = await answered(floor, agent, leg_a1)
    await floor.give(calls.Join(talk="k1", legs=(arrived.leg, leg_a1)))
    await floor.heard(caller, AGENT)
    assert await phone.refer("3009") == 202
    asked = await floor.told(calls.TransferAsked)
    assert (asked.leg, asked.target, asked.partner) == (leg_a1, "3009", arrived.leg)
    await floor.give(calls.TransferDone(leg=leg_a1, succeeded=True))
    await floor.eventually(lambda: any("200" in note for note in phone.notified), "the phone hears of it")
    await floor.give(calls.HangUp(leg=leg_a1))
    await floor.told(calls.TalkChanged, lambda fact: fact.legs == (arrived.leg,))
    await floor.give(calls.Leave(talk="k1", leg=arrived.leg))
    await floor.told(calls.TalkChanged, lambda fact: not fact.legs)

    await floor.give(calls.Park(leg=arrived.leg))  # where somebody was before, and left
    await floor.eventually(lambda: np.abs(caller.since(time.monotonic() - 0.5)).max(initial=0) > 500, "music for the next one")
    await floor.give(calls.Join(talk=calls.new_id(), legs=(arrived.leg,)))
    await floor.give(calls.TakeMessage(recording="m1", leg=arrived.leg, most_s=60))
    await floor.eventually(lambda: list(floor.exchange.settings.data.glob("voice/engine/spool/recording/*m1*")), "it is written")
    began = time.monotonic()
    await floor.eventually(lambda: time.monotonic() - began > 0.7, "something is said")
    caller.press("#")
    taken = await floor.told(calls.RecordingEnded)
    assert (taken.recording, taken.channels, taken.problem) == ("m1", 1, "") and taken.duration_s > 0.4
    data = await floor.spine.get_object(taken.object)
    assert data is not None and sound.strength(np.frombuffer(data[44:], "<i2").astype(float)[:8000], CALLER) > 1000
    await floor.give(calls.Play(leg=arrived.leg, play="p5", pieces=(calls.Recorded(object=taken.object),)))
    await floor.heard(caller, CALLER, seconds=0.3)
    await floor.spine.delete_object(taken.object)


async def test_a_phone_with_another_password_or_taken_away_is_refused(floor: Floor) -> None:
    agent = await floor.agent("o1-3001", AGENT)
    other = await Phone("127.0.0.1", floor.exchange.sip, user="o1-3001", password="wrong").open()
    floor.phones.append(other)
    assert await other.register() == 401
    call = await agent.call("3002")
    arrived = await floor.told(calls.LegArrived)
    assert (arrived.from_phone, arrived.endpoint, arrived.dialled, arrived.caller) == (True, "o1-3001", "3002", "3001")
    await call.hang_up()
    await floor.told(calls.LegEnded)
    await floor.spine.bucket(subjects.PHONES).delete("o1-3001")
    await floor.told(calls.PhoneChanged, lambda fact: not fact.online)

    async def refused() -> bool:
        return await agent.register() in (401, 403, 404)

    await floor.eventually(refused, "the engine knows nobody of that name")


async def test_a_trunk_registers_with_its_carrier(floor: Floor) -> None:
    carrier = await Phone("127.0.0.3", floor.exchange.sip).open()
    floor.phones.append(carrier)
    trunk = calls.Trunk(host=f"127.0.0.3:{carrier.port}", user="line7", register=True)
    await floor.line(subjects.TRUNKS, "t7", trunk)
    await floor.eventually(lambda: any(m.first.startswith("REGISTER") and "line7" in m.get("to") for m in carrier.others), "it registers")
    await floor.told(calls.TrunkChanged, lambda fact: (fact.trunk, fact.state) == ("t7", "registered"))
    await floor.spine.bucket(subjects.TRUNKS).delete("t7")
    await floor.eventually(lambda: _no_trunks(floor), "nobody asks of it any more")


async def _no_trunks(floor: Floor) -> bool:
    seen = await floor.ask(calls.Look())
    return isinstance(seen, calls.Sight) and seen.trunks == ()


@pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is missing; as root run: apt-get install sip-tester")
async def test_twenty_callers_at_once_by_another_makers_telephone(floor: Floor) -> None:
    carrier = await floor.carrier("t1", "127.0.0.2")
    host, port = floor.exchange.sip
    options = ("-sn", "uac", "-s", "95020", "-i", "127.0.0.2", "-d", "1200", "-r", "20", "-l", "20", "-m", "20", "-timeout", "30")
    there = ("-nostdin", "-p", str(free_port()), f"{host}:{port}")
    how = {"cwd": floor.exchange.folder, "stdout": DEVNULL, "stderr": DEVNULL, "env": TERMINAL}
    sipp = await asyncio.create_subprocess_exec("sipp", *options, *there, **how)
    seen: set[str] = set()
    while len(seen) < 20:
        arrived = await floor.told(calls.LegArrived, lambda fact: fact.leg not in seen)
        seen.add(arrived.leg)
        await floor.give(calls.Answer(leg=arrived.leg))
        await floor.give(calls.Park(leg=arrived.leg))
    assert await asyncio.wait_for(sipp.wait(), 20) == 0
    for leg in seen:
        assert (await floor.told(calls.LegEnded, lambda fact, leg=leg: fact.leg == leg)).cause == 16
    assert carrier.others == []


@pytest.mark.parametrize("order", [b"", b"{}", b'{"order":"answer"}', b'{"order":"explode","leg":"x"}'])
async def test_rubbish_is_no_order(floor: Floor, order: bytes) -> None:
    answer = await floor.spine.request(subjects.call_order("own"), order, 5)
    assert b"malformed" in answer
