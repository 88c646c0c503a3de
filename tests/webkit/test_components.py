"""The parts of pages: what they show, and what they keep to themselves."""

from datetime import UTC, datetime

import pytest
from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from jilink.webkit import navigation
from jilink.webkit.parts import Choice, Sort, Tab, Tile, say
from jilink.webkit.templatetags.webkit import STATES


def render(source: str, address: str = "/", **context: object) -> str:
    request = RequestFactory().get(address)
    return Template("{% load webkit %}" + source).render(Context({"request": request, **context}))


class Someone:
    """A signed-in person with some permissions."""

    is_authenticated = True

    def __init__(self, *permissions: str) -> None:
        self.permissions = permissions

    def has_perm(self, permission: str) -> bool:
        return permission in self.permissions


class Entry(forms.Form):
    """A form with one field of each look."""

    plate = forms.CharField(label="Plate", max_length=8, help_text="As on the vehicle")
    note = forms.CharField(label="Note", required=False)
    agreed = forms.BooleanField(label="Agreed", required=False)
    ways = forms.MultipleChoiceField(
        label="Ways", choices=[("1", "Speak"), ("2", "Show")], required=False, widget=forms.CheckboxSelectMultiple
    )


def test_a_value_that_is_not_available_is_never_shown_as_zero() -> None:
    assert "0" not in render("{% measure value 'km/h' %}", value=None)
    assert ">0<" in render("{% measure value 'km/h' %}", value=0)


def test_a_number_has_its_unit_and_decimals() -> None:
    shown = render("{% measure value 'km' 1 %}", value=13402.53)
    assert "13,402.5" in shown and "km" in shown


def test_a_time_is_shown_in_china_and_kept_with_its_zone() -> None:
    shown = render("{% moment at 'full' %}", at=datetime(2026, 11, 22, 16, 5, 9, tzinfo=UTC))
    assert "2026-11-23 00:05:09" in shown and 'datetime="2026-11-23T00:05:09+08:00"' in shown


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_a_word_in_both_languages(state: str) -> None:
    with translation.override("en"):
        english = render("{% state_badge state %}", state=state)
    with translation.override("zh-hans"):
        chinese = render("{% state_badge state %}", state=state)
    assert english != chinese and f"badge-{state}" in chinese


def test_what_a_device_says_cannot_become_markup() -> None:
    assert "<b>" not in render("{% state_badge state %}{% icon name %}", state="<b>", name='"><b>')


def test_a_form_lists_its_errors_and_links_to_the_fields() -> None:
    shown = render("{% form_fields form %}", form=Entry({"plate": ""}))
    assert 'role="alert"' in shown and 'href="#id_plate"' in shown
    assert 'aria-invalid="true"' in shown


def test_an_untouched_form_has_no_errors_and_marks_what_is_optional() -> None:
    with translation.override("en"):
        shown = render("{% form_fields form %}", form=Entry())
    assert "error-summary" not in shown and shown.count("(optional)") == 1


def test_a_group_of_choices_is_a_fieldset_with_a_label_for_each() -> None:
    shown = render("{% form_fields form %}", form=Entry({"plate": "A", "ways": ["2"]}))
    assert "<legend>Ways</legend>" in shown and shown.count("<label><input") == 2 and shown.count("checked") == 1


def test_a_length_of_time_is_shown_in_hours_and_minutes() -> None:
    with translation.override("en"):
        assert render("{% duration 15600 %}").count("num") == 2
        assert "not available" in render("{% duration none %}", none=None)


def test_pages_keep_the_other_parameters() -> None:
    page = Paginator(range(95), 20).page(2)
    shown = render("{% pagination page %}", "/?state=alarm&page=2", page=page)
    assert "?state=alarm&amp;page=1" in shown and "?state=alarm&amp;page=3" in shown


def test_a_changed_filter_begins_at_the_first_page() -> None:
    assert render("{% with_query state='idle' %}", "/?q=A&page=7") == "?q=A&amp;state=idle"
    assert render("{% with_query state='' %}", "/?q=A&state=idle") == "?q=A"


