"""The process `voice`: one owner an engine, phones and trunks from their buckets, speech."""

import asyncio
from contextlib import aclosing

import structlog

from jilink.edges.voice.engine import places
from jilink.edges.voice.nodes import nodes
from jilink.edges.voice.owner import Owner
from jilink.edges.voice.phones import Lines
from jilink.edges.voice.shelf import Shelf
from jilink.edges.voice.speech import Espeak
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import Settings
from jilink.spine import process, subjects
from jilink.spine.buckets import Change
from jilink.spine.calls.sealing import unseal
from jilink.spine.client import Spine, connect, ensure
from jilink.spine.subjects import Bucket

log = structlog.get_logger(__name__)
TIDY_EVERY_S = 86400.0
GRACE_S = 5.0
BUCKETS = (subjects.PHONES, subjects.TRUNKS)


def main(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT; calls go on without it. Raises SettingsRefused, EngineMissing."""
    voice = Voice(settings)
    process.run("voice", settings, voice.run, voice.why_not, grace_s=GRACE_S)


class Voice:
    """What the process holds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._nodes = nodes(settings)
        self._speaker = Espeak(places.speaking(settings))
        self._owners: list[Owner] = []
        self._lines: list[Lines] = []
        self._spine: Spine | None = None

    def why_not(self) -> list[str]:
        """Return why calls cannot be served now."""
        if self._spine is None or not self._spine.connected:
            return ["no connection to the spine"]
        return [owner.why_not for owner in self._owners if owner.why_not] if self._owners else ["phones and trunks are not read yet"]

    async def run(self, stopped: asyncio.Event) -> None:
        """Work until told to stop."""
        async with connect(self._settings, name="voice") as spine:
            await ensure(spine)
            self._spine = spine
            shelf = Shelf(places.folder(self._settings) / "sounds", self._speaker, spine)
            self._lines = [Lines(self._unseal) for _ in self._nodes]
            read = [asyncio.Event() for _ in BUCKETS]
            work = [asyncio.create_task(self._follow(spine, bucket, ready)) for bucket, ready in zip(BUCKETS, read, strict=True)]
            for ready in read:
                await ready.wait()
            owners = [Owner(node, spine, shelf, lines, utc_now) for node, lines in zip(self._nodes, self._lines, strict=True)]
            self._owners = owners
            work += [asyncio.create_task(owner.run()) for owner in owners]
            work.append(asyncio.create_task(_tidy(shelf)))
            work.append(asyncio.create_task(_true(stopped)))
            try:
                done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in work:
                    task.cancel()
                await asyncio.gather(*work, return_exceptions=True)

    async def _follow(self, spine: Spine, bucket: Bucket, read: asyncio.Event) -> None:
        """Follow a bucket, and let every owner know of changes."""
        async with aclosing(spine.bucket(bucket).watch()) as changes:
            async for change in changes:
                if change.ready:
                    read.set()
                else:
                    self._note(change)
                if read.is_set():
                    for owner in self._owners:
                        await owner.lines_changed()

    def _unseal(self, kept: str) -> str:
        """Return a trunk's password. Raises SealedElsewhere."""
        path = self._settings.data / "secret_key"
        return unseal(path.read_text(encoding="ascii").strip() if path.exists() else "", kept)

    def _note(self, change: Change) -> None:
        for lines in self._lines:
            lines.change(change.key, change.value)


async def _tidy(shelf: Shelf) -> None:
    while True:
        try:
            if count := await asyncio.to_thread(shelf.tidy):
                log.info("voice.sounds_removed", count=count)
        except (OSError, Unavailable) as error:
            log.warning("voice.sounds_stay", reason=repr(error))
        await asyncio.sleep(TIDY_EVERY_S)


async def _true(stopped: asyncio.Event) -> None:
    await stopped.wait()
