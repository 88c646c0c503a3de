"""What needs no engine: the board, orders in turns, phones as objects, sound, apt's sources, messages."""

import asyncio
import hashlib
import wave
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jilink.edges.voice import ari, audio, manager, nodes, phones
from jilink.edges.voice.board import PARK, Board
from jilink.edges.voice.engine import packages
from jilink.edges.voice.orders import Turns
from jilink.edges.voice.owner import number_in
from jilink.kernel.settings import Settings, SettingsRefused
from jilink.spine import calls
from jilink.spine.calls.sealing import SealedElsewhere, seal, unseal
from tests.edges.voice import sound

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
HA1 = hashlib.md5(b"x").hexdigest()


def channel(name: str, *, state: str = "Up", origin: str = "arrived", endpoint: str = "t1") -> ari.Channel:
    place = ari.Place("trunks", "95001", "Stasis", f"jilink,{origin}")
    return ari.Channel(name, f"PJSIP/{endpoint}-00000001", state, ari.Caller("", "139"), place, "2026-05-01T08:00:00.000+0000")


def event(kind: str, who: str = "", bridge: str = "", **more: object) -> ari.Event:
    return ari.Event(
        kind, "2026-05-01T08:00:00.000+0000", channel=channel(who) if who else None, bridge=ari.Bridge(bridge) if bridge else None, **more
    )


def board(*legs: str) -> Board:
    made = Board("n1", lambda: NOW)
    for leg in legs:
        made.happened(event("StasisStart", leg, args=("dialled",)))
    return made


def test_a_talk_is_told_as_it_changes_and_taken_down_when_nobody_is_left() -> None:
    made = board("a", "b")
    assert made.happened(event("ChannelEnteredBridge", "a", "k")).facts[0].legs == ("a",)
    assert made.happened(event("ChannelEnteredBridge", "b", "k")).facts[0].legs == ("a", "b")
    assert made.happened(event("ChannelEnteredBridge", "b", "k")).facts == []
    assert made.states() == (calls.TalkState(talk="k", legs=("a", "b")),)
    left = made.happened(event("ChannelLeftBridge", "a", "k"))
    assert left.facts[0].legs == ("b",) and left.chores == []
    last = made.happened(event("ChannelDestroyed", "b", cause=16))
    assert [type(fact) for fact in last.facts] == [calls.TalkChanged, calls.LegEnded]
    assert [chore.path for chore in last.chores] == ["bridges/k"]
    assert made.happened(event("ChannelLeftBridge", "b", "k")).facts == []
    assert made.happened(event("BridgeDestroyed", bridge="k")).facts == []


def test_music_is_no_talk() -> None:
    made = board("a")
    assert made.happened(event("ChannelEnteredBridge", "a", PARK)).facts == []
    assert made.legs()[0].parked and made.legs()[0].talk == "" and made.states() == ()


def test_a_leg_ends_once_and_does_not_begin_again() -> None:
    made = board("a")
    assert [type(fact) for fact in made.happened(event("ChannelDestroyed", "a", cause=16)).facts] == [calls.LegEnded]
    assert made.happened(event("ChannelDestroyed", "a", cause=16)).facts == []
    assert made.happened(event("StasisStart", "a", args=("dialled",))).facts == []
    assert made.legs() == ()


def test_an_ear_leaves_with_the_one_who_listened() -> None:
    made = board("boss")
    made.happened(event("StasisStart", "ear-k-listens", args=("ear",)))
    made.happened(event("ChannelEnteredBridge", "ear-k-listens", "k"))
    assert made.happened(event("ChannelEnteredBridge", "boss", "k")).facts[0].legs == ("boss",)
    gone = made.happened(event("ChannelLeftBridge", "boss", "k"))
    assert gone.facts[0].legs == ()
    assert [chore.path for chore in gone.chores] == ["channels/ear-k-listens", "bridges/k"]


def test_a_recovery_tells_ends_that_were_missed_and_everything_there_is() -> None:
    made = board("a", "b", "c")
    snapshot = [channel("b", origin="dialled"), channel("d", state="Ring"), ari.Channel("e", dialplan=ari.Place(app_name="Playback"))]
    outcome = made.recover(snapshot, [ari.Bridge("k", "mixing", ("b",)), ari.Bridge("old", "mixing")], [], NOW)
    *ends, up = outcome.facts
    assert [(fact.leg, fact.cause) for fact in ends] == [("a", 0), ("c", 0)]
    assert {state.leg: (state.answered, state.talk) for state in up.legs} == {"b": (True, "k"), "d": (False, "")}
    assert [chore.path for chore in outcome.chores] == ["bridges/old"]
    assert [line.leg for line in made.untold()] == ["d"]


