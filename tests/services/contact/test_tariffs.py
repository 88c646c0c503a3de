"""What a client pays: prices by seat, minute, contact and outcome, rounding, what is free, the minimum and the tax."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jilink.kernel.clock import CHINA
from jilink.kernel.texts import Text
from jilink.services.contact.rules import tariffs
from jilink.services.contact.rules.tariffs import Basis, Rate, Served, TariffDesign, TariffRefused

pytestmark = pytest.mark.once
NINE = datetime(2026, 5, 4, 9, tzinfo=CHINA)


def contact(number: int, talk_s: float | None, *, wrap_s: float = 0, agent: int = 1, code: str = "", channel: str = "call") -> Served:
    answered = None if talk_s is None else NINE
    left = NINE + timedelta(seconds=talk_s or 5)
    return Served(
        id=number, queue="service", channel=channel, offered_at=NINE, answered_at=answered, left_at=left,
        ended_at=left + timedelta(seconds=wrap_s), agent=None if talk_s is None else agent, code=code,
    )  # fmt: skip


def rate(basis: Basis, price: str, **rest: object) -> Rate:
    return Rate(title=Text("价", "Price"), basis=basis, price=Decimal(price), **rest)  # type: ignore[arg-type]  # -- a test's shorthand


MONTH = [contact(1, 61, wrap_s=30, code="sold"), contact(2, 60, agent=2), contact(3, None), contact(4, 0.2, channel="chat", code="sold")]


@pytest.mark.parametrize(
    ("held", "quantity", "fen", "behind"),
    [
        (rate(Basis.MINUTE, "0.5"), "4", 200, (1, 2, 4)),
        (rate(Basis.MINUTE, "0.6", step_s=6), "2.2", 132, (1, 2, 4)),
        (rate(Basis.HANDLING_MINUTE, "1", step_s=1), "2.5333", 253, (1, 2, 4)),
        (rate(Basis.MINUTE, "0.5", free=3), "1", 50, (1, 2, 4)),
        (rate(Basis.ANSWERED, "1.5"), "3", 450, (1, 2, 4)),
        (rate(Basis.ANSWERED, "1.5", channels=("chat",)), "1", 150, (4,)),
        (rate(Basis.OFFERED, "0.0333"), "4", 13, (1, 2, 3, 4)),
        (rate(Basis.OUTCOME, "20", code="sold"), "2", 4000, (1, 4)),
        (rate(Basis.SEAT, "3000"), "2", 600_000, (1, 2, 4)),
        (rate(Basis.AGREED_SEAT, "3000", seats=5), "5", 1_500_000, ()),
        (rate(Basis.ANSWERED, "9", queues=("other",)), "0", 0, ()),
    ],
)
def test_a_rate_counts_what_it_says_and_names_the_contacts_behind(held: Rate, quantity: str, fen: int, behind: tuple[int, ...]) -> None:
    (line,) = tariffs.lines(TariffDesign(rates=(held,)), MONTH)
    assert (line.quantity, line.fen, line.contacts) == (Decimal(quantity), fen, behind)


def test_base_fee_minimum_and_tax_are_exact() -> None:
    design = TariffDesign(base=Decimal("100"), minimum=Decimal("102.57"), vat=Decimal(6), rates=(rate(Basis.MINUTE, "0.5"),))
    found = tariffs.lines(design, MONTH)
    assert [(line.basis, line.fen) for line in found] == [("base", 10_000), ("minute", 200), ("minimum", 57)]
    assert tariffs.sums(found, design.vat) == tariffs.Sums(net=10_257, vat=615) and tariffs.yuan(1_234_505) == "12,345.05"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 10**10), max_size=30), st.integers(1, 3600), st.integers(0, 99_999))
def test_minutes_are_rounded_up_a_contact_at_a_time_and_money_half_up_once_a_line(talks: list[int], step: int, price: int) -> None:
    held = rate(Basis.MINUTE, str(Decimal(price).scaleb(-4)), step_s=step)
    contacts = [contact(number, 1) for number in range(len(talks))]
    contacts = [
        Served(id=one.id, queue="q", channel="call", offered_at=NINE, answered_at=NINE, left_at=NINE + timedelta(microseconds=talk),
               ended_at=None, agent=1, code="")
        for one, talk in zip(contacts, talks, strict=True)
    ]  # fmt: skip
    (line,) = tariffs.lines(TariffDesign(rates=(held,)), contacts)
    seconds = sum(-(-talk // (step * 1_000_000)) * step for talk in talks)
    assert line.fen == (seconds * price * 2 + 6000) // 12_000  # half up, in whole numbers


@pytest.mark.parametrize(
    "held",
    [
        rate(Basis.OUTCOME, "1"), rate(Basis.MINUTE, "1", code="x"), rate(Basis.MINUTE, "-1"), rate(Basis.MINUTE, "0.00001"),
        rate(Basis.MINUTE, "NaN"), rate(Basis.MINUTE, "1", step_s=0), rate(Basis.MINUTE, "1", channels=("fax",)),
        Rate(title=Text(), basis=Basis.SEAT, price=Decimal(1)),
    ],
)  # fmt: skip
def test_a_tariff_that_cannot_be_is_refused(held: Rate) -> None:
    with pytest.raises(TariffRefused):
        tariffs.check(TariffDesign(rates=(held,)))
    with pytest.raises(TariffRefused):
        tariffs.read_tariff(b'{"rates": [{}]}')
