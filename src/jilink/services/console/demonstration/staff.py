"""The organisations of the office, and who works there: made by the ordinary actions, found again by their names."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from jilink.core.cases.assignment import actions as assignment
from jilink.core.parties import access, accounts
from jilink.core.parties import actions as parties
from jilink.core.parties.access import Actor
from jilink.core.parties.members import actions as members
from jilink.core.parties.rules import Role, Scope
from jilink.kernel.ids import OrganisationId, TeamId
from jilink.services.console.demonstration.data import PREFIX, City, County, Login, cities

LIGHT, DRAINS, FARMING, RESCUE = "城市照明所", "排水养护队", "农业技术推广站", "道路救援站"
DESK, EXPERTS = "咨询组", "专家组"
MAKER = "demo"
KNOWN_BEFORE = timedelta(days=120)


@dataclass(frozen=True, slots=True)
class Units:
    """The organisations: the office, its units of a trade, and by the code of the area those of cities and counties."""

    office: OrganisationId
    light: OrganisationId
    drains: OrganisationId
    farming: OrganisationId
    rescue: OrganisationId
    territory: dict[str, OrganisationId]

    def all(self) -> list[OrganisationId]:
        """Return every organisation, the office first."""
        return [self.office, self.light, self.drains, self.farming, self.rescue, *self.territory.values()]


@dataclass(slots=True)
class Staff:
    """Everybody who works there, as actors; `crew` are those who do the work of a unit, `desks` those who hand it out there."""

    agents: list[Actor] = field(default_factory=list)
    supervisor: Actor = access.NOBODY
    checker: Actor = access.NOBODY
    crew: dict[OrganisationId, list[Actor]] = field(default_factory=dict)
    desks: dict[OrganisationId, Actor] = field(default_factory=dict)
    team: TeamId = field(default=TeamId(0))
    experts: TeamId = field(default=TeamId(0))
    logins: list[Login] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Post:
    login: str
    name: str
    place: OrganisationId
    role: Role
    scope: Scope
    title: str


def add_units(office: OrganisationId, now: datetime) -> Units:
    """Add the units below the office."""
    since = now - KNOWN_BEFORE

    def below(name: str, parent: OrganisationId) -> OrganisationId:
        return parties.add_organisation(name=name, parent=parent, by=access.system(MAKER), now=since)

    territory: dict[str, OrganisationId] = {}
    for city in cities():
        territory[city.code] = below(city.name, office)
        for county in city.counties:
            territory[county.code] = below(county.name, territory[city.code])
    changchun = territory[cities()[0].code]
    light, drains = below(LIGHT, changchun), below(DRAINS, changchun)
    return Units(office, light, drains, below(FARMING, office), below(RESCUE, office), territory)


def _posts(units: Units) -> Iterator[_Post]:
    office = units.office
    yield _Post("supervisor", "王丽娟", office, Role.SUPERVISOR, Scope.SUBTREE, "值班长")
    yield _Post("checker", "高志远", office, Role.SUPERVISOR, Scope.SUBTREE, "核查员")
    for login, name in (("agent", "陈静"), ("agent-2", "刘洋"), ("agent-3", "金美善")):
        yield _Post(login, name, office, Role.AGENT, Scope.ORGANISATION, "坐席")
    yield _Post("analyst", "孙晓宇", office, Role.ANALYST, Scope.SUBTREE, "分析员")
    yield _Post("expert", "赵国栋", units.farming, Role.EXPERT, Scope.TEAM, "农技专家")
    yield _Post("expert-2", "韩春梅", units.farming, Role.EXPERT, Scope.TEAM, "畜牧专家")
    yield _Post("rescue", "马强", units.rescue, Role.FIELD_WORKER, Scope.ORGANISATION, "救援员")
    yield _Post("light", "周立新", units.light, Role.FIELD_WORKER, Scope.ORGANISATION, "维修员")
    yield _Post("drains", "吴海峰", units.drains, Role.FIELD_WORKER, Scope.ORGANISATION, "维修员")
    for city in cities():
        yield _Post(city.login, city.desk, units.territory[city.code], Role.DISPATCHER, Scope.SUBTREE, f"{city.name}派单员")
        for county in city.counties:
            if county.worker:
                place = units.territory[county.code]
                yield _Post(county.login, county.worker, place, Role.FIELD_WORKER, Scope.ORGANISATION, f"{county.name}办理员")


def hire(units: Units, password: str, by: Actor, now: datetime) -> Staff:
    """Add the accounts, all with one password, their roles, teams and skills."""
    staff, since = Staff(), now - KNOWN_BEFORE
    posts = list(_posts(units))
    added = accounts.add_accounts(names={PREFIX + post.login: post.name for post in posts}, password=password, by=by)
    users = {username.removeprefix(PREFIX): user for username, user in added.items()}
    for post in posts:
        parties.set_role(user=users[post.login], organisation=post.place, role=post.role, scope=post.scope, by=by, now=since)
        staff.logins.append(Login(PREFIX + post.login, post.name, post.title, post.role))
    staff.team = members.add_team(organisation=units.office, name=DESK, by=by, now=since)
    staff.experts = members.add_team(organisation=units.farming, name=EXPERTS, by=by, now=since)
    for login in ("agent", "agent-2", "agent-3"):
        members.put_in_team(team=staff.team, user=users[login], by=by, lead=login == "agent", now=since)
    for login in ("expert", "expert-2"):
        members.put_in_team(team=staff.experts, user=users[login], by=by, lead=login == "expert", now=since)
    skills = {"agent": ["policy", "lang.zh"], "agent-2": ["policy", "lang.zh", "lang.en"], "agent-3": ["policy", "lang.zh", "lang.ko"]}
    for login, keys in skills.items():
        assignment.set_skills(organisation=units.office, user=users[login], skills=keys, by=by, now=since)
    for login, keys in {"expert": ["crops"], "expert-2": ["animals"]}.items():
        assignment.set_skills(organisation=units.farming, user=users[login], skills=keys, by=by, now=since)
    _take_posts(staff, units, {login: access.actor_of_account(user) for login, user in users.items()})
    return staff


def _take_posts(staff: Staff, units: Units, actors: dict[str, Actor]) -> None:
    staff.supervisor, staff.checker = actors["supervisor"], actors["checker"]
    staff.agents = [actors[login] for login in ("agent", "agent-2", "agent-3")]
    staff.crew = {
        units.office: staff.agents,
        units.farming: [actors["expert"], actors["expert-2"]],
        units.rescue: [actors["rescue"]],
        units.light: [actors["light"]],
        units.drains: [actors["drains"]],
    }
    staff.desks = {units.light: actors["changchun"], units.drains: actors["changchun"]}
    for city in cities():
        _take_city(staff, units, city, actors)


def _take_city(staff: Staff, units: Units, city: City, actors: dict[str, Actor]) -> None:
    places: tuple[City | County, ...] = (city, *city.counties)
    for place in places:
        unit = units.territory[place.code]
        staff.desks[unit] = actors[city.login]
        own = isinstance(place, County) and bool(place.worker)
        staff.crew[unit] = [actors[place.login if own else city.login]]
