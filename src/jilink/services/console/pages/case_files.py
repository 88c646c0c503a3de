"""Files of a case: photos, sound and documents, sent so that nothing in them can run."""

from urllib.parse import quote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from jilink.core.cases import actions, reads
from jilink.core.files.reads import HEADERS
from jilink.core.parties.access import Actor, NotFound
from jilink.kernel.errors import Refused
from jilink.services.console.actions.attaching import attach_uploads
from jilink.services.console.pages.case_show import numbered, show
from jilink.webkit.door import said, signed_in

MOST = 20


@require_POST
@signed_in
def upload(request: HttpRequest, actor: Actor, number: str) -> HttpResponse:
    """Add files to a case, all or none."""
    view = numbered(actor, number)
    given = request.FILES.getlist("files")[:MOST]
    try:
        count = len(attach_uploads(view=view, uploads=[(each.read(), each.name or "") for each in given], by=actor))
    except NotFound:
        raise
    except Refused as error:
        return show(request, actor, view, extra={"wrong": said(error)})
    if not count:
        return show(request, actor, view, extra={"wrong": _("Choose a file first.")})
    messages.success(request, ngettext("%(n)d file was added.", "%(n)d files were added.", count) % {"n": count})
    return redirect("console:case", view.row.number)


@require_safe
@signed_in
def file(request: HttpRequest, actor: Actor, number: str, file: int) -> HttpResponse:
    """Send one file."""
    view, data = reads.case_file(actor, numbered(actor, number).row.id, file)
    kind = "inline" if view.inline else "attachment"
    response = HttpResponse(data, content_type=view.content_type, headers=HEADERS)
    response["Content-Disposition"] = f"{kind}; filename*=UTF-8''{quote(view.name)}"
    return response


@require_safe
@signed_in
def small(request: HttpRequest, actor: Actor, number: str, file: int) -> HttpResponse:
    """Send the small picture of one file."""
    return HttpResponse(reads.case_thumbnail(actor, numbered(actor, number).row.id, file), content_type="image/jpeg", headers=HEADERS)


@require_POST
@signed_in
def remove(request: HttpRequest, actor: Actor, number: str, file: int) -> HttpResponse:
    """Take a file away from a case."""
    view = numbered(actor, number)
    actions.detach_file(case=view.row.id, file=file, by=actor)
    messages.success(request, _("The file was removed."))
    return redirect("console:case", view.row.number)
