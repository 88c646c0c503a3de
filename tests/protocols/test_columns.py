"""The columnar decoder says what the scalar decoder says, about the same bytes, however they arrive."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pytest

from jilink.kernel.errors import Malformed
from jilink.protocols.jt808.codec import Decoded, decode_frame, encode_body, encode_frame, encode_message, open_frame, random_message
from jilink.protocols.jt808.columns import REASONS, Batch, Decoder, encode_answers, phone_number, phone_text
from jilink.protocols.jt808.frame import STANDARD, Splitter, checksum, wrap
from jilink.protocols.jt808.general import PlatformAnswer
from jilink.protocols.jt808.header import Header
from jilink.protocols.jt808.message import Year
from jilink.protocols.jt808.position import PositionBatch, PositionBody
from jilink.protocols.wire.groups import Tags
from jilink.spine.measurements import POSITIONS

CAPTURES = Path(__file__).parents[1] / "captures" / "jt808" / "standard.tsv"
POSITION_MESSAGES = (0x0200, 0x0201, 0x0500, 0x0704)
YEARS: tuple[Year, ...] = (2013, 2019)
RECEIVED_MS = 1_790_000_000_000

_ITEM_COLUMNS = {column.name: column for column in PositionBody.items.columns() if column.name in POSITIONS.names}
_ITEM_LENGTHS = {(column.id, column.length) for column in _ITEM_COLUMNS.values()}


def decode(decoder: Decoder, pieces: Sequence[bytes], fds: Iterable[int] | None = None) -> Batch:
    """Decode one read a piece, each from a connection of its own unless told otherwise."""
    owners = np.arange(10, 10 + len(pieces)) if fds is None else np.array(list(fds), np.int64)
    data = np.frombuffer(b"".join(pieces), np.uint8)
    lengths = np.array([len(piece) for piece in pieces], np.int64)
    return decoder.decode(data, owners, lengths, np.ones(len(pieces), np.uint32))


def rows_of(decoder: Decoder, batch: Batch) -> list[dict[str, object]]:
    """Return the positions of a batch as the spine would carry them, with the row of their frame."""
    owner = np.arange(batch.frames.count)
    table = decoder.to_arrow(
        batch.positions,
        organisation=np.full(owner.size, 7),
        asset=owner,
        received_at=RECEIVED_MS,
        message=batch.frames.message,
        serial=batch.frames.serial,
    )
    table.validate(full=True)
    assert table.schema.equals(POSITIONS, check_metadata=True)
    rows: list[dict[str, object]] = table.to_pylist()
    return rows


def positions_in(message: Decoded, body: bytes) -> list[tuple[PositionBody, bytes, bool]]:
    """Return the positions a scalar message holds, the bytes of their items, and whether each was sent late."""
    fields = message.fields
    if isinstance(fields, PositionBatch):
        found, place = [], 3
        for position in fields.positions:
            end = place + 2 + int.from_bytes(body[place : place + 2])
            found.append((position, body[place + 30 : end], fields.type == 1))
            place = end
        return found
    if isinstance(fields, PositionBody):
        return [(fields, body[28:], False)]
    return [(fields.position, body[30:], False)]  # type: ignore[attr-defined]  # -- an answer to a command


def expected_rows(message: Decoded, body: bytes) -> list[dict[str, object]]:
    """Return what the columns must hold, from the scalar reading."""
    rows = []
    for part, (position, items, late) in enumerate(positions_in(message, body)):
        row: dict[str, object] = dict.fromkeys(POSITIONS.names)
        row |= {"message": message.id, "serial": message.header.serial, "part": part, "backfill": late}
        row |= {name: getattr(position, name) for name in ("alarm", "status", "altitude", "speed", "course", "measured_at")}
        valid = position.status >> 1 & 1
        row["latitude"] = position.latitude if valid and abs(position.latitude) <= 90_000_000 else None
        row["longitude"] = position.longitude if valid and abs(position.longitude) <= 180_000_000 else None
        row |= expected_items(position.items, items)
        rows.append(row)
    return rows


def expected_items(tags: Tags, raw: bytes) -> dict[str, object]:
    """Return the columns that the scalar items fill, and the bytes of all others."""
    found: dict[str, object] = {}
    seen: set[tuple[int, int]] = set()
    left, place = b"", 0
    for tag in tags:
        head = (raw[place], raw[place + 1])
        assert head[0] == tag.id
        end = place + 2 + head[1]
        if head in _ITEM_LENGTHS and head not in seen:
            seen.add(head)
            for name, column in _ITEM_COLUMNS.items():
                if column.id == tag.id:
                    found[name] = getattr(tag.value, name) if hasattr(tag.value, name) else tag.value
        else:
            left += raw[place:end]
        place = end
    assert raw[place:] == tags.tail
    return found | {"items": left + tags.tail or None}


def compare(frames: Sequence[bytes]) -> int:
    """Decode the frames both ways and compare everything; return how many positions were compared."""
    decoder = Decoder(POSITIONS)
    batch = decode(decoder, frames)
    assert batch.frames.count == len(frames)
    assert sorted([*batch.taken, *batch.others, *batch.bad]) == list(range(len(frames)))
    got: dict[int, list[dict[str, object]]] = {}
    for row in rows_of(decoder, batch):
        assert row["organisation"] == 7
        assert isinstance(row["received_at"], datetime)
        assert row["received_at"].timestamp() * 1000 == RECEIVED_MS
        got.setdefault(row["asset"], []).append(row)  # type: ignore[arg-type]  # -- the row number stands in for the asset
    bad = set(batch.bad.tolist())
    compared = 0
    for number, frame in enumerate(frames):
        assert batch.frames.raw(number) == frame
        try:
            message = decode_frame(frame)
        except Malformed as error:
            assert number in bad or number in batch.others, frame.hex()
            assert number not in got
            if number in bad:
                assert REASONS[batch.frames.reason[number]] == error.reason, frame.hex()
            continue
        forgiven = {tolerance.key for tolerance in message.tolerances}
        if number in bad:
            assert {"not-escaped", "cut-element"} & forgiven, frame.hex()  # the readable path has the last word
            continue
        body = open_frame(frame).body
        compare_header(batch, number, message)
        if number in got:
            expected = [
                row | {"organisation": 7, "asset": number, "received_at": got[number][0]["received_at"]}
                for row in expected_rows(message, body)
            ]
            assert got[number] == expected, frame.hex()
            compared += len(expected)
        else:
            plain = message.id in POSITION_MESSAGES and not message.header.encryption and not frame_is_package(frame)
            assert not plain or not positions_in(message, body), frame.hex()
    return compared


def frame_is_package(frame: bytes) -> bool:
    return bool(STANDARD.unescape(frame[1:-1])[2] & 0x20)


def compare_header(batch: Batch, row: int, message: Decoded) -> None:
    frames, header = batch.frames, message.header
    assert frames.message[row] == header.id
    assert frames.serial[row] == header.serial
    assert frames.year[row] == (2019 if header.year == 2019 else 2013)
    assert phone_text(int(frames.phone_high[row]), int(frames.phone[row]), int(frames.year[row])) == header.digits
    assert phone_number(header.phone) == (frames.phone_high[row], frames.phone[row])
    assert bool(frames.odd_length[row]) == ("body-length" in {tolerance.key for tolerance in message.tolerances})


def random_frames(count: int, rng: Random, messages: Sequence[int] = POSITION_MESSAGES) -> list[bytes]:
    frames: list[bytes] = []
    while len(frames) < count:
        year = rng.choice(YEARS)
        phone = f"{rng.randrange(10**12):012d}" if year == 2013 else f"{rng.randrange(10**20):020d}"
        header = Header(id=rng.choice(messages), phone=phone, serial=rng.randrange(65536), year=year)
        found = encode_message(random_message(header.id, year, rng), header)
        frames += found if len(found) == 1 else []
    return frames


def mutated(frame: bytes, rng: Random) -> bytes:
    """Return the frame with bytes of its body or header changed, cut or added, and a right checksum."""
    packet = bytearray(STANDARD.unescape(frame[1:-1])[:-1])
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(packet))
        change = rng.random()
        if change < 0.6:
            packet[place] = rng.choice((0, 1, 2, 4, 0xFF, 0x7D, 0x7E, rng.randrange(256)))
        elif change < 0.8 and len(packet) > 4:
            del packet[place : place + rng.randint(1, 8)]
        else:
            packet[place:place] = rng.randbytes(rng.randint(1, 8))
        if not packet:
            break
    return wrap(bytes(packet) or b"\0")


def capture_frames() -> list[bytes]:
    frames: list[bytes] = []
    for line in CAPTURES.read_text().splitlines():
        data = line.split("\t")[0]
        if data and not data.startswith("#"):
            frames += [b"\x7e" + frame + b"\x7e" for frame in Splitter(STANDARD).feed(bytes.fromhex(data))]
    return frames


def test_every_captured_frame_reads_as_in_the_scalar_decoder() -> None:
    frames = capture_frames()
    assert len(frames) > 300
    assert compare(frames) > 50


@pytest.mark.parametrize("seed", range(4))
def test_random_positions_read_as_in_the_scalar_decoder(seed: int) -> None:
    assert compare(random_frames(300, Random(seed))) >= 300


@pytest.mark.parametrize("seed", range(6))
def test_mutated_positions_read_or_fail_as_in_the_scalar_decoder(seed: int) -> None:
    rng = Random(1000 + seed)
    frames = [mutated(frame, rng) for frame in random_frames(400, rng)]
    assert compare([frame for frame in frames if 2 < len(frame) < 4096]) > 100


def test_mutated_captures_read_or_fail_as_in_the_scalar_decoder() -> None:
    rng = Random(5)
    frames = [mutated(frame, rng) for frame in capture_frames() for _ in range(3)]
    assert compare([frame for frame in frames if 2 < len(frame) < 4096]) > 50


def test_a_changed_byte_on_the_line_never_passes_unnoticed() -> None:
    rng = Random(8)
    frames = []
    for frame in random_frames(300, rng):
        place = rng.randrange(1, len(frame) - 1)
        changed = rng.choice([value for value in range(256) if value not in (frame[place], 0x7E)])
        frames.append(frame[:place] + bytes((changed,)) + frame[place + 1 :])
    compare(frames)
    batch = decode(Decoder(POSITIONS), frames)
    assert batch.bad.size > 290


def test_every_prefix_of_a_frame_gives_nothing_until_the_frame_is_whole() -> None:
    frame = random_frames(1, Random(3), [0x0200])[0]
    for cut in range(1, len(frame)):
        decoder = Decoder(POSITIONS)
        assert decode(decoder, [frame[:cut]]).frames.count == 0
        batch = decode(decoder, [frame[cut:]])
        assert batch.taken.tolist() == [0]
        assert batch.frames.raw(0) == frame
        assert decoder.carry.held == 0


@pytest.mark.parametrize("seed", range(5))
def test_streams_cut_anywhere_decode_alike(seed: int) -> None:
    rng = Random(seed)
    streams = {fd: random_frames(rng.randint(1, 8), rng) for fd in range(40, 80)}
    shared = {fd: b"\x7e" + b"".join(frame[1:] for frame in frames) for fd, frames in streams.items() if fd % 2}
    left = {fd: shared.get(fd) or b"".join(frames) for fd, frames in streams.items()}
    decoder = Decoder(POSITIONS)
    got: dict[int, list[bytes]] = {fd: [] for fd in streams}
    while left:
        reads: list[tuple[int, bytes]] = []
        for _ in range(rng.randint(1, 60)):
            fd = rng.choice([*left])
            cut = rng.choice((1, 2, len(left[fd]), rng.randint(1, len(left[fd]))))
            reads.append((fd, left[fd][:cut]))
            left[fd] = left[fd][cut:]
            if not left[fd]:
                del left[fd]
            if not left:
                break
        batch = decode(decoder, [piece for _, piece in reads], [fd for fd, _ in reads])
        assert batch.strays == []
        for row in range(batch.frames.count):
            got[int(batch.frames.fd[row])].append(batch.frames.raw(row))
    assert got == streams
    assert decoder.carry.held == 0


def test_random_bytes_give_frames_or_strays_but_no_exception() -> None:
    rng = Random(11)
    decoder = Decoder(POSITIONS)
    for _ in range(200):
        pieces = [bytes(rng.choices((0x7E, 0x7D, 0, 1, 2, 0x40, rng.randrange(256)), k=rng.randint(1, 200))) for _ in range(20)]
        batch = decode(decoder, pieces)
        rows_of(decoder, batch)
        assert batch.taken.size + batch.others.size + batch.bad.size == batch.frames.count
    assert decoder.carry.held <= 20 * 4096


def test_bytes_before_the_first_delimiter_are_reported_as_stray() -> None:
    decoder = Decoder(POSITIONS)
    frame = random_frames(1, Random(1), [0x0200])[0]
    batch = decode(decoder, [b"GET / HTTP/1.1\r\n", b"\r\n" + frame])
    assert [(stray.fd, stray.reason, stray.data) for stray in batch.strays] == [
        (10, "no-delimiter", b"GET / HTTP/1.1\r\n"),
        (11, "no-delimiter", b"\r\n"),
    ]
    assert batch.taken.size == 1
    assert batch.frames.fd.tolist() == [11]


def test_a_frame_without_end_is_dropped_at_the_bound_and_the_next_one_is_read() -> None:
    decoder = Decoder(POSITIONS, limit=1000)
    frame = random_frames(1, Random(1), [0x0200])[0]
    assert decode(decoder, [b"\x7e" + bytes(900)]).strays == []
    assert decoder.carry.held == 901
    (stray,) = decode(decoder, [bytes(200)]).strays
    assert (stray.reason, len(stray.data)) == ("too-long", 1101)
    assert decoder.carry.held == 0
    assert decode(decoder, [b"rest" + frame]).taken.size == 1


def test_what_a_closed_connection_left_never_joins_the_next_owner_of_its_descriptor() -> None:
    frame = random_frames(1, Random(1), [0x0200])[0]
    for forget in (True, False):
        decoder = Decoder(POSITIONS)
        fd, lengths = np.array([9]), np.array([20])
        decoder.decode(np.frombuffer(frame[:20], np.uint8), fd, lengths, np.array([4], np.uint32))
        if forget:
            decoder.carry.forget(fd)
            assert decoder.carry.held == 0
        batch = decoder.decode(np.frombuffer(frame[20:], np.uint8), fd, np.array([len(frame) - 20]), np.array([5], np.uint32))
        assert batch.taken.size == 0
        whole = decoder.decode(np.frombuffer(frame, np.uint8), fd, np.array([len(frame)]), np.array([5], np.uint32))
        assert whole.frames.raw(int(whole.taken[0])) == frame


def test_one_short_position_spoils_its_batch_for_the_hot_path_and_the_readable_path_saves_the_others() -> None:
    good = bytes(28)
    for bad in (b"\0\5" + bytes(5), b"\0\x1c" + bytes(5)):
        elements = [len(good).to_bytes(2) + good, bad] if len(bad) < 2 + bad[1] else [bad, len(good).to_bytes(2) + good]
        body = b"\0\2\1" + b"".join(elements)
        (frame,) = encode_body(body, Header(id=0x0704, phone="13900000001", serial=1))
        decoder = Decoder(POSITIONS)
        batch = decode(decoder, [frame])
        assert [REASONS[reason] for reason in batch.frames.reason] == ["truncated"]
        assert batch.positions.count == 0
        assert batch.bad.tolist() == [0]
        positions, cut = decoder.decode_bodies(0x0704, [body])
        message = decode_frame(frame)
        places = [place for place, element in enumerate(message.fields.positions) if isinstance(element, PositionBody)]
        assert positions.part.tolist() == places == [elements.index(len(good).to_bytes(2) + good)]
        assert cut.tolist() == [True]
        assert [one.key for one in message.tolerances] == ["cut-element"]
        assert encode_message(message.fields, message.header) == [frame]


def test_bodies_joined_from_packages_read_as_their_frames_do() -> None:
    rng = Random(21)
    decoder = Decoder(POSITIONS)
    for message in POSITION_MESSAGES:
        bodies = []
        for _ in range(20):
            out = bytearray()
            random_message(message, 2019, rng).write(out)
            bodies.append(bytes(out))
        bodies.append(b"\0\1\0\0\7")
        positions, spoilt = decoder.decode_bodies(message, bodies)
        assert np.flatnonzero(spoilt).tolist() == [20]
        for number in range(20):
            ((_, frames),) = [(number, encode_body(bodies[number], Header(id=message, phone="1", serial=2), longest=1023))]
            if len(frames) > 1:
                continue
            batch = decode(decoder, frames)
            mine = positions.frame == number
            assert mine.sum() == batch.positions.count
            assert positions.part[mine].tolist() == batch.positions.part.tolist()
            assert positions.columns["latitude"].values[mine].tolist() == batch.positions.columns["latitude"].values.tolist()


def test_rows_can_be_chosen_for_the_spine() -> None:
    decoder = Decoder(POSITIONS)
    batch = decode(decoder, random_frames(50, Random(2), [0x0200]))
    ones = np.ones(50, np.int64)
    told = {"organisation": ones, "asset": ones, "message": batch.frames.message, "serial": batch.frames.serial}
    whole = decoder.to_arrow(batch.positions, received_at=ones, **told)
    chosen = np.array([3, 7, 40])
    assert decoder.to_arrow(batch.positions, received_at=ones, rows=chosen, **told).equals(whole.take(pa.array(chosen)))


@pytest.mark.parametrize("years", [(2013,), (2019,), (2013, 2019)])
def test_answers_are_byte_for_byte_those_of_the_scalar_encoder(years: tuple[Year, ...]) -> None:
    rng = Random(len(years) * years[0])
    rows = []
    for _ in range(500):
        year = rng.choice(years)
        phone = "".join(rng.choices(("7d", "7e", "13", "01", "00"), k=10 if year == 2019 else 6))
        rows.append((phone, year, *(rng.choice((0x7E7D, 0x7D7E, 0, rng.randrange(65536))) for _ in range(3)), rng.randrange(5)))
    phones = [phone_number(row[0]) for row in rows]
    out, borders = encode_answers(
        np.array([low for _, low in phones], np.uint64),
        np.array([high for high, _ in phones], np.uint16),
        *(np.array([row[place] for row in rows], np.uint16) for place in (1, 2, 3, 4)),
        np.array([row[5] for row in rows], np.uint8),
    )
    for number, (phone, year, serial, reply_serial, reply_id, result) in enumerate(rows):
        answer = PlatformAnswer(reply_serial=reply_serial, reply_id=reply_id, result=result)
        (expected,) = encode_message(answer, Header(id=0x8001, phone=phone, serial=serial, year=year))
        assert out[borders[number] : borders[number + 1]].tobytes() == expected


def test_positions_are_null_where_the_terminal_was_not_positioned() -> None:
    (frame,) = encode_frame(0x0200, {"status": 0, "latitude": 43_800_000, "longitude": 125_300_000}, phone="1", serial=1)
    decoder = Decoder(POSITIONS)
    (row,) = rows_of(decoder, decode(decoder, [frame]))
    assert (row["latitude"], row["longitude"], row["measured_at"], row["items"]) == (None, None, None, None)


def test_the_29th_of_february_is_a_day_in_leap_years_only() -> None:
    decoder = Decoder(POSITIONS)
    frames = []
    for day in ("240229101112", "230229101112", "230431000000", "231231235959", "000101000000", "991301000000", "99123124ff00"):
        body = bytes(22) + bytes.fromhex(day)
        frames += encode_body(body, Header(id=0x0200, phone="1", serial=1))
    compare(frames)
    times = [row["measured_at"] is not None for row in rows_of(decoder, decode(decoder, frames))]
    assert times == [True, False, False, True, True, False, False]


def test_nothing_at_all_decodes_to_nothing() -> None:
    decoder = Decoder(POSITIONS)
    batch = decode(decoder, [])
    assert rows_of(decoder, batch) == []
    batch = decode(decoder, [b"\x7e", b"\x7e\x7e\x7e"])
    assert batch.frames.count == 0
    assert rows_of(decoder, batch) == []


def test_the_checksum_of_the_frame_itself_may_need_an_escape() -> None:
    for value in range(256):
        packet = b"\x02\x00\x00\x1c" + bytes(7) + bytes((value,)) + bytes(28)
        assert checksum(packet) == 0x1E ^ value
        batch = decode(Decoder(POSITIONS), [wrap(packet)])
        assert batch.taken.size == 1
