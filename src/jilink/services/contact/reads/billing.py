"""What outsourcers see of tariffs and statements, and what their clients see of their own."""

from dataclasses import dataclass
from datetime import date, datetime

import msgspec
from django.db.models import Q, QuerySet

from jilink.core.parties import access, walls
from jilink.core.parties import reads as parties
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.reads import OrganisationName
from jilink.core.parties.rules import Permission
from jilink.services.contact.models import Billed, Contact, Queue, Statement, Tariff
from jilink.services.contact.rules.design import read_design
from jilink.services.contact.rules.tariffs import Basis, Line, Rate, Served, Sums, TariffDesign, billed_s, read_tariff

HIDDEN = "There is no such thing, or you may not see it."
MOST_LISTED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffView:
    """A tariff of a client."""

    id: int
    issuer: int
    organisation: int
    client: str
    valid_from: date
    version: int
    design: TariffDesign


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """A statement in a list."""

    id: int
    issuer: int
    issuer_name: str
    organisation: int
    client: str
    month: date
    state: str
    number: str
    is_credit: bool
    taken_back: bool
    sums: Sums
    made_at: datetime
    issued_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementView:
    """A statement with its lines; `counts` are the contacts behind each."""

    row: StatementRow
    vat_rate: str
    reason: str
    corrects: int | None
    corrects_number: str
    credit: int | None
    credit_number: str
    lines: tuple[Line, ...]
    counts: tuple[int, ...]
    may_manage: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledContact:
    """A contact behind a line. One whose time of keeping is over has its id alone."""

    id: int
    queue: str
    channel: str
    offered_at: datetime | None
    answered_at: datetime | None
    billed_s: int | None
    """Seconds that the line counts of it, rounded; None where it counts no time."""
    code: str


def issuers(actor: Actor) -> list[OrganisationName]:
    """Return the organisations for which the actor may bill, and which have others below them, in tree order."""
    return [one for one in parties.choices(actor, Permission.MANAGE_STATEMENTS) if clients(actor, one.id)]


def clients(actor: Actor, issuer: int) -> list[OrganisationName]:
    """Return the organisations below an outsourcer for which the actor may bill. Raises NotFound."""
    access.require(actor, Permission.MANAGE_STATEMENTS, issuer)
    below = set(parties.below(issuer)) - {issuer}
    return [one for one in parties.choices(actor, Permission.MANAGE_STATEMENTS) if one.id in below]


def tariffs(actor: Actor) -> list[TariffView]:
    """Return the tariffs that the actor manages, by client, the newest first."""
    allowed = access.organisations_of(actor, Permission.MANAGE_STATEMENTS)
    rows = Tariff.objects.filter(issuer__in=allowed, organisation__in=allowed).order_by("organisation__path", "-valid_from")
    return [_tariff(row) for row in rows.select_related("organisation")]


def tariff(actor: Actor, tariff: int) -> TariffView:
    """Return one tariff. Raises NotFound."""
    found = next((one for one in tariffs(actor) if one.id == tariff), None)
    if found is None:
        raise NotFound(HIDDEN)
    return found


def statements(actor: Actor, *, client: int | None = None, month: date | None = None, state: str = "") -> list[StatementRow]:
    """Return the statements that the actor sees, the newest first: what is issued to them, and all of those they bill for."""
    rows = _seen(actor)
    if client is not None:
        rows = rows.filter(organisation=client)
    if month is not None:
        rows = rows.filter(month=month)
    if state:
        rows = rows.filter(state=state)
    with walls.everything():  # a client may read the name of who bills it; which rows are seen is decided above
        return [_row(row) for row in rows.order_by("-month", "organisation__path", "-pk")[:MOST_LISTED]]


def statement(actor: Actor, statement: int) -> StatementView:
    """Return one statement with its lines. Raises NotFound."""
    row = _one(actor, statement)
    lines = tuple(msgspec.json.decode(row.lines, type=list[Line]))
    counts = [0] * len(lines)
    for line in Billed.objects.filter(statement=row).values_list("line", flat=True):
        counts[line] += 1
    credit = Statement.objects.filter(corrects=row).first()
    return StatementView(
        row=_row(row),
        vat_rate=f"{row.vat_rate.normalize():f}",
        reason=row.reason,
        corrects=row.corrects_id,
        corrects_number=row.corrects.number if row.corrects else "",
        credit=credit.pk if credit else None,
        credit_number=credit.number if credit else "",
        lines=lines,
        counts=tuple(counts),
        may_manage=row.issuer_id in access.organisations_of(actor, Permission.MANAGE_STATEMENTS),
    )


