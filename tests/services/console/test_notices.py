"""Notices: who is told of what, once, through the relay; read, forgotten, and by letter for those who want it."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.core import mail
from django.db import connections

from jilink.core.cases import actions as deeds
from jilink.core.outbox.models import OutboxEvent
from jilink.core.parties.access import NOBODY, NotFound
from jilink.core.parties.models import User
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from jilink.kernel.errors import Unavailable
from jilink.services.console import letters, reactions
from jilink.services.console import live as streams
from jilink.services.console.actions import notices
from jilink.services.console.models import Letterbox, Notice, NoticeEvent
from jilink.services.console.reads import notices as reads
from jilink.services.console.rules.notices import (
    KEPT,
    KEPT_READ,
    MAILING,
    TOGETHER,
    Kind,
    Way,
    of_assignment,
    of_decision,
    of_escalation,
    told,
)
from jilink.spine.client import Spine
from tests.core.cases.office import MONDAY, Office, office_of
from tests.core.world import World, relay, until
from tests.services.conftest import signed_in
from tests.services.console.test_live import listen
from tests.spine.server import Server


@pytest.fixture
def office(lasting_world: World, spine_server: Server, settings: Any) -> Office:
    settings.JILINK = spine_server.settings
    return office_of(lasting_world)


@pytest.fixture
async def relayed(spine: Spine, spine_server: Server, office: Office) -> AsyncIterator[Office]:
    assert reactions.tell_of_assignment  # the relay runs what is imported
    async with relay(spine):
        yield office
    await streams.hub(spine_server.settings).spine.close()


def kinds_of(user: int | None) -> set[str]:
    return set(Notice.objects.filter(user=user).values_list("kind", flat=True))


def a_busy_day(office: Office) -> int:
    """Assign, mention, ask, approve, escalate; return the case."""
    now = utc_now()
    case = office.sent(now=now)
    name = User.objects.get(pk=office.second.user).username
    deeds.assign_case(case=case, assignee=office.worker.user, by=office.boss, now=now)
    deeds.add_note(case=case, text=f"@{name} please look", by=office.boss, now=now)
    asked = deeds.request_extension(case=case, amount=1, reason="frost", by=office.worker, now=now)
    deeds.decide_request(request=asked.request, approve=True, by=office.boss, now=now)
    deeds.escalate_case(case=case, reason="stuck", by=office.worker, now=now)
    deeds.request_extension(case=office.sent(now=now), amount=1, reason="frost", by=office.worker, now=now)
    return case


@pytest.mark.django_db(transaction=True)
async def test_those_concerned_are_told_once_at_once_and_nobody_of_their_own_deeds(relayed: Office) -> None:
    heard = await listen(relayed, relayed.worker.user or 0)
    assert (await heard.next("notices"))["unread"] == 0
    case = await sync_to_async(a_busy_day)(relayed)
    wanted = {
        relayed.worker.user: {"assigned", "approved"},
        relayed.second.user: {"unit", "mentioned", "help", "waiting"},
        relayed.boss.user: {"help", "waiting"},
    }

    async def all_told() -> bool:
        return all([await sync_to_async(kinds_of)(user) == kinds for user, kinds in wanted.items()])

    await until(all_told)
    assert (await heard.next("notices"))["unread"] >= 1
    await heard.close()

    def looked() -> None:
        assert not kinds_of(relayed.stranger.user)
        row = Notice.objects.filter(user=relayed.worker.user, kind="assigned").get()
        told_by = row.events.get().event
        assert notices.tell(users=[row.user_id], kind=Kind.ASSIGNED, case=case, event=told_by) == 0
        boss = signed_in(relayed.world, Role.SUPERVISOR, relayed.world.north)
        page = boss.get("/console/notices", headers={"accept-language": "en"}).content.decode()
        assert "escalated a case to you" in page and 'class="bell-count num" role="status">2<' in page
        boss.get(f"/console/cases/{relayed.row(case).number}")
        assert boss.get("/console/notices/unread").json() == {"unread": 1}  # what waits is in another case

    await sync_to_async(looked)()


def test_what_concerns_several_is_told_once_an_hour_to_whoever_wants_it(desk: Office) -> None:
    notices.set_letterbox(address="wang@example.cn", by=desk.boss)
    first, second = desk.sent(now=utc_now()), desk.sent(now=utc_now())
    users, now, events = [desk.boss.user or 0, desk.worker.user or 0], utc_now(), [uuid4() for _number in range(4)]
    notices.set_wishes(wishes={Kind.TEAM: Way.NOT}, by=desk.worker)
    for kind in (Kind.TEAM, Kind.WAITING):
        for case, event in ((first, events[0]), (second, events[1]), (first, events[1])):
            notices.tell(users=users, kind=kind, case=case, event=event if kind is Kind.TEAM else uuid4(), by=desk.second.user, now=now)
    team = Notice.objects.get(kind="team")
    assert (team.user_id, team.case, team.count) == (desk.boss.user, second, 2)
    assert OutboxEvent.objects.filter(name="notice_waits").count() == 1  # of the requests: new cases are in the bell alone
    page = signed_in(desk.world, Role.SUPERVISOR, desk.world.north).get("/console/notices").content.decode()
    assert "view=team" in page and 'name="waiting"' in page
    assert notices.read_notices(by=desk.boss, case=second) == 0  # the others of it were not seen
    notices.read_notices(by=desk.boss, upto=10**9)
    notices.tell(users=users, kind=Kind.TEAM, case=second, event=events[1], now=now)
    assert Notice.objects.filter(kind="team").count() == 1
    notices.tell(users=users, kind=Kind.TEAM, case=second, event=events[2], now=now)
    notices.tell(users=users, kind=Kind.TEAM, case=first, event=events[3], now=now + TOGETHER)
    assert list(Notice.objects.filter(kind="team").order_by("pk").values_list("count", flat=True)) == [2, 1, 1]
    with pytest.raises(NotFound):
        notices.set_wishes(wishes={Kind.HELP: Way.NOT}, by=desk.worker)


def test_a_case_counts_once_and_an_event_once_however_late_it_comes_again(desk: Office) -> None:
    first, second = desk.sent(now=utc_now()), desk.sent(now=utc_now())
    users, now, events = [desk.boss.user or 0], utc_now(), [uuid4() for _number in range(60)]
    for number, event in enumerate(events):
        notices.tell(users=users, kind=Kind.TEAM, case=second if number == 1 else first, event=event, now=now)
    notices.tell(users=users, kind=Kind.TEAM, case=second, event=events[1], now=now)
    assert [(row.case, row.count) for row in Notice.objects.filter(kind="team")] == [(first, 2)]
    assert notices.forget_notices(now + KEPT + timedelta(hours=1)) and not NoticeEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_is_told_of_many_at_once_has_one_notice(lasting_world: World) -> None:
    office = office_of(lasting_world)
    cases, again = [office.sent(now=utc_now()) for _number in range(4)], uuid4()

    def tell(number: int) -> None:
        notices.tell(users=[office.boss.user or 0], kind=Kind.TEAM, case=cases[number], event=uuid4(), now=MONDAY)
        notices.tell(users=[office.worker.user or 0], kind=Kind.HELP, case=cases[0], event=again, now=MONDAY)
        connections.close_all()

    with ThreadPoolExecutor(4) as hands:
        list(hands.map(tell, range(4)))
    assert [row.count for row in Notice.objects.filter(kind="team")] == [4]
    assert Notice.objects.filter(kind="help").count() == 1


def some(office: Office, case: int, user: int | None, count: int = 1) -> list[Notice]:
    for _number in range(count):
        notices.tell(users=[user or 0], kind=Kind.ASSIGNED, case=case, event=uuid4(), by=office.boss.user)
    return list(Notice.objects.filter(user=user).order_by("pk"))


@pytest.fixture
def desk(world: World) -> Office:
    return office_of(world)


def test_notices_are_read_up_to_what_was_shown_and_by_their_owner_alone(desk: Office) -> None:
    case = desk.sent(now=utc_now())
    first, second = some(desk, case, desk.worker.user, 2)
    assert notices.read_notices(by=desk.boss, upto=second.pk) == 0 and notices.read_notices(by=NOBODY, case=case) == 0
    assert notices.read_notices(by=desk.worker, upto=first.pk) == 1 and reads.unread(desk.worker.user) == 1
    assert [(row.read, row.case is not None) for row in reads.notices(desk.worker, now=utc_now())] == [(False, True), (True, True)]
    assert reads.notices(desk.boss, now=utc_now()) == reads.notices(NOBODY, now=utc_now()) == []


def test_a_notice_of_a_case_out_of_reach_shows_nothing_of_it(desk: Office) -> None:
    case = desk.sent(now=utc_now(), title="A secret lid")
    some(desk, case, desk.stranger.user)
    assert [row.case for row in reads.notices(desk.stranger, now=utc_now())] == [None]
    stranger = signed_in(desk.world, Role.OWNER, desk.world.south)
    page = stranger.get("/console/notices").content.decode()
    assert "A secret lid" not in page and desk.row(case).number not in page


def test_read_notices_go_after_a_month_and_all_after_half_a_year(desk: Office) -> None:
    case, now = desk.sent(now=utc_now()), utc_now()
    read, unread = some(desk, case, desk.worker.user, 2)
    notices.read_notices(by=desk.worker, upto=read.pk, now=now)
    assert notices.forget_notices(now + KEPT_READ - timedelta(hours=1)) == 0
    assert notices.forget_notices(now + KEPT_READ + timedelta(hours=1)) == 1
    assert list(Notice.objects.values_list("pk", flat=True)) == [unread.pk]
    assert notices.forget_notices(now + KEPT + timedelta(hours=1)) == 1


def test_a_letter_says_number_and_reason_and_nothing_else_and_goes_once(desk: Office, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example.cn"
    case = desk.sent(now=utc_now(), title="Cold flat of Li")
    notices.set_letterbox(address="wang@example.cn", by=desk.worker)
    notice = some(desk, case, desk.worker.user)[0]
    timer = OutboxEvent.objects.get(name="notice_waits")
    assert timer.not_before - notice.at == timedelta(minutes=2)
    assert letters.post(notice.pk, now=utc_now()) and not letters.post(notice.pk, now=utc_now())
    (letter,) = mail.outbox
    Notice.objects.filter(pk=notice.pk).update(mailed_at=None, mailing_until=utc_now() + MAILING)
    with pytest.raises(Unavailable):  # somebody else has just taken it
        letters.post(notice.pk, now=utc_now())
    assert len(mail.outbox) == 1
    number = desk.row(case).number
    again = letters.written(reads.Letter(notice.user_id, "wang@example.cn", "en", reads.notices(desk.worker, now=utc_now())[0]))
    assert again.extra_headers == letter.extra_headers  # by which a mail system knows it
    assert letter.to == ["wang@example.cn"] and f"{number[:3]} {number[3:6]}" in letter.body and "Li" not in letter.subject + letter.body


def test_no_letter_leaves_for_what_was_read_is_out_of_reach_or_without_a_server(desk: Office, settings: Any) -> None:
    case = desk.sent(now=utc_now())
    for by in (desk.worker, desk.stranger):
        notices.set_letterbox(address="wang@example.cn", by=by)
    notice, hidden = some(desk, case, desk.worker.user)[0], some(desk, case, desk.stranger.user)[0]
    settings.EMAIL_HOST = ""
    assert not letters.post(notice.pk, now=utc_now())
    settings.EMAIL_HOST = "mail.example.cn"
    assert not letters.post(hidden.pk, now=utc_now()) and not letters.post(10**9, now=utc_now())
    notices.read_notices(by=desk.worker, case=case)
    assert not letters.post(notice.pk, now=utc_now()) and mail.outbox == []


def test_a_mail_server_that_is_away_is_asked_again(desk: Office, settings: Any) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 2
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    notices.set_letterbox(address="wang@example.cn", by=desk.worker)
    notice = some(desk, desk.sent(now=utc_now()), desk.worker.user)[0]
    with pytest.raises(Unavailable):
        letters.post(notice.pk, now=utc_now())
    assert Notice.objects.get(pk=notice.pk).mailed_at is None


def test_a_letterbox_is_an_address_or_nothing(desk: Office) -> None:
    for wrong in ("x", "a@b", "a b@example.cn"):
        with pytest.raises(notices.AddressRefused):
            notices.set_letterbox(address=wrong, by=desk.boss)
    with pytest.raises(NotFound):
        notices.set_letterbox(address="a@example.cn", by=NOBODY)
    notices.set_letterbox(address=" a@example.cn ", by=desk.boss)
    assert reads.letterbox(desk.boss) == "a@example.cn" and reads.letterbox(desk.second) == ""
    notices.set_letterbox(address="", by=desk.boss)
    assert not Letterbox.objects.exists()


def test_who_is_told_of_what() -> None:
    assert told([3, None, 3, 1], 1) == [3] and told([2], None) == [2]
    assert (of_assignment(1, 2), of_assignment(None, 2), of_assignment(None, None)) == (Kind.ASSIGNED, Kind.TEAM, Kind.UNIT)
    assert (of_escalation("", True), of_escalation("late", True), of_escalation("soon", False)) == (Kind.HELP, Kind.OVERDUE, Kind.ESCALATED)
    decided = [of_decision(word) for word in ("approved", "refused", "resumed", "withdrawn")]
    assert decided == [Kind.APPROVED, Kind.REFUSED, Kind.RESUMED, None]
