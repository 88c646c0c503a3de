"""The one page of a person served: rating their case by a link, without signing in, on whatever telephone they have."""

import time

from allauth.account.adapter import get_adapter
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from jilink.core.cases import actions, reads
from jilink.core.cases.reads import RatingAsked
from jilink.core.cases.rules import numbers
from jilink.core.cases.rules.form import AnswersRefused
from jilink.core.cases.rules.workflow import Satisfaction
from jilink.core.parties.access import NotFound
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Refused
from jilink.services.console.pages.case_questions import PREFIX, field_of, given_in, show_problems
from jilink.services.console.pages.case_words import RATINGS, in_words
from jilink.webkit.api import limits
from jilink.webkit.door import problem, said


def form_of(asked: RatingAsked, request: HttpRequest) -> forms.Form:
    """Return the form of a rating."""
    form = forms.Form(request.POST if request.method == "POST" else None)
    levels = [(str(int(level)), words) for level, words in RATINGS.items()]
    form.fields["level"] = forms.ChoiceField(label=_("How satisfied are you?"), choices=levels, widget=forms.RadioSelect)
    for question in asked.questions:
        form.fields[PREFIX + question.key] = field_of(question)
    words = forms.Textarea(attrs={"rows": 3})
    form.fields["comment"] = forms.CharField(label=_("What would you like to tell us?"), required=False, max_length=2000, widget=words)
    return form


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: HttpRequest, token: str) -> HttpResponse:
    """Show what a link asks, and keep the answer, once. 404 for a link that leads nowhere, 429 for an address that asks too often."""
    address = get_adapter().get_client_ip(request) or "unknown"
    allowance = limits.count("ratings", f"rating:{address}", settings.JILINK.api_strangers_per_minute, time.time())
    if allowance.wait_s:
        response = problem(request, 429, _("Too many requests"), _("Please wait a minute and try again."))
    else:
        response = _answered(request, token)
    allowance.write(response)
    response["X-Robots-Tag"] = "noindex"
    return response


def _answered(request: HttpRequest, token: str) -> HttpResponse:
    try:
        asked = reads.asked_by_link(token, now=utc_now())
    except NotFound:
        gone = _("It may have expired, or the case was reopened. Nothing you did is lost.")
        return problem(request, 404, _("This link is no longer valid"), gone)
    form = form_of(asked, request)
    done = asked.rated
    if request.method == "POST" and not done and form.is_valid():
        done = _kept(form, asked, token)
    context = {"form": form, "done": done, "number": numbers.grouped(asked.number), "type": in_words(asked.type), "asked": asked}
    return render(request, "console/rate.html", context, status=400 if form.errors and not done else 200)


def _kept(form: forms.Form, asked: RatingAsked, token: str) -> bool:
    given = form.cleaned_data
    try:
        level, answers = Satisfaction(int(given["level"])), given_in(form, asked.questions)
        actions.rate_by_link(token=token, level=level, answers=answers, comment=given["comment"])
    except AnswersRefused as error:
        show_problems(form, error.problems)
        return False
    except Refused as error:
        form.add_error(None, said(error))
        return False
    return True