@given(st.lists(st.tuples(st.sampled_from(["enter", "leave", "end"]), st.sampled_from("abc"), st.sampled_from(["k", "m", PARK]))))
def test_whatever_the_order_of_events_nobody_is_in_two_talks_and_no_talk_is_empty(steps: list[tuple[str, str, str]]) -> None:
    made = board("a", "b", "c")
    kinds = {"enter": "ChannelEnteredBridge", "leave": "ChannelLeftBridge", "end": "ChannelDestroyed"}
    for step, who, where in steps:
        line = made.lines.get(who)
        if step == "enter" and line is not None and line.bridge:  # the engine tells of leaving first
            made.happened(event("ChannelLeftBridge", who, line.bridge))
        made.happened(event(kinds[step], who, where))
        inside = [leg for talk in made.states() for leg in talk.legs]
        assert len(inside) == len(set(inside)) and all(talk.legs for talk in made.states())
        assert set(inside) <= set(made.lines)


async def test_those_who_name_the_same_leg_go_one_after_another() -> None:
    turns, done = Turns(), []

    async def work(name: str, *legs: str) -> None:
        async with turns.take(legs):
            done.append(f"{name} begins")
            await asyncio.sleep(0)
            done.append(f"{name} ends")

    await asyncio.gather(work("1", "a", "b"), work("2", "b", "a"), work("3", "b"))
    assert done == [f"{name} {what}" for name in "123" for what in ("begins", "ends")]
    assert turns._queues == {}


def test_a_phone_becomes_three_objects_and_no_password() -> None:
    found = phones.objects("o1-3001", calls.encode(calls.Phone(ha1=HA1, caller="3001", caller_name='W"ang', webrtc=True)), str)
    assert [kind for _, kind, _ in found] == ["aor", "auth", "endpoint"]
    assert found[("res_pjsip", "auth", "o1-3001")]["md5_cred"] == HA1
    endpoint = found[("res_pjsip", "endpoint", "o1-3001")]
    assert (endpoint["webrtc"], endpoint["allow"], endpoint["callerid"]) == ("yes", "opus,alaw,ulaw", '"Wang" <3001>')
    assert phones.objects("o1-3001", calls.encode(calls.Phone(ha1=HA1, enabled=False)), str) == {}


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("o1-3001/x", calls.Phone(ha1=HA1)),
        ("nobody", calls.Phone(ha1=HA1)),
        ("o1-3001", calls.Phone(ha1="secret")),
        ("o1-3001", calls.Phone(ha1=HA1, codecs=("mp3",))),
        ("t1", calls.Trunk(host="a b")),
        ("t1", calls.Trunk(host="carrier", user="x\ny")),
    ],
)
def test_a_line_that_no_engine_could_have_is_refused(key: str, line: calls.Phone | calls.Trunk) -> None:
    with pytest.raises(phones.NotALine):
        phones.objects(key, calls.encode(line), str)


def test_a_trunk_is_known_by_its_address_or_registers() -> None:
    by_address = phones.objects("t5", calls.encode(calls.Trunk(host="c.example:5080", addresses=("10.0.0.1", "10.0.1.0/24"))), str)
    assert by_address[("res_pjsip", "identify", "t5")]["match"] == "10.0.0.1,10.0.1.0/24"
    assert ("res_pjsip", "registration", "t5") not in by_address
    sealed = seal("key", "p")
    trunk = calls.encode(calls.Trunk(host="c.example", user="u", sealed=sealed, register=True))
    registers = phones.objects("t5", trunk, partial(unseal, "key"))
    assert b'"p"' not in trunk and registers[("res_pjsip", "auth", "t5")]["password"] == "p"
    with pytest.raises(SealedElsewhere):
        phones.objects("t5", trunk, partial(unseal, "another"))
    assert registers[("res_pjsip", "registration", "t5")]["server_uri"] == "sip:c.example"


@pytest.mark.parametrize(
    ("numbers", "dialled", "may"),
    [((), "96000", True), (("96000",), "96000", True), (("96000",), "960001", False), (("0431*",), "04318", True)],
)
def test_a_trunk_brings_its_numbers_alone(numbers: tuple[str, ...], dialled: str, may: bool) -> None:
    assert phones.may_bring(calls.Trunk(numbers=numbers), dialled) is may


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 22_050, 44_100, 48_000])
def test_sound_of_any_rate_becomes_the_telephones(rate: int) -> None:
    at = np.arange(rate) / rate
    both = np.stack([8000 * np.sin(2 * np.pi * 1000 * at)] * 2, axis=1)
    target = BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((2, 2, rate, 0, "NONE", ""))
        file.writeframes(both.astype("<i2").tobytes())
    heard = audio.read(target.getvalue()).astype(float)
    assert abs(len(heard) - 8000) <= 1
    assert 7500 < sound.strength(heard[400:-400], 1000) < 8500
    assert sound.strength(heard[400:-400], 3000) < 80


def test_what_is_no_sound_is_malformed() -> None:
    good = audio.write(audio.tone(1000, 100))
    assert len(good) == 44 + 1600 and good[:44] == audio.header(1600, 1)
    for wrong in (b"", b"RIFF", good[:20], b"x" * 100):
        with pytest.raises(audio.NotAudio):
            audio.read(wrong)


def test_music_joins_at_its_ends() -> None:
    music = audio.music().astype(float)
    assert len(music) >= 20 * 8000 and np.abs(music).max() < 8000
    assert abs(music[0] - music[-1]) < 4 * np.abs(np.diff(music)).mean() + 200


