"""Components that every page is made of: `{% load webkit %}`. See README.md of this room."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django import template
from django.conf import settings
from django.core.paginator import Page
from django.forms import BaseForm
from django.forms.boundfield import BoundField
from django.http import HttpRequest
from django.template.context import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from jilink.webkit import navigation
from jilink.webkit.basemap import LABELS, TILES
from jilink.webkit.parts import Choice, Sort, Tab, Tile

register = template.Library()

STATES = {
    "moving": _("Moving"),
    "idle": _("Idle"),
    "alarm": _("Alarm"),
    "offline": _("Offline"),
    "unseen": _("Never seen"),
    "quarantined": _("Waiting for admission"),
    "queued": _("Queued"),
    "sending": _("Sending"),
    "sent": _("Sent"),
    "answered": _("Answered"),
    "failed": _("Failed"),
    "refused": _("Refused"),
    "raised": _("Unacknowledged"),
    "acknowledged": _("Acknowledged"),
    "cleared": _("Cleared"),
    "ok": _("Working"),
    "down": _("Not working"),
}
"""What a badge says for each state that pages show; the CSS class has the same name."""

CURSORS = ("page", "before")
"""Parameters that say where in a list somebody is: whatever narrows the list starts it anew."""

Number = int | float | Decimal


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw an icon of the sprite. Without a label it is decoration and hidden from assistive technology."""
    href = f"{static('webkit/icons.svg')}#{name}"
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"/></svg>', label, href)
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"/></svg>', href)


@register.simple_tag
def state_badge(state: str) -> SafeString:
    """Show a state as a coloured mark and its word, so that colour never carries it alone."""
    word = STATES.get(state, state)
    return format_html('<span class="badge badge-{}"><span class="mark" aria-hidden="true"></span>{}</span>', state, word)


@register.filter
def state_word(state: str) -> str:
    """Return the word of a state in the viewer's language."""
    return str(STATES.get(state, state))


def _nothing(spoken: str) -> SafeString:
    return format_html('<span class="none"><span aria-hidden="true">—</span><span class="visually-hidden">{}</span></span>', spoken)


@register.simple_tag
def measure(value: Number | None, unit: str = "", digits: int = 0) -> SafeString:
    """Show a number with its unit; null is a dash that reads "not available", never zero."""
    if value is None:
        return _nothing(gettext("not available"))
    text = formats.number_format(value, decimal_pos=digits, use_l10n=True, force_grouping=True)
    if not unit:
        return format_html('<span class="num">{}</span>', text)
    return format_html('<span class="num">{}</span><span class="unit">{}</span>', text, f" {unit}")


@register.simple_tag
def moment(value: datetime | None, style: str = "full") -> SafeString:
    """Show a time in the viewer's zone: ``full`` to the second, ``minute``, ``clock`` (time alone), or ``short``.

    ``short`` is for lists: the time alone today, the day without its year this year. The whole moment stands in the title.
    """
    if value is None:
        return _nothing(gettext("never"))
    local = timezone.localtime(value)
    today = timezone.localtime(timezone.now()).date()
    near = "%H:%M" if local.date() == today else "%m-%d %H:%M" if local.year == today.year else "%Y-%m-%d"
    pattern = {"full": "%Y-%m-%d %H:%M:%S", "minute": "%Y-%m-%d %H:%M", "clock": "%H:%M:%S", "short": near}[style]
    full = local.strftime("%Y-%m-%d %H:%M:%S")
    return format_html('<time class="num" datetime="{}" title="{}">{}</time>', local.isoformat(), full, local.strftime(pattern))


@register.simple_tag
def duration(seconds: int | float | None) -> SafeString:
    """Show a length of time in hours and minutes."""
    if seconds is None:
        return _nothing(gettext("not available"))
    hours, minutes = divmod(round(seconds / 60), 60)
    unit = '<span class="num">{}</span><span class="unit"> {} </span>'
    parts = [format_html(unit, hours, gettext("h"))] if hours else []
    return format_html("{}{}", parts[0] if parts else "", format_html(unit, minutes, gettext("min")))


@register.inclusion_tag("webkit/parts/form_errors.html")
def form_errors(form: BaseForm) -> dict[str, object]:
    """Say what is wrong with a form, with links to the fields."""
    problems = [(bound, error) for bound in form for error in bound.errors]
    return {"problems": problems, "general": form.non_field_errors()}


@register.inclusion_tag("webkit/parts/form.html")
def form_fields(form: BaseForm) -> dict[str, object]:
    """Lay out a form: the error summary with links to the fields, then every field with label, help and error."""
    return {"form": form}


