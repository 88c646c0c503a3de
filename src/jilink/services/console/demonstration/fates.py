"""What becomes of cases: how many of each, how old they are, and the steps between, played through the real actions."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from jilink.core.cases.rules.workflow import Satisfaction
from jilink.services.console.demonstration.play import Play

Script = Iterator[datetime]
"""The moments at which a case goes on, one after the other."""


class Fate(StrEnum):
    """What becomes of a case, as far as time has passed for it."""

    NEW = "new"
    ACCEPTED = "accepted"
    HANDED_OUT = "handed_out"
    IN_WORK = "in_work"
    DONE = "done"
    RATED = "rated"
    BAD = "bad"
    ANSWERED = "answered"
    EXTENSION_ASKED = "extension_asked"
    EXTENDED = "extended"
    EXTENSION_REFUSED = "extension_refused"
    RETURN_ASKED = "return_asked"
    RETURNED = "returned"
    ARBITRATION = "arbitration"
    AWARDED = "awarded"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    REWORKED = "reworked"
    REOPENED = "reopened"
    OVERDUE = "overdue"
    LATE = "late"
    VOID = "void"


PLAN: dict[Fate, tuple[int, float, float]] = {
    Fate.NEW: (8, 0.02, 0.5),
    Fate.ACCEPTED: (4, 0.3, 1.5),
    Fate.HANDED_OUT: (10, 0.6, 2.5),
    Fate.IN_WORK: (26, 3, 17),
    Fate.DONE: (14, 16, 30),
    Fate.RATED: (74, 14, 190),
    Fate.BAD: (9, 14, 90),
    Fate.ANSWERED: (14, 3, 180),
    Fate.EXTENSION_ASKED: (5, 9, 18),
    Fate.EXTENDED: (7, 18, 34),
    Fate.EXTENSION_REFUSED: (3, 30, 120),
    Fate.RETURN_ASKED: (4, 4, 8),
    Fate.RETURNED: (6, 20, 70),
    Fate.ARBITRATION: (3, 9, 14),
    Fate.AWARDED: (3, 40, 120),
    Fate.SUSPENDED: (5, 14, 26),
    Fate.RESUMED: (3, 60, 110),
    Fate.REWORKED: (5, 30, 110),
    Fate.REOPENED: (5, 34, 90),
    Fate.OVERDUE: (9, 40, 62),
    Fate.LATE: (8, 60, 150),
    Fate.VOID: (4, 10, 150),
}
"""For each: how many in 228, and between how many and how many hours of work ago they are opened."""


def counts(total: int) -> dict[Fate, int]:
    """Return how many cases have each fate: in proportion, but at least one."""
    whole = sum(many for many, *_ages in PLAN.values())
    return {fate: max(1, round(many * total / whole)) for fate, (many, *_ages) in PLAN.items()}


def script(play: Play, fate: Fate) -> Script:
    """Play a case from its contact on; each yield is the moment at which it next goes on."""
    yield play.at
    play.open()
    if fate is Fate.NEW:
        return
    if fate is Fate.ANSWERED and play.can("answer"):
        yield play.minutes(3, 20)
        play.step(play.agent, "answer", reason="已当场答复，来电人表示清楚。", code=play.closing("explained"))
        return
    if fate is Fate.VOID:
        yield play.minutes(5, 30)
        play.step(play.supervisor, "void", reason="测试来电，无实际诉求。")
        return
    if fate is Fate.ACCEPTED and play.can("accept"):
        yield play.minutes(2, 15)
        play.step(play.agent, "accept")
        return
    yield play.minutes(4, 35)
    play.dispatch()
    if fate is Fate.HANDED_OUT:
        return
    yield from _SCRIPTS.get(fate, _plain)(play, fate)


def _given(play: Play) -> Script:
    if not play.has_assignee():
        yield play.hours(0.3, 1.6)
        play.assign()
    if play.random.random() < 0.45:
        yield play.hours(0.4, 2)
        play.note()


def _finished(play: Play, low: float = 2, high: float = 7) -> Script:
    yield play.hours(low, high)
    play.finish()


def _closed(play: Play) -> Script:
    yield from _finished(play)
    yield play.hours(0.5, 4)
    play.confirm()
    if play.random.random() < 0.6:
        yield play.minutes(5, 90)
        play.reply()


def _rated(play: Play, levels: tuple[Satisfaction, ...] = tuple(Satisfaction)[2:]) -> Script:
    yield play.hours(1, 9)
    play.rate(play.random.choices(levels, [2, 5, 9][-len(levels) :])[0])


def _plain(play: Play, fate: Fate) -> Script:
    yield from _given(play)
    if fate is Fate.IN_WORK:
        return
    if fate is Fate.DONE:
        yield from _finished(play)
        return
    yield from _closed(play)
    if fate is Fate.BAD:
        yield from _bad(play)
    elif play.random.random() < 0.75:
        yield from _rated(play)


def _bad(play: Play) -> Script:
    yield play.hours(1, 5)
    play.rate(play.random.choice((Satisfaction.VERY_DISSATISFIED, Satisfaction.DISSATISFIED)))
    yield play.hours(2, 14)
    play.call_back()


def _extension(play: Play, fate: Fate) -> Script:
    yield from _given(play)
    yield play.hours(0.5, 2)
    request = play.ask_extension()
    if fate is Fate.EXTENSION_ASKED:
        return
    yield play.hours(0.4, 2)
    play.decide(request, approve=fate is Fate.EXTENDED)
    if fate is Fate.EXTENSION_REFUSED:
        yield from _closed(play)


def _return(play: Play, fate: Fate) -> Script:
    yield play.hours(0.5, 1.5)
    request = play.ask_return("经现场核对，不在本辖区管理范围，建议转相关单位。")
    if fate is Fate.RETURN_ASKED:
        return
    yield play.hours(0.3, 1.2)
    play.decide(request, approve=True)
    yield play.minutes(10, 40)
    play.dispatch(elsewhere=True)
    if fate in {Fate.ARBITRATION, Fate.AWARDED}:
        yield play.hours(0.5, 1.5)
        play.ask_return("该路段属前一单位养护范围，本单位无权处置。")
        if fate is Fate.ARBITRATION:
            return
        yield play.hours(0.5, 2)
        play.award()
    yield from _given(play)
    yield from _closed(play)


def _suspension(play: Play, fate: Fate) -> Script:
    yield from _given(play)
    yield play.hours(0.5, 2)
    request = play.ask_suspension(timedelta(days=9 if fate is Fate.SUSPENDED else 4))
    yield play.hours(0.3, 1.5)
    play.decide(request, approve=True)
    if fate is Fate.RESUMED:
        yield play.days(5)
        yield from _closed(play)


def _rework(play: Play, _fate: Fate) -> Script:
    yield from _given(play)
    yield from _finished(play)
    yield play.hours(0.5, 3)
    play.rework()
    yield from _closed(play)
    yield from _rated(play)


def _reopen(play: Play, _fate: Fate) -> Script:
    yield from _given(play)
    yield from _closed(play)
    yield play.hours(4, 12)
    play.reopen()
    yield play.minutes(10, 60)
    play.dispatch()
    yield from _given(play)
    if play.random.random() < 0.6:
        yield from _closed(play)


def _overdue(play: Play, fate: Fate) -> Script:
    yield from _given(play)
    if fate is Fate.LATE:
        yield from _finished(play, 46, 56)
        yield play.hours(0.5, 4)
        play.confirm()
        yield from _rated(play, (Satisfaction.DISSATISFIED, Satisfaction.BASICALLY_SATISFIED, Satisfaction.SATISFIED))


_SCRIPTS: dict[Fate, Callable[[Play, Fate], Script]] = {
    Fate.EXTENSION_ASKED: _extension,
    Fate.EXTENDED: _extension,
    Fate.EXTENSION_REFUSED: _extension,
    Fate.RETURN_ASKED: _return,
    Fate.RETURNED: _return,
    Fate.ARBITRATION: _return,
    Fate.AWARDED: _return,
    Fate.SUSPENDED: _suspension,
    Fate.RESUMED: _suspension,
    Fate.REWORKED: _rework,
    Fate.REOPENED: _reopen,
    Fate.OVERDUE: _overdue,
    Fate.LATE: _overdue,
}
