"""The only writers of flows: one call, one transaction."""

from jilink.core.flows.actions.demonstration import load_example, remove_flows
from jilink.core.flows.actions.designing import drop_draft, publish_flow, retire_flow, save_flow
from jilink.core.flows.actions.hooking import HookRefused, add_hook, remove_hook
from jilink.core.flows.actions.stepping import NotRunnable, advance_session, begin_session, end_session

__all__ = [
    "HookRefused",
    "NotRunnable",
    "add_hook",
    "advance_session",
    "begin_session",
    "drop_draft",
    "end_session",
    "load_example",
    "publish_flow",
    "remove_flows",
    "remove_hook",
    "retire_flow",
    "save_flow",
]