@register.inclusion_tag("webkit/parts/field.html")
def field(bound: BoundField) -> dict[str, object]:
    """Lay out one field."""
    kind = getattr(bound.field.widget, "input_type", "")
    group = bool(bound.use_fieldset)
    return {"field": bound, "checkbox": kind == "checkbox" and not group, "group": group, "hidden": bound.is_hidden}


@register.inclusion_tag("webkit/parts/pagination.html", takes_context=True)
def pagination(context: Context, page: Page) -> dict[str, object]:  # type: ignore[type-arg]  # -- Page is not generic at run time
    """Link the neighbouring pages, keeping every other parameter of the address."""
    request: HttpRequest = context["request"]

    def address(number: int) -> str:
        query = request.GET.copy()
        query["page"] = str(number)
        return f"?{query.urlencode()}"

    return {
        "page": page,
        "newer": address(page.previous_page_number()) if page.has_previous() else "",
        "older": address(page.next_page_number()) if page.has_next() else "",
    }


@register.simple_tag(takes_context=True)
def with_query(context: Context, **changes: object) -> str:
    """Return the current query string with some parameters changed; an empty value removes one, and the list starts anew."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    for cursor in CURSORS:
        query.pop(cursor, None)
    for name, value in changes.items():
        if value in ("", None):
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def navigation_groups(context: Context) -> list[navigation.Group]:
    """Return the navigation of this viewer; empty where there is no request (error pages)."""
    request = context.get("request")
    return navigation.groups(request) if request is not None else []


@register.simple_tag(takes_context=True)
def search_address(context: Context) -> str:
    """Return where Ctrl-K searches for this viewer; empty where it does not."""
    request = context.get("request")
    return navigation.search_address(request) if request is not None else ""


@register.simple_tag(takes_context=True)
def bell_of(context: Context) -> navigation.Bell | None:
    """Return the bell of this viewer, None where they have none."""
    request = context.get("request")
    return navigation.bell(request) if request is not None else None


@register.simple_tag(takes_context=True)
def rail_is_narrow(context: Context) -> bool:
    """Return whether this browser keeps the navigation narrow, as `shell.js` remembers it."""
    request = context.get("request")
    return request is not None and request.COOKIES.get("rail") == "narrow"


# --- layout -----------------------------------------------------------------------------------------------------------


@register.simple_tag
def status(word: str, tone: str = "neutral") -> SafeString:
    """Show a word as a chip; `tone` is neutral, info, good, warn or bad and only supports what the word says."""
    return format_html('<span class="badge tone-{}"><span class="mark" aria-hidden="true"></span>{}</span>', tone, word)


@register.simple_block_tag
def page_heading(content: str, title: str, back: str = "", back_title: str = "", lead: str = "") -> SafeString:
    """Head a page: the way back, the title, a sentence below it; what stands between the tags are its actions."""
    way = format_html('<p class="crumb"><a href="{}">{}{}</a></p>', back, icon("back"), back_title) if back else ""
    actions = format_html('<div class="actions">{}</div>', content) if content.strip() else ""
    return format_html("{}<h1>{}</h1>{}{}", way, title, actions, format_html('<p class="lead">{}</p>', lead) if lead else "")


@register.inclusion_tag("webkit/parts/tabs.html")
def tabs(items: Sequence[Tab], label: str) -> dict[str, object]:
    """Link the parts of one thing, each a page of its own; `label` names the group to assistive technology."""
    return {"tabs": items, "label": label}


@register.inclusion_tag("webkit/parts/filter_chips.html", takes_context=True)
def filter_chips(context: Context, name: str, choices: Sequence[Choice], label: str) -> dict[str, object]:
    """Offer the values of one parameter of the address as chips with counts, keeping the other parameters."""
    given = context["request"].GET.get(name, "")
    return {"chips": [(each, with_query(context, **{name: each.value}), each.value == given) for each in choices], "label": label}


@register.inclusion_tag("webkit/parts/filter_bar.html", takes_context=True)
def filter_bar(context: Context, form: BaseForm, target: str = "") -> dict[str, object]:
    """Lay out a GET form above a list. With `target` (a selector) a change loads that part of the page anew by itself."""
    request: HttpRequest = context["request"]
    kept = [(name, value) for name in request.GET if name not in (*form.fields, *CURSORS) for value in request.GET.getlist(name)]
    given = any(request.GET.get(name) for name in form.fields)
    return {"form": form, "kept": kept, "given": given, "path": request.path, "target": target}


@register.simple_tag(takes_context=True)
def sort_head(context: Context, title: str, key: str, sort: Sort, classes: str = "") -> SafeString:
    """Head a column that can be sorted by; a second click turns the order round."""
    now = sort.key == key
    order = ("descending" if sort.descending else "ascending") if now else "none"
    turned = Sort(key, now and not sort.descending).parameter
    head = '<th scope="col" class="sortable {}" aria-sort="{}"><a href="{}">{}{}</a></th>'
    return format_html(head, classes, order, with_query(context, sort=turned), title, icon("down") if now else "")


@register.inclusion_tag("webkit/parts/tiles.html")
def tiles(items: Sequence[Tile]) -> dict[str, object]:
    """Show figures side by side."""
    return {"tiles": items}


@register.simple_block_tag
def entry(content: str, at: datetime, who: str = "", symbol: str = "", kind: str = "event") -> SafeString:
    """Tell one step of a story (in `ol.story`): `kind` is event, note (only colleagues read it) or reply (it went out)."""
    head = format_html('<p class="story-head"><strong>{}</strong>{}</p>', who, moment(at, "minute"))
    mark = format_html('<span class="story-mark">{}</span>', icon(symbol or {"note": "edit", "reply": "send"}.get(kind, "clock")))
    return format_html('<li class="story-{}">{}<div class="story-body">{}{}</div></li>', kind, mark, head, content)


@register.simple_block_tag
def dialog(content: str, name: str, title: str) -> SafeString:
    """Make a dialog that `<a class="button" href="#name" data-dialog>` opens; without JavaScript it opens in the page."""
    head = format_html('<div class="dialog-head"><h2 id="{}-title">{}</h2>{}</div>', name, title, _close(gettext("Close")))
    return format_html('<dialog class="dialog" id="{}" aria-labelledby="{}-title">{}{}</dialog>', name, name, head, content)


def _close(word: str) -> SafeString:
    link = '<a class="button button-quiet button-icon" href="#main" data-close-dialog aria-label="{}">{}</a>'
    return format_html(link, word, icon("close"))


@register.inclusion_tag("webkit/parts/confirm.html", takes_context=True)
def confirm(context: Context, name: str, title: str, text: str, url: str, word: str) -> dict[str, object]:
    """Make a dialog that asks before something is done that cannot be taken back; `word` stands on its button."""
    return {"csrf_token": context.get("csrf_token"), "name": name, "title": title, "text": text, "url": url, "word": word}


# --- maps -------------------------------------------------------------------------------------------------------------


def _basemap_built() -> bool:
    return (settings.JILINK.data / "basemap" / TILES).is_file()


@register.simple_tag
def map_data() -> SafeString:
    """Give a map's container the addresses of the basemap; empty ones where none was built."""
    built = _basemap_built()
    tiles, labels = (reverse("webkit:basemap", args=[name]) if built else "" for name in (TILES, LABELS))
    credit = gettext("Boundaries: Tianditu") if built else ""
    return format_html('data-tiles="{}" data-labels="{}" data-attribution="{}"', tiles, labels, credit)


