"""What a notice says, on the page and in a letter: never a title, a name of whom we serve, or a place."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from jilink.services.console.rules.notices import Kind, Way


def sentence(kind: Kind, who: str, count: int = 1) -> str:
    """Return a notice as a sentence; `who` did it, "" for the installation, in `count` cases."""
    name = who or _("Jilink")
    if count > 1 and kind in CHOICES:
        several = {
            Kind.TEAM: ngettext("%(n)d new case for your team", "%(n)d new cases for your team", count),
            Kind.UNIT: ngettext("%(n)d new case that nobody in particular has", "%(n)d new cases that nobody in particular has", count),
            Kind.WAITING: ngettext("%(n)d case has a request that waits", "%(n)d cases have requests that wait", count),
        }
        return several[kind] % {"n": count}
    words = {
        Kind.ASSIGNED: _("%(name)s assigned a case to you"),
        Kind.TEAM: _("%(name)s assigned a case to your team"),
        Kind.UNIT: _("A case came to the unit, and nobody in particular has it"),
        Kind.WAITING: _("%(name)s asks for something that you can decide"),
        Kind.ESCALATED: _("A case was escalated: its time is running out"),
        Kind.OVERDUE: _("A case was escalated: it is overdue"),
        Kind.HELP: _("%(name)s escalated a case to you"),
        Kind.APPROVED: _("%(name)s approved your request"),
        Kind.REFUSED: _("%(name)s refused your request"),
        Kind.RESUMED: _("A suspended case goes on"),
        Kind.MENTIONED: _("%(name)s mentioned you in a note"),
    }
    return words[kind] % {"name": name}


CHOICES = {
    Kind.TEAM: gettext_lazy("New cases of my teams"),
    Kind.UNIT: gettext_lazy("New cases of the unit that nobody in particular has"),
    Kind.WAITING: gettext_lazy("Requests that wait for a decision"),
}
WAYS = {
    Way.NOT: gettext_lazy("Not at all"),
    Way.BELL: gettext_lazy("Here only"),
    Way.LETTER: gettext_lazy("Here, and by e-mail"),
}
LISTS = {Kind.TEAM: "view=team", Kind.UNIT: "view=unassigned", Kind.WAITING: "view=all&state=requested"}
"""The list of the inbox where the cases of a notice of several stand."""
TONES = {Kind.ESCALATED: "warn", Kind.OVERDUE: "bad", Kind.HELP: "bad", Kind.REFUSED: "warn", Kind.APPROVED: "good"}
SYMBOLS = {Kind.ESCALATED: "alarm", Kind.OVERDUE: "alarm", Kind.HELP: "alarm", Kind.MENTIONED: "edit", Kind.RESUMED: "play"}
