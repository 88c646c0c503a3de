"""What may be asked about cases. Every read takes the actor and passes the door."""

from jilink.core.cases.reads.bulk import BulkView, bulk_run
from jilink.core.cases.reads.citizens import PublicView, status
from jilink.core.cases.reads.cutting import Order
from jilink.core.cases.reads.files import case_file, case_thumbnail
from jilink.core.cases.reads.lists import CaseRow, Filter, Page, Whose, cases, changed_since, count_views, rows_of
from jilink.core.cases.reads.one import CaseView, case, case_numbered, reveal_answer
from jilink.core.cases.reads.rating import RatingAsked, RatingLink, asked_by_link
from jilink.core.cases.reads.types import TypeView, calendar_ends, case_type, case_types, types_in_use, types_seen

__all__ = [
    "BulkView",
    "CaseRow",
    "CaseView",
    "Filter",
    "Order",
    "Page",
    "PublicView",
    "RatingAsked",
    "RatingLink",
    "TypeView",
    "Whose",
    "asked_by_link",
    "bulk_run",
    "calendar_ends",
    "case",
    "case_file",
    "case_numbered",
    "case_thumbnail",
    "case_type",
    "case_types",
    "cases",
    "changed_since",
    "count_views",
    "reveal_answer",
    "rows_of",
    "status",
    "types_in_use",
    "types_seen",
]