@register.simple_tag
def map_note() -> SafeString:
    """Say in one line that there is no basemap, where there is none."""
    if _basemap_built():
        return SafeString("")
    return format_html('<p class="map-note">{}</p>', gettext("No basemap is installed: positions are drawn on a plain grid."))


@register.simple_tag
def map_strings() -> SafeString:
    """Give the scripts of a page with a map the words they show."""
    words = {
        "controls": {
            "AttributionControl.ToggleAttribution": gettext("Sources"),
            "Map.Title": gettext("Map"),
            "NavigationControl.ZoomIn": gettext("Zoom in"),
            "NavigationControl.ZoomOut": gettext("Zoom out"),
            "ScaleControl.Kilometers": gettext("km"),
            "ScaleControl.Meters": gettext("m"),
        },
        "states": {name: str(STATES[name]) for name in ("moving", "idle", "alarm", "offline", "unseen")},
        "connecting": gettext("Connecting"),
        "live": gettext("Live"),
        "waiting": gettext("No connection, trying again in {seconds} s"),
        "ended": gettext("Signed out; sign in again to go on"),
        "play": gettext("Play"),
        "pause": gettext("Pause"),
        "speed": gettext("Speed"),
        "stop": gettext("Stop"),
        "alarm": gettext("Alarm"),
        "noPoints": gettext("No positions in this time"),
        "failed": gettext("This could not be loaded. Check the connection and try again."),
    }
    return json_script(words, "map-strings")
