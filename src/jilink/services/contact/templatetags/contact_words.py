"""Small words of queues and cases in templates: `{% load contact_words %}`."""

from django import template
from django.utils.translation import get_language

from jilink.kernel.texts import Text

register = template.Library()


@register.filter
def percent(share: float) -> str:
    """Return a share from 0 to 1 in percent."""
    return f"{share * 100:.0f}%"


@register.filter
def share(value: float) -> str:
    """Return a small share from 0 to 1 in percent, with one decimal."""
    return f"{value * 100:.1f}%"


@register.filter
def in_words(text: Text) -> str:
    """Return what an operator wrote, in the reader's language."""
    return text.in_(get_language() or "zh-hans")
