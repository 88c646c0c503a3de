"""What an agent orders from their desk: their state, the call, the wrap-up. The router does it; the desk is shown again."""

import msgspec
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from jilink.core.cases import actions as cases
from jilink.core.cases import reads as case_reads
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.services.contact.actions.desk import open_phone
from jilink.services.contact.pages.desk_phone import address_of
from jilink.services.contact.reads import mine
from jilink.services.contact.router import asks
from jilink.services.contact.rules.sides import Deed
from jilink.services.contact.rules.states import AgentState
from jilink.webkit.door import said, signed_in
from jilink.webkit.link import spine

PATIENCE_S = 6.0
BROWSER = "browser"
_SIDES = frozenset(deed.value for deed in Deed)
_FURTHER = _SIDES | {"consult", "put-on", "keys"}
_HIDDEN = "There is no such thing, or you may not see it."


class OrderRefused(Refused):
    """The router did not do it, and says why."""


def order(what: asks.Ask) -> None:
    """Let the router do something. Raises OrderRefused with its reason, Unavailable where no router answers."""
    answer = msgspec.json.decode(spine().request(asks.ASK, msgspec.json.encode(what), PATIENCE_S), type=asks.Answer)
    if not answer.done:
        raise OrderRefused(answer.message or answer.refusal, **answer.values)


@require_POST
@signed_in
def state(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Begin, pause or end work at a phone."""
    desk, account = mine.desk(actor), actor.user or 0
    wanted, reason = _state(request), request.POST.get("reason", "")[:60]
    choice = request.POST.get("phone")
    changes = choice is not None and wanted is not AgentState.OFF
    if not changes and desk.state is not AgentState.OFF:
        return _done(request, asks.SetState(account=account, agent=account, state=wanted, reason=reason))
    phone = _phone(actor, desk.organisation, choice or "")
    return _done(request, asks.BeginWork(account=account, organisation=desk.organisation, phone=phone, state=wanted, reason=reason))


def _state(request: HttpRequest) -> AgentState:
    try:
        return AgentState(request.POST.get("state", ""))
    except ValueError as error:
        raise OrderRefused("That cannot be done") from error


def _phone(actor: Actor, organisation: int, choice: str) -> int | None:
    if choice == BROWSER:
        found = mine.browser_phone(actor, organisation)
        if found is None:
            raise OrderRefused("Connect the phone in this browser first, or choose a desk phone.")
        return found
    return int(choice) if choice.isascii() and choice.isdecimal() and len(choice) < 19 else None


@require_POST
@signed_in
def call(request: HttpRequest, actor: Actor, contact: int, deed: str) -> HttpResponse:
    """Hold, go on, pause or go on recording, hang up, ask or put through to somebody else, or transfer to a queue."""
    mine.interaction_of(actor, contact)
    account = actor.user or 0
    queue = request.POST.get("queue", "")
    deeds: dict[str, asks.Ask] = {
        "hold": asks.HoldCall(account=account, contact=contact, on=True),
        "unhold": asks.HoldCall(account=account, contact=contact, on=False),
        "pause": asks.PauseRecording(account=account, contact=contact, paused=True),
        "record": asks.PauseRecording(account=account, contact=contact, paused=False),
        "end": asks.EndCall(account=account, contact=contact),
        "accept": asks.Accept(account=account, contact=contact),
        "decline": asks.Decline(account=account, contact=contact),
    }
    if deed == "transfer" and queue.isascii() and queue.isdecimal() and len(queue) < 19:
        deeds[deed] = asks.TransferToQueue(account=account, contact=contact, queue=int(queue))
    if deed in _FURTHER:
        try:
            deeds[deed] = _further(request, account, contact, deed)
        except OrderRefused as error:
            messages.error(request, said(error))
            return redirect("contact:desk")
    if deed not in deeds:
        raise NotFound(_HIDDEN)
    return _done(request, deeds[deed])


def _further(request: HttpRequest, account: int, contact: int, deed: str) -> asks.Ask:
    """Return what is asked about further legs: whoever was chosen, or the number that was typed."""
    if deed == "keys":
        return asks.SendKeys(account=account, contact=contact, digits=request.POST.get("digits", "")[:30])
    if deed in _SIDES:
        return asks.SideDeed(account=account, contact=contact, deed=Deed(deed))
    chosen, number = request.POST.get("agent", ""), request.POST.get("number", "").strip()[:40]
    agent = int(chosen) if not number and chosen.isascii() and chosen.isdecimal() and len(chosen) < 19 else 0
    if not agent and not number:
        raise OrderRefused("Choose a colleague, or write a number.")
    asked = asks.Consult if deed == "consult" else asks.PutOn
    return asked(account=account, contact=contact, agent=agent, number=number)


@require_POST
@signed_in
def wrap_up(request: HttpRequest, actor: Actor, contact: int) -> HttpResponse:
    """Keep what the contact was: its code, and the note, which goes to the case that was chosen or stays with the contact."""
    mine.interaction_of(actor, contact)
    code, note, number = request.POST.get("code", "")[:40], request.POST.get("note", "").strip(), request.POST.get("case", "")
    try:
        order(asks.WrapUpDone(account=actor.user or 0, contact=contact, code=code, note=note[:500]))
    except OrderRefused as error:
        messages.error(request, said(error))
        return redirect("contact:desk")
    if note and number:
        case = case_reads.case_numbered(actor, number, now=utc_now())
        cases.add_note(case=case.row.id, text=note, by=actor)
        messages.success(request, _("The note is on case %(number)s.") % {"number": case.row.number})
    else:
        messages.success(request, _("Saved."))
    return redirect("contact:desk")


@require_POST
@signed_in
def phone(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Open the phone of this browser: a new password, told once. Where another page had it open, that one stops."""
    home = mine.desk(actor).organisation
    server = address_of(request)
    if not server:
        return JsonResponse({"refusal": _("No phone can be opened from here; choose a desk phone.")}, status=400)
    opened = open_phone(organisation=home, by=actor)
    told = {"user": opened.user, "password": opened.password, "server": server}
    return JsonResponse(told, headers={"Cache-Control": "no-store"})


def _done(request: HttpRequest, what: asks.Ask) -> HttpResponse:
    try:
        order(what)
    except OrderRefused as error:
        messages.error(request, said(error))
    return redirect("contact:desk")


patterns: list[URLPattern] = [
    path("desk/state", state, name="desk-state"),
    path("desk/phone", phone, name="desk-phone"),
    path("desk/<int:contact>/wrap-up", wrap_up, name="desk-wrap-up"),
    path("desk/<int:contact>/<slug:deed>", call, name="desk-call"),
]
