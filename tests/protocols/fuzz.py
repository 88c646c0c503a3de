"""Throws random and mutated frames at the decoder: nothing but Malformed may rise, and memory stays flat.

`python -m tests.protocols.fuzz --frames 10000000 --workers 2`
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

from jilink.kernel.errors import Malformed
from jilink.protocols.jt808 import frame as framing
from jilink.protocols.jt808.codec import Header, decode_body, encode_message, open_frame, profile_of, random_message
from jilink.protocols.jt808.frame import Splitter
from jilink.protocols.jt808.joiner import Joiner
from jilink.protocols.jt808.message import MESSAGES
from jilink.protocols.jt808.vendors import PROFILES

from .stated import captures

GROWTH = 16_000_000
"""Bytes the process may grow after the first tenth."""

IDS = sorted({number for number, _, _ in MESSAGES})
KEYS = sorted((number, year) for number, _, year in MESSAGES)


class Fuzzer:
    """Makes frames from one seed and feeds them."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.frames = [bytes.fromhex(row.frame) for row in captures()]
        self.outcomes: Counter[str] = Counter()
        self.joiner = Joiner(most_bytes=200_000)
        self.splitter = Splitter()
        self.profiles = [profile_of(name) for name in PROFILES]

    def run(self, count: int) -> None:
        """Feed that many frames."""
        makers = (self.noise, self.plausible, self.mutated, self.mutated, self.sealed, self.sealed, self.instance)
        for number in range(count):
            raw = self.rng.choice(makers)()
            self.feed(raw, float(number))

    def feed(self, raw: bytes, now: float) -> None:
        """Decode, render and, where it decodes whole, encode again; count what came of it."""
        try:
            packet = open_frame(raw)
            joined = self.joiner.add(packet.header, packet.body, now)
            if joined is None:
                self.outcomes["part"] += 1
                return
            decoded = decode_body(joined.header, joined.body, self.rng.choice(self.profiles), packet.tolerances)
            decoded.render()
            self.outcomes["decoded"] += 1
        except Malformed as error:
            self.outcomes[error.reason] += 1
        if now % 50 == 0:
            self.joiner.due(now)
            self.stream(raw)

    def stream(self, raw: bytes) -> None:
        """Feed the bytes in two pieces to a splitter that never starts afresh."""
        cut = self.rng.randrange(len(raw) + 1)
        try:
            self.splitter.feed(raw[:cut])
            self.splitter.feed(raw[cut:] + self.rng.randbytes(self.rng.randrange(60)))
        except Malformed as error:
            self.outcomes[error.reason] += 1
        if self.splitter.waiting > framing.MOST_FRAME:
            raise AssertionError("the splitter keeps more than a frame")

    def noise(self) -> bytes:
        """Return random bytes."""
        return self.rng.randbytes(self.rng.randrange(64))

    def plausible(self) -> bytes:
        """Return a frame of a known id, with a right checksum and a random body."""
        body = self.rng.randbytes(self.rng.randrange(120))
        year = self.rng.choice((2013, 2019))
        parts = self.rng.choice((0, 0, 0, 3))
        header = Header(
            id=self.rng.choice(IDS),
            phone=f"{self.rng.randrange(5):011}",
            serial=self.rng.randrange(65536),
            year=2019 if year == 2019 else 2013,
            total=parts,
            index=self.rng.randrange(5) if parts else 0,
            encryption=self.rng.choice((0, 0, 0, 0, 1, 2)),
        )
        return framing.wrap(header.encode(len(body)) + body)

    def mutated(self) -> bytes:
        """Return a capture with bytes changed, cut, doubled or put in."""
        return self.mutate(bytearray(self.rng.choice(self.frames)))

    def sealed(self) -> bytes:
        """Return a mutated capture whose checksum is right again."""
        raw = self.rng.choice(self.frames)
        try:
            packet = framing.STANDARD.unescape(raw[1:-1])[:-1]
        except Malformed:
            return raw
        return framing.wrap(self.mutate(bytearray(packet)))

    def instance(self) -> bytes:
        """Return a random instance of a random message, perhaps mutated."""
        number, year = self.rng.choice(KEYS)
        message = random_message(number, year, self.rng)
        frames = encode_message(message, Header(id=number, phone="13800138000", serial=1, year=2019 if year == 2019 else 2013))
        raw = self.rng.choice(frames)
        return self.mutate(bytearray(raw)) if self.rng.random() < 0.5 else raw

    def mutate(self, raw: bytearray) -> bytes:
        """Change bytes here and there."""
        for _ in range(self.rng.randint(1, 4)):
            place = self.rng.randrange(len(raw)) if raw else 0
            match self.rng.randrange(5):
                case 0 if raw:
                    raw[place] = self.rng.randrange(256)
                case 1 if raw:
                    raw[place] ^= 1 << self.rng.randrange(8)
                case 2:
                    del raw[place : place + self.rng.randrange(8)]
                case 3:
                    raw[place:place] = self.rng.randbytes(self.rng.randrange(8))
                case _:
                    raw[place : place + 4] = self.rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"))
        return bytes(raw)


def resident() -> int:
    """Return the bytes this process holds in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def work(seed: int, count: int) -> tuple[Counter[str], int]:
    """Fuzz in this process; return what came of it and the growth of memory after the first tenth."""
    fuzzer = Fuzzer(seed)
    fuzzer.run(count // 10)
    gc.collect()
    before = resident()
    fuzzer.run(count - count // 10)
    gc.collect()
    return fuzzer.outcomes, resident() - before


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=10_000_000)
    parser.add_argument("--workers", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with multiprocessing.Pool(options.workers) as pool:
        share = -(-options.frames // options.workers)
        found = pool.starmap(work, [(options.seed * 1000 + number, share) for number in range(options.workers)])
    outcomes = sum((counts for counts, _ in found), Counter())
    growth = max(grown for _, grown in found)
    seconds = time.monotonic() - began
    sys.stdout.write(f"{share * options.workers} frames in {seconds:.0f} s, nothing but Malformed rose; memory grew by {growth} bytes\n")
    for outcome, count in outcomes.most_common():
        sys.stdout.write(f"  {outcome}: {count}\n")
    if growth > GROWTH:
        sys.exit(f"memory grew by more than {GROWTH} bytes")


if __name__ == "__main__":
    main()
