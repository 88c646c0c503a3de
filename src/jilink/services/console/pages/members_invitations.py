"""Invitations of an organisation: make one, hand its link over once, take it back."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.invitations import actions, reads
from jilink.core.parties.members import reads as members
from jilink.core.parties.rules import Permission, Role, Scope
from jilink.kernel.errors import Refused
from jilink.kernel.ids import InvitationId, TeamId
from jilink.services.console.pages.members_place import Place, givable, place
from jilink.services.console.pages.members_words import ROLE_WORDS, SCOPE_WORDS
from jilink.webkit.door import said, signed_in


class InvitationForm(forms.Form):
    """Who is invited, and to what."""

    name = forms.CharField(
        label=gettext_lazy("Who is invited"), max_length=120, help_text=gettext_lazy("The person's name, used for the account.")
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"))
    scope = forms.ChoiceField(
        label=gettext_lazy("Scope"), required=False, choices=[("", gettext_lazy("default for the role")), *SCOPE_WORDS.items()]
    )
    team = forms.TypedChoiceField(label=gettext_lazy("Team"), required=False, coerce=int, empty_value=None)

    def __init__(self, actor: Actor, where: Place, request: HttpRequest) -> None:
        super().__init__(request.POST if request.method == "POST" else None, initial={"role": Role.AGENT})
        self.fields["role"].choices = [(role, ROLE_WORDS[role]) for role in givable(actor, where.id)]  # type: ignore[attr-defined]  # -- a ChoiceField
        teams = [(team.id, team.name) for team in members.teams(actor, where.id)]
        self.fields["team"].choices = [("", _("none")), *teams]  # type: ignore[attr-defined]  # -- a ChoiceField


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def invitations(request: HttpRequest, actor: Actor, organisation: int) -> HttpResponse:
    """Show what invitations hold; make one and show its link, once."""
    where = place(actor, organisation, "invitations", Permission.MANAGE_MEMBERS)
    form, link = InvitationForm(actor, where, request), ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = actions.invite(
                organisation=where.id,
                name=given["name"],
                role=Role(given["role"]),
                scope=Scope(given["scope"]) if given["scope"] else None,
                team=TeamId(given["team"]) if given["team"] else None,
                by=actor,
            )
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            link = request.build_absolute_uri(reverse("invitation-opened", args=[made.secret]))
    rows = [
        {"invitation": each, "role": ROLE_WORDS[each.role], "scope": SCOPE_WORDS[each.scope]} for each in reads.invitations(actor, where.id)
    ]
    context = {"place": where, "rows": rows, "form": form, "link": link, "invited": form.cleaned_data["name"] if link else ""}
    return render(request, "console/members_invitations.html", context, status=400 if form.errors else 200)


@require_POST
@signed_in
def take_back(request: HttpRequest, actor: Actor, organisation: int, invitation: int) -> HttpResponse:
    """Let the link of an invitation lead nowhere any more."""
    where = place(actor, organisation, "invitations", Permission.MANAGE_MEMBERS)
    if invitation not in {each.id for each in reads.invitations(actor, where.id)}:
        raise NotFound("There is no such thing, or you may not see it.")
    actions.revoke_invitation(invitation=InvitationId(invitation), by=actor)
    messages.success(request, _("The link leads nowhere any more."))
    return redirect("console:invitations", where.id)


patterns: list[URLPattern] = [
    path("<int:organisation>/invitations", invitations, name="invitations"),
    path("<int:organisation>/invitations/<int:invitation>/take-back", take_back, name="take_back_invitation"),
]
