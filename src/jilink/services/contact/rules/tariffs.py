"""What a client pays: tariffs as data, and the lines that follow from a month's contacts. Pure; money is exact.

A price is a decimal number of yuan with at most four places; an amount is whole fen, rounded half up once a line. A contact counts in the
month of China's time in which it was offered, as in the reports. Talk is counted from the answer to the end of the conversation, holding
included, and rounded up per contact to the tariff's step.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

import msgspec

from jilink.kernel.errors import Refused
from jilink.kernel.texts import Text

MOST_RATES = 40
HIGHEST_PRICE = Decimal(1_000_000)
_FOUR = Decimal("0.0001")
CHANNELS = ("call", "callback", "text", "chat", "case")


class TariffRefused(Refused):
    """A tariff cannot be so."""


class Basis(StrEnum):
    """What a rate counts."""

    SEAT = "seat"
    """Agents who answered at least one contact of the month."""
    AGREED_SEAT = "agreed_seat"
    """Seats that were agreed on, whoever sat there."""
    MINUTE = "minute"
    """Minutes of talk."""
    HANDLING_MINUTE = "handling_minute"
    """Minutes of talk and wrap-up."""
    ANSWERED = "answered"
    OFFERED = "offered"
    OUTCOME = "outcome"
    """Answered contacts that were wrapped up with one code."""


COUNTED = frozenset({Basis.SEAT, Basis.MINUTE, Basis.HANDLING_MINUTE, Basis.ANSWERED, Basis.OFFERED, Basis.OUTCOME})
MINUTES = frozenset({Basis.MINUTE, Basis.HANDLING_MINUTE})


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One price. Without channels or queues it holds for all of them."""

    title: Text
    basis: Basis
    price: Decimal
    """Yuan for one."""
    channels: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    """Keys of queues."""
    code: str = ""
    """Of an outcome."""
    seats: int = 0
    """Seats agreed on."""
    step_s: int = 60
    """Each contact's time is rounded up to a multiple of this."""
    free: int = 0
    """So many units (seats, whole minutes, contacts) cost nothing."""


