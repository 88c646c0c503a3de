"""Sound as it is kept: WAV of G.711, half of what the engine writes. Pure.

Lines carry G.711 anyway (ITU-T G.711), so that a call between telephones loses nothing, every browser and program plays it, and a byte's
place is its time: any range can be played by itself. Of both laws the one is taken that changes the fewest samples.
"""

import io
import struct
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from jilink.kernel.errors import Malformed

ALAW, ULAW = 6, 7
"""As WAV names them (RFC 2361, WAVE_FORMAT_ALAW and WAVE_FORMAT_MULAW)."""
BLOCK = 400_000
"""Frames that are looked at together."""
MOST_PEAKS, PEAK_S, STEP_S = 4000, 0.25, 0.01
HEADER = 58


class NotARecording(Malformed):
    """Bytes that are no WAV of 16 bits with one or two sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A recording that was looked at."""

    data: bytes
    """The WAV as the engine wrote it."""
    channels: int
    rate: int
    frames: int
    law: int
    peaks: bytes
    """Pairs of bytes, caller and agent: 0 silent, 255 as loud as can be, as the square root of the amplitude."""

    @property
    def seconds(self) -> float:
        """Return how long it is."""
        return self.frames / self.rate

    @property
    def size(self) -> int:
        """Return how many bytes `played` yields."""
        return HEADER + self.frames * self.channels

    def played(self) -> Iterator[bytes]:
        """Yield the WAV as it is played, in pieces."""
        yield header(self.law, self.channels, self.rate, self.frames)
        table = _tables()[self.law][0]
        for block in _blocks(self.data):
            yield table[block.astype(np.int32).reshape(-1) + 32768].tobytes()


def look_at(data: bytes) -> Sound:
    """Return what a recording of the engine is like. Raises NotARecording."""
    with _opened(data) as file:
        channels, rate, frames = file.getnchannels(), file.getframerate(), file.getnframes()
    peaks = np.zeros((max(1, min(MOST_PEAKS, int(frames / rate / PEAK_S) + 1)), 2), np.int32)
    wrong, step, done = {ALAW: 0, ULAW: 0}, max(1, int(rate * STEP_S)), 0
    for block in _blocks(data):
        for law in wrong:
            encode, decode = _tables()[law]
            flat = block.astype(np.int32).reshape(-1)
            wrong[law] += int(np.count_nonzero(decode[encode[flat + 32768]] != flat))
        loud = np.abs(block.astype(np.int32))
        starts = np.arange(0, len(loud), step)
        at = np.minimum((done + starts) * len(peaks) // max(1, frames), len(peaks) - 1)
        for side in range(channels):
            np.maximum.at(peaks[:, side], at, np.maximum.reduceat(loud[:, side], starts))
        done += len(block)
    scaled = np.minimum(255, np.round(np.sqrt(peaks / 32768) * 255)).astype(np.uint8)
    law = ALAW if wrong[ALAW] <= wrong[ULAW] else ULAW
    return Sound(data=data, channels=channels, rate=rate, frames=done, law=law, peaks=scaled.tobytes())


def header(law: int, channels: int, rate: int, frames: int) -> bytes:
    """Return the head of a WAV of G.711 (RIFF with `fmt `, `fact` and `data`)."""
    size = frames * channels
    form = struct.pack("<HHIIHHH", law, channels, rate, rate * channels, channels, 8, 0)
    return b"".join(
        (
            b"RIFF" + struct.pack("<I", HEADER - 8 + size) + b"WAVE",
            b"fmt " + struct.pack("<I", len(form)) + form,
            b"fact" + struct.pack("<II", 4, frames),
            b"data" + struct.pack("<I", size),
        )
    )


def _opened(data: bytes) -> wave.Wave_read:
    try:
        file = wave.Wave_read(io.BytesIO(data))
    except (wave.Error, EOFError) as error:
        raise NotARecording("wav", str(error)) from error
    if file.getsampwidth() != 2 or file.getnchannels() not in (1, 2) or not 4000 <= file.getframerate() <= 48_000:
        raise NotARecording("kind", f"{file.getsampwidth() * 8} bits, {file.getnchannels()} sides, {file.getframerate()} Hz")
    return file


def _blocks(data: bytes) -> Iterator[NDArray[np.int16]]:
    with _opened(data) as file:
        channels = file.getnchannels()
        while raw := file.readframes(BLOCK):
            whole = len(raw) // (2 * channels) * 2 * channels
            yield np.frombuffer(raw[:whole], "<i2").reshape(-1, channels)


@cache
def _tables() -> dict[int, tuple[NDArray[np.uint8], NDArray[np.int32]]]:
    """Return for each law the code of every sample (by sample + 32768) and the sample of every code."""
    return {law: (_nearest(values), values) for law, values in ((ALAW, _alaw()), (ULAW, _ulaw()))}


def _alaw() -> NDArray[np.int32]:
    """Return the samples of the codes of A-law (G.711, table 1, scaled to 16 bits)."""
    code = np.arange(256) ^ 0x55
    segment, step = (code & 0x70) >> 4, ((code & 0x0F) << 4) + 8
    value = np.where(segment == 0, step, (step + 0x100) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, value, -value).astype(np.int32)


def _ulaw() -> NDArray[np.int32]:
    """Return the samples of the codes of mu-law (G.711, table 2, scaled to 16 bits)."""
    code = ~np.arange(256) & 0xFF
    value = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -value, value).astype(np.int32)


def _nearest(values: NDArray[np.int32]) -> NDArray[np.uint8]:
    order = np.argsort(values, kind="stable")
    borders = (values[order][1:] + values[order][:-1]) / 2
    return order[np.searchsorted(borders, np.arange(-32768, 32768))].astype(np.uint8)
