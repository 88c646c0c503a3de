"""Which categories of responsibility an organisation knows: its types of case and what they ask, and what is named already."""

from dataclasses import dataclass

from jilink.core.areas import reads as areas
from jilink.core.areas.actions import LONGEST_CATEGORY
from jilink.core.cases.assignment.rules import ToKeeper, read_rules
from jilink.core.cases.models import AssignmentRules, CaseType
from jilink.core.cases.reads.ground import definition_of
from jilink.core.cases.rules.definition import Definition
from jilink.core.cases.rules.form import ChoiceQuestion
from jilink.core.cases.rules.versions import Version
from jilink.core.parties import reads as parties
from jilink.core.parties import walls
from jilink.core.parties.access import Actor, require
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import OrganisationId
from jilink.kernel.texts import Text

FEWEST_CHOICES = 3
YES_NO = frozenset({"yes", "no"})
"""A question of fewer answers, or of these, tells no categories apart."""


@dataclass(frozen=True, slots=True)
class Category:
    """A category (``road``, below it ``road.manhole``) and what it is called; without words where only its key is known."""

    key: str
    label: Text


def categories(actor: Actor, organisation: OrganisationId) -> list[Category]:
    """Return what may be chosen as a category in an organisation, in order: types of case with what they ask, then what rules of assignment
    and responsibilities name already. Raises NotFound."""
    require(actor, Permission.VIEW_AREAS, organisation)
    found: dict[str, Text] = {}
    line = parties.line(organisation)
    with walls.everything():  # types and rules of the organisations above hold below; their keys and names are told, nothing else
        types = CaseType.objects.filter(organisation__in=line, state=Version.PUBLISHED.value).order_by("key")
        for key, text in types.values_list("key", "definition"):
            found |= _of_type(key, definition_of(text))
        drawn = [Version.DRAFT.value, Version.PUBLISHED.value]
        books = [read_rules(row.data) for row in AssignmentRules.objects.filter(organisation__in=line, state__in=drawn)]
    named = {rule.outcome.category for book in books for rule in book.rules if isinstance(rule.outcome, ToKeeper)}
    named |= {duty.category for duty in areas.responsibilities(actor, organisation)}
    found |= {key: Text() for key in sorted(named - set(found)) if key}
    return [Category(key, label) for key, label in found.items()]


def _of_type(key: str, definition: Definition) -> dict[str, Text]:
    found = {key: definition.label}
    for question in definition.form:
        if not isinstance(question, ChoiceQuestion) or len(question.choices) < FEWEST_CHOICES:
            continue
        if not YES_NO.issubset(choice.key for choice in question.choices):
            for choice in question.choices:
                label = Text(f"{definition.label.in_('zh')} · {choice.label.in_('zh')}", f"{definition.label} · {choice.label}")
                found.setdefault(f"{key}.{choice.key}", label)
    return {name: label for name, label in found.items() if len(name) <= LONGEST_CATEGORY}
