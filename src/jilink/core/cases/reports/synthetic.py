"""Two made-up years of a province's 12345 offices, poured into a database that is thrown away afterwards: for measuring.

Nine prefectures answer for the cases, the counties below have them. Half of all comes from the largest city, matters have their seasons,
nights and weekends are quiet, most is done within days, some late, some sent back, and what came last is open still. Always the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

import msgspec
import numpy as np
from django.db import connection

from jilink.core.areas import actions as areas
from jilink.core.areas import divisions
from jilink.core.cases import finding
from jilink.core.cases.actions import load_examples
from jilink.core.cases.models import Case, CaseType, Clock, Entry, Note, Rating, Reply, Request
from jilink.core.cases.reports.pouring import pour, put_index_down, put_up, table_of
from jilink.core.cases.rules.numbers import check_digit
from jilink.core.parties import access, actions
from jilink.core.parties.access import Actor
from jilink.core.parties.members import actions as members
from jilink.core.parties.models import Person, User
from jilink.core.parties.rules import Role, Scope
from jilink.core.search.index import Document
from jilink.kernel.clock import CHINA
from jilink.kernel.ids import OrganisationId

BEGINS, DAYS = datetime(2024, 1, 1, tzinfo=CHINA), 730
PROVINCE = "22"
BY_HOUR = (1, 0.6, 0.4, 0.3, 0.4, 1, 2, 5, 9, 10, 9, 7, 5, 7, 9, 8, 7, 6, 5, 4, 4, 3, 2, 1.5)
BY_WEEKDAY = (1.15, 1.1, 1.05, 1.05, 1.05, 0.8, 0.7)
CHANNELS, CHANNEL_SHARES = ("call", "web", "sms", "counter"), (0.72, 0.19, 0.06, 0.03)
PRIORITIES, PRIORITY_SHARES = (1, 3, 5, 9), (0.1, 0.75, 0.12, 0.03)
WORK = {"hotline": ("work", 120), "city_fault": ("work", 72), "rural_question": ("answering", 48), "breakdown": ("rescue", 4)}
"""Stage of work and its limit in hours."""
CHECK = {"rural_question": "review"}
CODE = {"rural_question": "answered", "breakdown": "repaired"}
VOID_SHARE, STUCK_SHARE, RETURNED_SHARE, REWORKED_SHARE, EXTENDED_SHARE = 0.02, 0.004, 0.03, 0.025, 0.06
RATED_SHARE, NOTED_SHARE, ANSWERED_SHARE, KNOWN_SHARE = 0.3, 0.25, 0.7, 0.9
CASE = (
    "id", "number", "organisation_id", "unit_id", "team_id", "assignee_id", "type_id", "type_key", "stage", "state", "round",
    "returns", "final", "doers", "priority", "title", "description", "answers", "channel", "person", "area", "address", "opened_at",
    "dispatched_at", "closed_at", "due_at", "closing_code", "version", "updated_at",
)  # fmt: skip
CLOCK = (
    "case_id", "key", "round", "kind", "amount", "extended_by", "started_at", "due_at", "ended_at", "generation",
)  # fmt: skip
ENTRY = (
    "case_id", "at", "actor", "kind", "detail", "public",
)  # fmt: skip


class Matter(msgspec.Struct, frozen=True):
    """One kind of report. `share` of all in a usual month, `season` by month, `hours` until half of them are done."""

    type: str
    answers: str
    share: float
    season: tuple[float, ...]
    hours: float
    titles: tuple[str, ...]
    told: tuple[str, ...]


class Words(msgspec.Struct, frozen=True):
    """What people say."""

    matters: tuple[Matter, ...]
    streets: tuple[str, ...]
    estates: tuple[str, ...]
    surnames: str
    given: str
    answers: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One county: its organisation, the one above that answers, its area, and who works there."""

    unit: int
    above: int
    area: str
    team: int
    agent: int


