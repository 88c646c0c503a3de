"""Rules of assignment: drafted, published, retired. A version that was published never changes. And what people can do."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from jilink.core.cases.assignment.reads import questions_of
from jilink.core.cases.assignment.rules import RuleBook, RulesRefused, ToKeeper, problems, read_rules, write_rules
from jilink.core.cases.models import AssignmentRules, Skill
from jilink.core.cases.reads.ground import HIDDEN
from jilink.core.cases.rules import versions
from jilink.core.cases.rules.form import KEY
from jilink.core.cases.rules.problems import Problem
from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.members.reads import holders
from jilink.core.parties.models import Organisation, Team
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.kernel.texts import gettext_noop

MOST_SKILLS = 50
SKILL_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_.-")


class NotADraft(Refused):
    """Only a draft of rules can be published or thrown away."""


class SkillRefused(Refused):
    """A skill has a key of small letters, digits, dots and lines, or there are too many."""


@transaction.atomic
def save_rules(*, organisation: int, type_key: str = "", rules: str | bytes, by: Actor, now: datetime | None = None) -> int:
    """Keep a draft of an organisation's rules, which may still be faulty, and return its id. Raises NotFound, RulesRefused (unreadable)."""
    require(by, Permission.MANAGE_CASE_TYPES, organisation)
    if type_key and not KEY.fullmatch(type_key):
        raise NotFound(HIDDEN)
    text, moment = write_rules(read_rules(rules)), now or utc_now()
    rows = AssignmentRules.objects.select_for_update().filter(organisation_id=organisation, type_key=type_key)
    draft = rows.filter(state="draft").first()
    if draft is None:
        last = AssignmentRules.objects.filter(organisation_id=organisation, type_key=type_key).aggregate(last=Max("version"))["last"] or 0
        draft = AssignmentRules(organisation_id=organisation, type_key=type_key, version=last + 1, state="draft")
    draft.data, draft.edited_at = text, moment
    draft.save()
    audit.record(by, "assignment_rules.saved", f"assignment_rules:{draft.pk}", organisation, at=moment)
    return draft.pk


@transaction.atomic
def publish_rules(*, rules: int, by: Actor, now: datetime | None = None) -> None:
    """Decide by a draft from now on. Raises NotFound, NotADraft, RulesRefused with everything that is wrong."""
    row = _of(rules, by)
    book = read_rules(row.data)
    found = (*problems(book, questions_of(row.organisation_id, row.type_key)), *_units(row.organisation, book))
    if found:
        raise RulesRefused(found)
    moment = now or utc_now()
    AssignmentRules.objects.filter(organisation_id=row.organisation_id, type_key=row.type_key, state="published").update(state="retired")
    row.state, row.published_at, row.published_by = "published", moment, by.name
    row.save(update_fields=["state", "published_at", "published_by"])
    audit.record(by, "assignment_rules.published", f"assignment_rules:{row.pk}", row.organisation_id, at=moment)


@transaction.atomic
def drop_rules(*, rules: int, by: Actor, now: datetime | None = None) -> None:
    """Throw a draft away. Raises NotFound, NotADraft."""
    row = _of(rules, by)
    audit.record(by, "assignment_rules.dropped", f"assignment_rules:{row.pk}", row.organisation_id, at=now)
    row.delete()


@transaction.atomic
def set_skills(*, organisation: int, user: int, skills: Collection[str], by: Actor, now: datetime | None = None) -> None:
    """Say what somebody who works on an organisation's cases can do; languages as ``lang.ko``. Raises NotFound, SkillRefused."""
    require(by, Permission.MANAGE_TEAMS, organisation)
    if user not in holders(OrganisationId(organisation), Permission.WORK_CASES):
        raise NotFound(HIDDEN)
    wanted = sorted({skill.strip().lower() for skill in skills if skill.strip()})
    if len(wanted) > MOST_SKILLS or any(len(key) > 40 or not SKILL_CHARACTERS.issuperset(key) for key in wanted):
        raise SkillRefused(gettext_noop("A skill is at most 40 small letters, digits, dots or lines, and at most 50 are kept."))
    Skill.objects.filter(organisation_id=organisation, user_id=user).delete()
    Skill.objects.bulk_create(Skill(organisation_id=organisation, user_id=user, key=key) for key in wanted)
    audit.record(by, "skills.set", f"user:{user}", organisation, detail=" ".join(wanted)[:200], at=now)


def _of(rules: int, by: Actor) -> AssignmentRules:
    row = AssignmentRules.objects.select_for_update(of=("self",)).select_related("organisation").filter(pk=rules).first()
    require(by, Permission.MANAGE_CASE_TYPES, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    if not versions.may_change(row.state):
        raise NotADraft(gettext_noop("Only a draft can be published or discarded."))
    return row


def _units(organisation: Organisation, book: RuleBook) -> tuple[Problem, ...]:
    """Return the rules that name a unit outside the organisation's tree, or a team the unit does not have."""
    named = [
        (f"$.rules[{n}].outcome", r.outcome.unit, r.outcome.team) for n, r in enumerate(book.rules) if not isinstance(r.outcome, ToKeeper)
    ]
    named += [("$.fallback", book.fallback, None)] if book.fallback is not None else []
    paths = dict(Organisation.objects.filter(pk__in=[unit for _, unit, _ in named]).values_list("pk", "path"))
    working = Team.objects.filter(pk__in=[team for *_, team in named if team is not None], archived_at=None)
    teams = dict(working.values_list("pk", "organisation_id"))
    top = organisation.path.split("/")[1]
    return tuple(
        Problem(place, gettext_noop("There is no such unit or team here."))
        for place, unit, team in named
        if unit not in paths or paths[unit].split("/")[1] != top or (team is not None and teams.get(team) != unit)
    )
