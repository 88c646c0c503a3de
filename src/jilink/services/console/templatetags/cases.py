"""Small words of cases in templates: `{% load cases %}`."""

from collections.abc import Iterable

from django import template
from django.utils.translation import gettext

from jilink.core.cases.rules import numbers
from jilink.kernel.texts import Text
from jilink.services.console.pages import case_words

register = template.Library()


@register.filter
def in_words(text: Text) -> str:
    """Return what an operator wrote, in the reader's language."""
    return case_words.in_words(text)


@register.filter
def channel_word(channel: str) -> str:
    """Return the word of a channel."""
    return str(case_words.CHANNELS.get(channel, channel))


@register.filter
def languages_in_words(tags: Iterable[str]) -> str:
    """Return the names of languages given as tags, in order; one without a name of its own is shown as its tag."""
    return gettext(", ").join(str(case_words.LANGUAGES.get(tag.partition("-")[0], tag)) for tag in tags)


@register.filter
def grouped(number: str) -> str:
    """Return a case's number as it is written for people."""
    return numbers.grouped(number)


@register.filter
def unlocalised(value: object) -> str:
    """Return a number as scripts read it."""
    return str(value)


@register.filter
def said_why(reason: str) -> str:
    """Return a reason of the rules of assignment, translated where it is one of ours."""
    return gettext(reason) if reason else ""
