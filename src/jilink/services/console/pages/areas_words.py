"""What levels of areas are called on pages, and what stands in the address."""

from datetime import date

from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from jilink.core.areas.rules import Level
from jilink.kernel.clock import CHINA, utc_now

LEVELS = {
    Level.PROVINCE: _("Province"),
    Level.PREFECTURE: _("Prefecture"),
    Level.COUNTY: _("County"),
    Level.TOWNSHIP: _("Township"),
    Level.VILLAGE: _("Village"),
    Level.GRID: _("Grid"),
}


def language() -> str:
    """Return the viewer's language."""
    return get_language() or "zh-hans"


def today() -> date:
    """Return the day in China."""
    return utc_now().astimezone(CHINA).date()


def number(request: HttpRequest, name: str) -> int | None:
    """Return a whole number of the address, or None."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None


def degrees(request: HttpRequest, name: str, most: float) -> float | None:
    """Return degrees of the address within bounds, or None."""
    try:
        value = float(request.GET.get(name, ""))
    except ValueError:
        return None
    return value if -most <= value <= most else None
