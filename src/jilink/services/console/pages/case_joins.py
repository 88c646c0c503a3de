"""What may be done with a case beside its steps: rate it, call back, link it with another, merge it into another."""

from django import forms
from django.utils.translation import gettext as _

from jilink.core.cases import actions, reads
from jilink.core.cases.reads import CaseView
from jilink.core.cases.rules.allowed import Act, allows
from jilink.core.cases.rules.numbers import NumberMisread
from jilink.core.cases.rules.workflow import LinkKind, Satisfaction
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.clock import utc_now
from jilink.services.console.pages.case_deed import Deed, Maker, reason_field
from jilink.services.console.pages.case_questions import PREFIX, field_of, given_in
from jilink.services.console.pages.case_words import LINKS, RATINGS
from jilink.webkit.door import said


def afterwards(actor: Actor, view: CaseView, make: Maker) -> list[Deed]:
    """Return what comes after closing: the rating, and the call to whoever was dissatisfied."""
    if not view.may_work:
        return []
    found = []
    if view.may_be_rated:
        found.append(_rating(actor, view, make))
    if any(each.level <= Satisfaction.DISSATISFIED and each.called_back_at is None for each in view.ratings):
        form = make.form("call_back", {"outcome": reason_field(label=_("What came of the call"))})

        def called(form: forms.Form) -> object:
            return actions.note_call_back(case=view.row.id, outcome=form.cleaned_data["outcome"], by=actor)

        note = _("The person was dissatisfied: somebody has to call.")
        found.append(Deed("call_back", _("Note the call back"), form, called, _("Save"), tone="primary", note=note))
    return found


def _rating(actor: Actor, view: CaseView, make: Maker) -> Deed:
    levels = [(str(int(level)), str(words)) for level, words in RATINGS.items()]
    fields: dict[str, forms.Field] = {"level": forms.ChoiceField(label=_("How satisfied"), choices=levels, widget=forms.RadioSelect)}
    for question in view.definition.questions:
        fields[PREFIX + question.key] = field_of(question)
    fields["comment"] = forms.CharField(
        label=_("In their words"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )

    def do(form: forms.Form) -> object:
        return actions.rate_case(
            case=view.row.id,
            level=Satisfaction(int(form.cleaned_data["level"])),
            answers=given_in(form, view.definition.questions),
            comment=form.cleaned_data["comment"],
            by=actor,
        )

    return Deed(
        "rate", _("Enter the rating"), make.form("rate", fields), do, _("Save"), tone="primary", questions=view.definition.questions
    )


class CaseField(forms.CharField):
    """The number of another case that the actor may see, as typed or said; cleaned to its id."""

    def __init__(self, actor: Actor) -> None:
        super().__init__(label=_("Number of the other case"), max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off"}))
        self.actor = actor

    def clean(self, value: object) -> int:
        """Return the id of the case."""
        words = super().clean(value)
        try:
            return reads.case_numbered(self.actor, str(words), now=utc_now()).row.id
        except NumberMisread as error:
            raise forms.ValidationError(said(error)) from error
        except NotFound as error:
            raise forms.ValidationError(_("There is no such case, or you may not see it.")) from error


def joining(actor: Actor, view: CaseView, make: Maker) -> list[Deed]:
    """Return what ties the case to another."""
    if not view.may_work:
        return []
    kinds = [(kind.value, str(LINKS[kind.value])) for kind in LinkKind]
    fields: dict[str, forms.Field] = {"kind": forms.ChoiceField(label=_("How"), choices=kinds), "number": CaseField(actor)}

    def link(form: forms.Form) -> object:
        kind, other = LinkKind(form.cleaned_data["kind"]), form.cleaned_data["number"]
        return actions.link_cases(case=view.row.id, kind=kind, other=other, by=actor)

    def merge(form: forms.Form) -> object:
        return actions.merge_cases(case=view.row.id, into=form.cleaned_data["number"], by=actor)

    found = [Deed("link", _("Link with another case"), make.form("link", fields), link, _("Link"), group="join")]
    if allows(view.row.state, Act.MERGE):
        note = _("This case ends and goes on as the other. Its lines, notes and files stay; its number leads to the other.")
        form = make.form("merge", {"number": CaseField(actor)})
        found.append(Deed("merge", _("Merge into another case"), form, merge, _("Merge"), group="join", tone="danger", note=note))
    return found
