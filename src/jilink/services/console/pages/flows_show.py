"""What the pages of flows share: the head of a version, and what is wrong with it in words."""

import re

import msgspec
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from jilink.core.cases.rules import versions
from jilink.core.cases.rules.problems import Problem
from jilink.core.flows import reads
from jilink.core.flows.reads import FlowView
from jilink.core.parties import access
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.services.console.pages.case_types import STATE_WORDS, TONES
from jilink.services.console.pages.case_types_cells import Document
from jilink.services.console.pages.flows_words import step_in_words

_STEP = re.compile(r"\$\.steps\[(\d+)\]")


def head(view: FlowView, actor: Actor) -> Document:
    """Return what every page of a version shows above its own."""
    designs = view.organisation in access.organisations_of(actor, Permission.DESIGN_FLOWS)
    return {
        "view": view,
        "title": view.definition.label.in_(get_language() or "zh-hans") or view.key,
        "state": STATE_WORDS[view.state],
        "tone": TONES[view.state],
        "draft": versions.may_change(view.state) and designs,
        "retirable": versions.may_retire(view.state) and designs,
        "designs": designs,
    }


def shown(view: FlowView, found: tuple[Problem, ...]) -> list[tuple[str, str, int | None]]:
    """Return what is wrong: where in words, why in the reader's language, and the step to look at."""
    rows = []
    for problem in found:
        match = _STEP.match(problem.place)
        index = int(match[1]) if match else None
        where = step_in_words(document_of(view)["steps"][index]) if index is not None else _("Basics")
        rows.append((where, _(problem.reason) % problem.values if problem.values else _(problem.reason), index))
    return rows


def document_of(view: FlowView) -> Document:
    """Return a flow as JSON builtins, as forms edit it."""
    found: Document = msgspec.json.decode(msgspec.json.encode(view.definition))
    return found


def draft_of(actor: Actor, number: int) -> FlowView:
    """Return a draft for whoever may change it. Raises NotFound for any other version, and for whoever may not."""
    view = designed(actor, number)
    if not versions.may_change(view.state):
        raise NotFound("There is no such thing, or you may not see it.")
    return view


def designed(actor: Actor, number: int) -> FlowView:
    """Return a version for whoever may design flows where it belongs. Raises NotFound."""
    view = reads.flow(actor, number)
    access.require(actor, Permission.DESIGN_FLOWS, view.organisation)
    return view
