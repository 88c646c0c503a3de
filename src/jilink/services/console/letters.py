"""Letters about notices that nobody has read: by the operator's mail server, where one is set; else nothing leaves."""

from datetime import datetime
from smtplib import SMTPException
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from jilink.core.cases.rules import numbers
from jilink.core.parties import access
from jilink.core.parties.members.reads import people_named
from jilink.kernel.errors import Unavailable
from jilink.services.console.actions.notices import end_letter, take_letter
from jilink.services.console.addresses import public_address
from jilink.services.console.notice_words import sentence
from jilink.services.console.reads import notices
from jilink.services.console.reads.notices import Letter


def post(notice: int, *, now: datetime) -> bool:
    """Send the letter about a notice that is still unread, and return whether one left.

    Of several who try at once one sends it. A crash between sending and noting it sends it again under the same Message-ID (RFC 5322,
    3.6.4), by which mail systems know it. Raises Unavailable where the mail server does not take it, or somebody else has it.
    """
    user = get_user_model().objects.filter(pk=notices.recipient_of(notice) or 0).first()
    if not settings.EMAIL_HOST or user is None:
        return False
    found = notices.letter(access.actor_of(user), notice, now=now)
    if found is None:
        return False
    if not take_letter(notice=notice, now=now):
        raise Unavailable("Somebody else sends this letter.")
    left = False
    try:
        left = bool(written(found).send())
    except (SMTPException, OSError) as error:
        raise Unavailable("The mail server did not take a letter.") from error
    finally:
        end_letter(notice=notice, left=left, now=now)
    return left


def written(letter: Letter) -> EmailMessage:
    """Return a letter in the language of whoever gets it: what happened, the number of the case, and where to look."""
    row, who = letter.notice.case, people_named({letter.notice.by} - {None} if letter.notice.by else set())
    number = numbers.grouped(row.number) if row is not None else ""
    with override(letter.language):
        what = sentence(letter.notice.kind, who.get(letter.notice.by or 0, ""), letter.notice.count)
        subject = f"[{_('Jilink')}] {what} · {number}"
        place = public_address(reverse("console:case", args=[row.number])) if row is not None else ""
        end = _("You get this letter because you asked for it on the page of notices. You can switch it off there.")
        body = "\n\n".join(part for part in (f"{what}\n{number}", place if place.startswith("http") else "", end) if part)
    home = urlsplit(public_address("/")).hostname or "jilink.invalid"
    return EmailMessage(subject, body, to=[letter.address], headers={"Message-ID": f"<notice-{letter.notice.id}-{letter.user}@{home}>"})
