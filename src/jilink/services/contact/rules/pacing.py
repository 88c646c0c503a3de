"""How many numbers a campaign dials now. A call that is answered and finds no agent within 2 s is abandoned, and counts.

**Preview**: an agent sees the record and dials. **Progressive**: one number for each free agent; nobody is ever abandoned.
**Predictive**: more than that, as long as two bounds hold. The *budget*: even if every call dialled above the free agents were answered and
abandoned, no more than `CAP` of the campaign's live answers of the last 30 days would be (the safe harbour of the United States, 47 CFR
64.1200(a)(7): at most 3 percent in 30 days, an agent within 2 s, at least 15 s of ringing). The *expectation*: of the calls that will be
answered, at most the cap is expected to find nobody (binomial; Samuelson, "Predictive Dialing for Outbound Telephone Call Centers",
Interfaces 29(5), 1999). A new campaign has no budget, so that it begins progressive. docs/decisions/0133.
"""

import math
from enum import StrEnum

import msgspec

CAP = 0.03
WINDOW_S = 30 * 86_400
AGENT_WITHIN_S = 2.0
SHORTEST_RING_S = 15
MOST_AHEAD = 200


class Mode(StrEnum):
    """How a campaign dials."""

    PREVIEW = "preview"
    PROGRESSIVE = "progressive"
    PREDICTIVE = "predictive"


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign as it stands now."""

    free: int
    """Agents free for it."""
    busy: int
    """Agents in its calls."""
    ringing: int
    """Calls dialled and not answered yet."""
    queued: int = 0
    """Calls answered that no agent has yet."""
    answer_rate: float = 0.3
    """Share of dialled calls that somebody answers, as measured."""
    handling_s: float = 180.0
    ring_s: float = 20.0
    """Mean time until an answer, or until giving up."""
    answered_live: int = 0
    """Live answers of the last 30 days."""
    abandoned: int = 0
    """Of these, abandoned."""
    cap: float = CAP


def to_dial(mode: Mode, campaign: Campaign) -> int:
    """Return how many numbers to dial now."""
    if mode is Mode.PREVIEW:
        return 0
    free = campaign.free - campaign.queued
    safe = max(0, free - campaign.ringing)
    if mode is Mode.PROGRESSIVE:
        return safe
    budget = allowance(campaign)
    best = safe
    for ahead in range(safe + 1, safe + MOST_AHEAD):
        if ahead + campaign.ringing - max(0, free) > budget or expected_abandoned(campaign, ahead) > campaign.cap:
            break
        best = ahead
    return best


def allowance(campaign: Campaign) -> int:
    """Return how many further answered calls could be abandoned without the cap being passed, were nobody else to answer."""
    return max(0, math.floor(min(CAP, campaign.cap) * campaign.answered_live) - campaign.abandoned - campaign.queued)


def expected_abandoned(campaign: Campaign, dial: int) -> float:
    """Return which share of the calls that will be answered is expected to find no agent, with `dial` more dialled now.

    Answers are binomial; so are the agents who end a call before an answer comes (a call ends within `ring_s` with ``1 - exp(-ring_s /
    handling_s)``), of whom only the number is counted that the calls before will leave.
    """
    calls = campaign.ringing + dial
    answers = _binomial(calls, campaign.answer_rate)
    ending = _binomial(campaign.busy, 1 - math.exp(-campaign.ring_s / max(1.0, campaign.handling_s)))
    free = campaign.free - campaign.queued
    lost = sum(
        chance * odds * max(0, answered - max(0, free + ended))
        for answered, chance in enumerate(answers)
        if chance > 1e-9
        for ended, odds in enumerate(ending)
        if odds > 1e-9
    )
    expected = calls * campaign.answer_rate
    return lost / expected if expected > 0 else 0.0


def _binomial(n: int, p: float) -> list[float]:
    if p <= 0 or n <= 0:
        return [1.0] + [0.0] * max(0, n)
    if p >= 1:
        return [0.0] * n + [1.0]
    logs = math.lgamma(n + 1)
    return [math.exp(logs - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p)) for k in range(n + 1)]
