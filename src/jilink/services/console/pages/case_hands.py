"""Whose hands a case is in, and calling for help: take it, give it up, assign it, move it to another unit, escalate it."""

from django import forms
from django.utils.translation import gettext as _

from jilink.core.cases import actions
from jilink.core.cases.reads import CaseView
from jilink.core.cases.rules.allowed import Act, allows
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor
from jilink.core.parties.rules import Permission
from jilink.services.console.pages.case_deed import Deed, Maker, reason_field
from jilink.services.console.reads.colleagues import recipients


def units(actor: Actor) -> list[tuple[str, str]]:
    """Return the units that the actor knows of, in tree order, as choices."""
    return [(str(each.id), f"{'　' * each.depth}{each.name}") for each in parties.choices(actor, Permission.VIEW_MEMBERS)]


def handing(actor: Actor, view: CaseView, make: Maker) -> list[Deed]:
    """Return in whose hands the actor may put the case, and whom they may call."""
    if not allows(view.row.state, Act.ASSIGN):
        return []
    found = _own(actor, view, make)
    if view.may_assign:
        found.append(_assigning(actor, view, make))
    if view.may_move:
        found.append(_moving(actor, view, make))
    if view.may_work:
        found.append(_escalating(actor, view, make))
    return found


def _own(actor: Actor, view: CaseView, make: Maker) -> list[Deed]:
    case, holder = view.row.id, view.row.assignee
    if not view.may_work or actor.user is None:
        return []
    if holder is None:
        title = _("Assign to me")
        return [Deed("take", title, make.form("take", {}), lambda _form: actions.claim_case(case=case, by=actor), title, group="hand")]
    if holder == actor.user:
        title = _("Release")
        return [
            Deed("release", title, make.form("release", {}), lambda _form: actions.release_case(case=case, by=actor), title, group="hand")
        ]
    return []


def _assigning(actor: Actor, view: CaseView, make: Maker) -> Deed:
    row = view.row
    now = f"u:{row.assignee}" if row.assignee else f"t:{row.team}" if row.team else ""
    choices = [("", _("Nobody in particular")), *recipients(actor, row.unit)]
    form = make.form("assign", {"to": forms.ChoiceField(label=_("Who has it"), required=False, choices=choices)}, {"to": now})

    def do(form: forms.Form) -> object:
        kind, _colon, number = form.cleaned_data["to"].partition(":")
        team = int(number) if kind == "t" else row.team if kind == "u" else None
        return actions.assign_case(case=row.id, team=team, assignee=int(number) if kind == "u" else None, by=actor)

    return Deed("assign", _("Assign"), form, do, _("Assign"), group="hand")


def _moving(actor: Actor, view: CaseView, make: Maker) -> Deed:
    others = [(number, name) for number, name in units(actor) if number != str(view.row.unit)]
    fields = {"unit": forms.ChoiceField(label=_("Unit"), choices=[("", "—"), *others]), "reason": reason_field()}

    def do(form: forms.Form) -> object:
        given = form.cleaned_data
        return actions.move_case(case=view.row.id, unit=int(given["unit"]), reason=given["reason"], by=actor)

    note = _("The clocks keep running. The new unit reads your reason.")
    return Deed("move", _("Move to another unit"), make.form("move", fields), do, _("Move"), group="hand", note=note)


def _escalating(actor: Actor, view: CaseView, make: Maker) -> Deed:
    fields = {
        "reason": reason_field(),
        "raise_priority": forms.BooleanField(label=_("Raise the priority by one step"), required=False),
    }

    def do(form: forms.Form) -> object:
        given = form.cleaned_data
        return actions.escalate_case(case=view.row.id, reason=given["reason"], raise_priority=given["raise_priority"], by=actor)

    note = _("The supervisors of the unit and of the organisation in charge are notified. The case stays where it is.")
    return Deed("escalate", _("Escalate"), make.form("escalate", fields), do, _("Escalate"), group="hand", note=note)
