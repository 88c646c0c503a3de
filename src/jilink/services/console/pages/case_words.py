"""What cases say in the reader's language: channels, clocks, requests, ratings, and each line of a timeline as a sentence."""

from datetime import datetime

from django.utils.formats import number_format
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from jilink.core.cases.rules import numbers, timeline
from jilink.core.cases.rules.clocks import Clock
from jilink.core.cases.rules.definition import Definition
from jilink.core.cases.rules.workflow import RequestKind, RequestState, Satisfaction
from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text
from jilink.webkit.door import said
from jilink.webkit.parts import Words

CHANNELS = {
    "call": gettext_lazy("Telephone"),
    "text": gettext_lazy("Text message"),
    "chat": gettext_lazy("Chat"),
    "mail": gettext_lazy("E-mail"),
    "web": gettext_lazy("Web"),
    "counter": gettext_lazy("Counter"),
    "button": gettext_lazy("Button in a vehicle"),
    "phone": gettext_lazy("Telephone"),
}
LANGUAGES = {
    "zh": gettext_lazy("Chinese"),
    "ko": gettext_lazy("Korean"),
    "mn": gettext_lazy("Mongolian"),
    "en": gettext_lazy("English"),
    "ru": gettext_lazy("Russian"),
    "ja": gettext_lazy("Japanese"),
}
"""Languages that people here ask for, by their tag (RFC 5646)."""
REQUESTS = {
    RequestKind.EXTENSION: gettext_lazy("Extension"),
    RequestKind.RETURN: gettext_lazy("Return"),
    RequestKind.SUSPENSION: gettext_lazy("Suspension"),
}
REQUESTING = {
    RequestKind.EXTENSION: gettext_lazy("Request an extension"),
    RequestKind.RETURN: gettext_lazy("Request a return"),
    RequestKind.SUSPENSION: gettext_lazy("Request a suspension"),
}
"""What the buttons say."""
OUTCOMES = {
    RequestState.ASKED: gettext_lazy("Waiting for a decision"),
    RequestState.APPROVED: gettext_lazy("Approved"),
    RequestState.REFUSED: gettext_lazy("Refused"),
    RequestState.ARBITRATION: gettext_lazy("In arbitration"),
    RequestState.WITHDRAWN: gettext_lazy("Withdrawn"),
}
RATINGS = {
    Satisfaction.VERY_SATISFIED: gettext_lazy("Very satisfied"),
    Satisfaction.SATISFIED: gettext_lazy("Satisfied"),
    Satisfaction.BASICALLY_SATISFIED: gettext_lazy("Basically satisfied"),
    Satisfaction.DISSATISFIED: gettext_lazy("Dissatisfied"),
    Satisfaction.VERY_DISSATISFIED: gettext_lazy("Very dissatisfied"),
}
LINKS = {
    "duplicate_of": gettext_lazy("Duplicate of"),
    "part_of": gettext_lazy("Part of"),
    "caused_by": gettext_lazy("Caused by"),
    "about_asset": gettext_lazy("About"),
    "duplicate_of_other": gettext_lazy("Has a duplicate"),
    "part_of_other": gettext_lazy("Has a part"),
    "caused_by_other": gettext_lazy("Is the cause of"),
}
REPLY_STATES = {"waiting": gettext_lazy("Not sent yet"), "sent": gettext_lazy("Sent"), "failed": gettext_lazy("Not delivered")}
FIELDS = {
    "title": gettext_lazy("Title"),
    "description": gettext_lazy("Description"),
    "priority": gettext_lazy("Priority"),
    "person": gettext_lazy("Person"),
    "address": gettext_lazy("Address"),
    "area": gettext_lazy("Area"),
    "latitude": gettext_lazy("Latitude"),
    "longitude": gettext_lazy("Longitude"),
    "accuracy_m": gettext_lazy("Accuracy of the point"),
}


def language() -> str:
    """Return the tag of the reader's language."""
    return get_language() or "zh-hans"


def in_words(text: Text) -> str:
    """Return what an operator wrote, in the reader's language."""
    return text.in_(language())


def answer_problem(refusal: Refused) -> str:
    """Return what is wrong with an answer, for whoever typed it."""
    return said(refusal)


def amount_in_words(kind: Clock, amount: int) -> str:
    """Return an amount of a clock: ``3 working days``."""
    words = {
        Clock.URGENT_HOURS: ngettext("%(n)d hour, day and night", "%(n)d hours, day and night", amount),
        Clock.WORKING_HOURS: ngettext("%(n)d working hour", "%(n)d working hours", amount),
        Clock.WORKING_DAYS: ngettext("%(n)d working day", "%(n)d working days", amount),
        Clock.CALENDAR_DAYS: ngettext("%(n)d day", "%(n)d days", amount),
    }
    return words[kind] % {"n": amount}


def length(seconds: float) -> str:
    """Return a length of time roughly, as people say it."""
    minutes = max(1, round(abs(seconds) / 60))
    if minutes < 60:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = minutes / 60
    if hours < 48:
        shown = round(hours, 1)
        return _("%(n)s hours") % {"n": number_format(round(shown) if shown >= 10 or shown == round(shown) else shown)}
    return ngettext("%(n)d day", "%(n)d days", round(hours / 24)) % {"n": round(hours / 24)}


def due_in_words(due_at: datetime | None, now: datetime) -> str:
    """Return how long there is, or that it is overdue and by how much."""
    if due_at is None:
        return _("No time limit runs")
    left = (due_at - now).total_seconds()
    return _("%(time)s left") % {"time": length(left)} if left >= 0 else _("Overdue by %(time)s") % {"time": length(left)}


def _stage(definition: Definition, key: str) -> str:
    stage = next((stage for stage in definition.stages if stage.key == key), None)
    return in_words(stage.label) if stage else key


def stepped(detail: timeline.Stepped, definition: Definition) -> str:
    """Return a transition as a sentence."""
    ways = [way for way in definition.transitions if way.key == detail.key and way.source == detail.source]
    label = in_words(ways[0].label) if ways else detail.key
    words = _("%(step)s: %(source)s → %(target)s") % {
        "step": label,
        "source": _stage(definition, detail.source),
        "target": _stage(definition, detail.target),
    }
    code = next((in_words(each.label) for each in definition.closing_codes if each.key == detail.code), "")
    return f"{words} · {code}" if code else words


def linked(detail: timeline.Linked, things: dict[int, str]) -> str:
    """Return a link as a sentence."""
    other = numbers.grouped(detail.number) if detail.number else things.get(detail.asset or 0, _("a thing"))
    how = detail.how.removesuffix("_of_other") + "_other" if detail.how.endswith("_of_other") else detail.how
    words = f"{LINKS.get(how, how)} {other}"
    return _("Link removed: %(link)s") % {"link": words} if detail.removed else words


def field_title(name: str, definition: Definition) -> Words:
    """Return how a field of a case is called."""
    key = name.removeprefix("answers.")
    if key != name:
        return next((in_words(each.label) for each in definition.form if each.key == key), key)
    return FIELDS.get(name, name)
