"""The short form of the fuzzer; `make fuzz` runs the long one."""

from __future__ import annotations

from .fuzz import GROWTH, work


def test_random_and_mutated_frames_raise_only_malformed_and_keep_memory_flat() -> None:
    outcomes, growth = work(seed=20, count=40_000)
    assert outcomes.total() >= 40_000
    assert outcomes["decoded"] > 5_000
    assert growth < GROWTH
