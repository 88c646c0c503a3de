"""The one API of the installation, assembled from the routers of all services (OpenAPI at /api/v1/openapi.json)."""

from jilink.services.console import api as console
from jilink.services.vehicles.api import router as vehicles
from jilink.webkit.api.assembly import Api

_DESCRIPTION = "Every noun of the installation for programs: sign-in, pages, keys, marks, limits and problems are alike everywhere."
_TAGS = {
    "organisations": "Organisations, their members and teams, and the audit.",
    "tokens": "Accounts and tokens of programs.",
    "people": "The people that organisations serve.",
    "cases": "What somebody answers for, with a clock.",
    "case types": "Case types and working calendars, which are data.",
    "interactions": "Contacts on one channel, and what was said.",
    "knowledge": "Articles in versions, and search.",
    "areas": "Areas, where points lie, and who answers there.",
    "assets": "Whatever reports or is maintained.",
    "alarms": "Rules of alarms.",
    "reports": "What was counted of cases, day by day.",
    "webhooks": "Who is told of events.",
    "bulk": "Exports of any length.",
    "vehicles": "Vehicles, their tracks, alarms and orders.",
}

api = Api(
    title="Jilink",
    version="1",
    description=_DESCRIPTION,
    tags=[{"name": name, "description": description} for name, description in _TAGS.items()],
)
for router in (*console.routers, vehicles):
    api.add_router("", router)
