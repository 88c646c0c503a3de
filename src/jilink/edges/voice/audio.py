"""Sound as telephones carry it: 8000 samples a second of 16 bits. Pure."""

import io
import wave

import numpy as np
from numpy.typing import NDArray

from jilink.kernel.errors import Malformed

RATE = 8000
LONGEST_S = 3600
TAPS = 32
Samples = NDArray[np.int16]


class NotAudio(Malformed):
    """Bytes that are no WAV of 16 bits, or a longer one than can be played."""


def read(data: bytes) -> Samples:
    """Return a WAV of 16 bits as one channel at the telephone's rate. Raises NotAudio."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            rate, channels, width, count = file.getframerate(), file.getnchannels(), file.getsampwidth(), file.getnframes()
            if width != 2 or not 4000 <= rate <= 192_000 or not 1 <= channels <= 8 or count > LONGEST_S * rate:
                raise NotAudio("kind", f"{width * 8} bits, {channels} channels, {rate} Hz, {count} samples")
            raw = file.readframes(count)
    except (wave.Error, EOFError) as error:
        raise NotAudio("wav", str(error)) from error
    whole = len(raw) // (2 * channels) * channels * 2
    mixed = np.frombuffer(raw[:whole], "<i2").reshape(-1, channels).mean(axis=1)
    return to_rate(mixed, rate)


def to_rate(samples: NDArray[np.floating], rate: int) -> Samples:
    """Return samples of another rate at the telephone's, what it cannot carry filtered away (windowed sinc)."""
    if rate == RATE or not len(samples):
        return _whole(samples)
    cut = min(1.0, RATE / rate) * 0.92
    half = int(TAPS / cut)
    padded = np.concatenate([np.zeros(half), samples, np.zeros(half + 1)])
    blocks, step = [], 4000
    total = int(len(samples) * RATE / rate)
    reach = np.arange(-half, half + 1)
    for first in range(0, total, step):
        at = np.arange(first, min(first + step, total)) * (rate / RATE)
        nearest = np.floor(at).astype(np.int64)
        distance = reach[None, :] - (at - nearest)[:, None]
        weights = cut * np.sinc(cut * distance) * (0.5 + 0.5 * np.cos(np.pi * np.clip(distance / (half + 1), -1, 1)))
        blocks.append((padded[nearest[:, None] + half + reach[None, :]] * weights).sum(axis=1))
    return _whole(np.concatenate(blocks))


def tone(hz: int, ms: int) -> Samples:
    """Return a beep with soft edges; silence where `hz` is 0."""
    at = np.arange(RATE * ms // 1000) / RATE
    edge = np.clip(np.minimum(at, ms / 1000 - at) / 0.008, 0, 1)
    return _whole(8000 * np.sin(2 * np.pi * hz * at) * edge)


def silence(ms: int) -> Samples:
    """Return silence."""
    return np.zeros(RATE * ms // 1000, np.int16)


def write(samples: NDArray[np.int16], channels: int = 1) -> bytes:
    """Return a WAV at the telephone's rate."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return target.getvalue()


def header(size: int, channels: int) -> bytes:
    """Return the 44 bytes before `size` bytes of samples (RIFF WAVE, PCM)."""
    length = size.to_bytes(4, "little")
    numbers = [(16, 4), (1, 2), (channels, 2), (RATE, 4), (RATE * 2 * channels, 4), (2 * channels, 2), (16, 2)]
    form = b"".join(value.to_bytes(width, "little") for value, width in numbers)
    return b"RIFF" + (size + 36).to_bytes(4, "little") + b"WAVEfmt " + form + b"data" + length


def music() -> Samples:
    """Return 32 seconds of calm chords that join at their ends: what callers hear who wait. Made here: nobody else's."""
    chords = ((220.0, 261.63, 329.63), (174.61, 220.0, 261.63), (130.81, 196.0, 329.63), (196.0, 246.94, 293.66))
    beat = RATE // 2
    total = np.zeros(RATE * 32)
    for number in range(64):
        notes = chords[number // 4 % 4]
        pitch = notes[(0, 2, 1, 2)[number % 4]] * (2 if number % 8 in (3, 6) else 1)
        length = beat * 3
        at = np.arange(length) / RATE
        voice = sum(np.sin(2 * np.pi * pitch * part * at) / part**2 for part in (1, 2, 3))
        shaped = voice * np.exp(-at * 2.2) * np.clip(at / 0.02, 0, 1) * np.clip((length / RATE - at) / 0.05, 0, 1)
        places = (number * beat + np.arange(length)) % len(total)
        total[places] += shaped
    return _whole(total / np.abs(total).max() * 6000)


def _whole(samples: NDArray[np.floating]) -> Samples:
    whole: Samples = np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
    return whole
