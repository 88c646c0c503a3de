"""The only writers of this room: alarms, the storms they make, and rules."""

from jilink.core.observations.actions.alarms import (
    Acknowledged,
    Cleared,
    Raised,
    TooLate,
    TooMany,
    acknowledge_alarms,
    clear_alarms,
    raise_alarms,
    undo_acknowledgement,
)
from jilink.core.observations.actions.rules import RuleData, add_rule, change_rule, remove_rule

__all__ = [
    "Acknowledged",
    "Cleared",
    "Raised",
    "RuleData",
    "TooLate",
    "TooMany",
    "acknowledge_alarms",
    "add_rule",
    "change_rule",
    "clear_alarms",
    "raise_alarms",
    "remove_rule",
    "undo_acknowledgement",
]
