"""An organisation's own settings: its name, and its end."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from jilink.core.parties import actions
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused
from jilink.services.console.pages.members_place import place
from jilink.webkit.door import said, signed_in


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def settings(request: HttpRequest, actor: Actor, organisation: int) -> HttpResponse:
    """Show an organisation's settings; give it another name."""
    where = place(actor, organisation, "settings", Permission.MANAGE_MEMBERS)
    wrong = ""
    if request.method == "POST":
        try:
            actions.rename_organisation(organisation=where.id, name=request.POST.get("name", ""), by=actor)
        except NotFound:
            raise
        except Refused as error:
            wrong = said(error)
        else:
            messages.success(request, _("Saved."))
            return redirect("console:settings", where.id)
    context = {"place": where, "wrong": wrong, "name": request.POST.get("name", where.name)}
    return render(request, "console/members_settings.html", context, status=400 if wrong else 200)


@require_POST
@signed_in
def remove(request: HttpRequest, actor: Actor, organisation: int) -> HttpResponse:
    """Remove an organisation that holds nothing any more."""
    where = place(actor, organisation, "settings", Permission.MANAGE_MEMBERS)
    try:
        actions.remove_organisation(organisation=where.id, by=actor)
    except NotFound:
        raise
    except Refused as error:
        messages.error(request, said(error))
        return redirect("console:settings", where.id)
    messages.success(request, _("%(name)s was removed.") % {"name": where.name})
    return redirect("console:organisations")


patterns: list[URLPattern] = [
    path("<int:organisation>/settings", settings, name="settings"),
    path("<int:organisation>/remove", remove, name="remove_organisation"),
]
