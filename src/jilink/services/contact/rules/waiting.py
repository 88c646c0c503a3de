"""What those who wait are told and offered: position, expected wait, callback, overflow, closed hours, a full queue. Times are seconds."""

import math
from enum import StrEnum

import msgspec

MOST_WAITING = 10_000
LONGEST_WAIT_S = 60_000
LONGEST_WRAP_UP_S = 3_600
"""Bounds of what a queue may be set to."""


class Serving(msgspec.Struct, frozen=True, kw_only=True):
    """Who serves a queue now, as far as a wait depends on it."""

    agents: int
    """Agents signed in and ready or busy who may serve it."""
    share: float = 1.0
    """The part of their contacts that comes from this queue, 0 to 1: 1 where they serve no other."""
    handling_s: float = 180.0
    """Mean time of a contact with wrap-up."""
    patience_s: float = 0.0
    """Mean time after which those who wait hang up; 0: nobody does."""
    free: int = 0
    """Agents who are free now."""


def expected_wait_s(position: int, serving: Serving) -> float | None:
    """Return how long whoever stands at `position` (from 1) will wait; None where nobody serves the queue.

    Each of those before has to be begun with, and so many contacts end a second: ``agents * share / handling``, besides those before who
    hang up: the one k-th from the end of the line leaves with the rate ``k / patience``. So the wait is the sum over the places before,
    ``1 / (agents * share / handling + k / patience)`` (Whitt, "Improving service by informing customers about anticipated delays",
    Management Science 45(2), 1999, equations for the M/M/s/r model with impatience). Its error is measured in the tests of this module.
    """
    if serving.agents <= 0 or serving.share <= 0:
        return None
    before = max(0, position - serving.free)
    rate = serving.agents * serving.share / max(1.0, serving.handling_s)
    leaving = 1 / serving.patience_s if serving.patience_s > 0 else 0.0
    return min(float(LONGEST_WAIT_S), sum(1 / (rate + k * leaving) for k in range(before)))


def told_minutes(wait_s: float) -> int:
    """Return the wait as it is said: whole minutes, rounded up, in steps of 5 above 10; an hour at the most."""
    minutes = max(1, math.ceil(wait_s / 60))
    return min(60, minutes if minutes <= 10 else math.ceil(minutes / 5) * 5)


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """When a queue takes nobody more, and when somebody who waits goes elsewhere. 0 switches a rule off."""

    most_waiting: int = 0
    most_wait_s: int = 0
    """Whoever waits longer goes where the queue overflows to."""
    most_expected_s: int = 0
    """Whoever would wait longer is not taken in."""


class Entry(StrEnum):
    """What becomes of somebody who comes to a queue."""

    WAITS = "waits"
    CLOSED = "closed"
    FULL = "full"
    TOO_LONG = "too_long"
    UNSTAFFED = "unstaffed"


def entry(rule: Rule, *, is_open: bool, waiting: int, staffed: bool, expected_s: float | None, emergency: bool = False) -> Entry:
    """Return whether a queue takes one more. An emergency is always taken."""
    if emergency:
        return Entry.WAITS
    if not is_open:
        return Entry.CLOSED
    if not staffed:
        return Entry.UNSTAFFED
    if waiting >= (rule.most_waiting or MOST_WAITING):
        return Entry.FULL
    if rule.most_expected_s and expected_s is not None and expected_s > rule.most_expected_s:
        return Entry.TOO_LONG
    return Entry.WAITS


def overflows_at_s(rule: Rule, since_s: float) -> float | None:
    """Return when somebody who waits since then goes elsewhere; None: never."""
    return since_s + rule.most_wait_s if rule.most_wait_s else None


def callbacks_to_dial(*, waiting: int, free: int, dialling: int) -> int:
    """Return how many callbacks may be dialled now: never more are outstanding than agents are free for them.

    The matcher keeps this by itself, for a callback is dialled only when an agent is reserved for it; this is for lists that are dialled
    without one.
    """
    return max(0, min(waiting, free - dialling))


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """How often those who wait are told where they stand; 0: never."""

    first_s: int = 20
    every_s: int = 60
    position: bool = True
    wait: bool = True
    callback_after_s: int = 0
    """From when on a callback is offered; 0: never."""


def next_telling_s(telling: Telling, waited_s: float) -> float | None:
    """Return after how long a wait the next announcement comes; None: none does."""
    if telling.first_s <= 0:
        return None
    if waited_s < telling.first_s:
        return float(telling.first_s)
    if telling.every_s <= 0:
        return None
    return telling.first_s + (math.floor((waited_s - telling.first_s) / telling.every_s) + 1) * float(telling.every_s)
