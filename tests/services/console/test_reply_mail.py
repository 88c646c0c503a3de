"""Replies by e-mail: they leave once, say nothing but what was written, and every end of theirs is seen on the case."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from jilink.core.cases import actions as cases
from jilink.core.cases.actions.talking import CARRYING
from jilink.core.cases.models import Reply
from jilink.core.parties import access
from jilink.core.parties.models import AuditEntry
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import Contact, PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Unavailable
from jilink.services.console import reply_mail
from tests.core.cases.office import Office, office_of
from tests.core.world import World
from tests.services.conftest import signed_in

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


class _Answers(socketserver.StreamRequestHandler):
    """A mail server that answers 250 but where it is told otherwise (RFC 5321)."""

    def handle(self) -> None:
        given: dict[str, str] = self.server.answers  # type: ignore[attr-defined]  # -- set by `mail_server`
        self.wfile.write(b"220 mail.example.cn\r\n")
        for line in self.rfile:
            verb = line.decode().strip().upper()[:4]
            usual = {"DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 ok")
            self.wfile.write(f"{given.get(verb, usual)}\r\n".encode())
            if verb == "QUIT":
                return


@contextmanager
def mail_server(answers: dict[str, str]) -> Iterator[int]:
    """Run a mail server on a free port of this machine, and return the port."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Answers) as server:
        server.daemon_threads, server.answers = True, answers  # type: ignore[attr-defined]  # -- for the handler
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


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
    assert not sent(without) and end(without) == ("failed", "The person has no e-mail address.")
    assert not sent(late, timedelta(days=2)) and end(late) == ("failed", "It could not be sent within a day.")
    boss = signed_in(office.world, Role.SUPERVISOR, office.world.north)
    page = boss.get(f"/console/cases/{office.row(late.case_id).number}", headers={"accept-language": "zh-hans"}).content.decode()
    assert "未能在一天之内发出" in page
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
    for _attempt in range(2):
        with pytest.raises(Unavailable):
            sent(reply)
    assert end(reply) == ("waiting", "")
    assert AuditEntry.objects.filter(action="person.contact_revealed").count() == 1, "it was read for one reply"


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"RCPT": "550 no such user"}, ("failed", "The mail server refuses the address (code %(code)d).")),
        ({"RCPT": "451 come back later"}, ("waiting", "")),
        ({"MAIL": "552 too much"}, ("failed", "The mail server refuses the letter (code %(code)d).")),
        ({"DATA": "421 busy"}, ("waiting", "")),
    ],
)
def test_what_the_mail_server_refuses_for_good_fails_at_once_and_the_rest_is_tried_again(
    office: Office, settings: Any, answers: dict[str, str], outcome: tuple[str, str]
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    reply = written(office, "mail", MAIL)
    with mail_server(answers) as port:
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 10
        settings.EMAIL_USE_TLS = False
        if outcome[0] == "failed":
            assert not sent(reply)
        else:
            with pytest.raises(Unavailable):
                sent(reply)
    assert end(reply) == outcome


def test_of_two_who_send_at_once_one_does_and_the_other_comes_back(office: Office) -> None:
    reply = written(office, "mail", MAIL)
    cases.take_reply(reply=reply.pk, by=access.system("mail"), now=reply.at)
    with pytest.raises(Unavailable):
        sent(reply)
    assert mail.outbox == [] and sent(reply, CARRYING + timedelta(seconds=1)) and len(mail.outbox) == 1