class TariffDesign(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client pays in a month."""

    base: Decimal = Decimal(0)
    """Yuan a month, whatever happened."""
    minimum: Decimal = Decimal(0)
    """The least of a month before tax; what lacks is a line of its own."""
    vat: Decimal = Decimal(6)
    """Per cent (China: 6 for modern services, Cai Shui [2016] 36, annex 1, article 15)."""
    rates: tuple[Rate, ...] = ()


def read_tariff(text: str | bytes) -> TariffDesign:
    """Return a tariff. Raises TariffRefused with place and reason."""
    try:
        design = msgspec.json.decode(text, type=TariffDesign)
    except msgspec.DecodeError as error:
        raise TariffRefused("This is no tariff: %(reason)s", reason=str(error)) from error
    check(design)
    return design


def write_tariff(design: TariffDesign) -> str:
    """Return the tariff as JSON."""
    return msgspec.json.encode(design).decode()


def check(design: TariffDesign) -> None:
    """Return where a tariff can be so. Raises TariffRefused."""
    if len(design.rates) > MOST_RATES:
        raise TariffRefused("A tariff has at most %(most)d prices.", most=MOST_RATES)
    for money in (design.base, design.minimum, *(rate.price for rate in design.rates)):
        _check_price(money)
    if not 0 <= design.vat <= 100:
        raise TariffRefused("The tax is 0 to 100 per cent.")
    for number, rate in enumerate(design.rates, 1):
        if not rate.title:
            raise TariffRefused("Price %(number)d needs a title.", number=number)
        if (rate.basis == Basis.OUTCOME) == (not rate.code):
            raise TariffRefused("Price %(number)d: an outcome needs its code, nothing else has one.", number=number)
        if not 1 <= rate.step_s <= 3600 or rate.free < 0 or not 0 <= rate.seats <= 100_000:
            raise TariffRefused("Price %(number)d: time is rounded to 1 to 3600 s; nothing is less than none.", number=number)
        if not set(rate.channels) <= set(CHANNELS):
            raise TariffRefused("Price %(number)d names a channel that there is not.", number=number)


def _check_price(money: Decimal) -> None:
    if not money.is_finite() or not 0 <= money <= HIGHEST_PRICE or money != money.quantize(_FOUR):
        raise TariffRefused("A price is 0 to %(most)s yuan with at most four decimals.", most=HIGHEST_PRICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One contact of the month, as far as it costs anything. Aware times."""

    id: int
    queue: str
    channel: str
    offered_at: datetime
    answered_at: datetime | None
    left_at: datetime | None
    ended_at: datetime | None
    agent: int | None
    code: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a statement."""

    title: Text
    basis: str
    """A `Basis`, `base` or `minimum`."""
    quantity: Decimal
    """Seats, minutes or contacts that are paid for, after what is free."""
    free: Decimal
    price: Decimal
    fen: int
    contacts: tuple[int, ...] = ()
    """Every contact that was counted, also those that are free."""


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """A statement's sums in fen."""

    net: int
    vat: int

    @property
    def gross(self) -> int:
        """Return what is to be paid."""
        return self.net + self.vat


def fen(yuan: Decimal) -> int:
    """Return an amount in whole fen, half up."""
    return int((yuan * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def yuan(fen: int) -> str:
    """Return an amount as people read it: 1,234.50."""
    return f"{Decimal(fen) / 100:,.2f}"


def billed_s(one: Served, rate: Rate) -> int:
    """Return the seconds of a contact that are paid for, rounded up to the rate's step; 0 of one that nobody answered."""
    end = one.ended_at if rate.basis == Basis.HANDLING_MINUTE else one.left_at or one.ended_at
    if one.answered_at is None or end is None:
        return 0
    passed = end - one.answered_at
    micro = passed.days * 86_400_000_000 + passed.seconds * 1_000_000 + passed.microseconds
    return max(0, -(-micro // (rate.step_s * 1_000_000)) * rate.step_s)


def counted(contacts: Iterable[Served], rate: Rate) -> list[Served]:
    """Return the contacts that a rate counts."""
    return [one for one in contacts if _fits(one, rate)]


def _fits(one: Served, rate: Rate) -> bool:
    if rate.basis not in COUNTED or (rate.channels and one.channel not in rate.channels) or (rate.queues and one.queue not in rate.queues):
        return False
    if rate.basis == Basis.OFFERED:
        return True
    return one.answered_at is not None and (rate.basis != Basis.OUTCOME or one.code == rate.code)


def lines(design: TariffDesign, contacts: Iterable[Served]) -> list[Line]:
    """Return the lines of a month: the base fee, each rate in the tariff's order, what lacks to the minimum."""
    held = list(contacts)
    found: list[Line] = []
    one = Decimal(1)
    if design.base:
        title = Text("月基本费", "Monthly base fee")
        found.append(Line(title=title, basis="base", quantity=one, free=Decimal(0), price=design.base, fen=fen(design.base)))
    found += [_line(rate, counted(held, rate)) for rate in design.rates]
    lacking = fen(design.minimum) - sum(line.fen for line in found)
    if lacking > 0:
        title = Text("补足月最低消费", "Up to the monthly minimum")
        found.append(Line(title=title, basis="minimum", quantity=one, free=Decimal(0), price=Decimal(lacking).scaleb(-2), fen=lacking))
    return found


def _line(rate: Rate, contacts: list[Served]) -> Line:
    if rate.basis == Basis.AGREED_SEAT:
        units = Decimal(rate.seats)
    elif rate.basis == Basis.SEAT:
        units = Decimal(len({one.agent for one in contacts if one.agent is not None}))
    elif rate.basis in MINUTES:
        units = Decimal(sum(billed_s(one, rate) for one in contacts)) / 60
    else:
        units = Decimal(len(contacts))
    free = min(units, Decimal(rate.free))
    amount = fen((units - free) * rate.price)
    return Line(
        title=rate.title, basis=rate.basis.value, quantity=(units - free).quantize(_FOUR),
        free=free.quantize(_FOUR), price=rate.price, fen=amount, contacts=tuple(one.id for one in contacts),
    )  # fmt: skip


def sums(found: Iterable[Line], vat: Decimal) -> Sums:
    """Return the sums; the tax is taken of the sum before tax, half up."""
    net = sum(line.fen for line in found)
    return Sums(net=net, vat=int((Decimal(net) * vat / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP)))


def month_of(text: str) -> date:
    """Return the first day of a month written 2026-05. Raises TariffRefused."""
    try:
        first = date.fromisoformat(f"{text.strip()}-01")
    except ValueError as error:
        raise TariffRefused("A month is written like 2026-05.") from error
    return first


def next_month(first: date) -> date:
    """Return the first day of the month after."""
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)
