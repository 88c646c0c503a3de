"""The whole office in, and out without a trace."""

from collections.abc import Sequence
from datetime import datetime

from jilink.core.areas import actions as areas
from jilink.core.areas import reads as places
from jilink.core.assets.inventory import actions as inventory
from jilink.core.assets.inventory import reads as assets
from jilink.core.cases.actions.removing import remove_cases
from jilink.core.files import actions as files
from jilink.core.flows import actions as flows
from jilink.core.interactions import actions as interactions
from jilink.core.knowledge import actions as knowledge
from jilink.core.outbox import outbox
from jilink.core.parties import access, removing
from jilink.core.parties.access import Actor
from jilink.kernel.ids import OrganisationId
from jilink.services.console.actions import drafts, presence
from jilink.services.console.demonstration import ordering, show, staff, things
from jilink.services.console.demonstration.data import CASES, Login
from jilink.services.console.demonstration.play import Stage
from jilink.services.console.demonstration.show import Tell, quietly
from jilink.services.console.demonstration.staff import MAKER


def load(
    office: OrganisationId, *, password: str, now: datetime, owner: int | None = None, cases: int = CASES, tell: Tell = quietly
) -> tuple[Login, ...]:
    """Enter what is shown to `owner` (an account), and return the accounts that were made, all with this password.

    Where there is something already, nothing is entered.
    """
    if any(view.organisation == office for view in assets.kinds_of(access.system(MAKER))):
        return ()
    units = staff.add_units(office, now)
    by = access.system(MAKER)
    things.load(units, by=by, reviewer=access.system(f"{MAKER}-review"), now=now)
    hired = staff.hire(units, password, by, now)
    calendar = ordering.arrange(units, hired, by=by, now=now)
    show.run(Stage(units, hired, calendar, access.system("survey"), owner), cases, by=by, now=now, tell=tell)
    return tuple(hired.logins)


def remove(organisations: Sequence[OrganisationId], *, usernames: Sequence[str], by: Actor) -> None:
    """Take away everything of these organisations but themselves, and the accounts of these names."""
    for organisation in organisations:
        flows.remove_flows(organisation=organisation, by=by)
        gone = remove_cases(organisation=organisation, by=by)
        drafts.forget_cases(gone.values())
        presence.forget_cases(gone)
    for organisation in organisations:
        interactions.remove_interactions(organisation=organisation, by=by)
        removing.remove_people(organisation=organisation, by=by)
        knowledge.remove_articles(organisation=organisation, by=by)
        while batch := assets.things(by, organisation=organisation, without=inventory.OF_SERVICES):
            for thing in batch:
                inventory.remove_asset(asset=thing.id, by=by)
        files.remove_files(organisation=organisation, by=by)
    for organisation in organisations:
        for view in assets.kinds_of(by):
            if view.organisation == organisation:
                inventory.remove_kind(organisation=organisation, key=view.key, by=by)
        for duty in places.responsibilities(by, organisation):
            areas.set_responsibility(
                organisation=organisation, layer_key=duty.layer_key, area_code=duty.area_code, category=duty.category, unit=None, by=by
            )
    removing.remove_accounts(organisations=organisations, usernames=usernames, by=by)
    outbox.forget(organisations)
