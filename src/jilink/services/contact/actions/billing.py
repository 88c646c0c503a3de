"""Tariffs and statements: what outsourcers agree with their clients, and what they ask of them for a month."""

from datetime import date, datetime, time

import msgspec
from django.db import transaction

from jilink.core.parties import audit, walls
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.holding import hold
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import CHINA, utc_now
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.services.contact.actions.designing import HIDDEN
from jilink.services.contact.models import Billed, Contact, Statement, Tariff
from jilink.services.contact.rules.states import ContactState
from jilink.services.contact.rules.tariffs import (
    Line,
    Served,
    TariffDesign,
    TariffRefused,
    check,
    lines,
    next_month,
    read_tariff,
    sums,
    write_tariff,
)

LONGEST_REASON = 300


class StatementRefused(Refused):
    """A statement cannot be made, issued or taken back so."""


@transaction.atomic
def set_tariff(
    *, issuer: int, organisation: int, valid_from: date, design: TariffDesign, based_on: int = 0, by: Actor, now: datetime | None = None
) -> int:
    """Agree on what a client pays from a month on, and return the tariff's id.

    `based_on` is the version that was seen, 0 of a new one. What an issued statement was counted by stays as it is. Raises NotFound,
    TariffRefused.
    """
    _require_client(by, issuer, organisation)
    check(design)
    if valid_from.day != 1:
        raise TariffRefused("A tariff holds from the first day of a month on.")
    hold(issuer)
    row = Tariff.objects.filter(issuer=issuer, organisation=organisation, valid_from=valid_from).first()
    if (row.version if row else 0) != based_on:
        raise TariffRefused("Somebody changed the tariff meanwhile. Look at it again.")
    if Statement.objects.filter(
        issuer=issuer, organisation=organisation, state="issued", month__gte=valid_from, corrects=None, credit=None
    ):
        raise TariffRefused("A statement of this month or a later one is issued: take it back by a credit note first.")
    row = row or Tariff(issuer_id=issuer, organisation_id=organisation, valid_from=valid_from, version=0)
    row.design, row.version, row.changed_at = write_tariff(design), row.version + 1, now or utc_now()
    row.save()
    audit.record(by, "tariff.set", f"tariff:{row.pk}", organisation, at=row.changed_at)
    return row.pk


@transaction.atomic
def draft_statement(*, issuer: int, organisation: int, month: date, by: Actor, now: datetime | None = None) -> int:
    """Count a client's month by the tariff that holds then, anew where there is a draft, and return the draft's id.

    Raises NotFound, StatementRefused.
    """
    _require_client(by, issuer, organisation)
    moment = now or utc_now()
    if month.day != 1 or month > moment.astimezone(CHINA).date():
        raise StatementRefused("A statement is of a month that has begun.")
    hold(issuer)
    if _standing(issuer, organisation, month):
        raise StatementRefused("This month is issued already. Take it back by a credit note first.")
    tariff = Tariff.objects.filter(issuer=issuer, organisation=organisation, valid_from__lte=month).order_by("-valid_from").first()
    if tariff is None:
        raise StatementRefused("No tariff holds for this client in this month.")
    row = Statement.objects.filter(issuer=issuer, organisation=organisation, month=month, state="draft").first()
    row = row or Statement(issuer_id=issuer, organisation_id=organisation, month=month)
    _count(row, tariff, moment)
    audit.record(by, "statement.drafted", f"statement:{row.pk}", organisation, at=moment)
    return row.pk


@transaction.atomic
def issue_statement(*, statement: int, by: Actor, now: datetime | None = None) -> str:
    """Give a draft its number, counted once more as it is now; from here on it never changes. Return the number.

    Raises NotFound, StatementRefused while the month or one of its contacts goes on.
    """
    row, moment = _statement(statement, by), now or utc_now()
    if row.state != "draft":
        raise StatementRefused("This is issued already.")
    if next_month(row.month) > moment.astimezone(CHINA).date():
        raise StatementRefused("The month is not over.")
    begin, end = _bounds(row.month)
    within = Contact.objects.filter(organisation=row.organisation_id, offered_at__gte=begin, offered_at__lt=end)
    if within.exclude(state=ContactState.ENDED).exists():
        raise StatementRefused("A contact of this month is not ended yet.")
    _count(row, row.tariff, moment)
    row.number = _next_number(row.issuer_id, "S", moment)
    row.state, row.issued_at = "issued", moment
    row.save(update_fields=["number", "state", "issued_at"])
    audit.record(by, "statement.issued", f"statement:{row.pk}", row.organisation_id, at=moment, detail=row.number)
    return row.number


