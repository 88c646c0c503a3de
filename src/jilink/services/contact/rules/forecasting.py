"""What will arrive in each half-hour of the days to come, from what did. Pure: days and counts in, expectations with an interval out.

A day's count = level x what its kind of day usually has of the level; a half-hour's = that x its share of such a day. Kinds are the seven
days of the week, worked weekend days (调休上班, which look like working days) and holidays (like Sundays until two were seen).
Medians bear what is odd: the level is the median of the weeks' days, the trend the Theil-Sen slope of the last eight weeks, damped; days
further than four median deviations from what was expected, and days without anything (a gap), teach nothing. The interval holds 80 % of
half-hours where counts scatter about the expectation as they did (a variance of `spread` times the mean, and the days' own).
Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968); Gardner and McKenzie, "Forecasting trends in time
series", Management Science 31 (1985) for the damping; Aksin, Armony and Mehrotra, "The modern call center", POM 16 (2007) for the scatter.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

SLOTS = 48
"""Half-hours of a day."""
HOLIDAY, WORKED = 7, 8
TREND_WEEKS = 8
DAMPED = 0.8
ODD = 4.0
LEAST_DAYS = 14
WITHIN = 1.2816
"""Of the normal distribution: 80 % lie within so many deviations."""
SUNDAY = 6
_WORKING = (0, 1, 2, 3, 4)

Kind = int
"""0 to 6: Monday to Sunday, `HOLIDAY`, `WORKED`."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day: what kind it was, and what arrived in each of its half-hours."""

    day: date
    kind: Kind
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """Return all that arrived."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of a half-hour, and between what it will lie four times out of five."""

    count: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Model:
    """What a history taught. `level` is that of the last day known."""

    last: date
    level: float
    slope: float
    """Of the level, a week, as a share of it."""
    factors: Mapping[Kind, float]
    shares: Mapping[Kind, tuple[float, ...]]
    spread: float
    """Variance of half-hours / their mean; 1 where arrivals are Poisson's."""
    daily: float
    """Deviation of whole days, as a share."""
    taught: int
    """Days it was learnt from."""
    left_out: tuple[date, ...]
    """Odd days and gaps, from which nothing was learnt."""


@dataclass(frozen=True, slots=True)
class Errors:
    """How far forecasts of the past were off. `naive` is that of taking the same half-hour of the week before."""

    half_hours: int
    off: float
    """Sum of absolute errors / sum of what arrived (WAPE)."""
    naive: float
    bias: float
    """(forecast - arrived) / arrived."""
    covered: float
    """Share of half-hours that lay in their interval; 0.8 is meant."""


def kind_of(day: date, worked: bool | None) -> Kind:
    """Return a day's kind; `worked` is what the working calendar says, None where it does not reach."""
    weekend = day.weekday() >= 5
    if worked is None or worked != weekend:
        return day.weekday()
    return WORKED if worked else HOLIDAY


def learn(history: Sequence[Day]) -> Model | None:
    """Return what a history teaches, None where it has fewer than two weeks with anything in them."""
    days = sorted((one for one in history if one.total > 0), key=lambda one: one.day)
    if len(days) < LEAST_DAYS:
        return None
    gaps = {one.day for one in history if one.total == 0}
    factors, levels, kept = _settle(days)
    last = days[-1].day
    slope = _slope(kept, factors)
    shares = _shares(kept)
    residuals = [one.total / (levels[one.day] * factors[one.kind]) - 1 for one in kept]
    level = _now(kept, factors, last)
    spread, daily = _scatter(kept, shares), _deviation(residuals)
    odd = {one.day for one in days} - {one.day for one in kept}
    return Model(last, level, slope, factors, shares, spread, daily, len(kept), tuple(sorted(odd | gaps)))


def foresee(model: Model, day: date, kind: Kind) -> tuple[Expected, ...]:
    """Return what is expected of each half-hour of a day after the history."""
    weeks = max(0.0, (day - model.last).days / 7)
    grown = sum(DAMPED**step for step in range(1, int(weeks) + 1)) + (weeks % 1) * DAMPED ** (int(weeks) + 1)
    total = model.level * max(0.1, 1 + model.slope * grown) * _factor(model.factors, kind)
    return tuple(_expected(total * share, model) for share in _share(model.shares, kind))


def back_test(history: Sequence[Day], *, weeks: int = 4) -> Errors | None:
    """Return how far forecasts were off, made week by week from what was known before; None where the history is too short.

    Days without anything weigh in nothing: nobody knows whether the line was down.
    """
    days = sorted(history, key=lambda one: one.day)
    if not days:
        return None
    known = {one.day: one for one in days}
    pairs: list[tuple[Expected, int, int]] = []
    for back in range(weeks, 0, -1):
        begin = days[-1].day - timedelta(days=7 * back - 1)
        model = learn([one for one in days if one.day < begin])
        if model is None:
            continue
        for one in days:
            if begin <= one.day < begin + timedelta(days=7) and one.total:
                before = known.get(one.day - timedelta(days=7))
                same = before.counts if before else (0,) * SLOTS
                pairs += zip(foresee(model, one.day, one.kind), one.counts, same, strict=True)
    arrived = sum(count for _expected, count, _same in pairs)
    if not arrived:
        return None
    told = [pair for pair in pairs if pair[0].high >= 1 or pair[1]]
    return Errors(
        half_hours=len(pairs),
        off=sum(abs(expected.count - count) for expected, count, _same in pairs) / arrived,
        naive=sum(abs(same - count) for _expected, count, same in pairs) / arrived,
        bias=sum(expected.count - count for expected, count, _same in pairs) / arrived,
        covered=sum(math.floor(expected.low) <= count <= math.ceil(expected.high) for expected, count, _same in told) / len(told),
    )


