"""The engine's own sounds: music for those who wait, and what a caller hears when nobody at all can take the call."""

from pathlib import Path

import numpy as np

from jilink.edges.voice import audio
from jilink.edges.voice.engine.places import Programs
from jilink.edges.voice.shelf import write
from jilink.edges.voice.speech import Espeak

BUSY = (("zh", "您好，所有线路都忙，请您稍后再拨。"), ("en", "All our lines are busy. Please call again later."))


def prepare(base: Path, programs: Programs) -> None:
    """Make what is not there yet. Raises SpeechFailed, EngineMissing."""
    if not (base / "music/calm.wav").exists():
        write(base / "music/calm.wav", audio.write(audio.music()))
    if not (base / "busy.wav").exists():
        speaker = Espeak(programs)
        parts = [part for language, text in BUSY for part in (speaker.speak(text, language), audio.silence(600))]
        write(base / "busy.wav", audio.write(np.concatenate(parts)))