@transaction.atomic
def credit_statement(*, statement: int, reason: str, by: Actor, now: datetime | None = None) -> int:
    """Take an issued statement back by a credit note of all its lines, and return the note's id; the month can then be drafted anew.

    Raises NotFound, StatementRefused.
    """
    row, moment = _statement(statement, by), now or utc_now()
    why = " ".join(reason.split())[:LONGEST_REASON]
    if not why:
        raise StatementRefused("Say why it is taken back.")
    if row.state != "issued" or row.corrects_id is not None or Statement.objects.filter(corrects=row).exists():
        raise StatementRefused("Only an issued statement can be taken back, and once.")
    note = Statement(
        issuer_id=row.issuer_id, organisation_id=row.organisation_id, month=row.month, tariff_id=row.tariff_id, vat_rate=row.vat_rate,
        state="issued", number=_next_number(row.issuer_id, "C", moment), corrects=row, reason=why, made_at=moment, issued_at=moment,
    )  # fmt: skip
    held = msgspec.json.decode(row.lines, type=list[Line])
    back = [msgspec.structs.replace(line, fen=-line.fen, quantity=-line.quantity, free=-line.free) for line in held]
    note.lines, note.net, note.vat = msgspec.json.encode(back).decode(), -row.net, -row.vat
    note.save()
    counted = Billed.objects.filter(statement=row).values_list("line", "contact")
    Billed.objects.bulk_create([Billed(statement=note, line=line, contact=contact) for line, contact in counted], batch_size=500)
    audit.record(by, "statement.credited", f"statement:{row.pk}", row.organisation_id, at=moment, detail=note.number)
    return note.pk


@transaction.atomic
def drop_statement(*, statement: int, by: Actor, now: datetime | None = None) -> None:
    """Throw a draft away. Raises NotFound, StatementRefused."""
    row = _statement(statement, by)
    if row.state != "draft":
        raise StatementRefused("What is issued stays. Take it back by a credit note.")
    audit.record(by, "statement.dropped", f"statement:{row.pk}", row.organisation_id, at=now)
    row.delete()


def _bounds(month: date) -> tuple[datetime, datetime]:
    """Return when a month begins and ends in China."""
    return datetime.combine(month, time(), CHINA), datetime.combine(next_month(month), time(), CHINA)


def _served(organisation: int, month: date) -> list[Served]:
    """Return the contacts of a client's month by when they were offered. For this room's actions, which have asked the door."""
    begin, end = _bounds(month)
    rows = Contact.objects.filter(organisation=organisation, offered_at__gte=begin, offered_at__lt=end).order_by("pk")
    names = ("pk", "queue__key", "channel", "offered_at", "answered_at", "left_at", "ended_at", "agent", "code")
    return [
        Served(
            id=pk,
            queue=queue,
            channel=channel,
            offered_at=offered,
            answered_at=answered,
            left_at=left,
            ended_at=ended,
            agent=agent,
            code=code,
        )
        for pk, queue, channel, offered, answered, left, ended, agent, code in rows.values_list(*names).iterator()
    ]


def _count(row: Statement, tariff: Tariff, moment: datetime) -> None:
    """Count the month of a draft, from its first contact on, and keep what lies behind each line."""
    design = read_tariff(tariff.design)
    found = lines(design, _served(row.organisation_id, row.month))
    total = sums(found, design.vat)
    row.tariff, row.vat_rate, row.made_at, row.net, row.vat = tariff, design.vat, moment, total.net, total.vat
    row.lines = msgspec.json.encode([msgspec.structs.replace(line, contacts=()) for line in found]).decode()
    row.save()
    Billed.objects.filter(statement=row).delete()
    behind = [Billed(statement=row, line=place, contact=contact) for place, line in enumerate(found) for contact in line.contacts]
    Billed.objects.bulk_create(behind, batch_size=500)


def _standing(issuer: int, organisation: int, month: date) -> bool:
    """Return whether a statement of the month is issued and not taken back."""
    return Statement.objects.filter(
        issuer=issuer, organisation=organisation, month=month, state="issued", corrects=None, credit=None
    ).exists()


def _next_number(issuer: int, letter: str, moment: datetime) -> str:
    """Return the next number of the year without a gap; the issuer is held meanwhile."""
    hold(issuer)
    prefix = f"{letter}{moment.astimezone(CHINA):%Y}-"
    last = Statement.objects.filter(issuer=issuer, number__startswith=prefix).order_by("-number").values_list("number", flat=True).first()
    return f"{prefix}{int(last.removeprefix(prefix)) + 1 if last else 1:06d}"


def _require_client(by: Actor, issuer: int, organisation: int) -> None:
    """Raise NotFound unless the actor bills for the issuer, and the client lies below it."""
    require(by, Permission.MANAGE_STATEMENTS, issuer)
    require(by, Permission.MANAGE_STATEMENTS, organisation)
    with walls.everything():
        below = parties.below(issuer)
    if OrganisationId(organisation) not in below or organisation == issuer:
        raise NotFound(HIDDEN)


def _statement(statement: int, by: Actor) -> Statement:
    row = Statement.objects.select_for_update(of=("self",)).filter(pk=statement).first()
    require(by, Permission.MANAGE_STATEMENTS, row.issuer_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    return row
