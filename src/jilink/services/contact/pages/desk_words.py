"""States and reasons in words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from jilink.services.contact.rules.states import AgentState, ContactState

AGENT_STATES: dict[AgentState, Promise] = {
    AgentState.OFF: _("Off duty"),
    AgentState.READY: _("Ready"),
    AgentState.PAUSED: _("Not ready"),
    AgentState.MISSED: _("Not ready: a call was not answered"),
}
CONTACT_STATES: dict[ContactState, Promise] = {
    ContactState.WAITING: _("Waiting"),
    ContactState.RINGING: _("Ringing"),
    ContactState.TALKING: _("In conversation"),
    ContactState.WRAPPING: _("Wrap-up"),
    ContactState.ENDED: _("Ended"),
}
REASONS: dict[str, Promise] = {
    "break": _("Break"),
    "meal": _("Meal"),
    "training": _("Training"),
    "meeting": _("Meeting"),
    "paperwork": _("Paperwork"),
}