@pytest.mark.parametrize(
    ("header", "number"),
    [
        ('"A" <sip:+8643188@10.0.0.1:5060;user=phone>;tag=1', "+8643188"),
        ("<tel:12345>", "12345"),
        ("sip:95001@x", "95001"),
        ("<sip:@host>", ""),
        ("", ""),
    ],
)
def test_a_number_is_read_from_a_header(header: str, number: str) -> None:
    assert number_in(header) == number


def test_the_mirror_is_taken_from_apts_sources_in_both_formats(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    with pytest.raises(packages.CannotInstall):
        packages.find_mirror(tmp_path)
    (tmp_path / "sources.list").write_text(
        "# deb http://old/debian x main\ndeb [signed-by=/k.gpg] http://one.example/debian bookworm main\n"
    )
    assert packages.find_mirror(tmp_path) == packages.Mirror("http://one.example/debian", "/k.gpg")
    stanzas = "".join(
        f"Types: deb\nURIs: http://{place}\nComponents: main\n\n" for place in ("sec.example/debian-security", "two.example/debian")
    )
    (tmp_path / "sources.list.d/debian.sources").write_text(stanzas)
    assert packages.find_mirror(tmp_path).address == "http://two.example/debian"


def test_what_was_tested_is_pinned_with_digests() -> None:
    pins = packages.pins()
    assert {"asterisk", "espeak-ng", "libc6"} <= {one.name for one in pins.packages}
    assert all(len(one.sha256) == 64 and one.version for one in pins.packages)


def test_a_value_cannot_become_another_field_of_the_manager() -> None:
    sent = manager.encode("MixMonitor", "7", {"Channel": "a\r\nAction: Command"})
    assert sent.count(b"\r\n") == 4 and manager.decode(sent)["Action"] == "MixMonitor"


def test_requests_are_escaped_and_answers_told_from_events() -> None:
    asked = ari.request("POST", "channels", "a/b", "play", media="sound:/a b,c", lang="", skip=None, beep=False)
    assert asked.path == "channels/a%2Fb/play?media=sound%3A%2Fa%20b%2Cc&beep=false"
    assert msgspec.json.decode(ari.encode("9", asked))["request_id"] == "9"
    assert ari.decode('{"type":"RESTResponse","request_id":"9","status_code":404}') == ari.Answer("9", 404)
    assert ari.decode('{"type":"Unheard","news":[1]}') == ari.Event("Unheard")
    for wrong in ("", "[]", '{"type":"StasisStart","channel":7}'):
        with pytest.raises(ari.NotAri):
            ari.decode(wrong)


def test_other_engines_are_named_with_their_address(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3\n")
    settings = Settings(data=tmp_path, voice_nodes="east=http://10.1.0.5:8088, west=https://w:8089/", voice_secret_file=str(secret))
    east, west = nodes.nodes(settings)
    assert (east.name, east.url, east.manager, east.secret) == ("east", "http://10.1.0.5:8088", ("10.1.0.5", 5038), "s3")
    assert west.url == "https://w:8089"
    for wrong in ("east", "e t=http://x", "a=ftp://x"):
        with pytest.raises(SettingsRefused):
            nodes.nodes(Settings(data=tmp_path, voice_nodes=wrong, voice_secret_file=str(secret)))


def test_every_fact_and_order_comes_back_as_it_went() -> None:
    for message in (
        calls.LegEnded(node="n", at=NOW, leg="a", cause=16),
        calls.PhoneChanged(node="n", at=NOW, endpoint="o1-10", online=True),
    ):
        assert calls.decode_fact(calls.encode(message)) == message
    play = calls.Play(leg="a", play="p", pieces=(calls.Speech(text="您好", language="zh"), calls.Tone(ms=5)))
    assert calls.decode_order(calls.encode(play)) == play
    assert calls.phone_key(7, "3001") == "o7-3001"
    with pytest.raises(calls.ExtensionRefused):
        calls.phone_key(7, "30/1")


def test_other_packages_than_were_tested_are_taken_only_when_somebody_says_so(tmp_path: Path) -> None:
    tested = packages.Pins("forky", "amd64", (packages.Package("asterisk", "1", "a"), packages.Package("libc6", "2", "b")))
    newer = (packages.Package("asterisk", "9", "c"), tested.packages[1])
    said: list[str] = []
    with pytest.raises(packages.OtherVersions, match=r"1 of 2 differ: asterisk 9\).*--accept-newer"):
        packages._compare(newer, tested, "amd64", False, said.append)
    packages._compare(newer, tested, "amd64", True, said.append)
    packages._compare(tested.packages, tested, "amd64", False, said.append)
    assert "because you said so" in said[0] and "tested" in said[1]
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/asterisk").touch()
    assert packages.install(Settings(voice_root=str(tmp_path)), said.append) is False


def test_without_an_engine_its_processes_are_left_out_with_a_reason(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    assert "jilink voice install" in settings.absent("engine") and settings.readiness("voice") is None
    elsewhere = Settings(data=tmp_path, voice_nodes="east=http://10.1.0.5:8088")
    assert elsewhere.absent("voice") == "" and "JILINK_VOICE_NODES" in elsewhere.absent("engine")
