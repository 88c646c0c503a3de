"""Tables of cases. Structured parts are JSON text that only `rules` and `assignment` read; every unique promise is a constraint."""

from jilink.core.cases.models.assigning import AssignmentRules, Skill
from jilink.core.cases.models.cases import (
    Attachment,
    BulkRun,
    Case,
    CaseType,
    Clock,
    ClockPause,
    Entry,
    Escalation,
    Link,
    Note,
    NumberKey,
    NumberSerial,
    Rating,
    Reply,
    Request,
    WorkCalendar,
)
from jilink.core.cases.models.reporting import CaseDay, CaseFact

__all__ = [
    "AssignmentRules",
    "Attachment",
    "BulkRun",
    "Case",
    "CaseDay",
    "CaseFact",
    "CaseType",
    "Clock",
    "ClockPause",
    "Entry",
    "Escalation",
    "Link",
    "Note",
    "NumberKey",
    "NumberSerial",
    "Rating",
    "Reply",
    "Request",
    "Skill",
    "WorkCalendar",
]
