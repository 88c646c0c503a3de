"""One case as it is played: who does what to it at which moment, through the real actions."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from jilink.core.cases import actions as cases
from jilink.core.cases import reads
from jilink.core.cases.actions import NewCase, Recipient, StepData
from jilink.core.cases.reads.lists import CaseRow
from jilink.core.cases.rules.calendar import WorkingCalendar
from jilink.core.cases.rules.form import Place
from jilink.core.cases.rules.workflow import LinkKind, Satisfaction
from jilink.core.files import actions as files
from jilink.core.interactions import actions as interactions
from jilink.core.interactions.actions import Contact
from jilink.core.interactions.rules import Channel, Outcome, Side
from jilink.core.parties import access
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import FileId, InteractionId, OrganisationId
from jilink.services.console.demonstration import pictures
from jilink.services.console.demonstration.data import Story
from jilink.services.console.demonstration.people import Served, Spot
from jilink.services.console.demonstration.staff import Staff, Units

_MIXES: dict[str, dict[Channel, int]] = {
    "city_fault": {Channel.CALL: 4, Channel.WEB: 3, Channel.CHAT: 2, Channel.TEXT: 1},
    "hotline": {Channel.CALL: 7, Channel.TEXT: 1, Channel.WEB: 1, Channel.COUNTER: 1},
    "rural_question": {Channel.TEXT: 5, Channel.CALL: 3, Channel.CHAT: 2},
    "breakdown": {Channel.CALL: 7, Channel.BUTTON: 3},
}
_CODES = {
    "city_fault": {"done": "done", "explained": "explained"},
    "hotline": {"done": "done", "explained": "explained"},
    "rural_question": {"done": "answered"},
    "breakdown": {"done": "repaired", "explained": "by_phone"},
}
_FIRST_WAYS = {"answer": ("city_fault", "hotline", "breakdown"), "accept": ("city_fault", "hotline")}
_PHOTOS = {"city_fault": "before", "rural_question": "photos"}
_PACE = {1: 1.0, 3: 1.0, 5: 0.3, 9: 0.12}
"""How much faster urgent cases are worked on."""
_DRAWN = 3
_ANYWHERE = {"road": "门前路", "estate": "本小区", "building": "", "village": "本村"}
_WORDS_OF_RATING = {1: "来了好几次都没解决，也没人回电话。", 2: "处理得太慢，态度一般。", 4: "办得挺快。", 5: "非常满意，谢谢。"}


@dataclass(slots=True)
class Stage:
    """What all cases of the demonstration stand on."""

    units: Units
    staff: Staff
    calendar: WorkingCalendar
    survey: Actor
    owner: int | None = None
    """Who looks at the demonstration (an account)."""
    _pictures: dict[tuple[str, int, bool], bytes] = field(default_factory=dict)

    def seeded(self, seed: str | float) -> Random:
        """Return random numbers that come the same for the same seed."""
        return Random(seed)  # noqa: S311 -- invented data, no secret

    def picture(self, kind: str, random: Random, *, after: bool) -> bytes:
        """Return one of a few pictures of a kind, drawn once."""
        key = (kind, random.randrange(_DRAWN), after)
        if key not in self._pictures:
            self._pictures[key] = pictures.photo(kind, self.seeded(f"{key}"), after=after)
        return self._pictures[key]


@dataclass(slots=True)
class Play:
    """One case, at one moment of its life."""

    stage: Stage
    story: Story
    spot: Spot
    person: Served | None
    priority: int
    random: Random
    at: datetime
    case: int = 0
    number: str = ""
    turn: int = 0
    agent: Actor = access.NOBODY
    _row: CaseRow | None = None

    def __post_init__(self) -> None:
        self.turn = self.random.randrange(len(self.story.titles))
        self.agent = self.random.choice(self.stage.staff.agents)

    @property
    def supervisor(self) -> Actor:
        """Return who decides for the office."""
        return self.stage.staff.supervisor

    @property
    def row(self) -> CaseRow:
        """Return the case as it stood when this moment began."""
        if self._row is None:
            self._row = reads.rows_of(self.supervisor, [self.case], now=self.at)[0]
        return self._row

    def awake(self) -> None:
        """Begin a moment: what was read before may no longer be so."""
        self._row = None

    def minutes(self, low: float, high: float) -> datetime:
        """Let so many minutes pass, and return the moment."""
        self.at += timedelta(minutes=self.random.uniform(low, high))
        return self.at

    def days(self, number: int) -> datetime:
        """Let days pass, and return the moment."""
        self.at += timedelta(days=number)
        return self.at

    def hours(self, low: float, high: float) -> datetime:
        """Let so many hours of work pass, fewer for what is urgent; help on the road works around the clock."""
        hours = timedelta(hours=self.random.uniform(low, high) * _PACE[self.priority])
        if self.story.type == "breakdown":
            self.at += hours
        else:
            reached = self.stage.calendar.instant_worked(self.stage.calendar.worked_before(self.at) + hours)
            self.at = max(reached, self.at) + timedelta(seconds=self.random.uniform(5, 300))
        return self.at

    def can(self, key: str) -> bool:
        """Return whether the case's type has a transition of this key from its first stage."""
        return self.story.type in _FIRST_WAYS[key]

    def closing(self, what: str) -> str:
        """Return the closing code of the type for what came of it."""
        return _CODES[self.story.type].get(what, _CODES[self.story.type]["done"])

    def _words(self, texts: tuple[str, ...]) -> str:
        return texts[self.turn % len(texts)].format_map(
            {"road": "门前路", "estate": "本小区", "building": "", "village": "本村", **self.spot.words}
        )

    def open(self) -> None:
        """Open the case from a contact, or from a patrol where nobody called."""
        title, said = self._words(self.story.titles), self._words(self.story.said)
        contact = self._contact(title, said) if self.person is not None else None
        answers: dict[str, object] = dict(self.story.answers)
        place = Place(latitude=self.spot.latitude, longitude=self.spot.longitude, accuracy_m=20, address=self.spot.address)
        if self.story.where:
            answers["place"] = place
        if self.spot.asset is not None:
            answers["asset"] = self.spot.asset
        question = _PHOTOS.get(self.story.type)
        if question and self.story.picture and self.random.random() < 0.5:
            answers[question] = [str(self._photo(self.stage.units.office, self.agent, after=False))]
        new = NewCase(
            type=self.story.type,
            title=title,
            description=said,
            answers=answers,
            person=self.person.id if self.person is not None else None,
            place=place if self.story.where else Place(),
            area=self.spot.area if self.story.where else "",
            priority=self.priority,
            interaction=contact,
        )
        made = cases.open_case(organisation=self.stage.units.office, new=new, by=self.agent, now=self.at)
        self.case, self.number = made.case, made.number
        if contact is not None:
            interactions.end_interaction(interaction=contact, outcome=Outcome.CASE, by=self.agent, now=self.at)

    def _contact(self, title: str, said: str) -> InteractionId:
        person, mix = self.person, _MIXES[self.story.type]
        if person is None:
            raise ValueError("nobody called")
        channel = self.random.choices(list(mix), list(mix.values()))[0]
        began = self.at - timedelta(minutes=self.random.uniform(1.5, 6))
        by_phone = channel in {Channel.CALL, Channel.TEXT}
        contact = Contact(channel=channel, contact=person.phone if by_phone else "", person=person.id, subject=title, started_at=began)
        made = interactions.add_interaction(organisation=self.stage.units.office, contact=contact, by=self.agent, now=began)
        interactions.add_part(interaction=made, side=Side.THEIRS, text=said, by=self.agent, at=began + timedelta(seconds=20))
        answer = "您好，已为您登记，稍后会把受理编号发给您。"
        interactions.add_part(interaction=made, side=Side.OURS, text=answer, by=self.agent, at=began + timedelta(seconds=70))
        return made

    def _photo(self, organisation: OrganisationId, by: Actor, *, after: bool) -> FileId:
        data = self.stage.picture(self.story.picture, self.random, after=after)
        name = "处理后.jpg" if after else "现场.jpg"
        return files.keep_file(organisation=organisation, data=data, name=name, permission=Permission.WORK_CASES, by=by, now=self.at)

    def step(self, by: Actor, key: str, *, reason: str = "", code: str = "", answers: dict[str, object] | None = None) -> None:
        """Take a step."""
        cases.take_step(case=self.case, key=key, by=by, data=StepData(reason=reason, code=code, answers=answers), now=self.at)

    def dispatch(self, *, elsewhere: bool = False) -> None:
        """Send the case out: by the rules, or by hand to a unit that did not have it."""
        if not elsewhere:
            self.step(self.agent, "dispatch")
            return
        others = [self.stage.units.light, self.stage.units.drains, *self.stage.units.territory.values()]
        unit = self.random.choice([each for each in others if each != self.row.unit])
        to = Recipient(unit=unit, why=("值班长核对管理范围后改派。",))
        cases.take_step(case=self.case, key="dispatch", by=self.supervisor, data=StepData(recipient=to), now=self.at)

    def award(self) -> None:
        """Decide in arbitration whose it is."""
        self.step(self.supervisor, "award", reason="经现场会商，由属地单位负责处置，不再退回。")

    def has_assignee(self) -> bool:
        """Return whether somebody in particular has it."""
        return self.row.assignee is not None

    def _worker(self) -> Actor:
        row, staff = self.row, self.stage.staff
        crew = staff.crew.get(OrganisationId(row.unit), staff.agents)
        return next((each for each in crew if each.user == row.assignee), crew[0])

    def assign(self) -> None:
        """Let the unit's desk give it to somebody."""
        worker = self._worker()
        desk = self.stage.staff.desks.get(OrganisationId(self.row.unit), worker)
        cases.assign_case(case=self.case, assignee=worker.user, by=desk, now=self.at)

    def note(self) -> None:
        """Write a note of whoever works on it."""
        if self.story.notes:
            cases.add_note(case=self.case, text=self._words(self.story.notes), by=self._worker(), now=self.at)

    def finish(self) -> None:
        """Say that it is done, with a picture here and there."""
        worker, words = self._worker(), self._words(self.story.finish)
        if self.story.picture and self.story.type == "city_fault" and self.random.random() < 0.6:
            photo = self._photo(OrganisationId(self.row.unit), worker, after=True)
            cases.attach_file(case=self.case, file=photo, question="after", by=worker, now=self.at)
        answers: dict[str, object] | None = {"answer": words} if self.story.type in {"hotline", "rural_question"} else None
        self.step(worker, "finish", reason=words, answers=answers)

    def confirm(self) -> None:
        """Look whether it was done, and close it."""
        self.step(self.stage.staff.checker, "confirm", code=self.closing("done"))

    def rework(self) -> None:
        """Look whether it was done: it was not."""
        self.step(self.stage.staff.checker, "rework", reason="回访时当事人反映问题仍在，请继续处理并补充处理后照片。")

    def reopen(self) -> None:
        """Open a closed case again."""
        self.step(self.agent, "reopen", reason="当事人来电称问题再次出现。")

    def reply(self) -> None:
        """Write to the person; the message is delivered."""
        if self.person is None:
            return
        words, person = self._words(self.story.replies), self.person
        sent = cases.send_reply(
            case=self.case, text=words, recipient=person.name, channel="text", address=person.phone, by=self.agent, now=self.at
        )
        cases.settle_reply(reply=sent, state="sent", by=self.stage.survey, now=self.at + timedelta(seconds=8))

    def ask_extension(self) -> int:
        """Ask for more time; return the request."""
        reason = "备件需从外地调货，预计两个工作日后到货。"
        return cases.request_extension(case=self.case, amount=2, reason=reason, by=self._worker(), now=self.at).request

    def ask_return(self, reason: str) -> int:
        """Say that it is not the unit's; return the request."""
        return cases.request_return(case=self.case, reason=reason, by=self._worker(), now=self.at).request

    def ask_suspension(self, length: timedelta) -> int:
        """Ask to let the clocks stand; return the request."""
        reason = "当前气温低于施工条件，待气温回升后作业。"
        return cases.request_suspension(case=self.case, until=self.at + length, reason=reason, by=self._worker(), now=self.at).request

    def decide(self, request: int, *, approve: bool) -> None:
        """Decide what was asked for."""
        reason = "同意。" if approve else "备件本地有货，不同意延期，请抓紧处置。"
        cases.decide_request(request=request, approve=approve, reason=reason, by=self.supervisor, now=self.at)

    def rate(self, level: Satisfaction) -> None:
        """Let the person say how it was: by telephone, or by themselves."""
        if self.person is None:
            return
        comment = _WORDS_OF_RATING.get(int(level), "")
        mark = "bad" if level <= Satisfaction.DISSATISFIED else "fair" if level == Satisfaction.BASICALLY_SATISFIED else "good"
        answers = {"efficiency": mark}
        if self.random.random() < 0.5:
            cases.rate_case(case=self.case, level=level, answers=answers, comment=comment, by=self.agent, now=self.at)
        else:
            link = cases.offer_rating(case=self.case, by=self.agent, now=self.at)
            self.minutes(3, 240)
            cases.rate_by_link(token=link.token, level=level, answers=answers, comment=comment, now=self.at)

    def call_back(self) -> None:
        """Call whoever was dissatisfied."""
        if self.person is not None:
            cases.note_call_back(
                case=self.case, outcome="已致歉并说明原因，约定本周内再次上门，当事人表示接受。", by=self.agent, now=self.at
            )

    def merge_into(self, other: "Play") -> None:
        """Let this case go on as another about the same matter."""
        cases.merge_cases(case=self.case, into=other.case, by=self.agent, now=self.at)

    def link_to(self, other: "Play") -> None:
        """Say that the other was the cause of this one."""
        cases.link_cases(case=self.case, kind=LinkKind.CAUSED_BY, other=other.case, by=self.agent, now=self.at)