def test_the_navigation_shows_only_what_exists_and_is_permitted() -> None:
    entries = navigation._entries.copy()
    try:
        navigation._entries.clear()
        navigation.register(
            navigation.Entry("Account", "account_change_password", "person", order=2),
            navigation.Entry("Secret", "account_logout", "person", permission="x.y"),
            navigation.Entry("Gone", "no:such", "person"),
        )
        request = RequestFactory().get("/accounts/password/change/")
        request.user = Someone()
        assert [(link.title, link.current) for link in navigation.links(request)] == [("Account", True)]
        request.user = Someone("x.y")
        assert len(navigation.links(request)) == 2
    finally:
        navigation._entries[:] = entries


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", Sort("opened")),
        ("?sort=-plate", Sort("plate", descending=True)),
        ("?sort=secret", Sort("opened")),
        ("?sort=--plate", Sort("opened")),
    ],
)
def test_a_table_is_sorted_only_by_the_columns_it_offers(asked: str, expected: Sort) -> None:
    assert Sort.asked(RequestFactory().get(f"/{asked}"), ["opened", "plate"], "opened") == expected


def test_a_sorted_column_says_its_order_and_turns_round() -> None:
    shown = render("{% sort_head 'Plate' 'plate' sort %}{% sort_head 'Opened' 'opened' sort %}", "/?q=A&page=3", sort=Sort("plate"))
    assert 'aria-sort="ascending"><a href="?q=A&amp;sort=-plate"' in shown
    assert 'aria-sort="none"><a href="?q=A&amp;sort=opened"' in shown


def test_filter_chips_mark_the_one_that_holds_and_keep_the_rest() -> None:
    choices = [Choice("", "All", 7), Choice("open", "Open", 3)]
    shown = render("{% filter_chips 'state' choices 'State' %}", "/?q=A&state=open&page=2", choices=choices)
    assert 'href="?q=A&amp;state=open" aria-current="true"' in shown and 'href="?q=A">' in shown and "<b>3</b>" in shown


def test_a_filter_bar_keeps_what_it_does_not_ask_for() -> None:
    class Filter(forms.Form):
        plate = forms.CharField(required=False)

    shown = render("{% filter_bar form %}", "/?plate=A&sort=-opened&page=3", form=Filter({"plate": "A"}))
    assert 'name="sort" value="-opened"' in shown and 'name="page"' not in shown and shown.count('name="plate"') == 1


def test_tabs_and_tiles_lead_where_they_say() -> None:
    shown = render("{% tabs items 'Vehicle' %}", items=[Tab("Now", "/a", True), Tab("Alarms", "/b", count=2)])
    assert 'href="/a" aria-current="page"' in shown and shown.count("aria-current") == 1 and ">2<" in shown
    assert 'href="/open"' in render("{% tiles items %}", items=[Tile("Open", 12, url="/open", tone="warn")])


def test_a_dialog_asks_with_a_form_that_works_alone() -> None:
    shown = render("{% confirm 'gone' 'Remove?' text '/remove' 'Remove' %}", text="<b>For ever</b>", csrf_token="T")
    assert shown.count('<form method="post" action="/remove"') == 1 and "csrfmiddlewaretoken" in shown and "<b>For" not in shown
    assert 'aria-labelledby="gone-title"' in shown and 'id="gone-title"' in shown


def test_what_people_wrote_in_a_story_stays_text() -> None:
    shown = render("{% entry at who kind='note' %}{{ text }}{% endentry %}", at=datetime(2026, 11, 22, tzinfo=UTC), who="<i>", text="<b>")
    assert "story-note" in shown and "<b>" not in shown and "<i>" not in shown


def test_a_page_heading_has_its_way_back_and_its_actions() -> None:
    shown = render("{% page_heading 'Case' back='/cases' back_title='Cases' %}<a>Close</a>{% endpage_heading %}")
    assert shown.index("/cases") < shown.index("<h1>Case</h1>") < shown.index("<a>Close</a>")
    assert "actions" not in render("{% page_heading 'Case' %} {% endpage_heading %}")


def test_messages_wait_in_a_live_region_and_can_be_dismissed_without_a_script() -> None:
    class Message:
        level_tag = "success"
        extra_tags = "undo:/cases/undo"

        def __str__(self) -> str:
            return "Closed <3>"

    shown = render("{% include 'webkit/parts/toasts.html' %}", messages=[Message()], csrf_token="T")
    assert 'role="status"' in shown and "Closed &lt;3&gt;" in shown and 'type="checkbox"' in shown
    assert '<form method="post" action="/cases/undo">' in shown


def test_a_fragment_can_leave_a_message_in_any_language() -> None:
    response = say(HttpResponse(), "已保存")
    assert "jl:say" in response["HX-Trigger"] and response["HX-Trigger"].isascii()
