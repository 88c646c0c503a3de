"""Frames and data blocks of an upload are told apart, wherever the stream is cut."""

from __future__ import annotations

from random import Random

import pytest

from jilink.kernel.errors import Malformed
from jilink.protocols.jt808.attachments import AttachmentSplitter
from jilink.protocols.jt808.codec import encode_frame
from jilink.protocols.jt808.safety import AttachmentData


def block(offset: int, data: bytes) -> tuple[AttachmentData, bytes]:
    record = AttachmentData(magic=b"\x30\x31\x63\x64", name="00_65_6502_0_ab12.jpg", offset=offset, data=data)
    out = bytearray()
    record.write(out)
    return record, bytes(out)


def upload(rng: Random) -> tuple[list[object], bytes]:
    """Return what should be found, and the stream."""
    expected: list[object] = []
    stream = b""
    for number in range(6):
        (frame,) = encode_frame(0x1211, {"name": "a.jpg", "type": 0, "size_bytes": number}, phone="13800138000", serial=number)
        record, raw = block(number * 100, b"\x7e\x30\x31\x63\x64" + rng.randbytes(rng.randrange(90)))
        expected += [frame[1:-1], record]
        stream += frame + raw
    return expected, stream


def test_a_stream_cut_anywhere_gives_the_same_frames_and_blocks() -> None:
    rng = Random(8)
    expected, stream = upload(rng)
    assert AttachmentSplitter().feed(stream) == expected
    for _ in range(100):
        cuts = sorted(rng.randrange(len(stream)) for _ in range(rng.randrange(20)))
        splitter = AttachmentSplitter()
        found: list[object] = []
        for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
            found += splitter.feed(stream[start:stop])
        assert found == expected
        assert splitter.waiting == 0
        assert splitter.skipped == 0


def test_noise_is_skipped_and_counted() -> None:
    record, raw = block(0, b"data")
    splitter = AttachmentSplitter()
    assert splitter.feed(b"GET 0 01 " + raw + b"xx" + raw) == [record, record]
    assert splitter.skipped == 11


def test_a_block_or_frame_that_is_too_long_is_malformed() -> None:
    _, raw = block(0, b"")
    for stream in (raw[:-4] + b"\x00\x01\x00\x01", b"\x7e" + bytes(5000)):
        with pytest.raises(Malformed) as caught:
            AttachmentSplitter().feed(stream)
        assert caught.value.reason == "too-long"


def test_random_bytes_raise_only_malformed_and_are_not_kept() -> None:
    rng = Random(9)
    for _ in range(300):
        splitter = AttachmentSplitter()
        try:
            for _ in range(20):
                splitter.feed(rng.choice((b"\x7e", b"\x30\x31\x63\x64", b"")) + rng.randbytes(rng.randrange(300)))
                assert splitter.waiting < 70_000
        except Malformed:
            pass
