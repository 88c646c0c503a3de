"""Replies by e-mail: sent by the operator's mail server, where one is set, and settled with what became of them."""

from datetime import datetime, timedelta
from smtplib import SMTPException, SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _
from django.utils.translation import override

from jilink.core.cases import actions as cases
from jilink.core.cases.reads.replies import ToSend, reply_to_send
from jilink.core.cases.rules import numbers
from jilink.core.parties.access import Actor, NotFound, system
from jilink.core.parties.people import reads as people
from jilink.core.parties.people.rules import ContactKind
from jilink.kernel.errors import Unavailable

CHANNEL = "mail"
LATE = timedelta(days=1)
"""A reply that could not leave for so long is given up: its writer sees that, and says it in words of today."""


def send(reply: int, *, written_at: datetime, now: datetime) -> bool:
    """Send a reply that waits, and return whether it left; a crash in between may send it twice.

    Raises Unavailable where the mail server does not take it now.
    """
    waiting = reply_to_send(reply)
    if not settings.EMAIL_HOST or waiting is None or waiting.channel != CHANNEL:
        return False
    by = system("mail")
    if now - written_at > LATE:
        return _failed(reply, "not sent within a day", by, now)
    address = waiting.address or _address(waiting, by)
    if not address:
        return _failed(reply, "no address", by, now)
    try:
        letter(waiting, address).send()
    except SMTPRecipientsRefused:
        return _failed(reply, "the mail server refuses the address", by, now)
    except (SMTPException, OSError) as error:
        raise Unavailable("The mail server did not take a letter.") from error
    cases.settle_reply(reply=reply, state="sent", by=by, now=now)
    return True


def letter(reply: ToSend, address: str) -> EmailMessage:
    """Return the letter: what was written, under the number of the case, in the language of the installation."""
    with override(settings.LANGUAGE_CODE):
        subject = _("Reply to your case %(number)s") % {"number": numbers.grouped(reply.number)}
    return EmailMessage(subject, reply.text, to=[address])


def _address(reply: ToSend, by: Actor) -> str:
    """Return the e-mail address of the person, which the audit then names as revealed; "" where there is none any more."""
    try:
        person = people.person(by, reply.person) if reply.person is not None else None
    except NotFound:
        return ""
    known = next((each for each in person.contacts if each.kind is ContactKind.EMAIL), None) if person else None
    return people.reveal_contact(by, known.id) if known else ""


def _failed(reply: int, failure: str, by: Actor, now: datetime) -> bool:
    cases.settle_reply(reply=reply, state="failed", failure=failure, by=by, now=now)
    return False
