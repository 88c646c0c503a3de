"""Replies by e-mail: they leave once, say nothing but what was written, and every end of theirs is seen on the case."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from jilink.core.cases import actions as cases
from jilink.core.cases.models import Reply
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import Contact, PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Unavailable
from jilink.services.console import reply_mail
from tests.core.cases.office import Office, office_of
from tests.core.world import World

WORDS = "We come tomorrow."


@pytest.fixture
def office(world: World, settings: Any) -> Office:
    settings.EMAIL_HOST = "mail.example.cn"
    return office_of(world)


def written(office: Office, channel: str = "mail", *contacts: Contact) -> Reply:
    """A reply to somebody with these ways to be reached."""
    person = people.add_person(organisation=office.world.north, data=PersonData(name="王芳"), contacts=contacts, by=office.boss)
    case = office.open(person=person, now=utc_now(), title="Cold flat of Li")
    return Reply.objects.get(pk=cases.send_reply(case=case, text=WORDS, recipient="王芳", channel=channel, by=office.boss))


def sent(reply: Reply, after: timedelta = timedelta()) -> bool:
    return reply_mail.send(reply.pk, written_at=reply.at, now=reply.at + after)


def end(reply: Reply) -> tuple[str, str]:
    reply.refresh_from_db()
    return reply.state, reply.failure


MAIL = Contact(ContactKind.EMAIL, "wang@example.cn")


def test_a_reply_goes_once_with_its_words_alone_and_the_audit_names_the_address_as_read(office: Office) -> None:
    reply = written(office, "mail", Contact(ContactKind.PHONE, "13904310001"), MAIL)
    assert sent(reply) and not sent(reply)
    (letter,) = mail.outbox
    assert (letter.to, letter.body) == (["wang@example.cn"], WORDS) and "Li" not in letter.subject
    assert end(reply) == ("sent", "")
    assert AuditEntry.objects.filter(action="person.contact_revealed", actor="system:mail").count() == 1


def test_a_reply_that_cannot_leave_says_why_on_the_case(office: Office) -> None:
    without, late = written(office, "mail"), written(office, "mail", MAIL)
    assert not sent(without) and end(without) == ("failed", "no address")
    assert not sent(late, timedelta(days=2)) and end(late) == ("failed", "not sent within a day")
    assert mail.outbox == []


def test_what_goes_by_another_channel_or_without_a_server_waits_for_its_carrier(office: Office, settings: Any) -> None:
    text, by_mail = written(office, "text", MAIL), written(office, "mail", MAIL)
    assert not sent(text)
    settings.EMAIL_HOST = ""
    assert not sent(by_mail) and end(text) == end(by_mail) == ("waiting", "") and mail.outbox == []


def test_a_mail_server_that_is_away_is_asked_again(office: Office, settings: Any) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 2
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    reply = written(office, "mail", MAIL)
    with pytest.raises(Unavailable):
        sent(reply)
    assert end(reply) == ("waiting", "")
