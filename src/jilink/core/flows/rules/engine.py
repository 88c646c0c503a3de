"""Runs flows: pure, the same for the same past.

`begin` and `advance` take steps until one has to wait. They end: no more than `MOST_AT_ONCE` steps between two waits, `MOST_IN_WHOLE` in
whole, `Flow.longest_minutes` of waiting, and no wait without a time (`State.expires_at`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from msgspec.structs import replace

from jilink.core.cases.rules.numbers import NumberMisread, parse
from jilink.core.flows.rules import definition as d
from jilink.core.flows.rules import effects as e
from jilink.core.flows.rules import words
from jilink.core.flows.rules.answers import Answer, answered
from jilink.core.flows.rules.conditions import Hours, Words, holds
from jilink.core.flows.rules.state import Contact, Frame, Moved, Passed, State

MOST_AT_ONCE = 500
MOST_IN_WHOLE = 5000
DEEPEST = 5
LONGEST_VALUE = 2000
MOST_VARIABLES = 200
GRACE = timedelta(seconds=60)
"""How long after its time a wait is given up where nobody said that it is over."""
LONGEST_TALK = timedelta(hours=6)
PATIENCE_S = 600
"""The least time for an answer that is written, whatever is enough for one by keys."""
WRITTEN = "written"
"""In place of a recording: the message that waits for its case was written."""
QUICK = timedelta(seconds=30)
"""For what answers at once."""

Library = Mapping[str, d.Flow]
"""Flows that others call, by key."""


def begin(flow: d.Flow, contact: Contact, now: datetime, library: Library | None = None) -> Moved:
    """Return where a new contact stands and what is done first."""
    language = contact.language if contact.language in flow.languages else flow.languages[0]
    given = {name: value[:LONGEST_VALUE] for name, value in contact.inputs.items() if name in flow.inputs}
    own = {"caller": contact.caller, "dialled": contact.dialled, "name": contact.name, "channel": contact.channel}
    state = State(
        contact=contact,
        frames=(Frame("", flow.beginning),),
        language=language,
        variables={**given, **own},
        began_at=now,
        ends_at=now + timedelta(minutes=flow.longest_minutes),
        expires_at=now,
    )
    return _Run(flow, library or {}, state, now).go()


def advance(flow: d.Flow, state: State, happened: e.AnyHappening, now: datetime, library: Library | None = None) -> Moved:
    """Return where a contact stands after something happened. What is late, or does not fit the wait, changes nothing."""
    if state.ended:
        return Moved(state, (), ())
    run = _Run(flow, library or {}, state, now)
    if isinstance(happened, e.Gone):
        return run.end("gone")
    if happened.turn != state.turn:
        return Moved(state, (), ())
    if now >= state.ends_at and state.connected_at is None:
        return run.end("expired")
    return run.take(happened)


def settle(
    flow: d.Flow, moved: Moved, answer: Callable[[e.AnyEffect, State], e.AnyHappening], now: datetime, library: Library | None = None
) -> Moved:
    """Return the movement with everything answered that is answered inside (`effects.INNER`), so that its last effect waits outside."""
    while moved.effects and isinstance(moved.effects[-1], e.INNER):
        before = moved.effects[:-1]
        then = advance(flow, moved.state, answer(moved.effects[-1], moved.state), now, library)
        state = then.state
        if before and not state.ended:  # what is said before takes its time
            state = replace(state, expires_at=min(state.expires_at + _saying(before, state), max(state.ends_at, state.expires_at)))
        moved = Moved(state, (*before, *then.effects), (*moved.passed, *then.passed))
    return moved


def _saying(effects: Sequence[e.AnyEffect], state: State) -> timedelta:
    """Return about how long it takes to say what is said in a list of effects."""
    if state.contact.channel != "call":
        return timedelta()
    said = [piece for effect in effects if isinstance(effect, e.Say) for piece in effect.pieces]
    return timedelta(seconds=sum(words.seconds_to_say(piece.text, piece.language) for piece in said))


@dataclass(slots=True)
class _Run:
    """One movement from wait to wait."""

    main: d.Flow
    library: Library
    state: State
    now: datetime
    effects: list[e.AnyEffect] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    pieces: list[e.Piece] = field(default_factory=list)
    taken: int = 0

    # where we are

    def flow(self, key: str) -> d.Flow:
        return self.main if key == "" else self.library[key]

    def step(self) -> d.AnyStep:
        here = self.state.frames[-1]
        return self.flow(here.flow).step(here.step)

    @property
    def facts(self) -> dict[str, str]:
        return {**self.state.variables, "language": self.state.language, "known": "yes" if self.state.contact.known else ""}

    @property
    def aloud(self) -> bool:
        return self.state.contact.channel == "call"

    def text(self, template: str) -> str:
        return words.render(template, self.facts, self.state.language, aloud=False)[:LONGEST_VALUE]

    # what changes

    def keep(self, name: str, value: str) -> None:
        kept = {**self.state.variables, name: value[:LONGEST_VALUE]}
        if len(kept) <= MOST_VARIABLES:
            self.state = replace(self.state, variables=kept)

    def leave(self, outcome: str, target: str) -> None:
        """Go from the running step to another one, or back to the caller."""
        here = self.state.frames[-1]
        self.passed.append(Passed(here.flow, here.step, outcome))
        self.state = replace(self.state, frames=(*self.state.frames[:-1], Frame(here.flow, target or d.END)), tries=0)

    def came(self, outcome: str) -> None:
        """Leave the running step by an outcome."""
        self.leave(outcome, dict(self.step().ways()).get(outcome, d.END))

    def say(self, prompt: words.Prompt, spoken: str = "") -> tuple[e.Piece, ...]:
        here = self.state.frames[-1]
        text, recording, language = prompt.in_(spoken or self.state.language, self.flow(here.flow).languages[0])
        said = words.render(text, self.facts, language, aloud=self.aloud)
        if recording:
            return (e.Sound(name=recording, language=language, text=said),)
        return (e.Spoken(text=said, language=language),) if said.strip() else ()

    def flush(self) -> None:
        if self.pieces:
            self.effects.append(e.Say(turn=self.state.turn, pieces=tuple(self.pieces)))
            self.pieces = []

    def wait(self, limit: timedelta) -> int:
        """Begin a wait that is over after about `limit`, and return its turn."""
        self.state = replace(self.state, turn=self.state.turn + 1)
        self.flush()
        ends = max(min(self.now + _saying(self.effects, self.state) + limit + GRACE, self.state.ends_at), self.now + timedelta(seconds=1))
        self.state = replace(self.state, expires_at=ends, connected_at=None)
        return self.state.turn

    def moved(self) -> Moved:
        return Moved(self.state, tuple(self.effects), tuple(self.passed))

    def end(self, outcome: str) -> Moved:
        """End the contact."""
        self.flush()
        self.state = replace(self.state, outcome=outcome, turn=self.state.turn + 1, expires_at=self.now, connected_at=None)
        self.effects.append(e.End(turn=self.state.turn, outcome=outcome))
        return self.moved()

    # steps

    def go(self) -> Moved:
        """Take steps until one waits or all is over."""
        while True:
            if self.state.frames[-1].step == d.END:
                if len(self.state.frames) == 1:
                    return self.end("done")
                self.state = replace(self.state, frames=self.state.frames[:-1])
                self.came("next")
                continue
            self.taken += 1
            self.state = replace(self.state, steps=self.state.steps + 1)
            if self.taken > MOST_AT_ONCE or self.state.steps > MOST_IN_WHOLE:
                return self.end("too_many_steps")
            step = self.step()
            if isinstance(step, d.HangUp):
                here = self.state.frames[-1]
                self.passed.append(Passed(here.flow, here.step, step.outcome))
                return self.end(step.outcome or "done")
            if self.waits(step):
                return self.moved()

    def waits(self, step: d.AnyStep) -> bool:
        """Take one step; return whether it waits."""
        match step:
            case d.Say():
                self.pieces += self.say(step.prompt, step.language)
            case d.SetLanguage():
                if step.language in self.flow(self.state.frames[-1].flow).languages:
                    self.state = replace(self.state, language=step.language)
            case d.SetVariable():
                self.keep(step.name, self.text(step.value))
            case d.Branch():
                return self.branch(step, None)
            case d.Call():
                self.call(step)
                return False
            case d.AskDigits() | d.AskText() | d.AskSpeech() | d.Voicemail():
                self.ask(step)
                return True
            case d.LookUpCase():
                return self.look_up(step)
            case _:
                self.order(step)
                return True
        self.came("next")
        return False

    def call(self, step: d.Call) -> None:
        if step.flow in self.library and len(self.state.frames) <= DEEPEST:
            self.state = replace(self.state, frames=(*self.state.frames, Frame(step.flow, self.library[step.flow].beginning)), tries=0)
        else:
            self.came("next")

    def branch(self, step: d.Branch, hours: Mapping[str, bool] | None) -> bool:
        """Go by the first test that holds; ask for the hours first where a test needs them."""
        wanted = tuple(sorted({arm.test.calendar for arm in step.arms if isinstance(arm.test, Hours)}))
        if wanted and hours is None:
            self.effects.append(e.AskHours(turn=self.wait(QUICK), calendars=wanted))
            return True
        facts = self.facts
        for number, arm in enumerate(step.arms, 1):
            if holds(arm.test, facts.get(arm.on, ""), facts, hours or {}):
                self.leave(str(number), arm.to)
                return False
        self.leave("otherwise", step.otherwise)
        return False

    def ask(self, step: d.AskDigits | d.AskText | d.AskSpeech | d.Voicemail) -> None:
        """Ask a question, with what is said before it."""
        again = self.say(step.again) if self.state.tries and isinstance(step, d.AskDigits | d.AskText) else ()
        pieces = (*again, *self.say(step.prompt))
        saying = _saying((e.Say(turn=0, pieces=pieces),), self.state)
        least = 0 if self.aloud else PATIENCE_S
        match step:
            case d.AskDigits():
                patience = max(step.timeout_s, least)
                turn = self.wait(saying + timedelta(seconds=patience + step.between_s * step.most))
                self.effects.append(
                    e.TakeDigits(
                        turn=turn,
                        pieces=pieces,
                        least=step.least,
                        most=step.most,
                        terminator=step.terminator,
                        timeout_s=patience,
                        between_s=step.between_s,
                    )
                )
            case d.AskText():
                turn = self.wait(saying + timedelta(seconds=step.timeout_s))
                self.effects.append(e.TakeText(turn=turn, pieces=pieces, timeout_s=step.timeout_s))
            case d.AskSpeech() | d.Voicemail():
                turn = self.wait(saying + timedelta(seconds=max(step.longest_s + step.silence_s, least)))
                message = isinstance(step, d.Voicemail)
                self.effects.append(
                    e.TakeSpeech(turn=turn, pieces=pieces, longest_s=step.longest_s, silence_s=step.silence_s, message=message)
                )

    def look_up(self, step: d.LookUpCase) -> bool:
        try:
            number = parse(self.text(step.number))
        except NumberMisread:
            self.came("misread")
            return False
        self.effects.append(e.AskCase(turn=self.wait(QUICK), number=number, phone=self.text(step.phone)))
        return True

    def order(self, step: d.AnyStep) -> None:
        """Have something done that waits."""
        match step:
            case d.OpenCase():
                made = {key: self.text(value) for key, value in step.answers.items()}
                title, told = self.text(step.title), self.text(step.description)
                self.effects.append(e.MakeCase(turn=self.wait(QUICK), type=step.type, title=title, description=told, answers=made))
            case d.Queue():
                skills = tuple(self.text(skill) for skill in step.skills)
                turn = self.wait(timedelta(seconds=step.longest_s))
                self.effects.append(
                    e.PutInQueue(
                        turn=turn,
                        queue=step.queue,
                        skills=tuple(skill for skill in skills if skill),
                        priority=step.priority,
                        longest_s=step.longest_s,
                        leave_on=step.leave_on,
                    )
                )
            case d.Callback():
                self.effects.append(e.BookCallback(turn=self.wait(QUICK), queue=step.queue, number=self.text(step.number)))
            case d.Webhook():
                sends = {name: self.text(value) for name, value in step.sends.items()}
                turn = self.wait(timedelta(seconds=step.timeout_s))
                self.effects.append(e.CallHook(turn=turn, hook=step.hook, sends=sends, takes=step.takes, timeout_s=step.timeout_s))
            case d.Transfer():
                turn = self.wait(timedelta(seconds=step.timeout_s))
                self.effects.append(e.PutThrough(turn=turn, target=self.text(step.target), timeout_s=step.timeout_s))
            case d.Wait():
                self.effects.append(e.Pause(turn=self.wait(timedelta(seconds=step.seconds)), seconds=step.seconds))

    # what happened

    def take(self, happened: e.AnyHappening) -> Moved:
        """Go on after something happened to the running wait."""
        step = self.step()
        outcome = answered(step, happened, self.state)
        if outcome is None:
            return self.talk(step, happened)
        if isinstance(happened, e.HoursAre) and isinstance(step, d.Branch):
            self.branch(step, happened.open)
            return self.go()
        return self.go_by(step, outcome)

    def talk(self, step: d.AnyStep, happened: e.AnyHappening) -> Moved:
        """Note that they talk with somebody now; anything else does not fit."""
        if isinstance(happened, e.Connected) and isinstance(step, d.Queue | d.Transfer) and self.state.connected_at is None:
            self.state = replace(self.state, connected_at=self.now, expires_at=self.now + LONGEST_TALK)
        return self.moved()

    def go_by(self, step: d.AnyStep, outcome: Answer) -> Moved:
        """Leave the running step by what came of it, ask again, or open the case of a message."""
        if self.state.connected_at is not None:
            self.state = replace(self.state, ends_at=self.state.ends_at + (self.now - self.state.connected_at), connected_at=None)
        for name, value in outcome.values.items():
            self.keep(name, value)
        if self.shortcut(outcome.words):
            return self.go()
        if outcome.again and isinstance(step, d.AskDigits | d.AskText):
            self.state = replace(self.state, tries=self.state.tries + 1)
            if self.state.tries < step.tries:
                self.ask(step)
                return self.moved()
        if isinstance(step, d.Voicemail) and (outcome.recording or outcome.message) and not self.state.recording:
            self.state = replace(self.state, recording=outcome.recording or WRITTEN)
            made = {key: self.text(value) for key, value in step.answers.items()}
            turn = self.wait(QUICK)
            effect = e.MakeCase(
                turn=turn,
                type=step.type,
                title=self.text(step.title),
                description=outcome.message,
                answers=made,
                recording=outcome.recording,
            )
            self.effects.append(effect)
            return self.moved()
        self.state = replace(self.state, recording="")
        self.came(outcome.outcome)
        return self.go()

    def shortcut(self, said: str) -> bool:
        """Go where words lead whatever was asked, in the running flow or, leaving it, in one that called it."""
        if not said:
            return False
        here = self.state.frames[-1]
        for depth in range(len(self.state.frames) - 1, -1, -1):
            for one in self.flow(self.state.frames[depth].flow).shortcuts:
                if holds(Words(words=one.words, how="only"), said, {}, {}):
                    self.passed.append(Passed(here.flow, here.step, "shortcut"))
                    frame = Frame(self.state.frames[depth].flow, one.to or d.END)
                    self.state = replace(self.state, frames=(*self.state.frames[:depth], frame), tries=0)
                    return True
        return False
