"""What is heard: mu-law and tones (Goertzel)."""

import numpy as np

RATE = 8000
_BIAS, _CLIP = 0x84, 32635


def _decode_all() -> np.ndarray:
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4) & 7, code & 15
    value = ((mantissa.astype(np.int32) << 3) + _BIAS) << exponent.astype(np.int32)
    value -= _BIAS
    return np.where(code & 0x80, -value, value).astype(np.int16)


_DECODED = _decode_all()
_ORDER = np.argsort(_DECODED, kind="stable")


def decode(data: bytes) -> np.ndarray:
    """ITU-T G.711 mu-law to samples."""
    return _DECODED[np.frombuffer(data, np.uint8)]


def encode(samples: np.ndarray) -> bytes:
    """Samples to the nearest mu-law."""
    places = np.clip(np.searchsorted(_DECODED[_ORDER], samples), 0, 255)
    return _ORDER[places].astype(np.uint8).tobytes()


def tone(hz: float, samples: int, start: int = 0, level: float = 6000) -> np.ndarray:
    """Part of an endless tone."""
    return (level * np.sin(2 * np.pi * hz * (start + np.arange(samples)) / RATE)).astype(np.int16)


def strength(samples: np.ndarray, hz: float) -> float:
    """How loud one tone is in a piece of sound: the amplitude of that frequency (Goertzel)."""
    if len(samples) < 400:
        return 0.0
    window = np.hanning(len(samples))
    wave = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / RATE)
    return float(2 * abs(np.sum(samples * window * wave)) / window.sum())
