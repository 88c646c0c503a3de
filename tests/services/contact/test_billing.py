"""Statements: counted from a month's contacts, issued once with a number, taken back, and seen by those alone whom they concern."""

import csv
import io
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from jilink.core.parties.access import NotFound
from jilink.core.parties.rules import Role
from jilink.kernel.clock import CHINA
from jilink.kernel.texts import Text
from jilink.services.contact.actions import billing as actions
from jilink.services.contact.actions import designing
from jilink.services.contact.actions.billing import StatementRefused
from jilink.services.contact.models import Billed, Contact, Fact, Statement
from jilink.services.contact.reads import billing
from jilink.services.contact.rules.design import QueueDesign
from jilink.services.contact.rules.tariffs import Basis, Rate, TariffDesign, TariffRefused
from tests.core.world import World

MAY = date(2026, 5, 1)
JUNE = datetime(2026, 6, 2, 9, tzinfo=CHINA)
DESIGN = TariffDesign(
    base=Decimal(500),
    rates=(
        Rate(title=Text("通话", "Talk"), basis=Basis.MINUTE, price=Decimal("0.45"), step_s=60, free=2),
        Rate(title=Text("=成交", "=Sold"), basis=Basis.OUTCOME, price=Decimal(12), code="sold"),
    ),
)


def served(queue: int, organisation: int, begin: datetime, talk_s: float | None, code: str = "") -> Contact:
    """Add a contact as the router leaves it, with its facts."""
    answered = None if talk_s is None else begin + timedelta(seconds=7)
    left = begin + timedelta(seconds=7 + (talk_s or 30))
    row = Contact.objects.create(
        organisation_id=organisation, queue_id=queue, channel="call", state="ended", end="served" if answered else "abandoned",
        enqueued_at=begin, offered_at=begin, answered_at=answered, left_at=left, ended_at=left + timedelta(seconds=20), code=code,
    )  # fmt: skip
    for what, at in (("queued", begin), ("answered", answered), ("left", left)):
        if at is not None:
            Fact.objects.create(contact=row, what=what, at=at)
    return row


@pytest.fixture
def month(world: World) -> list[Contact]:
    """Contacts of the depot in and around May."""
    boss = world.actor(Role.OWNER, world.north)
    queue = designing.add_queue(organisation=world.depot, key="service", design=QueueDesign(name=Text("客服", "Service")), by=boss)
    begin = datetime(2026, 5, 1, tzinfo=CHINA)
    inside = [served(queue, world.depot, begin + timedelta(hours=7 * number), 31 * number + 0.5, "sold" if number % 4 == 0 else "")
              for number in range(40)]  # fmt: skip
    inside.append(served(queue, world.depot, begin + timedelta(hours=1), None))
    served(queue, world.depot, begin - timedelta(seconds=1), 600)
    served(queue, world.depot, datetime(2026, 6, 1, tzinfo=CHINA), 600)
    return inside


