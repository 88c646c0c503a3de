"""The pages to which the link of an invitation leads."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from jilink.core.parties.actions import NameTaken, PasswordRefused
from jilink.core.parties.invitations import actions, reads
from jilink.core.parties.invitations.actions import InvitationRefused
from jilink.core.parties.sign_in import INVITATION
from jilink.webkit.door import said


@never_cache
@require_safe
def opened(request: HttpRequest, secret: str) -> HttpResponse:
    """Take the secret out of the address, into the session, and go on without it."""
    if reads.invitation(secret) is None:
        return render(request, "account/invitation.html", {"invitation": None}, status=404)
    request.session[INVITATION] = secret
    return redirect("invitation")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest) -> HttpResponse:
    """Show what somebody is invited to; make the account, or a member of whoever is signed in."""
    secret = str(request.session.get(INVITATION, ""))
    found = reads.invitation(secret) if secret else None
    if found is None:
        raise Http404
    told = {"username": request.POST.get("username", "").strip(), "error": ""}
    if request.method == "POST":
        try:
            _accept(request, secret)
        except (InvitationRefused, NameTaken, PasswordRefused) as error:
            told["error"] = said(error)
        else:
            request.session.pop(INVITATION, None)
            messages.success(request, _("Welcome. Your account is ready."))
            return redirect("home" if request.user.is_authenticated else "account_login")
    context = {"invitation": found, **told}
    return render(request, "account/invitation.html", context, status=422 if told["error"] else 200)


def _accept(request: HttpRequest, secret: str) -> None:
    if request.user.is_authenticated:
        actions.accept_as(secret=secret, user=request.user.pk)
        return
    password = request.POST.get("password", "")
    if password != request.POST.get("again", ""):
        raise PasswordRefused(_("The two passwords differ."))
    actions.accept_with_password(secret=secret, username=request.POST.get("username", ""), password=password)
