"""Who serves each queue now."""

from dataclasses import dataclass

from jilink.core.parties.access import Actor
from jilink.services.contact.reads import desk, floor
from jilink.services.contact.rules.states import AgentState


@dataclass(frozen=True, slots=True)
class Served:
    """The agents who are there for a queue, and those of them who are ready."""

    there: tuple[int, ...]
    ready: tuple[int, ...]


def served(actor: Actor) -> dict[int, Served]:
    """Return who serves each queue that the actor may see."""
    places = desk.places()
    found = {}
    for queue in floor.queues(actor):
        here = [place for place in places if queue.id in place.seat.queues]
        ready = tuple(place.agent for place in here if place.state is AgentState.READY)
        found[queue.id] = Served(tuple(place.agent for place in here), ready)
    return found