def test_a_statement_agrees_with_a_recount_from_raw_facts(world: World, month: list[Contact]) -> None:
    boss = world.actor(Role.OWNER, world.north)
    actions.set_tariff(issuer=world.north, organisation=world.depot, valid_from=MAY, design=DESIGN, by=boss)
    number = actions.draft_statement(issuer=world.north, organisation=world.depot, month=MAY, by=boss, now=JUNE)
    view = billing.statement(boss, number)
    minutes = 0
    for contact in month:
        at = dict(Fact.objects.filter(contact=contact).values_list("what", "at"))
        if "answered" in at:
            minutes += -(-int((at["left"] - at["answered"]).total_seconds() * 10) // 600)
    sold = sum(1 for contact in month if contact.code == "sold")
    net = 50_000 + (minutes - 2) * 45 + sold * 1200
    assert view.row.sums.net == net and view.row.sums.vat == (net * 6 + 50) // 100 and view.counts == (0, 40, sold)
    behind = billing.behind(boss, number, 1)
    assert sum(row.billed_s or 0 for row in behind) == minutes * 60 and {row.id for row in behind} <= {row.pk for row in month}


def test_what_is_issued_stays_and_is_taken_back_by_a_credit_note(world: World, month: list[Contact]) -> None:
    boss = world.actor(Role.OWNER, world.north)
    with pytest.raises(StatementRefused, match="tariff"):
        actions.draft_statement(issuer=world.north, organisation=world.depot, month=MAY, by=boss, now=JUNE)
    actions.set_tariff(issuer=world.north, organisation=world.depot, valid_from=MAY, design=DESIGN, by=boss)
    draft = actions.draft_statement(issuer=world.north, organisation=world.depot, month=MAY, by=boss, now=JUNE)
    with pytest.raises(StatementRefused, match="not over"):
        actions.issue_statement(statement=draft, by=boss, now=JUNE - timedelta(days=5))
    assert actions.issue_statement(statement=draft, by=boss, now=JUNE) == "S2026-000001"
    for again in (actions.issue_statement, actions.drop_statement):
        with pytest.raises(StatementRefused):
            again(statement=draft, by=boss, now=JUNE)
    with pytest.raises(StatementRefused, match="issued already"):
        actions.draft_statement(issuer=world.north, organisation=world.depot, month=MAY, by=boss, now=JUNE)
    with pytest.raises(TariffRefused, match="credit note"):
        actions.set_tariff(issuer=world.north, organisation=world.depot, valid_from=MAY, design=TariffDesign(), based_on=1, by=boss)
    note = actions.credit_statement(statement=draft, reason="Wrong price", by=boss, now=JUNE)
    one, other = Statement.objects.get(pk=draft), Statement.objects.get(pk=note)
    assert (other.net, other.vat, other.number) == (-one.net, -one.vat, "C2026-000001")
    assert Billed.objects.filter(statement=note).count() == Billed.objects.filter(statement=draft).count()
    with pytest.raises(StatementRefused):
        actions.credit_statement(statement=draft, reason="Again", by=boss, now=JUNE)
    actions.set_tariff(
        issuer=world.north, organisation=world.depot, valid_from=MAY, design=TariffDesign(base=Decimal(1)), based_on=1, by=boss
    )
    second = actions.draft_statement(issuer=world.north, organisation=world.depot, month=MAY, by=boss, now=JUNE)
    assert actions.issue_statement(statement=second, by=boss, now=JUNE) == "S2026-000002"
    with pytest.raises(IntegrityError), transaction.atomic():
        Statement.objects.filter(pk=second).update(number="")


def test_a_client_sees_what_is_issued_to_it_and_changes_nothing(world: World, month: list[Contact]) -> None:
    boss, client, stranger = (world.actor(Role.OWNER, place) for place in (world.north, world.depot, world.south))
    actions.set_tariff(issuer=world.north, organisation=world.depot, valid_from=MAY, design=DESIGN, by=boss)
    number = actions.draft_statement(issuer=world.north, organisation=world.depot, month=MAY, by=boss, now=JUNE)
    assert billing.statements(client) == [] and billing.tariffs(client) == []
    actions.issue_statement(statement=number, by=boss, now=JUNE)
    assert [row.issuer_name for row in billing.statements(client)] == ["North Fleet"] and billing.statements(stranger) == []
    assert not billing.statement(client, number).may_manage and len(billing.behind(client, number, 1, limit=5)) == 5
    for actor in (client, stranger):
        with pytest.raises(NotFound):
            actions.credit_statement(statement=number, reason="No", by=actor)
        with pytest.raises(NotFound):
            actions.set_tariff(issuer=world.depot, organisation=world.depot, valid_from=MAY, design=DESIGN, by=actor)
        with pytest.raises(NotFound):
            actions.draft_statement(issuer=world.north, organisation=world.depot, month=MAY, by=actor)
    with pytest.raises(NotFound):
        billing.statement(stranger, number)


def test_a_statement_is_made_seen_and_taken_away_in_the_pages(world: World, month: list[Contact], client: Client) -> None:
    boss = world.person(Role.OWNER, world.north)
    world.second_factor(boss)
    client.force_login(boss)
    fields = {"pair": f"{world.north}-{world.depot}", "valid_from": "2026-05", "base": "500", "minimum": "0", "vat": "6"}
    rows = {"rate-TOTAL_FORMS": "3", "rate-INITIAL_FORMS": "0", "rate-0-zh": "=通话", "rate-0-basis": "minute", "rate-0-price": "0.45"}
    kept = client.post("/contact/tariffs/add/", fields | rows)
    assert (kept.status_code, kept.headers.get("Location")) == (302, "/contact/tariffs/")
    assert client.post("/contact/statements/draft/", {"pair": fields["pair"], "month": "2026-05"}).status_code == 302
    number = Statement.objects.get().pk
    for address in ("statements/", f"statements/{number}/", f"statements/{number}/lines/1/", "tariffs/", "tariffs/1/"):
        address = address.replace("tariffs/1/", f"tariffs/{Statement.objects.get().tariff_id}/")
        assert client.get(f"/contact/{address}").status_code == 200
    assert client.post(f"/contact/statements/{number}/do/issue").status_code in (302, 400)
    sheet = client.get(f"/contact/statements/{number}/statement.pdf")
    assert sheet.status_code == 200 and sheet.content.startswith(b"%PDF")
    lines = list(csv.reader(io.StringIO(client.get(f"/contact/statements/{number}/statement.csv").content.decode("utf-8-sig"))))
    assert any(line and line[0] == "'=通话" and line[2] == "40" for line in lines)
    assert client.get(f"/contact/statements/{number}/lines/9/").status_code == 404
