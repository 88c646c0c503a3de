"""Trying a flow: a conversation line by line, kept in the address, and kept as a test of the flow where it is as it should be."""

import msgspec
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from msgspec.structs import replace

from jilink.core.flows import actions, reads
from jilink.core.flows.rules import effects as e
from jilink.core.flows.rules.definition import CaseFacts, Expected, FlowTest, Line
from jilink.core.flows.rules.faults import MOST_LINES
from jilink.core.flows.rules.simulation import Played, simulate
from jilink.core.parties.access import Actor
from jilink.kernel.clock import utc_now
from jilink.kernel.texts import Text
from jilink.services.console.pages.flows_show import document_of, draft_of, head, shown
from jilink.services.console.pages.flows_words import CHANNEL_WORDS, LANGUAGE_WORDS, OUTCOME_WORDS
from jilink.webkit.door import signed_in

CASE = "3810249674"
_STAGE = Text("处理中", "In work")
_BUTTONS: dict[type[e.AnyEffect], tuple[str, ...]] = {
    e.TakeDigits: ("silence", "gone"),
    e.TakeText: ("silence", "gone"),
    e.TakeSpeech: ("silence", "gone"),
    e.PutInQueue: ("served", "waited", "full", "closed", "left", "gone"),
    e.PutThrough: ("done", "failed", "gone"),
    e.BookCallback: ("booked", "refused"),
    e.Pause: ("silence", "gone"),
}
_ASKING = (e.TakeDigits, e.TakeText, e.TakeSpeech)


@require_safe
@signed_in
def attempt(request: HttpRequest, actor: Actor, number: int) -> HttpResponse:
    """Show the conversation so far and what can be answered."""
    view = reads.flow(actor, number)
    test = _test(request)
    played = simulate(view.definition, test, utc_now(), view.called) if not view.problems and view.definition.steps else None
    waiting = played.waiting if played else None
    steps = {step.key: step.label or step.key for step in view.definition.steps}
    context = head(view, actor) | {
        "problems": shown(view, view.problems),
        "played": played,
        "heard": _lines(played) if played else [],
        "here": steps.get(played.state.frames[0].step, "") if played and waiting else "",
        "asks": isinstance(waiting, _ASKING),
        "buttons": [(name, OUTCOME_WORDS[name]) for name in _BUTTONS.get(type(waiting), ())] if waiting else [],
        "lines": [_code(line) for line in test.lines],
        "test": test,
        "open": bool(test.open),
        "languages": [(key, LANGUAGE_WORDS.get(key, key)) for key in view.definition.languages],
        "channels": CHANNEL_WORDS.items(),
        "case": CASE,
        "calendars": ",".join(test.open),
    }
    return render(request, "console/flows_try.html", context)


@require_POST
@signed_in
def keep(request: HttpRequest, actor: Actor, number: int) -> HttpResponse:
    """Keep the conversation as a test of the draft: what was passed and how it ended is to be so from now on."""
    view = draft_of(actor, number)
    name = request.POST.get("name", "").strip()[:100]
    test = _test(request)
    if not name:
        messages.error(request, _("Give the test a name."))
    elif view.problems:
        messages.error(request, _("It cannot be published yet. See the problems below."))
    else:
        played = simulate(view.definition, test, utc_now(), view.called)
        expects = Expected(passed=tuple(one.step for one in played.passed if one.flow == ""), ends=played.state.outcome)
        document = document_of(view)
        document["tests"].append(msgspec.to_builtins(replace(test, name=name, expects=expects)))
        actions.save_flow(organisation=view.organisation, key=view.key, definition=msgspec.json.encode(document), by=actor)
        messages.success(request, _("The test was kept. It is run before the flow is published."))
    return redirect("console:flow", number)


def _test(request: HttpRequest) -> FlowTest:
    given = request.POST if request.method == "POST" else request.GET
    codes = [code for code in given.getlist("line") if code][:MOST_LINES]
    answer, outcome = given.get("answer", "").strip()[:500], given.get("outcome", "")
    if outcome:
        codes.append(f"o:{outcome}")
    elif answer:
        codes.append(f"a:{answer}")
    lines = [Line(outcome=code[2:]) if code.startswith("o:") else Line(answer=code[2:]) for code in codes]
    channel = given.get("channel", "call")
    return FlowTest(
        name="-",
        channel=channel if channel in CHANNEL_WORDS else "call",
        language=given.get("language", ""),
        known=bool(given.get("known")),
        open=_calendars(given.get("open", ""), fresh="line" not in given and "channel" not in given),
        cases=(CaseFacts(number=CASE, title=_("A case to try with"), stage=_STAGE),),
        lines=tuple(lines),
    )


def _calendars(text: str, *, fresh: bool) -> tuple[str, ...]:
    """Return the calendars by which it is working time; on a fresh page it is."""
    return ("china",) if fresh else tuple(part for part in text.split(",") if part)


def _code(line: Line) -> str:
    return f"o:{line.outcome}" if line.outcome else f"a:{line.answer}"


def _lines(played: Played) -> list[tuple[bool, str, str]]:
    """Return the transcript: whether the flow says it, the words, and their language for the page."""
    words = {
        "put_in_queue": _("Waits in the queue %(name)s"),
        "book_callback": _("Asks for a callback in the queue %(name)s"),
        "put_through": _("Is put through to %(name)s"),
        "call_hook": _("Asks the address %(name)s"),
        "pause": _("Waits %(name)s"),
        "end": _("The end: %(name)s"),
    }
    found = []
    for line in played.heard:
        if line.kind in words:
            found.append((True, words[line.kind] % {"name": line.text}, ""))
        elif line.kind == "outcome":
            found.append((False, str(OUTCOME_WORDS.get(line.text, line.text)), ""))
        elif line.text and line.kind in {"say", "answer"}:
            found.append((line.ours, line.text, line.language))
    return found


patterns = [
    path("<int:number>/try", attempt, name="flow-try"),
    path("<int:number>/try/keep", keep, name="flow-keep"),
]
