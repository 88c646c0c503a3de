"""The weeks before now, played in the order in which they happened."""

import heapq
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import count
from random import Random

import structlog

from jilink.core.cases import actions as cases
from jilink.core.cases.actions.replaying import Past
from jilink.core.interactions import actions as interactions
from jilink.core.interactions.actions import Contact
from jilink.core.interactions.rules import Channel, Outcome, Side
from jilink.core.parties.access import Actor
from jilink.kernel.clock import CHINA
from jilink.kernel.errors import Refused
from jilink.services.console.demonstration import fates, people
from jilink.services.console.demonstration.data import Story, stories
from jilink.services.console.demonstration.fates import PLAN, Fate, Script
from jilink.services.console.demonstration.people import Map, Served
from jilink.services.console.demonstration.play import Play, Stage

log = structlog.get_logger(__name__)
SEED = 2201
TOLD_FROM = timedelta(hours=1)
"""What is older than this is entered as over: nobody is called for it."""
BEFORE = timedelta(days=60)
FOR_THE_OWNER = 4
_BY_THE_WALL = frozenset({Fate.NEW, Fate.ACCEPTED, Fate.HANDED_OUT})
_ROUND = frozenset({Fate.RATED, Fate.BAD, Fate.NEW, Fate.DONE})
_CALM = frozenset(Fate) - _ROUND - {Fate.HANDED_OUT, Fate.ANSWERED, Fate.VOID, Fate.LATE}
Tell = Callable[[int, int], None]
"""Told how many cases have gone their way so far, of how many."""
_SMALL_TALK = (
    ("问一下你们几点下班", "您好，12345 热线全天二十四小时有人接听。"),
    ("查一下上次的工单办到哪了", "您好，您的工单正在办理，办结后会短信通知您。"),
    ("打错了", "好的，再见。"),
    ("今天供热开栓了吗", "您好，各地已按公告时间开栓，请以当地公告为准。"),
)


def quietly(_done: int, _of: int) -> None:
    """Tell nobody."""


def _fits(story: Story, fate: Fate, month: int) -> bool:
    """Return whether a story of this type can go that way, in this season."""
    question = story.answers.get("sort") == "question"
    allowed = {
        "breakdown": frozenset({Fate.RATED, Fate.BAD, Fate.ANSWERED}),
        "rural_question": frozenset({Fate.HANDED_OUT, Fate.IN_WORK, Fate.DONE, Fate.RATED, Fate.BAD, Fate.REWORKED, Fate.LATE}),
    }.get(story.type, frozenset(Fate) - ({Fate.RETURN_ASKED, Fate.RETURNED, Fate.ARBITRATION, Fate.AWARDED} if question else frozenset()))
    urgent_only = min(story.priorities) == 9
    return month in story.months and fate in allowed and not (urgent_only and fate not in _ROUND)


def _opened(fate: Fate, stage: Stage, random: Random, now: datetime) -> datetime:
    """Return when a case of this fate begins: counted in hours of work, or by the wall for what has just come in."""
    _many, low, high = PLAN[fate]
    age = timedelta(hours=random.uniform(low, high))
    if fate in _BY_THE_WALL:
        return now - age
    at = stage.calendar.instant_worked(stage.calendar.worked_before(now) - age) + timedelta(seconds=random.uniform(0, 60))
    if fate in _ROUND and random.random() < 0.25:  # nights and weekends
        at -= timedelta(hours=random.uniform(0, 60))
    evening = at.astimezone(CHINA).hour >= 15 and random.random() < 0.35
    return min(at + timedelta(hours=random.uniform(1, 6) if evening else 0), now - timedelta(minutes=1))