class Province:
    """The organisations, members and types of the made-up years."""

    def __init__(self) -> None:
        maker = access.system("bench")
        areas.load_divisions(by=maker, now=BEGINS)
        self.top = self._add("吉林省政务服务热线", None)
        paths = [(shape.code, shape.name, path) for shape, path in divisions.read()]
        cities = {code: self._add(f"{name}12345中心", self.top) for code, name, _path in paths if len(code) == 4}
        self.places = []
        for code, name, path in paths:
            if len(code) == 6:
                unit = self._add(f"{name}政务服务中心", cities[code[:4]])
                team = members.add_team(organisation=unit, name="承办组", by=access.system("bench"), now=BEGINS)
                agent = self._member(f"agent-{code}", Role.AGENT, unit, Scope.TEAM)
                members.put_in_team(team=team, user=agent, by=access.system("bench"), now=BEGINS)
                self.places.append(Place(unit, cities[code[:4]], path, team, agent))
        load_examples(organisation=self.top, by=access.system("bench"), now=BEGINS)
        self.types = dict(CaseType.objects.filter(organisation=self.top).values_list("key", "pk"))
        self.governor = self._member("governor", Role.SUPERVISOR, self.top, Scope.SUBTREE)
        self.mayor = self._member("mayor", Role.SUPERVISOR, self.places[0].above, Scope.SUBTREE)
        self.head = self._member("head", Role.SUPERVISOR, OrganisationId(self.places[0].unit), Scope.ORGANISATION)
        self.worker = self._member("worker", Role.FIELD_WORKER, OrganisationId(self.places[0].unit), Scope.OWN)

    def actor(self, user: int) -> Actor:
        """Return a member as the door knows them; the walls of this passage let their organisations in."""
        return access.actor_of(User.objects.get(pk=user))

    def _add(self, name: str, parent: OrganisationId | None) -> OrganisationId:
        return actions.add_organisation(name=name, parent=parent, by=access.system("bench"), now=BEGINS)

    def _member(self, name: str, role: Role, place: int, scope: Scope) -> int:
        user = actions.add_user(username=name, password=f"lantern-over-{name}-7", by=access.system("bench"))
        actions.set_role(user=user, organisation=OrganisationId(place), role=role, scope=scope, by=access.system("bench"))
        return user


