"""Bytes out of slots."""

import numpy as np
import pytest

from jilink.edges.terminals.loops.gather import joined


@pytest.mark.parametrize("longest", [0, 1, 70, 512])
@pytest.mark.parametrize("in_order", [True, False])
def test_slots_are_joined_as_one_by_one_even_where_lengths_differ_much(longest: int, in_order: bool) -> None:
    dice = np.random.default_rng(longest)
    memory = dice.integers(0, 256, 64 * 512).astype(np.uint8)
    slots = np.arange(50) if in_order else dice.permutation(64)[:50]
    lengths = dice.integers(0, 3, 50)
    lengths[7] = longest
    expected = b"".join(memory[slot * 512 :][:length].tobytes() for slot, length in zip(slots, lengths, strict=True))
    assert joined(memory, 512, None if in_order else slots, lengths).tobytes() == expected
