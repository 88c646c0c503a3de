"""Programs of an organisation: their accounts, and the tokens that let them in."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission, Role, permissions_of
from jilink.core.parties.tokens import actions, reads
from jilink.core.parties.tokens.reads import ServiceAccount, TokenView
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import TokenId
from jilink.services.console.pages.members_place import Place, place
from jilink.services.console.pages.members_words import GROUPS, ROLE_WORDS, permission_words
from jilink.webkit.door import said, signed_in

LASTS = (30, 90, 180, 365)
MANAGE = Permission.MANAGE_TOKENS


@require_safe
@signed_in
def tokens(request: HttpRequest, actor: Actor, organisation: int) -> HttpResponse:
    """Show the accounts of programs with their tokens."""
    where = place(actor, organisation, "tokens", MANAGE)
    found = reads.service_accounts(actor, where.id)
    makers = parties.usernames({token.created_by for each in found for token in each.tokens if token.created_by})
    rows = [{"account": each, "role": ROLE_WORDS[each.role], "tokens": [_row(token, makers) for token in each.tokens]} for each in found]
    return render(request, "console/tokens_list.html", {"place": where, "rows": rows})


def _row(token: TokenView, makers: dict[int, str]) -> dict[str, object]:
    words = permission_words()
    return {
        "token": token,
        "stands": token.stands(utc_now()),
        "maker": makers.get(token.created_by or 0, ""),
        "may": [words[each] for each in words if each in token.permissions],
    }


def _roles(actor: Actor, where: Place) -> list[Role]:
    """The roles that a program may be given: none that grants what its giver lacks, and no operator's."""
    granted = actor.grants.get(where.id, frozenset())
    ordered = [Role.SERVICE, *(role for role in Role if role not in {Role.SERVICE, Role.OPERATOR})]
    return [role for role in ordered if permissions_of(role) <= granted]


class AccountForm(forms.Form):
    """A new account of a program."""

    name = forms.CharField(label=gettext_lazy("Name of the program"), max_length=120)
    role = forms.ChoiceField(label=gettext_lazy("Role"), help_text=gettext_lazy("Its tokens may do at most what this role may do."))

    def __init__(self, roles: list[Role], request: HttpRequest) -> None:
        super().__init__(request.POST if request.method == "POST" else None)
        self.fields["role"].choices = [(role, ROLE_WORDS[role]) for role in roles]  # type: ignore[attr-defined]  # -- a ChoiceField


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def add_account(request: HttpRequest, actor: Actor, organisation: int) -> HttpResponse:
    """Add an account of a program, and go on to its first token."""
    where = place(actor, organisation, "tokens", MANAGE)
    form = AccountForm(_roles(actor, where), request)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = actions.add_service_account(organisation=where.id, name=given["name"], role=Role(given["role"]), by=actor)
        except NotFound:
            raise
        except Refused as error:
            form.add_error("name", said(error))
        else:
            return redirect("console:issue_token", where.id, made)
    return render(request, "console/tokens_account.html", {"place": where, "form": form}, status=400 if form.errors else 200)


def _account(actor: Actor, where: Place, number: int) -> ServiceAccount:
    found = next((each for each in reads.service_accounts(actor, where.id) if each.user == number), None)
    if found is None:
        raise NotFound("There is no such thing, or you may not see it.")
    return found


@require_POST
@signed_in
def close_account(request: HttpRequest, actor: Actor, organisation: int, account: int) -> HttpResponse:
    """Close an account of a program for good."""
    where = place(actor, organisation, "tokens", MANAGE)
    known = _account(actor, where, account)
    actions.close_service_account(account=account, by=actor)
    messages.success(request, _("%(name)s was closed; its tokens open nothing any more.") % {"name": known.name})
    return redirect("console:tokens", where.id)


class TokenForm(forms.Form):
    """A new token: what for, until when, and what it may do at most."""

    name = forms.CharField(
        label=gettext_lazy("What it is for"), max_length=120, help_text=gettext_lazy("For example the machine it is stored on.")
    )
    days = forms.TypedChoiceField(
        label=gettext_lazy("Lasts"),
        coerce=int,
        initial=90,
        choices=[(days, ngettext_lazy("%(days)d day", "%(days)d days", days) % {"days": days}) for days in LASTS],
    )

    def __init__(self, allowed: frozenset[Permission], request: HttpRequest) -> None:
        super().__init__(request.POST if request.method == "POST" else None)
        for number, group in enumerate(GROUPS):
            choices = [(permission, word) for permission, word in group.permissions.items() if permission in allowed]
            if choices:
                self.fields[f"group{number}"] = forms.MultipleChoiceField(
                    label=str(group.title), choices=choices, required=False, widget=forms.CheckboxSelectMultiple
                )

    def permissions(self) -> frozenset[Permission]:
        """Return what was ticked, of all groups."""
        return frozenset(Permission(each) for name in self.fields if name.startswith("group") for each in self.cleaned_data[name])


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def issue(request: HttpRequest, actor: Actor, organisation: int, account: int) -> HttpResponse:
    """Make a token and show it, once."""
    where = place(actor, organisation, "tokens", MANAGE)
    known = _account(actor, where, account)
    form, secret = TokenForm(permissions_of(known.role) & actor.grants.get(where.id, frozenset()), request), ""
    if request.method == "POST" and form.is_valid():
        given, now = form.cleaned_data, utc_now()
        until = now + timedelta(days=given["days"])
        try:
            made = actions.issue_token(
                account=account, name=given["name"], permissions=form.permissions(), expires_at=until, by=actor, now=now
            )
        except NotFound:
            raise
        except Refused as error:
            form.add_error(None, said(error))
        else:
            secret = made.secret
    context = {"place": where, "account": known, "form": form, "secret": secret, "header": f"Authorization: Bearer {secret}"}
    return render(request, "console/tokens_issue.html", context, status=400 if form.errors else 200)


@require_POST
@signed_in
def revoke(request: HttpRequest, actor: Actor, organisation: int, token: int) -> HttpResponse:
    """End a token at once."""
    where = place(actor, organisation, "tokens", MANAGE)
    if token not in {each.id for account in reads.service_accounts(actor, where.id) for each in account.tokens}:
        raise NotFound("There is no such thing, or you may not see it.")
    actions.revoke_token(token=TokenId(token), by=actor)
    messages.success(request, _("The token no longer works."))
    return redirect("console:tokens", where.id)


patterns: list[URLPattern] = [
    path("<int:organisation>/programs", tokens, name="tokens"),
    path("<int:organisation>/programs/add", add_account, name="add_service_account"),
    path("<int:organisation>/programs/<int:account>/close", close_account, name="close_service_account"),
    path("<int:organisation>/programs/<int:account>/token", issue, name="issue_token"),
    path("<int:organisation>/programs/tokens/<int:token>/revoke", revoke, name="revoke_token"),
]
