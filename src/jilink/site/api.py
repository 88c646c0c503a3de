"""The one API of the installation, assembled from the routers of all services (OpenAPI at /api/v1/openapi.json)."""

from jilink.services.vehicles.api import router as vehicles
from jilink.webkit.api.assembly import Api

_DESCRIPTION = "Every noun of the installation for programs. Read `docs/api.md` first: sign-in, pages, keys, marks, limits and problems."

api = Api(
    title="Jilink", version="1", description=_DESCRIPTION, tags=[{"name": "vehicles", "description": "Vehicles and their terminals."}]
)
api.add_router("", vehicles)
