"""What the engine asks about the world: who may be given cases, who looks after things and places, and how busy people are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from django.db.models import Count

from jilink.core.areas import reads as areas
from jilink.core.areas import rules as area_rules
from jilink.core.areas.rules import Duty, Spot
from jilink.core.assets.models import Asset
from jilink.core.cases.assignment.rules import Candidate, Keeper
from jilink.core.cases.models import Case, Skill
from jilink.core.cases.rules.workflow import State
from jilink.core.parties import access
from jilink.core.parties.members.reads import holders
from jilink.core.parties.models import Organisation, Team, TeamMember
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import OrganisationId


@dataclass(slots=True)
class Town:
    """What holds for all cases of one organisation. Asked once and kept, so that a thousand cases cost little more than one."""

    organisation: int
    _fits: dict[tuple[int, int | None], bool] = field(default_factory=dict)
    _people: dict[tuple[int, int | None], tuple[Candidate, ...]] = field(default_factory=dict)
    _duties: list[Duty] | None = None
    _keepers: dict[int, tuple[int | None, int]] = field(default_factory=dict)
    _given: Counter[int] = field(default_factory=Counter)

    def knows_assets(self, assets: Sequence[int]) -> None:
        """Look up who maintains and owns these things, all at once."""
        wanted = [asset for asset in assets if asset not in self._keepers]
        for pk, maintainer, owner in Asset.objects.filter(pk__in=wanted).values_list("pk", "maintainer_id", "organisation_id"):
            self._keepers[pk] = (maintainer, owner)

    def keeper(self, asset: int | None, area: str, keeper: Keeper, category: str) -> int | None:
        """Return the unit that maintains or owns a thing, or answers for a category in an area."""
        if keeper == Keeper.TERRITORY:
            return self._answering(area, category)
        maintainer, owner = self._keepers.get(asset, (None, None)) if asset is not None else (None, None)
        return maintainer if keeper == Keeper.MAINTAINER else owner

    def _answering(self, area: str, category: str) -> int | None:
        if self._duties is None:
            asker = access.system("assignment")
            self._duties = areas.responsibilities(asker, OrganisationId(self.organisation))
        codes = [code for code in area.split("/") if code]
        layers = {duty.layer_key for duty in self._duties}
        spots = [Spot(layer, code, depth) for depth, code in enumerate(codes) for layer in sorted(layers)]
        duty = area_rules.who_answers(self._duties, spots, category)
        return duty.unit if duty is not None else None

    def fits(self, unit: int, team: int | None) -> bool:
        """Return whether cases of the organisation can be given to the unit: it belongs to the same tree and has the team."""
        if (unit, team) not in self._fits:
            paths = dict(Organisation.objects.filter(pk__in=[unit, self.organisation]).values_list("pk", "path"))
            related = unit in paths and paths[unit].split("/")[1] == paths[self.organisation].split("/")[1]
            there = team is None or Team.objects.filter(pk=team, organisation_id=unit, archived_at=None).exists()
            self._fits[unit, team] = related and there
        return self._fits[unit, team]

    def candidates(self, unit: int, team: int | None) -> tuple[Candidate, ...]:
        """Return who works on cases of a unit or a team, with skills and open cases; what was decided here before counts too."""
        if (unit, team) not in self._people:
            people = holders(OrganisationId(unit), Permission.WORK_CASES)
            if team is not None:
                people &= set(TeamMember.objects.filter(team_id=team).values_list("user_id", flat=True))
            skills: dict[int, set[str]] = {}
            for user, key in Skill.objects.filter(organisation_id=unit, user_id__in=people).values_list("user_id", "key"):
                skills.setdefault(user, set()).add(key)
            rows = Case.objects.filter(state=State.OPEN.value, assignee_id__in=people).values_list("assignee_id")
            load = dict(rows.annotate(count=Count("pk")).order_by())
            found = (Candidate(user=user, skills=frozenset(skills.get(user, ())), load=load.get(user, 0)) for user in sorted(people))
            self._people[unit, team] = tuple(found)
        known = self._people[unit, team]
        return tuple(Candidate(user=one.user, skills=one.skills, load=one.load + self._given[one.user]) for one in known)

    def give(self, user: int | None) -> None:
        """Count one more open case of a person, for those that are decided after."""
        if user is not None:
            self._given[user] += 1


@dataclass(frozen=True)
class Around:
    """The surroundings of one case."""

    town: Town
    asset: int | None
    area: str

    @cached_property
    def _known(self) -> dict[tuple[Keeper, str], int | None]:
        return {}

    def keeper(self, keeper: Keeper, category: str) -> int | None:
        """As `rules.Surroundings` says."""
        if (keeper, category) not in self._known:
            self._known[keeper, category] = self.town.keeper(self.asset, self.area, keeper, category)
        return self._known[keeper, category]

    def fits(self, unit: int, team: int | None) -> bool:
        """As `rules.Surroundings` says."""
        return self.town.fits(unit, team)

    def candidates(self, unit: int, team: int | None) -> Sequence[Candidate]:
        """As `rules.Surroundings` says."""
        return self.town.candidates(unit, team)
