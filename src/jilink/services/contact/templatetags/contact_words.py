"""Small words of queues and cases in templates: `{% load contact_words %}`."""

from django import template
from django.utils.translation import get_language

from jilink.kernel.texts import Text

register = template.Library()


@register.filter
def in_words(text: Text) -> str:
    """Return what an operator wrote, in the reader's language."""
    return text.in_(get_language() or "zh-hans")
