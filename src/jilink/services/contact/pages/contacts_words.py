"""What contacts, their ends and what happened to them are called."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from jilink.services.contact.rules.states import End

CHANNEL_WORDS: dict[str, Promise] = {
    "call": _("Call"),
    "callback": _("Callback"),
    "text": _("Text message"),
    "chat": _("Chat"),
    "case": _("Case"),
}
ENDS: dict[str, Promise] = {
    End.SERVED.value: _("Served"),
    End.ABANDONED.value: _("They left before"),
    End.TURNED_AWAY.value: _("Turned away"),
    End.OVERFLOWED.value: _("Waited too long"),
    End.MOVED.value: _("Moved to another queue"),
    End.UNREACHED.value: _("Not reached"),
    End.LOST.value: _("Lost with the telephone engine"),
}
TONES = {End.SERVED.value: "good", End.ABANDONED.value: "bad", End.LOST.value: "bad", End.OVERFLOWED.value: "bad"}
STEPS: dict[str, Promise] = {
    "queued": _("Came to the queue"),
    "rang": _("Rang at an agent"),
    "missed": _("Was not answered"),
    "returned": _("Waits again"),
    "answered": _("Conversation began"),
    "held": _("Put on hold"),
    "unheld": _("Taken back from hold"),
    "rec_paused": _("Recording paused"),
    "rec_resumed": _("Recording goes on"),
    "announced": _("Recording was announced"),
    "handed_over": _("Handed over to another agent"),
    "dialled_again": _("The agent's phone was called again"),
    "away": _("The agent's phone went away"),
    "back": _("The agent's phone is back"),
    "left": _("Conversation ended"),
    **ENDS,
    End.SERVED.value: _("Wrap-up finished"),
}
