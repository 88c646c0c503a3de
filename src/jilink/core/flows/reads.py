"""What may be asked about flows and about those who are in them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Count

from jilink.core.cases.rules.problems import Problem
from jilink.core.flows import library
from jilink.core.flows.models import FlowHook, FlowRun, FlowSession, FlowVersion
from jilink.core.flows.rules.definition import Flow, read_flow
from jilink.core.flows.rules.effects import AnyEffect
from jilink.core.flows.rules.faults import Known, called, faults
from jilink.core.flows.rules.state import read_effects, read_state
from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission

HIDDEN = "There is no such thing, or you may not see it."


@dataclass(frozen=True, slots=True)
class FlowView:
    """One version of a flow. `called` are the flows it calls: as they are carried, or for a draft as they would be now."""

    id: int
    organisation: int
    key: str
    version: int
    state: str
    definition: Flow
    problems: tuple[Problem, ...]
    called: Mapping[str, Flow]
    outdated: tuple[str, ...]
    """Flows it carries of which a newer version is in use."""
    edited_at: datetime
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class FlowLine:
    """A version in a list."""

    id: int
    organisation: int
    key: str
    version: int
    state: str
    definition: Flow
    edited_at: datetime
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A contact in a flow, for whoever carries its channel: `effects` are to be done now, in their order."""

    id: int
    organisation: int
    key: str
    flow: str
    version: int
    channel: str
    turn: int
    effects: tuple[AnyEffect, ...]
    interaction: int | None
    began_at: datetime
    expires_at: datetime
    outcome: str
    """"" while it goes on."""
    moved: bool = False
    """Whether the call that returned this changed anything."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a contact said in a flow: the language they speak there, and its variables. Forgotten a day after the end."""

    key: str
    channel: str
    language: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HookView:
    """An address that flows may ask."""

    id: int
    organisation: int
    key: str
    url: str
    made_at: datetime


def flows(actor: Actor) -> list[FlowLine]:
    """Return every version of the flows of organisations whose flows the actor may see, newest of a key first."""
    allowed = access.organisations_of(actor, Permission.READ_FLOWS)
    rows = FlowVersion.objects.filter(organisation__in=allowed).order_by("organisation", "key", "-version")
    return [
        FlowLine(row.pk, row.organisation_id, row.key, row.version, row.state, read_flow(row.definition), row.edited_at, row.published_at)
        for row in rows
    ]


def flow(actor: Actor, flow: int) -> FlowView:
    """Return one version of a flow with everything that is wrong with it. Raises NotFound."""
    row = FlowVersion.objects.filter(pk=flow).first()
    access.require(actor, Permission.READ_FLOWS, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    definition, there = read_flow(row.definition), library.known_of(row.organisation_id)
    kept = library.carried(row.library)
    carried = {key: one.flow for key, one in kept.items()} if row.state != "draft" else called(definition, there)
    in_use = library.published(row.organisation_id) if kept else {}
    return FlowView(
        row.pk,
        row.organisation_id,
        row.key,
        row.version,
        row.state,
        definition,
        faults(definition, there) if row.state == "draft" else (),
        carried,
        tuple(key for key, one in kept.items() if key in in_use and in_use[key].version > one.version),
        row.edited_at,
        row.published_at,
    )


def known(actor: Actor, organisation: int) -> Known:
    """Return what flows of an organisation may name. Raises NotFound."""
    access.require(actor, Permission.READ_FLOWS, organisation)
    return library.known_of(organisation)


def hooks(actor: Actor) -> list[HookView]:
    """Return the addresses that flows may ask, of organisations whose flows the actor may design."""
    rows = FlowHook.objects.filter(organisation__in=access.organisations_of(actor, Permission.DESIGN_FLOWS)).order_by("key")
    return [HookView(row.pk, row.organisation_id, row.key, row.url, row.made_at) for row in rows]


def session(actor: Actor, organisation: int, key: str) -> SessionView:
    """Return a session by its driver's name for it. Raises NotFound."""
    access.require(actor, Permission.RUN_FLOWS, organisation)
    row = FlowSession.objects.select_related("version").filter(organisation_id=organisation, key=key).first()
    if row is None:
        raise NotFound(HIDDEN)
    return view_of(row)


def running(actor: Actor, channel: str) -> list[SessionView]:
    """Return the sessions of a channel that go on: for whoever carries it and begins anew."""
    allowed = access.organisations_of(actor, Permission.RUN_FLOWS)
    rows = FlowSession.objects.select_related("version").filter(organisation__in=allowed, channel=channel, ended_at=None)
    return [view_of(row) for row in rows.order_by("pk")]


def passed(actor: Actor, flow: int) -> Mapping[str, Mapping[str, int]]:
    """Return how often each outcome of each step of a version came, without those of called flows. Raises NotFound."""
    row = FlowVersion.objects.filter(pk=flow).first()
    access.require(actor, Permission.READ_FLOWS, row.organisation_id if row else None)
    counts: dict[str, dict[str, int]] = {}
    rows = FlowRun.objects.filter(session__version=flow, flow="").values("step", "outcome").annotate(times=Count("pk"))
    for one in rows.order_by("step", "outcome"):
        counts.setdefault(one["step"], {})[one["outcome"]] = one["times"]
    return counts


def view_of(row: FlowSession, *, moved: bool = False) -> SessionView:
    """Return a row as it is told to whoever carries it out; the door was asked before."""
    view = SessionView(
        row.pk,
        row.organisation_id,
        row.key,
        row.version.key,
        row.version.version,
        row.channel,
        row.turn,
        read_effects(row.effects),
        row.interaction,
        row.began_at,
        row.expires_at,
        row.outcome,
    )
    return replace(view, moved=moved)


def heard(actor: Actor, session: int) -> Heard | None:
    """Return what was said in a session; None once it is forgotten. For whoever carries its channel. Raises NotFound."""
    row = FlowSession.objects.filter(pk=session).first()
    access.require(actor, Permission.RUN_FLOWS, row.organisation_id if row else None)
    if row is None or not row.state:
        return None
    state = read_state(row.state)
    return Heard(row.key, row.channel, state.language, state.variables)
