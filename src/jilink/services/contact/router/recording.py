"""Recording calls: said before, begun with the conversation, ended with it, and taken in once it is over.

Where a queue announces its recordings, whoever comes hears so before anybody is offered to them, and keeps their place meanwhile; what
could not be announced is not recorded. Emergencies are offered at once and recorded without a word.
"""

from datetime import datetime

import structlog

from jilink.core.flows import reads as flows
from jilink.services.contact.actions import recordings, serving
from jilink.services.contact.actions.recordings import BEGUN, Arrived
from jilink.services.contact.reads.recordings import is_announced
from jilink.services.contact.router.book import Call
from jilink.services.contact.router.deciding import Deciding
from jilink.services.contact.router.store import installation, stored
from jilink.services.contact.rules import wording
from jilink.services.contact.rules.design import Recording
from jilink.services.contact.rules.recordings import RecordingRefused
from jilink.services.contact.rules.states import ContactState
from jilink.spine import calls

log = structlog.get_logger(__name__)
ANNOUNCED, KEY = "announced", "key"
KEYS_APART_S = 5.0


async def announces(desk: Deciding, call: Call, session: int | None) -> bool:
    """Tell a caller that the call is recorded, where that is due; they are offered to agents once it was said.

    Whoever is in a flow (`session`) is told in the language that they speak there.
    """
    design, key = desk.queues[call.queue].design, (call.node, call.leg)
    silent = design.recording is Recording.NONE or not design.announce or design.emergency
    if silent or not call.leg or key in desk.book.announced or call.state is not ContactState.WAITING:
        return False
    heard = await stored(lambda: flows.heard(installation(), session)) if session is not None else None
    spoken, play = (heard.language if heard else "") or design.language, f"a{call.contact}"
    desk.book.announcing[key] = (play, call.contact)
    words = wording.recorded(spoken, certain=design.recording is Recording.ALL)

    async def failed(reason: str) -> None:  # nobody waits for a voice that is not there
        if reason != "gone":
            async with desk.lock:
                await _go_on(desk, key, said=False)

    speech = calls.Speech(text=words, language=wording.spoken_language(spoken))
    desk.orders.give(call.chain, call.node, calls.Play(leg=call.leg, play=play, pieces=(speech,)), failed=failed)
    return True


async def play_ended(desk: Deciding, fact: calls.PlayEnded) -> None:
    """Offer a caller who heard that the call is recorded."""
    waiting = desk.book.announcing.get((fact.node, fact.leg))
    if waiting is not None and waiting[0] == fact.play:
        await _go_on(desk, (fact.node, fact.leg), said=fact.outcome == "done")


async def _go_on(desk: Deciding, key: tuple[str, str], *, said: bool) -> None:
    waiting = desk.book.announcing.pop(key, None)
    call = desk.book.calls.get(waiting[1]) if waiting else None
    if call is None or call.state is not ContactState.WAITING:
        return
    desk.book.announced[key] = said
    if said:
        contact, now = call.contact, desk.clock()
        await stored(lambda: recordings.note_said(contact=contact, what=ANNOUNCED, by=installation(), now=now))
    else:
        log.warning("recording.not_announced", contact=call.contact)
    await desk.offer(call)


async def began(desk: Deciding, call: Call) -> None:
    """Record a conversation that begins, where the queue records all."""
    if desk.queues[call.queue].design.recording is Recording.ALL:
        await _record(desk, call)


async def record(desk: Deciding, call: Call) -> None:
    """Record from now on because the agent says so. Raises RecordingRefused."""
    if desk.queues[call.queue].design.recording is not Recording.ON_REQUEST or not await _record(desk, call):
        raise RecordingRefused("Calls of this queue are not recorded on request, or the caller was not told.")


async def _record(desk: Deciding, call: Call) -> bool:
    design, now = desk.queues[call.queue].design, desk.clock()
    contact, node, leg = call.contact, call.node, call.leg
    told = not design.announce or design.emergency or desk.book.announced.get((node, leg), False)
    if not leg or not (told or await stored(lambda: is_announced(node, leg))):
        return False
    desk.orders.give(call.chain, node, calls.Record(recording=call.recording, leg=leg))
    await stored(lambda: serving.note_in_call(contact=contact, what=BEGUN, by=installation(), now=now))
    return True


def parted(desk: Deciding, call: Call) -> None:
    """End the recording with the conversation: the leg may go on in another queue, or in a flow."""
    if call.leg and call.queue in desk.queues and desk.queues[call.queue].design.recording is not Recording.NONE:
        desk.orders.give(call.chain, call.node, calls.StopRecording(recording=call.recording, leg=call.leg))


async def pressed(desk: Deciding, fact: calls.DigitPressed) -> None:
    """Mark that keys were pressed in a conversation; which ones is nobody's business."""
    call = desk.book.of_leg(fact.node, fact.leg)
    if call is None or call.state is not ContactState.TALKING or desk.queues[call.queue].design.recording is Recording.NONE:
        return
    now, last = desk.clock(), desk.book.keyed.get(call.contact)
    if last is None or (now - last).total_seconds() > KEYS_APART_S:
        desk.book.keyed[call.contact] = now
        contact = call.contact
        await stored(lambda: serving.note_in_call(contact=contact, what=KEY, by=installation(), now=now))


async def ended(desk: Deciding, fact: calls.RecordingEnded) -> None:
    """Note a recording that lies in the spine: from then on it is taken in, whatever is killed."""
    if not fact.object or fact.channels != 2:
        if fact.problem:
            log.warning("recording.empty", recording=fact.recording, problem=fact.problem)
        return
    arrived = Arrived(name=fact.recording, source=fact.object, seconds=fact.duration_s, sha256=fact.sha256, ended_at=fact.at)
    now: datetime = desk.clock()
    await stored(lambda: recordings.note_arrived(arrived=arrived, by=installation(), now=now))