def _plays(stage: Stage, total: int, place: Map, served: list[Served], random: Random, now: datetime) -> Iterator[tuple[Play, Script]]:
    wanted = [fate for fate, many in fates.counts(total).items() for _each in range(many)]
    month = now.astimezone(CHINA).month
    chosen: list[tuple[Fate, Story]] = []
    for fate in wanted:
        fitting = [story for story in stories() if _fits(story, fate, month)]
        chosen.append((fate, random.choices(fitting, [story.weight for story in fitting])[0]))
    spots = place.spots([(story.where, story.asset) for _fate, story in chosen])
    korean = [person for number, person in enumerate(served) if number % 10 == 9]
    for (fate, story), spot in zip(chosen, spots, strict=True):
        patrol = story.type == "city_fault" and fate is not Fate.BAD and random.random() < 0.2
        person = None if patrol else random.choice(korean if spot.korean and random.random() < 0.6 else served)
        levels = [level for level in story.priorities if level <= 3 or fate not in _CALM] or [3]
        play = Play(stage, story, spot, person, random.choice(levels), stage.seeded(random.random()), _opened(fate, stage, random, now))
        yield play, fates.script(play, fate)
        if fate in {Fate.IN_WORK, Fate.HANDED_OUT} and random.random() < 0.25:
            at = play.at + timedelta(minutes=40)
            again = Play(stage, story, spot, random.choice(served), play.priority, stage.seeded(random.random()), at)
            yield again, _double(again, play)


def _double(play: Play, of: Play) -> Script:
    """Play somebody else who reports the same: found out and merged."""
    play.turn = of.turn
    yield play.at
    play.open()
    yield play.minutes(4, 15)
    of.awake()
    if of.case and of.row.open:
        play.merge_into(of)


def run(stage: Stage, total: int, *, by: Actor, now: datetime, tell: Tell = quietly) -> int:
    """Play `total` cases, and contacts that became none; return how many steps were refused, of which there should be none."""
    random = stage.seeded(SEED)
    office = stage.units.office
    past = Past(stage.units.all(), now)
    served = people.add_people(office, max(10, total * 2 // 5), random, by=by, now=now - BEFORE)
    plays = list(_plays(stage, total, Map(office, random, by=by, now=now), served, random, now))
    agenda: list[tuple[datetime, int, Play, Script]] = []
    ticket = count()
    for play, script in plays:
        heapq.heappush(agenda, (next(script), next(ticket), play, script))
    refused, ended = 0, 0
    while agenda and agenda[0][0] <= now:
        at, _ticket, play, script = heapq.heappop(agenda)
        past.until(at)
        play.awake()
        try:
            then = next(script, None)
        except Refused as error:  # one case that went astray must not keep the demonstration from being shown
            log.warning("demonstration.refused", case=play.number, why=str(error))
            refused, then = refused + 1, None
        if then is not None:
            heapq.heappush(agenda, (then, next(ticket), play, script))
        else:
            ended += 1
            tell(ended, len(plays))
    _talk(stage, served, random, now, total // 8)
    _give_to_owner(stage, [play for play, _script in plays], now)
    past.finish(now - TOLD_FROM)
    tell(len(plays), len(plays))
    return refused


def _give_to_owner(stage: Stage, plays: list[Play], now: datetime) -> None:
    """Let whoever looks at the demonstration have a few cases of their own, of those that wait in a unit."""
    waiting = 0
    for play in plays if stage.owner is not None else []:
        play.awake()
        if waiting < FOR_THE_OWNER and play.case and play.row.open and play.row.stage == "work" and not play.has_assignee():
            cases.assign_case(case=play.case, assignee=stage.owner, by=stage.staff.supervisor, now=now)
            waiting += 1


def _talk(stage: Stage, served: list[Served], random: Random, now: datetime, many: int) -> None:
    """Enter contacts that were answered at once."""
    for at in sorted(now - timedelta(hours=random.uniform(0.2, 400)) for _each in range(many)):
        agent, person = random.choice(stage.staff.agents), random.choice(served)
        asked, answered = random.choice(_SMALL_TALK)
        channel = random.choice((Channel.CALL, Channel.CALL, Channel.TEXT))
        contact = Contact(channel=channel, contact=person.phone, person=person.id, subject=asked, started_at=at)
        made = interactions.add_interaction(organisation=stage.units.office, contact=contact, by=agent, now=at)
        if random.random() < 0.15:
            interactions.end_interaction(interaction=made, outcome=Outcome.ABANDONED, by=agent, now=at + timedelta(seconds=40))
            continue
        interactions.add_part(interaction=made, side=Side.THEIRS, text=asked, by=agent, at=at + timedelta(seconds=15))
        interactions.add_part(interaction=made, side=Side.OURS, text=answered, by=agent, at=at + timedelta(seconds=40))
        interactions.end_interaction(interaction=made, outcome=Outcome.ANSWERED, by=agent, now=at + timedelta(seconds=75))