def behind(actor: Actor, statement: int, line: int, *, after: int = 0, limit: int = 100) -> list[BilledContact]:
    """Return the contacts behind one line, by id, as many as asked for. Raises NotFound."""
    row = _one(actor, statement)
    held = msgspec.json.decode(row.lines, type=list[Line])
    if not 0 <= line < len(held):
        raise NotFound(HIDDEN)
    chosen = Billed.objects.filter(statement=row, line=line, contact__gt=after).order_by("contact")
    ids = list(chosen.values_list("contact", flat=True)[: min(limit, 50_000)])
    rate = _rate(row, held[line])
    rows = {one.pk: one for one in Contact.objects.filter(pk__in=ids).select_related("queue")}
    return [_billed(number, rows.get(number), rate) for number in ids]


def queue_names(actor: Actor, organisation: int) -> dict[str, str]:
    """Return the queues of a client by key, for those who bill for it. Raises NotFound."""
    access.require(actor, Permission.MANAGE_STATEMENTS, organisation)
    return {row.key: str(read_design(row.design).name) for row in Queue.objects.filter(organisation=organisation).order_by("key")}


def _rate(row: Statement, line: Line) -> Rate | None:
    """Return the rate that a line was counted by, where it counts time and its tariff still says so."""
    if line.basis not in (Basis.MINUTE, Basis.HANDLING_MINUTE):
        return None
    found = read_tariff(row.tariff.design).rates
    return next((rate for rate in found if rate.basis == line.basis and rate.title == line.title and rate.price == line.price), None)


def _billed(number: int, row: Contact | None, rate: Rate | None) -> BilledContact:
    if row is None:
        return BilledContact(id=number, queue="", channel="", offered_at=None, answered_at=None, billed_s=None, code="")
    return BilledContact(
        id=number,
        queue=str(read_design(row.queue.design).name),
        channel=row.channel,
        offered_at=row.offered_at,
        answered_at=row.answered_at,
        billed_s=billed_s(_served(row), rate) if rate else None,
        code=row.code,
    )


def _served(row: Contact) -> Served:
    return Served(
        id=row.pk, queue=row.queue.key, channel=row.channel, offered_at=row.offered_at, answered_at=row.answered_at, left_at=row.left_at,
        ended_at=row.ended_at, agent=row.agent_id, code=row.code,
    )  # fmt: skip


def _seen(actor: Actor) -> QuerySet[Statement]:
    """Return what the actor sees: issued statements of organisations that let them, and every one of issuers they bill for."""
    see = access.organisations_of(actor, Permission.VIEW_STATEMENTS)
    manage = access.organisations_of(actor, Permission.MANAGE_STATEMENTS)
    seen = Q(organisation__in=see, state="issued") | Q(issuer__in=manage)
    return Statement.objects.filter(seen).select_related("credit", "issuer", "organisation")


def _one(actor: Actor, statement: int) -> Statement:
    with walls.everything():
        row = _seen(actor).filter(pk=statement).select_related("credit", "issuer", "organisation", "tariff", "corrects").first()
    if row is None:
        raise NotFound(HIDDEN)
    return row


def _tariff(row: Tariff) -> TariffView:
    return TariffView(
        id=row.pk, issuer=row.issuer_id, organisation=row.organisation_id, client=row.organisation.name, valid_from=row.valid_from,
        version=row.version, design=read_tariff(row.design),
    )  # fmt: skip


def _row(row: Statement) -> StatementRow:
    return StatementRow(
        id=row.pk, issuer=row.issuer_id, issuer_name=row.issuer.name, organisation=row.organisation_id,
        client=row.organisation.name, month=row.month, state=row.state, number=row.number, is_credit=row.corrects_id is not None,
        taken_back=hasattr(row, "credit"), sums=Sums(net=row.net, vat=row.vat), made_at=row.made_at, issued_at=row.issued_at,
    )  # fmt: skip
