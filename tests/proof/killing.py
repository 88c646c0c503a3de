"""Kills processes of a running installation with SIGKILL, at moments and in an order that a seed decides."""

import asyncio
import contextlib
import os
import signal
from collections import Counter
from random import Random

from tests.site.installation import Up, children_of

TARGETS = {"terminals": 1, "worker": 3, "spine": 3, "history": 2, "watch": 2}
"""Whom to kill and how often among all: the gateway with all its workers, one worker, nats-server, history, watch."""
PAUSE_S = (1.0, 5.0)


async def kill_at_random(up: Up, seed: int, seconds: float) -> Counter[str]:
    """Kill for so long; return how often each target was hit. The supervisor starts them again."""
    dice = Random(seed)
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    hits: Counter[str] = Counter()
    while loop.time() < end:
        await asyncio.sleep(dice.uniform(*PAUSE_S))
        target = dice.choices(list(TARGETS), list(TARGETS.values()))[0]
        if await asyncio.to_thread(_kill, up, target, dice):
            hits[target] += 1
    return hits


def _kill(up: Up, target: str, dice: Random) -> bool:
    leader = up.children().get("terminals" if target == "worker" else target)
    if leader is None:  # it is just being started again
        return False
    with contextlib.suppress(ProcessLookupError):
        if target == "worker":
            workers = children_of(leader)
            if not workers:
                return False
            os.kill(dice.choice(sorted(workers)), signal.SIGKILL)
        elif target == "terminals":
            os.killpg(leader, signal.SIGKILL)
        else:
            os.kill(leader, signal.SIGKILL)
        return True
    return False