def _settle(days: list[Day]) -> tuple[dict[Kind, float], dict[date, float], list[Day]]:
    """Return kinds' factors, each day's level, and the days that are not odd: found in turns, each from the other."""
    kept, factors = days, dict.fromkeys(range(9), 1.0)
    levels = _levels(kept, factors, days)
    for _turn in range(4):
        factors = _factors(kept, levels)
        levels = _levels(kept, factors, days)
        off = {one.day: math.log(one.total / (levels[one.day] * factors[one.kind])) for one in days}
        wide = max(0.1, 1.4826 * median(abs(value) for value in off.values()))
        kept = [one for one in days if abs(off[one.day]) <= ODD * wide]
    return _factors(kept, levels), levels, kept


def _levels(kept: list[Day], factors: Mapping[Kind, float], days: list[Day]) -> dict[date, float]:
    """Return each day's level: the median of the days within two weeks of it."""
    values = [(one.day.toordinal(), one.total / factors[one.kind]) for one in kept]
    every = median(value for _day, value in values)
    found: dict[date, float] = {}
    for one in days:
        near = [value for day, value in values if abs(day - one.day.toordinal()) <= 14]
        found[one.day] = median(near) if near else every
    return found


def _factors(kept: list[Day], levels: Mapping[date, float]) -> dict[Kind, float]:
    ratios: dict[Kind, list[float]] = {}
    for one in kept:
        ratios.setdefault(one.kind, []).append(one.total / levels[one.day])
    found = {kind: median(values) for kind, values in ratios.items() if kind < HOLIDAY or len(values) >= 2}
    working = [found[kind] for kind in _WORKING if kind in found] or [1.0]
    for kind in range(7):
        found.setdefault(kind, median(working))
    found.setdefault(HOLIDAY, found[SUNDAY])
    found.setdefault(WORKED, median(working))
    return found


def _slope(kept: list[Day], factors: Mapping[Kind, float]) -> float:
    """Return the growth of the level a week, as a share: Theil and Sen's median of all slopes between the last weeks."""
    last = kept[-1].day
    weeks: dict[int, list[float]] = {}
    for one in kept:
        back = (last - one.day).days // 7
        if back < TREND_WEEKS:
            weeks.setdefault(back, []).append(one.total / factors[one.kind])
    points = [(-back, median(values)) for back, values in weeks.items() if len(values) >= 3]
    slopes = [(other[1] - one[1]) / (other[0] - one[0]) for one in points for other in points if other[0] > one[0]]
    middle = median(value for _back, value in points) if points else 0
    return max(-0.2, min(0.2, median(slopes) / middle)) if len(points) >= 4 and middle else 0.0


def _now(kept: list[Day], factors: Mapping[Kind, float], last: date) -> float:
    values = [one.total / factors[one.kind] for one in kept if (last - one.day).days < 14]
    return median(values or [one.total / factors[one.kind] for one in kept])


def _shares(kept: list[Day]) -> dict[Kind, tuple[float, ...]]:
    """Return each half-hour's share of the days of a kind; a kind seen on fewer than three days has that of the days like it."""
    groups: dict[Kind, list[Day]] = {}
    for one in kept:
        groups.setdefault(one.kind, []).append(one)
    every = _profile(kept)
    working = _profile([one for one in kept if one.kind in _WORKING] or kept)
    sundays = _profile(groups[SUNDAY]) if len(groups.get(SUNDAY, [])) >= 3 else every
    like = {HOLIDAY: sundays, WORKED: working, **dict.fromkeys(_WORKING, working), 5: every, SUNDAY: every}
    return {kind: _profile(groups[kind]) if len(groups.get(kind, [])) >= 3 else like[kind] for kind in range(9)}


def _profile(days: list[Day]) -> tuple[float, ...]:
    """Return the mean share of each half-hour, the least and the greatest tenth left out; the shares sum to 1."""
    rows = [[count / one.total for count in one.counts] for one in days]
    means = [_trimmed(sorted(row[slot] for row in rows)) for slot in range(SLOTS)]
    whole = sum(means) or 1.0
    return tuple(mean / whole for mean in means)


def _trimmed(values: list[float]) -> float:
    cut = len(values) // 10
    inner = values[cut : len(values) - cut]
    return sum(inner) / len(inner)


def _scatter(kept: list[Day], shares: Mapping[Kind, tuple[float, ...]]) -> float:
    """Return the variance of half-hours within their days / their mean, at least Poisson's."""
    squares = [
        min(16.0, (count - one.total * share) ** 2 / (one.total * share))
        for one in kept
        for count, share in zip(one.counts, shares[one.kind], strict=True)
        if one.total * share >= 1
    ]
    return max(1.0, sum(squares) / len(squares)) if squares else 1.0


def _deviation(residuals: list[float]) -> float:
    return 1.4826 * median(abs(value) for value in residuals)


def _factor(factors: Mapping[Kind, float], kind: Kind) -> float:
    return factors[kind]


def _share(shares: Mapping[Kind, tuple[float, ...]], kind: Kind) -> tuple[float, ...]:
    return shares[kind]


def _expected(count: float, model: Model) -> Expected:
    wide = WITHIN * math.sqrt(model.spread * count + (model.daily * count) ** 2)
    return Expected(count, max(0.0, count - wide), count + wide)
