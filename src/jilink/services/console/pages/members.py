"""Organisations as a tree, the members of one, and what each role may do."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.parties import actions, reads
from jilink.core.parties.access import Actor, NotFound, require_anywhere
from jilink.core.parties.members import actions as member_actions
from jilink.core.parties.members import reads as members_reads
from jilink.core.parties.members.reads import MemberView
from jilink.core.parties.rules import NARROWED, ROLES, TWO_FACTORS, Permission, Role, Scope
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.services.console.pages import members_invitations, members_settings, members_skills, members_teams
from jilink.services.console.pages.members_place import Place, givable, may_give, place
from jilink.services.console.pages.members_words import GROUPS, ROLE_MEANS, ROLE_WORDS, SCOPE_WORDS
from jilink.webkit.door import said, signed_in


class OrganisationForm(forms.Form):
    """A new organisation below another."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)

    def __init__(self, actor: Actor, request: HttpRequest) -> None:
        super().__init__(request.POST if request.method == "POST" else None, initial={"parent": request.GET.get("parent")})
        below = [(each.id, f"{'　' * each.depth}{each.name}") for each in reads.choices(actor, Permission.MANAGE_MEMBERS)]
        self.fields["parent"] = forms.TypedChoiceField(label=gettext_lazy("Below"), choices=below, coerce=int)
        self.order_fields(["parent"])


