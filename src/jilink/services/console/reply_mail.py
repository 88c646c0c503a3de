"""Replies by e-mail: sent by the operator's mail server, where one is set, and settled with what became of them."""

from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPException, SMTPRecipientsRefused, SMTPSenderRefused
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _
from django.utils.translation import override

from jilink.core.cases import actions as cases
from jilink.core.cases.actions import TakenReply
from jilink.core.cases.reads.replies import ToSend, reply_to_send
from jilink.core.cases.rules import numbers
from jilink.core.parties.access import Actor, NotFound, system
from jilink.core.parties.people import reads as people
from jilink.core.parties.people.rules import ContactKind
from jilink.kernel.errors import Refused, Unavailable
from jilink.services.console.addresses import public_address

CHANNEL = "mail"
PERMANENT = 500
LATE = timedelta(days=1)
"""A reply that could not leave for so long is given up: its writer sees that, and says it in words of today."""


class LetterRefused(Refused):
    """A reply cannot leave, now or later."""


def send(reply: int, *, written_at: datetime, now: datetime) -> bool:
    """Send a reply that waits, and return whether it left: of several who try at once one sends it.

    A crash between sending and noting it sends it again under the same Message-ID (RFC 5322, 3.6.4), by which mail systems know it.
    Raises Unavailable where the mail server does not take it now, or somebody else has it. What the server refuses for good
    (RFC 5321, 4.2.1: 5yz) fails at once.
    """
    waiting = reply_to_send(reply)
    if not settings.EMAIL_HOST or waiting is None or waiting.channel != CHANNEL:
        return False
    by = system("mail")
    taken = cases.take_reply(reply=reply, by=by, now=now)
    if taken is TakenReply.OVER:
        return False
    if taken is TakenReply.ELSEWHERE:
        raise Unavailable("Somebody else sends this reply.")
    try:
        if now - written_at > LATE:
            raise LetterRefused("It could not be sent within a day.")
        address = waiting.address or _address(waiting, by, None if taken is TakenReply.FIRST else written_at)
        if not address:
            raise LetterRefused("The person has no e-mail address.")
        _deliver(letter(waiting, address))
    except LetterRefused as refused:
        cases.settle_reply(reply=reply, state="failed", failure=refused, by=by, now=now)
        return False
    except Unavailable:
        cases.give_back_reply(reply=reply, by=by, now=now)
        raise
    cases.settle_reply(reply=reply, state="sent", by=by, now=now)
    return True


def _deliver(message: EmailMessage) -> None:
    """Hand a letter to the mail server. Raises LetterRefused, Unavailable."""
    try:
        message.send()
    except SMTPRecipientsRefused as error:
        codes = [code for code, _words in error.recipients.values()]
        if codes and min(codes) >= PERMANENT:
            raise LetterRefused("The mail server refuses the address (code %(code)d).", code=min(codes)) from error
        raise Unavailable("The mail server did not take a letter.") from error
    except (SMTPSenderRefused, SMTPDataError) as error:
        if error.smtp_code >= PERMANENT:
            raise LetterRefused("The mail server refuses the letter (code %(code)d).", code=error.smtp_code) from error
        raise Unavailable("The mail server did not take a letter.") from error
    except (SMTPException, OSError) as error:
        raise Unavailable("The mail server did not take a letter.") from error


def letter(reply: ToSend, address: str) -> EmailMessage:
    """Return the letter: what was written, under the number of the case, in the language of the installation."""
    with override(settings.LANGUAGE_CODE):
        subject = _("Reply to your case %(number)s") % {"number": numbers.grouped(reply.number)}
    home = urlsplit(public_address("/")).hostname or "jilink.invalid"
    return EmailMessage(subject, reply.text, to=[address], headers={"Message-ID": f"<reply-{reply.id}@{home}>"})


def _address(reply: ToSend, by: Actor, told_since: datetime | None) -> str:
    """Return the e-mail address of the person, which the audit names as revealed once; "" where there is none any more."""
    try:
        person = people.person(by, reply.person) if reply.person is not None else None
    except NotFound:
        return ""
    known = next((each for each in person.contacts if each.kind is ContactKind.EMAIL), None) if person else None
    return people.reveal_contact(by, known.id, told_since=told_since) if known else ""
