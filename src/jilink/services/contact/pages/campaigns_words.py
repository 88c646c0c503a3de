"""States, outcomes and modes of campaigns in words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from jilink.services.contact.rules.campaigns import CampaignState, Outcome, Reason, Result, TargetState
from jilink.services.contact.rules.pacing import Mode

STATES: dict[CampaignState, tuple[Promise, str]] = {
    CampaignState.DRAFT: (_("Not started"), "neutral"),
    CampaignState.RUNNING: (_("Running"), "good"),
    CampaignState.PAUSED: (_("Paused"), "warn"),
    CampaignState.CLOSED: (pgettext_lazy("campaign", "Closed"), "neutral"),
}
MODES: dict[Mode, Promise] = {
    Mode.PREVIEW: _("Preview: the agent sees the record, then dials"),
    Mode.PROGRESSIVE: _("Progressive: one number for each free agent"),
    Mode.PREDICTIVE: _("Predictive: more numbers than free agents, within the cap"),
}
SHORT_MODES: dict[Mode, Promise] = {
    Mode.PREVIEW: _("Preview dialling"),
    Mode.PROGRESSIVE: _("Progressive"),
    Mode.PREDICTIVE: _("Predictive"),
}
TARGETS: dict[TargetState, tuple[Promise, str]] = {
    TargetState.WAITING: (_("To be called"), "info"),
    TargetState.SHOWN: (_("At an agent"), "info"),
    TargetState.CALLING: (_("In a call"), "good"),
    TargetState.DONE: (_("Done"), "good"),
    TargetState.LEFT_OUT: (_("Left out"), "neutral"),
}
OUTCOMES: dict[str, Promise] = {
    Outcome.BUSY: _("Busy"),
    Outcome.NO_ANSWER: _("No answer"),
    Outcome.DECLINED: _("Call refused"),
    Outcome.UNREACHABLE: _("Unreachable"),
    Outcome.FAILED: _("Line failed"),
    Outcome.MACHINE: _("Answering machine"),
    Outcome.ABANDONED: _("Abandoned: no agent within 2 s"),
    Outcome.HUNG_UP: _("Hung up at once"),
    Outcome.REACHED: _("Talked with an agent"),
}
WHY_LEFT_OUT: dict[str, Promise] = {
    Reason.NO_CONSENT: _("No consent that holds"),
    Reason.DO_NOT_CALL: _("On the do-not-call list"),
    Reason.NO_NUMBER: _("No telephone that may be called"),
    Reason.TRIED: _("Tried as often as allowed"),
    Reason.SKIPPED: _("Skipped"),
    Reason.ERASED: _("The person was erased"),
}
RESULTS: dict[Result, Promise] = {
    Result.DONE: _("done"),
    Result.AGAIN: _("call again"),
    Result.MACHINE: _("answering machine"),
    Result.STOP: _("never call again"),
}
SOURCES: dict[str, Promise] = {
    "page": _("Entered here"),
    "agent": _("Said to an agent"),
    "key": _("Pressed a key"),
    "import": _("Imported"),
}
