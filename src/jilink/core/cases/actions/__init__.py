"""The only writers of cases: one call, one transaction."""

from jilink.core.cases.actions.assigning import (
    ReasonNeeded,
    Recipient,
    RecipientRefused,
    Taken,
    assign_case,
    claim_case,
    move_case,
    release_case,
)
from jilink.core.cases.actions.attaching import attach_file, detach_file
from jilink.core.cases.actions.bulk import (
    BulkResult,
    TooLate,
    TooMany,
    assign_many,
    claim_many,
    move_many,
    prioritise_many,
    release_many,
    step_many,
    undo_bulk,
)
from jilink.core.cases.actions.demonstration import load_examples
from jilink.core.cases.actions.designing import KeyRefused, drop_draft, load_calendar, publish_type, retire_type, save_type
from jilink.core.cases.actions.editing import EditConflict, FieldRefused, edit_case
from jilink.core.cases.actions.escalating import escalate_case
from jilink.core.cases.actions.linking import LinkRefused, link_asset, link_cases, merge_cases, unlink_asset, unlink_cases
from jilink.core.cases.actions.opening import NewCase, OpenedCase, PriorityRefused, TitleNeeded, open_case, split_case
from jilink.core.cases.actions.rating import RatingRefused, note_call_back, offer_rating, rate_by_link, rate_case
from jilink.core.cases.actions.requesting import (
    RequestMade,
    RequestRefused,
    decide_request,
    request_extension,
    request_return,
    request_suspension,
    resume_case,
)
from jilink.core.cases.actions.stepping import CodeNeeded, StepData, take_step
from jilink.core.cases.actions.talking import RecipientNeeded, WordsNeeded, add_note, send_reply, settle_reply

__all__ = [
    "BulkResult",
    "CodeNeeded",
    "EditConflict",
    "FieldRefused",
    "KeyRefused",
    "LinkRefused",
    "NewCase",
    "OpenedCase",
    "PriorityRefused",
    "RatingRefused",
    "ReasonNeeded",
    "Recipient",
    "RecipientNeeded",
    "RecipientRefused",
    "RequestMade",
    "RequestRefused",
    "StepData",
    "Taken",
    "TitleNeeded",
    "TooLate",
    "TooMany",
    "WordsNeeded",
    "add_note",
    "assign_case",
    "assign_many",
    "attach_file",
    "claim_case",
    "claim_many",
    "decide_request",
    "detach_file",
    "drop_draft",
    "edit_case",
    "escalate_case",
    "link_asset",
    "link_cases",
    "load_calendar",
    "load_examples",
    "merge_cases",
    "move_case",
    "move_many",
    "note_call_back",
    "offer_rating",
    "open_case",
    "prioritise_many",
    "publish_type",
    "rate_by_link",
    "rate_case",
    "release_case",
    "release_many",
    "request_extension",
    "request_return",
    "request_suspension",
    "resume_case",
    "retire_type",
    "save_type",
    "send_reply",
    "settle_reply",
    "split_case",
    "step_many",
    "take_step",
    "undo_bulk",
    "unlink_asset",
    "unlink_cases",
]
