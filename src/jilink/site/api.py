"""The one API of the installation, assembled from the routers of all services (OpenAPI at /api/v1/openapi.json)."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from jilink.services.console import api as console
from jilink.services.contact import api as contact
from jilink.services.vehicles.api import router as vehicles
from jilink.webkit.api.assembly import Api

_DESCRIPTION = "Every noun of the installation for programs: sign-in, pages, keys, marks, limits and problems are alike everywhere."
WORDS: Mapping[str, tuple[Promise, Promise]] = {
    "organisations": (_("Organisations"), _("Organisations, their members and teams, and the audit.")),
    "tokens": (_("Tokens"), _("Accounts and tokens of programs.")),
    "people": (_("People"), _("The people that organisations serve.")),
    "cases": (_("Cases"), _("What somebody answers for, with a clock.")),
    "case types": (_("Case types"), _("Case types and working calendars, which are data.")),
    "interactions": (_("Interactions"), _("Contacts on one channel, and what was said.")),
    "knowledge": (_("Knowledge"), _("Articles in versions, and search.")),
    "areas": (_("Areas"), _("Areas, where points lie, and who answers there.")),
    "assets": (_("Assets"), _("Whatever reports or is maintained.")),
    "alarms": (_("Alarms"), _("Rules of alarms.")),
    "reports": (_("Reports"), _("What was counted of cases, day by day.")),
    "contact centre": (_("Contact centre"), _("Queues, the numbers that lead there, phones and trunks.")),
    "webhooks": (_("Webhooks"), _("Who is told of events.")),
    "bulk": (_("Bulk"), _("Exports of any length.")),
    "vehicles": (_("Vehicles"), _("Vehicles, their tracks, alarms and orders.")),
}
"""What each tag is called and what it is about, in the language of whoever looks; the document itself says it in English."""


def _described() -> list[dict[str, str]]:
    with override("en"):
        return [{"name": name, "description": str(description)} for name, (_title, description) in WORDS.items()]


api = Api(
    title="Jilink",
    version="1",
    description=_DESCRIPTION,
    tags=_described(),
)
for router in (*console.routers, *contact.routers, vehicles):
    api.add_router("", router)