class Years:
    """What happened to each case, as columns; times are seconds since the beginning."""

    def __init__(self, count: int, province: Province, words: Words) -> None:
        dice = np.random.default_rng(7)
        self.count, self.dice, self.matters = count, dice, words.matters
        days = np.array([BY_WEEKDAY[(BEGINS + timedelta(days=day)).weekday()] * (1 + day / DAYS / 2) for day in range(DAYS)])
        day = np.sort(dice.choice(DAYS, count, p=days / days.sum()))
        hours = np.array(BY_HOUR)
        self.opened = np.sort(day * 86_400 + dice.choice(24, count, p=hours / hours.sum()) * 3_600 + dice.integers(0, 3_600, count))
        month = np.array([(BEGINS + timedelta(days=one)).month - 1 for one in range(DAYS)])[self.opened // 86_400]
        self.matter = np.empty(count, np.int64)
        for one in range(12):
            shares = np.array([matter.share * matter.season[one] for matter in words.matters])
            there = month == one
            self.matter[there] = dice.choice(len(shares), int(there.sum()), p=shares / shares.sum())
        size = 1 / np.arange(1, len(province.places) + 1) ** 0.9
        self.place = dice.choice(len(size), count, p=size / size.sum())
        self.priority = dice.choice(PRIORITIES, count, p=PRIORITY_SHARES)
        self.channel = dice.choice(len(CHANNELS), count, p=CHANNEL_SHARES)
        self.dispatched = self.opened + dice.integers(300, 5_400, count)
        median = np.array([matter.hours for matter in words.matters])[self.matter]
        took = dice.lognormal(0, 0.9, count) * median * 3_600
        took[dice.random(count) < STUCK_SHARE] = 9e8
        self.finished = self.dispatched + took.astype(np.int64)
        self.closed = self.finished + dice.integers(1_800, 100_000, count)
        self.now = DAYS * 86_400
        self.void = (dice.random(count) < VOID_SHARE) & (self.dispatched < self.now)
        chance = dice.random(count)
        self.returned, self.reworked = chance < RETURNED_SHARE, (chance > 0.5) & (chance < 0.5 + REWORKED_SHARE)
        self.extended = (chance > 0.8) & (chance < 0.8 + EXTENDED_SHARE)
        self.people = max(1, count // 4)
        self.person = np.where(dice.random(count) < KNOWN_SHARE, (self.people * dice.random(count) ** 2).astype(np.int64) + 1, 0)
        self.luck = dice.random((count, 3)).astype(np.float32)
        self.pick = dice.integers(0, 1 << 30, count)

    def text(self, seconds: np.ndarray[Any, Any]) -> list[str]:
        """Return times as the databases read them."""
        start = np.datetime64(int(BEGINS.timestamp()), "s")
        zone = "+00" if connection.vendor == "postgresql" else ""
        return [f"{one[:10]} {one[11:]}{zone}" for one in np.datetime_as_string(start + seconds.astype("timedelta64[s]"), unit="s")]


def read_words() -> Words:
    """Return what people say."""
    return msgspec.json.decode(files("jilink.core.cases").joinpath("data", "synthetic.json").read_bytes(), type=Words)


class Cases:
    """The rows of the made-up years, one table after the other."""

    def __init__(self, count: int, province: Province) -> None:
        self.province, self.words = province, read_words()
        self.years = Years(count, province, self.words)
        years = self.years
        limit = np.array([WORK[matter.type][1] for matter in self.words.matters])[years.matter] * 3_600
        self.due = years.dispatched + limit * np.where(years.extended, 2, 1)
        self.at = {name: years.text(getattr(years, name)) for name in ("opened", "dispatched", "finished", "closed")}
        self.at["due"] = years.text(self.due)
        self.is_open, self.is_done = years.closed >= years.now, years.finished < years.now

    def stage(self, row: int) -> tuple[str, str]:
        """Return stage and state of a case."""
        kind = self.words.matters[self.years.matter[row]].type
        if self.years.void[row]:
            return "void", "void"
        if not self.is_open[row]:
            return "closed", "closed"
        if self.is_done[row]:
            return CHECK.get(kind, "check"), "open"
        return (WORK[kind][0] if self.years.dispatched[row] < self.years.now else "intake"), "open"

    def texts(self, row: int) -> tuple[str, str, str]:
        """Return title, description and address of a case."""
        matter, pick = self.words.matters[self.years.matter[row]], int(self.years.pick[row])
        street, estate = self.words.streets[pick % len(self.words.streets)], self.words.estates[pick // 41 % len(self.words.estates)]
        which = pick // 601 % 3
        return f"{estate}{matter.titles[which]}", matter.told[which], f"{street}{pick % 997 + 1}号{estate}{pick // 1009 % 30 + 1}栋"

    def number(self, row: int) -> str:
        """Return a number that nobody else has."""
        body = str(100_000_000 + (row * 612_345_679 + 7) % 899_999_999)
        return body + check_digit(body)

    def cases(self) -> Iterator[tuple[object, ...]]:
        """Yield the rows of the cases."""
        years, at = self.years, self.at
        for row in range(years.count):
            place, matter = self.province.places[years.place[row]], self.words.matters[years.matter[row]]
            stage, state = self.stage(row)
            title, told, address = self.texts(row)
            still, sent = state == "open", years.dispatched[row] < years.now
            luck = years.luck[row, 0]
            yield (
                row + 1, self.number(row), place.above, place.unit if sent else place.above, place.team if still and luck < 0.8 else None,
                place.agent if still and luck < 0.4 else None, self.province.types[matter.type], matter.type, stage, state, 1,
                int(years.returned[row]), False, "[]", int(years.priority[row]), title, told, matter.answers,
                CHANNELS[years.channel[row]], int(years.person[row]) or None, place.area, address, at["opened"][row],
                at["dispatched"][row] if sent and state != "void" else None, at["closed"][row] if state == "closed" else None,
                at["due"][row] if still else None, CODE.get(matter.type, "done") if state == "closed" else "", 4,
                at["dispatched"][row] if still or state == "void" else at["closed"][row],
            )  # fmt: skip

    def clocks(self) -> Iterator[tuple[object, ...]]:
        """Yield the clocks of work, of checking and of the whole."""
        years, at = self.years, self.at
        for row in range(years.count):
            if years.void[row] or years.dispatched[row] >= years.now:
                continue
            kind = self.words.matters[years.matter[row]].type
            stage, hours = WORK[kind]
            begin, due, more = at["dispatched"][row], at["due"][row], hours // 24 if years.extended[row] else 0
            done = at["finished"][row] if self.is_done[row] else None
            yield row + 1, stage, 1, "working_days", max(1, hours // 24), more, begin, due, done, 1
            end = None if self.is_open[row] else at["closed"][row]
            yield row + 1, "whole", 1, "calendar_days", 15, more, begin, due, end, 1
            if done is not None:
                yield (
                    row + 1,
                    CHECK.get(kind, "check"),
                    1,
                    "working_days",
                    1,
                    0,
                    done,
                    done,
                    None if self.is_open[row] else at["closed"][row],
                    1,
                )

    def entries(self) -> Iterator[tuple[object, ...]]:
        """Yield the lines of the timelines."""
        years, at = self.years, self.at
        for row in range(years.count):
            case, place, kind = row + 1, self.province.places[years.place[row]], self.words.matters[years.matter[row]].type
            work, check = WORK[kind][0], CHECK.get(kind, "check")
            opened, sent, done, closed = (at[name][row] for name in ("opened", "dispatched", "finished", "closed"))
            yield case, opened, "user:1", "opened", f'{{"kind":"opened","channel":"{CHANNELS[years.channel[row]]}"}}', True
            if years.void[row]:
                yield case, sent, "user:1", "stepped", _step("void", "void", "dispatch", "void"), True
                continue
            if years.dispatched[row] >= years.now:
                continue
            yield case, sent, "user:1", "stepped", _step("dispatch", "dispatch", "intake", work), True
            yield case, sent, "user:1", "assigned", f'{{"kind":"assigned","unit":{place.unit}}}', False
            if self.is_done[row]:
                if years.reworked[row]:
                    yield case, sent, f"user:{place.agent}", "stepped", _step("finish", "finish", work, check), True
                    yield case, sent, "user:1", "stepped", _step("rework", "rework", check, work), True
                yield case, done, f"user:{place.agent}", "stepped", _step("finish", "finish", work, check), True
            if not self.is_open[row]:
                yield case, closed, "user:1", "stepped", _step("confirm", "confirm", check, "closed"), True

    def ratings(self) -> Iterator[tuple[object, ...]]:
        """Yield how people found it, those who waited too long less well."""
        years = self.years
        for row in np.flatnonzero(~self.is_open & ~years.void & (years.luck[:, 1] < RATED_SHARE)):
            late, luck = years.finished[row] > self.due[row], float(years.luck[row, 2])
            level = (
                (1 if luck < 0.35 else 3 if luck < 0.6 else 4)
                if late
                else (1 if luck < 0.03 else 3 if luck < 0.1 else 4 if luck < 0.3 else 5)
            )
            yield int(row) + 1, 1, level, "{}", "", "call", self.at["closed"][row], "", ""

    def requests(self) -> Iterator[tuple[object, ...]]:
        """Yield what units asked for; some of the open ones wait."""
        years = self.years
        for kind, asked in (("extension", years.extended), ("return", years.returned)):
            for row in np.flatnonzero(asked & ~years.void & (years.dispatched < years.now)):
                state = "asked" if self.is_open[row] and not self.is_done[row] else "approved"
                at, agent = self.at["dispatched"][row], self.province.places[years.place[row]].agent
                yield int(row) + 1, 1, kind, state, "需要时间", 3, f"user:{agent}", agent, at, "user:1" if state == "approved" else "", ""

    def said(self) -> Iterator[tuple[int, str, str]]:
        """Yield the case of each note and reply, which of the two it is, and its words."""
        years = self.years
        for row in range(years.count):
            pick = int(years.pick[row])
            if years.luck[row, 2] < NOTED_SHARE:
                yield row, "note", self.words.notes[pick % len(self.words.notes)]
            if not self.is_open[row] and years.luck[row, 2] > 1 - ANSWERED_SHARE:
                yield row, "reply", self.words.answers[pick // 7 % len(self.words.answers)]

    def persons(self) -> Iterator[tuple[object, ...]]:
        """Yield the people, each known to one city."""
        names, dice = self.words, np.random.default_rng(8)
        at, cities = self.at["opened"][0], sorted({place.above for place in self.province.places})
        for number, pick in enumerate(dice.integers(0, 1 << 30, self.years.people).tolist(), 1):
            name = names.surnames[pick % len(names.surnames)] + names.given[pick // 53 % len(names.given)]
            name += names.given[pick // 4001 % len(names.given)] if pick % 5 else ""
            yield number, cities[pick % 7 % len(cities)], name, "", "zh", "", at, at, 1


def _step(key: str, step: str, source: str, target: str) -> str:
    return f'{{"kind":"stepped","key":"{key}","step":"{step}","source":"{source}","target":"{target}","reason":"","code":""}}'


def fill(cases: Cases, say: Callable[[str], None]) -> None:
    """Pour everything into the database, the index of words last."""
    at = cases.at
    person = ["id", "organisation_id", "name", "other_names", "languages", "notes", "created_at", "changed_at", "version"]
    rating = ["case_id", "round", "level", "answers", "comment", "channel", "at", "called_back_by", "outcome"]
    request = ["case_id", "round", "kind", "state", "reason", "amount", "asked_by", "asked_by_user", "asked_at", "decided_by", "decision"]
    notes = ((row + 1, words, "user:1", at["dispatched"][row]) for row, kind, words in cases.said() if kind == "note")
    replies = (
        (row + 1, "来电人", "call", "", words, "user:1", at["closed"][row], "sent", "")
        for row, kind, words in cases.said()
        if kind == "reply"
    )
    parts: tuple[tuple[type[Any], Sequence[str], Iterator[tuple[object, ...]]], ...] = (
        (Person, person, cases.persons()),
        (Case, CASE, cases.cases()),
        (Clock, CLOCK, cases.clocks()),
        (Entry, ENTRY, cases.entries()),
        (Rating, rating, cases.ratings()),
        (Request, request, cases.requests()),
        (Note, ["case_id", "text", "actor", "at"], notes),
        (Reply, ["case_id", "recipient", "channel", "address", "text", "actor", "at", "state", "failure"], replies),
    )
    for model, columns, rows in parts:
        say(f"pouring {model.__name__}")
        pour(table_of(model), columns, rows)
    say("making the index of words")
    up = put_index_down(finding.INDEX.table)
    finding.INDEX.pour(documents(cases))
    put_up(up)


def documents(cases: Cases) -> Iterator[tuple[int, list[Document]]]:
    """Yield what each case is found by, as `finding` has it."""
    said: dict[int, list[str]] = {}
    for row, _kind, words in cases.said():
        said.setdefault(row, []).append(words)
    people = [(int(str(row[1])), str(row[2])) for row in cases.persons()]
    for row in range(cases.years.count):
        title, told, address = cases.texts(row)
        person = int(cases.years.person[row])
        kept = (people[person - 1],) if person else ()
        yield row + 1, [Document(title, (cases.number(row), address, told, *said.get(row, ())), kept)]
