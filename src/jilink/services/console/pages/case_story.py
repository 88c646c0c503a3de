"""The timeline of a case for reading: every line with who, when and what, notes and replies whole."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from jilink.core.cases.reads import CaseView
from jilink.core.cases.reads.one import Line, Message
from jilink.core.cases.rules import numbers, timeline
from jilink.core.cases.rules.workflow import RequestKind, RequestState, Satisfaction
from jilink.core.parties.members import reads as members
from jilink.services.console.pages import case_words as words
from jilink.webkit.door import said


@dataclass(frozen=True, slots=True)
class Told:
    """One line: `kind` is event, note or reply; `other` is the number of a case that was merged into this one."""

    at: datetime
    who: str
    kind: str
    symbol: str
    title: str
    text: str = ""
    points: tuple[str, ...] = ()
    tone: str = ""
    other: str = ""


def who_did(names: dict[int, str], actor: str) -> str:
    """Return how to call whoever did something, from the name in the record (``user:7``, ``user:7/token:3``, ``system:clocks``)."""
    if actor.startswith("served:"):
        return _("The person served")
    if not actor.startswith("user:"):
        return _("Jilink")
    user, _slash, token = actor.removeprefix("user:").partition("/")
    name = names.get(int(user), _("somebody"))
    return _("%(name)s (a program)") % {"name": name} if token else name


def names_in(actors: set[str], also: set[int]) -> dict[int, str]:
    """Return the names of everybody a case names."""
    users = {int(each.removeprefix("user:").partition("/")[0]) for each in actors if each.startswith("user:")}
    return members.people_named(users | also)


class Story:
    """Tells a case's lines. `units`, `teams` and `things` are names by number."""

    def __init__(self, view: CaseView, names: dict[int, str], units: dict[int, str], teams: dict[int, str], things: dict[int, str]) -> None:
        self.view, self.names, self.units, self.teams, self.things = view, names, units, teams, things
        self.notes = {each.id: each for each in view.notes}
        self.replies = {each.id: each for each in view.replies}

    def lines(self) -> list[Told]:
        """Return every line, the newest first."""
        return [self._told(line) for line in reversed(self.view.timeline)]

    def _told(self, line: Line) -> Told:
        kind, symbol, title, text, points, tone = self._sentence(line.detail)
        other = numbers.grouped(line.number) if line.number != self.view.row.number else ""
        return Told(line.at, who_did(self.names, line.actor), kind, symbol, title, text, points, tone, other)

    def _sentence(self, detail: timeline.AnyDetail) -> tuple[str, str, str, str, tuple[str, ...], str]:
        match detail:
            case timeline.Noted(note=note):
                return "note", "edit", _("Internal note"), self._text(self.notes.get(note)), (), ""
            case timeline.Replied(reply=reply):
                return self._reply(self.replies.get(reply))
            case timeline.Stepped():
                return "event", "next", words.stepped(detail, self.view.definition), detail.reason, (), ""
            case timeline.Assigned():
                return "event", "person", self._assigned(detail), "", _reasons(detail), ""
            case timeline.Edited():
                return "event", "edit", _("Changed"), "", tuple(self._change(each) for each in detail.changes), ""
        return self._plain(detail)

    def _plain(self, detail: timeline.AnyDetail) -> tuple[str, str, str, str, tuple[str, ...], str]:
        symbol, title, text, tone = "clock", "", "", ""
        match detail:
            case timeline.Opened(channel=channel, split_from=split):
                symbol, title = "plus", _("Opened: %(channel)s") % {"channel": words.CHANNELS.get(channel, channel)}
                text = _("Split from %(number)s") % {"number": numbers.grouped(split)} if split else ""
            case timeline.Asked(what=what, reason=reason, amount=amount):
                title = _("Requested: %(what)s") % {"what": words.REQUESTS[RequestKind(what)]} + (f" +{amount}" if amount else "")
                text = reason
            case timeline.Decided(what=what, outcome=outcome, reason=reason):
                symbol, title = (
                    "check",
                    _("%(what)s: %(outcome)s")
                    % {"what": words.REQUESTS[RequestKind(what)], "outcome": words.OUTCOMES[RequestState(outcome)]},
                )
                text = reason
            case timeline.Suspended(until=until):
                symbol, title = "pause", _("Clocks paused")
                text = _("until %(day)s") % {"day": until[:10]} if until else ""
            case timeline.Resumed():
                symbol, title = "play", _("Clocks resumed")
            case timeline.Escalated(rung="", reason=reason):
                symbol, title, text, tone = "alarm", _("Escalated to the supervisors"), reason, "bad"
            case timeline.Escalated(rung=rung, unit=unit):
                label = next((words.in_words(each.label) for each in self.view.definition.ladder if each.key == rung), rung)
                symbol, title, tone = "alarm", _("Escalated: %(rung)s") % {"rung": label}, "bad"
                text = self.units.get(unit or 0, "")
            case _:
                symbol, title, text = self._joined(detail)
        return "event", symbol, title, text, (), tone

    def _joined(self, detail: timeline.AnyDetail) -> tuple[str, str, str]:
        match detail:
            case timeline.Linked():
                return "track", words.linked(detail, self.things), ""
            case timeline.MergedInto(number=number):
                return "track", _("Goes on as %(number)s") % {"number": numbers.grouped(number)}, ""
            case timeline.MergedFrom(number=number):
                return "track", _("%(number)s was merged into this case") % {"number": numbers.grouped(number)}, ""
            case timeline.SplitInto(numbers=parts):
                return "track", _("Split: %(numbers)s") % {"numbers": "、".join(numbers.grouped(each) for each in parts)}, ""
            case timeline.Attached(removed=removed):
                return "upload", _("A file was removed") if removed else _("A file was added"), ""
            case timeline.Rated(level=level):
                return "check", _("Rated: %(level)s") % {"level": words.RATINGS[Satisfaction(level)]}, ""
            case timeline.RatingAsked(until=until):
                return "send", _("A link for the rating was created"), _("until %(day)s") % {"day": until[:10]}
            case timeline.CalledBack(outcome=outcome):
                return "send", _("Called back"), outcome
        return "clock", str(detail.__struct_config__.tag), ""

    def _text(self, message: Message | None) -> str:
        return message.text if message else ""

    def _reply(self, reply: Message | None) -> tuple[str, str, str, str, tuple[str, ...], str]:
        if reply is None:
            return "reply", "send", _("Reply"), "", (), ""
        channel = words.CHANNELS.get(reply.channel, reply.channel)
        title = _("Reply to %(name)s · %(channel)s") % {"name": reply.recipient, "channel": channel}
        state = str(words.REPLY_STATES.get(reply.state, reply.state))
        points = (f"{state}: {said(reply.failure)}" if reply.failure else state,)
        return "reply", "send", title, reply.text, points, "bad" if reply.state == "failed" else ""

    def _assigned(self, detail: timeline.Assigned) -> str:
        if detail.moved_from is not None:
            from_to = {"old": self.units.get(detail.moved_from, _("a unit")), "new": self.units.get(detail.unit, _("a unit"))}
            return _("Moved from %(old)s to %(new)s") % from_to
        parts = [self.units.get(detail.unit, _("a unit"))]
        parts += [self.teams.get(detail.team, _("a team"))] if detail.team else []
        parts += [self.names.get(detail.assignee, _("somebody"))] if detail.assignee else []
        return _("Now with %(who)s") % {"who": " · ".join(parts)}

    def _change(self, change: timeline.Change) -> str:
        title = words.field_title(change.field, self.view.definition)
        key = change.field.removeprefix("answers.")
        if any(each.key == key and each.sensitive for each in self.view.definition.form):
            return _("%(field)s was changed") % {"field": title}
        old, new = (value.strip('"') if value not in {"null", '""'} else "—" for value in (change.old, change.new))
        return _("%(field)s: %(old)s → %(new)s") % {"field": title, "old": old, "new": new}


def _reasons(detail: timeline.Assigned) -> tuple[str, ...]:
    """Return why somebody has it, in the reader's language: every rule that was looked at, or what was written then."""
    if detail.considered:
        return tuple(f"{words.in_words(each.label)}: {words.in_words(each.why)}" for each in detail.considered)
    return tuple(_(each) for each in detail.why)
