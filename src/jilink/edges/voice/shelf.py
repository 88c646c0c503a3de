"""Sounds as files that the engine plays: spoken texts, recorded ones and tones, each made once and named by what it is."""

import asyncio
import hashlib
import os
import time
from pathlib import Path

from jilink.edges.voice import audio
from jilink.edges.voice.speech import Speaker
from jilink.kernel.errors import Refused
from jilink.spine import calls
from jilink.spine.client import Spine

UNUSED_S = 30 * 86400
LONGEST_TONE_MS = 10_000


class NoSuchSound(Refused):
    """The object store has no audio of that name."""


class Shelf:
    """A folder of WAV files. Engines on other machines must see it under the same path."""

    def __init__(self, folder: Path, speaker: Speaker, spine: Spine) -> None:
        self._folder, self._speaker, self._spine = folder, speaker, spine
        self._making: dict[str, asyncio.Task[None]] = {}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def place(self, piece: calls.Piece) -> str:
        """Return what the engine is told to play. Raises SpeechRefused, SpeechFailed, NoSuchSound, NotAudio, Unavailable."""
        path = self._folder / f"{self._name(piece)}.wav"
        if path.exists():
            os.utime(path)
        else:
            if path.name not in self._making:
                self._making[path.name] = asyncio.create_task(self._make(piece, path))
            try:
                await asyncio.shield(self._making[path.name])
            finally:
                self._making.pop(path.name, None)
        return f"sound:{path.with_suffix('')}"

    def tidy(self) -> int:
        """Remove what nobody has played for a month; return how many."""
        old = [path for path in self._folder.glob("*") if path.stat().st_mtime < time.time() - UNUSED_S]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _name(self, piece: calls.Piece) -> str:
        if isinstance(piece, calls.Speech):
            words = f"{self._speaker.name}\n{piece.language}\n{piece.text}"
        elif isinstance(piece, calls.Recorded):
            words = f"recorded\n{piece.object}"
        else:
            words = f"tone\n{piece.hz}\n{piece.ms}"
        return hashlib.sha256(words.encode()).hexdigest()[:40]

    async def _make(self, piece: calls.Piece, path: Path) -> None:
        if isinstance(piece, calls.Speech):
            samples = await asyncio.to_thread(self._speaker.speak, piece.text, piece.language)
        elif isinstance(piece, calls.Recorded):
            data = await self._spine.get_object(piece.object)
            if data is None:
                raise NoSuchSound("there is no recorded audio %(name)r", name=piece.object)
            samples = await asyncio.to_thread(audio.read, data)
        else:
            if not (0 < piece.ms <= LONGEST_TONE_MS and 0 <= piece.hz < audio.RATE // 2):
                raise NoSuchSound("no tone of %(hz)d Hz and %(ms)d ms", hz=piece.hz, ms=piece.ms)
            samples = audio.tone(piece.hz, piece.ms)
        await asyncio.to_thread(write, path, audio.write(samples))


def write(path: Path, data: bytes) -> None:
    """Put a file there at once, whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(data)
    draft.replace(path)
