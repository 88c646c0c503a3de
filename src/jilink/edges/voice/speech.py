"""Text to speech behind one small interface; the embedded default is espeak-ng."""

import subprocess
from typing import Protocol

from jilink.edges.voice import audio
from jilink.edges.voice.engine.places import Programs
from jilink.kernel.errors import Refused, Unavailable

LONGEST = 2000
PATIENCE_S = 30.0


class SpeechRefused(Refused):
    """The text cannot be spoken: a language nobody here speaks, or too long."""


class SpeechFailed(Unavailable):
    """The speaker did not speak."""


class Speaker(Protocol):
    """Speaks texts. Called in threads."""

    @property
    def name(self) -> str:
        """Name and version: what another one has spoken is not played in its place."""

    def speak(self, text: str, language: str) -> audio.Samples:
        """Return the spoken text. Raises SpeechRefused, SpeechFailed."""


class Espeak:
    """espeak-ng (its manual page): small, offline, some hundred languages, a robot's voice."""

    VOICES = {"zh": "cmn", "en": "en-gb", "ko": "ko"}
    SPEED = {"zh": "165", "en": "155", "ko": "150"}

    def __init__(self, programs: Programs) -> None:
        self._command = programs.command("usr/bin/espeak-ng")
        self._data = programs.libraries / "espeak-ng-data"
        if not self._data.is_dir():
            self._data = programs.root / "usr/share/espeak-ng-data"
        self.name = "espeak-ng"

    def speak(self, text: str, language: str) -> audio.Samples:
        """Return the spoken text. Raises SpeechRefused, SpeechFailed."""
        language = language.split("-")[0].lower()
        if language not in self.VOICES:
            raise SpeechRefused("nobody speaks %(language)r; there are: %(known)s", language=language, known=", ".join(self.VOICES))
        if len(text) > LONGEST or not text.strip():
            raise SpeechRefused("a text to be spoken has 1 to %(most)d characters", most=LONGEST)
        plain = " ".join("".join(c if c.isprintable() else " " for c in text).split()).replace("[[", "[ [")
        options = ["-v", self.VOICES[language], "-s", self.SPEED[language], "-b", "1", "--stdin", "--stdout"]
        try:
            done = subprocess.run(
                [*self._command, f"--path={self._data.parent}", *options],
                input=plain.encode(),
                capture_output=True,
                timeout=PATIENCE_S,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise SpeechFailed(f"espeak-ng: {error!r}") from error
        return _wave(done.stdout)


def _wave(data: bytes) -> audio.Samples:
    """Return the sound; espeak-ng cannot know the length when it writes the header of a pipe, so that it is taken from the bytes."""
    if data[:4] != b"RIFF" or len(data) < 46:
        raise SpeechFailed("espeak-ng gave no sound")
    size = len(data) - 44
    return audio.read(data[:4] + (size + 36).to_bytes(4, "little") + data[8:40] + size.to_bytes(4, "little") + data[44:])