@require_safe
@signed_in
def organisations(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show every organisation of which the viewer may see the members, as a tree."""
    require_anywhere(actor, Permission.VIEW_MEMBERS)
    counts = members_reads.counted(actor)
    found = reads.choices(actor, Permission.VIEW_MEMBERS)
    top = min((each.depth for each in found), default=0)
    rows = [{"organisation": each, "depth": each.depth - top, "members": counts.get(each.id, 0)} for each in found]
    return render(request, "console/members_tree.html", {"rows": rows, "may_add": actor.may(Permission.MANAGE_MEMBERS)})


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Add an organisation below one that the viewer manages."""
    require_anywhere(actor, Permission.MANAGE_MEMBERS)
    form = OrganisationForm(actor, request)
    if request.method == "POST" and form.is_valid():
        try:
            made = actions.add_organisation(name=form.cleaned_data["name"], parent=OrganisationId(form.cleaned_data["parent"]), by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error("name", said(error))
        else:
            messages.success(request, _("%(name)s was added.") % {"name": form.cleaned_data["name"]})
            return redirect("console:members", made)
    return render(request, "console/members_add.html", {"form": form}, status=400 if form.errors else 200)


@require_safe
@signed_in
def members(request: HttpRequest, actor: Actor, organisation: int) -> HttpResponse:
    """Show the members of one organisation with roles, reach, teams and second factors."""
    where = place(actor, organisation, "members")
    found = [each for each in members_reads.members(actor, where.id) if not each.service]
    teams = {team.id: team.name for team in members_reads.teams(actor, where.id, archived=True)}
    protected = members_reads.with_second_factor(actor, where.id) if where.manages else frozenset()
    rows = [
        {
            "member": each,
            "role": ROLE_WORDS[each.role],
            "scope": SCOPE_WORDS[each.scope],
            "teams": [teams[team] for team in each.teams if team in teams],
            "protected": each.user in protected,
            "needs": each.role in TWO_FACTORS,
        }
        for each in found
    ]
    return render(request, "console/members_list.html", {"place": where, "rows": rows})


class MemberForm(forms.Form):
    """What a member is there, and how far that reaches."""

    role = forms.ChoiceField(label=gettext_lazy("Role"))
    scope = forms.ChoiceField(
        label=gettext_lazy("Scope"),
        choices=list(SCOPE_WORDS.items()),
        help_text=gettext_lazy(
            "The first two limit cases and contacts only. All other permissions of the role apply to the whole organisation."
        ),
    )

    def __init__(self, roles: list[Role], request: HttpRequest, member: MemberView) -> None:
        super().__init__(request.POST if request.method == "POST" else None, initial={"role": member.role, "scope": member.scope})
        self.fields["role"].choices = [(role, ROLE_WORDS[role]) for role in roles]  # type: ignore[attr-defined]  # -- a ChoiceField


def _member(actor: Actor, where: Place, user: int) -> MemberView:
    found = next((each for each in members_reads.members(actor, where.id) if each.user == user and not each.service), None)
    if found is None:
        raise NotFound("There is no such thing, or you may not see it.")
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def member(request: HttpRequest, actor: Actor, organisation: int, user: int) -> HttpResponse:
    """Show one member; change their role and reach."""
    where = place(actor, organisation, "members", Permission.MANAGE_MEMBERS)
    known = _member(actor, where, user)
    changeable = may_give(actor, known.role, known.scope, where.id)
    form = MemberForm(givable(actor, where.id), request, known) if changeable else None
    if request.method == "POST":
        if form is None:
            raise NotFound("There is no such thing, or you may not see it.")
        if form.is_valid():
            given = form.cleaned_data
            if not may_give(actor, Role(given["role"]), Scope(given["scope"]), where.id):
                form.add_error("scope", _("Your own scope does not reach that far."))
        if form.is_valid():
            actions.set_role(user=user, organisation=where.id, role=Role(given["role"]), scope=Scope(given["scope"]), by=actor)
            messages.success(request, _("Saved."))
            return redirect("console:members", where.id)
    context = {
        "place": where,
        "member": known,
        "form": form,
        "role": ROLE_WORDS[known.role],
        "scope": SCOPE_WORDS[known.scope],
        "protected": user in members_reads.with_second_factor(actor, where.id),
        "oneself": user == actor.user,
    }
    return render(request, "console/members_member.html", context, status=400 if form and form.errors else 200)


@require_POST
@signed_in
def remove(request: HttpRequest, actor: Actor, organisation: int, user: int) -> HttpResponse:
    """End a membership."""
    where = place(actor, organisation, "members", Permission.MANAGE_MEMBERS)
    known = _member(actor, where, user)
    member_actions.remove_member(user=user, organisation=where.id, by=actor)
    messages.success(request, _("%(name)s is no member any more.") % {"name": known.name or known.username})
    return redirect("console:organisations" if user == actor.user else "console:members", *([] if user == actor.user else [where.id]))


@require_POST
@signed_in
def reset_factor(request: HttpRequest, actor: Actor, organisation: int, user: int) -> HttpResponse:
    """Take a member's second factors away, for somebody who lost them."""
    where = place(actor, organisation, "members", Permission.MANAGE_MEMBERS)
    _member(actor, where, user)
    member_actions.reset_second_factor(user=user, organisation=where.id, by=actor)
    messages.success(request, _("The second factors were removed."))
    return redirect("console:member", where.id, user)


@require_safe
@signed_in
def roles(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Show what each role may do, as a table."""
    require_anywhere(actor, Permission.VIEW_MEMBERS)
    people = [role for role in Role]
    groups = [
        {
            "title": group.title,
            "rows": [
                (word, permission in NARROWED, [permission in ROLES[role] for role in people])
                for permission, word in group.permissions.items()
            ],
        }
        for group in GROUPS
    ]
    heads = [{"word": ROLE_WORDS[role], "means": ROLE_MEANS[role], "factors": role in TWO_FACTORS} for role in people]
    return render(request, "console/members_roles.html", {"groups": groups, "heads": heads, "across": len(heads) + 1})


patterns: list[URLPattern] = [
    path("", organisations, name="organisations"),
    path("add", add, name="add_organisation"),
    path("roles", roles, name="roles"),
    path("<int:organisation>/", members, name="members"),
    path("<int:organisation>/members/<int:user>", member, name="member"),
    path("<int:organisation>/members/<int:user>/remove", remove, name="remove_member"),
    path("<int:organisation>/members/<int:user>/reset-factors", reset_factor, name="reset_factor"),
    *members_teams.patterns,
    *members_skills.patterns,
    *members_invitations.patterns,
    *members_settings.patterns,
]
