"""Filtered lists of cases, kept under a name by a person or a team."""

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from jilink.services.console.actions import saved as actions
from jilink.services.console.reads import saved as reads
from jilink.webkit.api.calls import actor_of
from jilink.webkit.api.shapes import Id, In, MadeOut, Out, Words

router = Router(tags=["cases"])


class SavedViewOut(Out):
    """A view; `query` is what stands in the inbox's address, `team` the name of the team it is for, empty where it is one's own."""

    id: int
    name: str
    team: str
    query: str


class SavedViewIn(In):
    """A view for oneself, or for a team that one is in."""

    name: Words = Field(min_length=1, max_length=60)
    query: Words = Field(max_length=2000)
    team: Id | None = None


@router.get("/views", response=list[SavedViewOut], operation_id="list_views")
def list_views(request: HttpRequest) -> list[reads.Saved]:
    """Return one's own views and those of one's teams."""
    return reads.saved_views(actor_of(request))


@router.post("/views", response={201: MadeOut}, operation_id="save_view")
def save_view(request: HttpRequest, given: SavedViewIn) -> Status[dict[str, int]]:
    """Keep a view; what of its query is no filter of the inbox is left out."""
    made = actions.save_view(name=given.name, query=given.query, team=given.team, by=actor_of(request))
    return Status(201, {"id": made})


@router.delete("/views/{int:view}", response={204: None}, operation_id="remove_view")
def remove_view(request: HttpRequest, view: Id) -> Status[None]:
    """Forget a view."""
    actions.remove_view(view=view, by=actor_of(request))
    return Status(204, None)
