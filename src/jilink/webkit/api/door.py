"""The one way into every operation: who asks, how often, with what; then the operation; then what its answer carries."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from ninja.operation import Operation

from jilink.core.parties import refusals
from jilink.core.parties.access import NOBODY
from jilink.webkit.api import limits, marks, problems, repeats, sign_in
from jilink.webkit.api.calls import call_of

P = ParamSpec("P")
Run = Callable[..., HttpResponseBase]
_JSON = "application/json"


def guarded(run: Run) -> Run:
    """Return an operation behind the door (a decorator of django-ninja's mode ``view``)."""
    operation = getattr(run, "__self__", None)
    reads_json = isinstance(operation, Operation) and any(model.__ninja_param_source__ == "body" for model in operation.models)

    @wraps(run)
    def behind(request: HttpRequest, **values: object) -> HttpResponseBase:
        call = call_of(request)
        try:
            actor = sign_in.identify(request)
            wrong = False
        except sign_in.WrongToken:
            actor, wrong = NOBODY, True
        allowance = limits.take(request, actor)
        response: HttpResponseBase
        if allowance.wait_s:
            detail = _("These were more requests than are allowed. Wait %(seconds)d s.") % {"seconds": allowance.wait_s}
            response = problems.answer(call.id, 429, code="too_many_requests", detail=detail)
        elif actor.user is None:
            response = problems.signed_out(call.id, wrong)
        elif reads_json and request.content_type != _JSON:
            response = problems.answer(call.id, 415, detail=_("Send the body as application/json."), headers={"Accept": _JSON})
        else:
            response = repeats.once(request, actor, lambda: run(request, **values))
            response = marks.marked(request, response)
        allowance.write(response)
        if call.refused is not None:  # not in the transaction that the refusal ended
            refusals.note(actor, call.refused, f"operation:{operation.operation_id}" if isinstance(operation, Operation) else "operation")
        elif wrong and not allowance.wait_s:
            refusals.note_sign_in("token", address=limits.address_of(request))
        for name, value in call.headers.items():
            response[name] = value
        return response

    return behind
