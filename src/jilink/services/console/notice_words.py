"""What a notice says, on the page and in a letter: never a title, a name of whom we serve, or a place."""

from django.utils.translation import gettext as _

from jilink.services.console.rules.notices import Kind


def sentence(kind: Kind, who: str) -> str:
    """Return a notice as a sentence; `who` did it, "" for the installation."""
    name = who or _("Jilink")
    words = {
        Kind.ASSIGNED: _("%(name)s assigned a case to you"),
        Kind.TEAM: _("%(name)s assigned a case to your team"),
        Kind.ESCALATED: _("A case was escalated: its time is running out"),
        Kind.OVERDUE: _("A case was escalated: it is overdue"),
        Kind.HELP: _("%(name)s escalated a case to you"),
        Kind.APPROVED: _("%(name)s approved your request"),
        Kind.REFUSED: _("%(name)s refused your request"),
        Kind.RESUMED: _("A suspended case goes on"),
        Kind.MENTIONED: _("%(name)s mentioned you in a note"),
    }
    return words[kind] % {"name": name}


TONES = {Kind.ESCALATED: "warn", Kind.OVERDUE: "bad", Kind.HELP: "bad", Kind.REFUSED: "warn", Kind.APPROVED: "good"}
SYMBOLS = {Kind.ESCALATED: "alarm", Kind.OVERDUE: "alarm", Kind.HELP: "alarm", Kind.MENTIONED: "edit", Kind.RESUMED: "play"}
