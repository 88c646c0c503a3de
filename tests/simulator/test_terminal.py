"""A terminal on its own: every position is kept until its success has come, and orders are obeyed."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from jilink.protocols.jt808 import codec
from jilink.protocols.jt808.frame import Splitter
from jilink.protocols.jt808.joiner import Joiner
from jilink.protocols.wire.groups import Tag, Tags
from jilink.simulator.journal import Journal
from jilink.simulator.register import Vehicle, register
from jilink.simulator.terminal import Habits, State, Terminal

START = datetime(2026, 11, 22, 8, tzinfo=UTC)
HABITS = Habits(report_s=10, heartbeat_s=60, answer_s=20, retries=2, tunnel_every_s=0, alarm_every_s=0)


class Platform:
    """The other end, as the standard writes it: reads what a terminal sends and sends what a test says."""

    def __init__(self, vehicle: Vehicle, habits: Habits = HABITS) -> None:
        self.journal = Journal()
        self.now = START
        self.terminal = Terminal(vehicle, habits, START, self.journal.note)
        self.year = 2019 if vehicle.year == 2019 else 2013
        self.got: list[codec.Decoded] = []
        self.raw: list[bytes] = []
        self._splitter, self._joiner, self._serial = Splitter(), Joiner(), 0

    def take(self, data: bytes) -> list[codec.Decoded]:
        found = []
        for piece in self._splitter.feed(data):
            self.raw.append(piece)
            packet = codec.open_frame(piece)
            whole = self._joiner.add(packet.header, packet.body, self.now.timestamp())
            if whole:
                found.append(codec.decode_body(whole.header, whole.body, codec.profile_of("standard")))
        self.got += found
        assert not [message for message in found if message.tolerances]
        return found

    def send(self, id: int, **fields: object) -> list[codec.Decoded]:
        self._serial += 1
        frames = codec.encode_frame(id, fields, phone=self.terminal.vehicle.phone, serial=self._serial, year=self.year)
        return self.take(b"".join(self.terminal.receive(frame, self.now) for frame in frames))

    def answer(self, message: codec.Decoded, result: int = 0) -> list[codec.Decoded]:
        return self.send(0x8001, reply_serial=message.header.serial, reply_id=message.id, result=result)

    def wait(self, seconds: float) -> list[codec.Decoded]:
        found, end = [], self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.now = min(max(self.terminal.next_at, self.now + timedelta(milliseconds=5)), end)
            found += self.take(self.terminal.tick(self.now))
        return found

    def log_in(self, token: str = "secret") -> list[codec.Decoded]:
        (first,) = self.take(self.terminal.connect(self.now))
        if first.id == 0x0100:
            (first,) = self.send(0x8100, reply_serial=first.header.serial, result=0, token=token)
        assert (first.id, first.fields.token) == (0x0102, token)
        return self.answer(first)


def _of(messages: Iterable[codec.Decoded], id: int) -> list[codec.Decoded]:
    return [message for message in messages if message.id == id]


@pytest.fixture(params=[2013, 2019])
def platform(request):
    return Platform(next(vehicle for vehicle in register(20) if vehicle.year == request.param))


def test_a_terminal_registers_once_and_then_remembers_its_token(platform):
    platform.log_in()
    assert platform.terminal.state is State.ONLINE
    assert _of(platform.got, 0x0100)[0].fields.plate == platform.terminal.vehicle.plate
    platform.terminal.disconnect(platform.now)
    platform.log_in()
    assert len(_of(platform.got, 0x0100)) == 1


def test_a_token_that_is_refused_is_forgotten(platform):
    platform.log_in()
    platform.terminal.disconnect(platform.now)
    (authentication,) = platform.take(platform.terminal.connect(platform.now))
    (registration,) = platform.answer(authentication, result=1)
    assert registration.id == 0x0100


def test_a_refused_registration_closes_the_connection_and_stays_away_for_a_while(platform):
    (registration,) = platform.take(platform.terminal.connect(platform.now))
    platform.send(0x8100, reply_serial=registration.header.serial, result=2)
    assert platform.terminal.state is State.REFUSED
    assert platform.terminal.wants_close
    assert platform.terminal.away_until > platform.now


def test_an_unanswered_position_is_sent_again_unchanged_and_counts_once(platform):
    platform.log_in()
    (first,) = _of(platform.wait(10), 0x0200)
    raw = platform.raw[-1]
    platform.wait(25)
    assert platform.raw.count(raw) == 2
    platform.answer(first)
    platform.answer(first)
    platform.wait(60)
    assert platform.raw.count(raw) == 2
    assert [entry.serial for entry in platform.journal.acknowledged] == [first.header.serial]


def test_a_failure_is_no_success_and_the_position_comes_again(platform):
    platform.log_in()
    (first,) = _of(platform.wait(10), 0x0200)
    raw = platform.raw[-1]
    platform.answer(first, result=1)
    assert platform.journal.acknowledged == []
    platform.wait(21)
    assert platform.raw.count(raw) == 2


def test_what_was_not_answered_before_the_connection_broke_comes_first_and_what_was_measured_without_it_as_backfill(platform):
    unanswered = [*_of(platform.log_in(), 0x0200), *_of(platform.wait(10), 0x0200)]
    raw = platform.raw[-1]
    platform.terminal.disconnect(platform.now)
    assert platform.wait(600) == []
    after = platform.log_in()
    assert raw in platform.raw[-8:]
    batches = _of(after, 0x0704)
    while batches:
        batch = batches.pop(0)
        assert batch.fields.type == 1
        batches += _of(platform.answer(batch), 0x0704)
    for message in unanswered:
        platform.answer(message)
    entries = platform.journal.acknowledged
    assert len(entries) == len({entry.measured_at for entry in entries} | {START}) == 62
    assert len({(entry.serial, entry.part) for entry in entries if entry.message == 0x0704}) == 60


def test_a_dead_connection_is_given_up(platform):
    platform.log_in()
    platform.wait(200)
    assert platform.terminal.wants_close


def test_a_heartbeat_goes_out_each_interval_and_parameters_change_the_intervals(platform):
    platform.log_in()
    platform.wait(59)
    for message in _of(platform.got, 0x0200):
        platform.answer(message)
    assert len(_of(platform.wait(2), 0x0002)) == 1
    table = [Tag(0x0029, 2), Tag(0x0001, 5)]
    (answer,) = platform.send(0x8103, parameters=Tags(table))
    assert (answer.id, answer.fields.result) == (0x0001, 0)
    for message in _of(platform.wait(10), 0x0200):
        platform.answer(message)
    reports = []
    for _ in range(10):
        reports += _of(platform.wait(2), 0x0200)
        platform.answer(reports[-1])
    assert 9 <= len(reports) <= 11
    (parameters,) = platform.send(0x8106, ids=[0x0029, 0x0001])
    assert {tag.id: tag.value for tag in parameters.fields.parameters} == {0x0029: 2, 0x0001: 5}


def test_a_photograph_is_cut_into_packages_and_missing_ones_are_sent_again(platform, tmp_path):
    platform.log_in()
    (answer,) = platform.send(0x8801, channel=1, command=1, interval=0, save=0, resolution=2, quality=3)
    (id,) = answer.fields.media
    assert answer.fields.result == 0
    found = platform.wait(2)
    (event,), (upload,) = _of(found, 0x0800), _of(found, 0x0801)
    assert event.fields.media == upload.fields.media == id
    (tmp_path / "photo.jpg").write_bytes(upload.fields.data)
    assert Image.open(tmp_path / "photo.jpg").size == (640, 480)
    before = len(platform.raw)
    platform.send(0x8800, media=id, packages=[2, 3])
    assert [codec.open_frame(raw).header.index for raw in platform.raw[before:]] == [2, 3]
    assert all(raw in platform.raw[:before] for raw in platform.raw[before:])
    platform.send(0x8800, media=id)
    assert platform.terminal.recordings == {}


def test_what_it_cannot_do_is_answered_as_unsupported(platform):
    platform.log_in()
    (answer,) = platform.send(0x8702) if platform.year == 2019 else platform.send(0x8700, command=2)
    assert (answer.id, answer.fields.result) == (0x0001, 3)


def test_an_emergency_lasts_until_somebody_confirms_it():
    habits = Habits(report_s=10, tunnel_every_s=0, alarm_every_s=20)
    platform = Platform(register(1)[0], habits)
    platform.log_in()
    seen = []
    for _ in range(5000):
        for message in _of(platform.wait(10), 0x0200):
            platform.answer(message)
            seen.append(message.fields.alarm)
            if message.fields.alarm & 1:
                platform.send(0x8203, alarm_serial=0, alarms=1)
                (after,) = _of(platform.wait(10), 0x0200)
                assert not after.fields.alarm & 1
                return
    raise AssertionError(f"no emergency among {set(seen)}")


def test_rubbish_from_the_platform_is_counted_and_changes_nothing(platform):
    platform.log_in()
    platform.terminal.receive(b"\x7e" + bytes(range(60)) + b"\x7e\x7e\x01\x7e", platform.now)
    assert platform.terminal.link.malformed >= 1
    assert platform.terminal.state is State.ONLINE
