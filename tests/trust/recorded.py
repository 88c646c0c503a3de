"""A call of the north that was recorded and scored, for those who must not hear of it."""

import io
import wave
from datetime import timedelta

from jilink.core.parties import access
from jilink.core.parties.rules import Role
from jilink.kernel.texts import Text
from jilink.services.contact.actions import quality, recordings, serving
from jilink.services.contact.actions.recordings import Arrived
from jilink.services.contact.actions.serving import Arrival
from jilink.services.contact.rules.quality import Answers, Card, Question, Section
from jilink.services.contact.rules.sampling import Plan
from tests.core.world import NOW, World

SECOND = timedelta(seconds=1)


def silence() -> bytes:
    """A second of nothing, as the engine writes it."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(32_000))
    return out.getvalue()


def recorded(world: World, queue: int, words: str) -> dict[str, object]:
    """Return the things of a recorded call: recording, card, plan, evaluation, calibration."""
    by, agent, boss = access.system("router"), world.person(Role.AGENT, world.north, also="x").pk, world.actor(Role.OWNER, world.north)
    contact = serving.enqueue(arrival=Arrival(queue=queue, channel="call", node="own", leg="canary"), by=by, now=NOW)
    serving.note_ringing(contact=contact, agent=agent, agent_leg="agent", by=by, now=NOW)
    serving.note_answered(contact=contact, by=by, now=NOW)
    serving.note_in_call(contact=contact, what=recordings.BEGUN, by=by, now=NOW)
    arrived = Arrived(name=f"c{contact}", source="calls/canary.wav", seconds=1.0, sha256="0" * 64, ended_at=NOW + SECOND)
    recording = recordings.note_arrived(arrived=arrived, by=by, now=NOW) or 0
    recordings.keep(recording=recording, data=silence(), by=by, now=NOW)
    text = Text(words, words)
    design = Card(name=text, sections=(Section(title=text, questions=(Question(key="greeted", text=text),)),))
    card = quality.add_card(organisation=world.north, key="canarycard", card=design, by=boss, now=NOW)
    quality.publish_card(card=card, by=boss, now=NOW)
    plan = quality.add_plan(card=card, plan=Plan(name=text, number=1), by=boss, now=NOW)
    answers = Answers(points={"greeted": 1})
    evaluation = quality.evaluate(contact=contact, card=card, answers=answers, coaching=words, by=boss, now=NOW)
    calibration = quality.open_calibration(contact=contact, card=card, by=boss, now=NOW)
    return {
        "recording": recording,
        "contact/quality/contact": contact,
        "card": card,
        "plan": plan,
        "evaluation": evaluation,
        "calibration": calibration,
    }
