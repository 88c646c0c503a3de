"""Rules of the gateway that need no socket: the state table, who may enter, limits, orders, columns."""

import struct
from datetime import UTC, datetime
from random import Random

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from jilink.edges.terminals.admission import Directory
from jilink.edges.terminals.connections import Connections
from jilink.edges.terminals.limits import Addresses, Budget, Limits, Rates
from jilink.edges.terminals.orders import FieldsRefused, build
from jilink.edges.terminals.safety import FIRST, LAST
from jilink.edges.terminals.session import (
    TABLE,
    Act,
    Registration,
    State,
    hash_token,
    judge_authentication,
    judge_registration,
    new_token,
    step,
)
from jilink.kernel.errors import Malformed
from jilink.protocols.jt808.columns.items import rows_with_items
from jilink.protocols.jt808.control import TextMessage2013
from jilink.protocols.jt808.registry import MESSAGES
from jilink.spine.records import Admission, Token

AT = datetime(2026, 11, 22, tzinfo=UTC)
KNOWN = Admission(asset=1, organisation=1)


def test_the_table_has_an_act_for_every_state_and_message() -> None:
    for state in State:
        for message in range(0, 0x10000, 7):
            assert step(state, message).act in Act


def test_nothing_but_an_authentication_leads_online() -> None:
    assert {pair for pair, row in TABLE.items() if row.success is State.ONLINE and pair[0] is not State.ONLINE} == {
        (State.CONNECTED, 0x0102),
        (State.REGISTERED, 0x0102),
    }


@pytest.mark.parametrize(
    ("admission", "owner", "result"),
    [
        (None, None, Registration.NO_TERMINAL),
        (Admission(asset=1, organisation=1, admitted=False), None, Registration.NO_VEHICLE),
        (Admission(asset=1, organisation=1, terminal_id="X"), None, Registration.TERMINAL_TAKEN),
        (KNOWN, 2, Registration.VEHICLE_TAKEN),
        (KNOWN, 1, Registration.SUCCESS),
        (KNOWN, None, Registration.SUCCESS),
    ],
)
def test_every_result_of_a_registration_has_its_case(admission: Admission | None, owner: int | None, result: Registration) -> None:
    assert judge_registration(admission, "T1", owner) is result


def test_a_token_admits_only_where_phone_terminal_and_asset_are_those_it_was_made_for() -> None:
    text = new_token()
    token = Token(token_sha256=hash_token(text), terminal_id="T1", asset=1, issued_at=AT)
    assert judge_authentication(KNOWN, token, text)
    assert judge_authentication(Admission(asset=1, organisation=1, terminal_id="T1"), token, text)
    assert not judge_authentication(KNOWN, token, text[:-1] + ("0" if text[-1] != "0" else "1"))
    assert not judge_authentication(KNOWN, None, text)
    assert not judge_authentication(None, token, text)
    assert not judge_authentication(Admission(asset=2, organisation=1), token, text)
    assert not judge_authentication(Admission(asset=1, organisation=1, terminal_id="T2"), token, text)
    assert not judge_authentication(Admission(asset=1, organisation=1, admitted=False), token, text)


def test_two_tokens_are_never_alike() -> None:
    assert len({new_token() for _ in range(1000)}) == 1000


def test_a_record_nobody_can_read_counts_as_absent() -> None:
    directory = Directory()
    directory.take_admission("k", b'{"asset":1,"organisation":2,"plate":"A"}')
    assert directory.plate_owner("A") == 1
    change = directory.take_admission("k", b"nonsense")
    assert change is not None and change.after is None and directory.unreadable == 1 and directory.plate_owner("A") is None


def test_a_token_that_was_replaced_is_worth_nothing_even_while_word_of_it_is_still_on_its_way() -> None:
    directory, moment = Directory(), datetime(2026, 11, 22, tzinfo=UTC)
    first, second, third = (Token(token_sha256=f"{number:064x}", terminal_id="T", asset=1, issued_at=moment) for number in range(3))
    directory.keep_token("k", first, 11)
    directory.keep_token("k", second, 12)
    directory.take_token("k", msgspec.json.encode(first), 11)
    assert directory.token("k") == second
    directory.take_token("k", msgspec.json.encode(second), 12)
    directory.take_token("k", msgspec.json.encode(third), 13)
    directory.keep_token("k", second, 12)
    assert directory.token("k") == third
    directory.take_token("k", None, 14)
    assert directory.token("k") is None


def test_serials_of_one_connection_follow_each_other_within_a_batch_and_wrap() -> None:
    connections = Connections(16)
    connections.serial[3] = 65534
    assert connections.next_serials(np.array([3, 5, 3, 3, 5])).tolist() == [65534, 0, 65535, 0, 1]
    assert connections.next_serial(3) == 1 and connections.next_serial(5) == 2
    assert connections.next_serials(np.zeros(0, np.int64)).size == 0


@pytest.mark.parametrize(
    ("host", "peer"),
    [("10.1.2.3", "10.1.2.3:65000"), ("2001:db8::7", "[2001:db8::7]:65000"), ("fe80::1", "[fe80::1]:65000"), ("", ":65000")],
)
def test_the_address_of_a_peer_is_known_until_its_descriptor_serves_another(host: str, peer: str) -> None:
    connections = Connections(16)
    terminal = connections.open(5, 1, (host, 65_000), 0.0)
    terminal.phone = "139000000a1"
    assert (connections.host(5), connections.peer(5), terminal.phone) == (host, peer, "139000000a1")
    connections.forget(5)
    assert connections.host(5) == host
    assert connections.open(5, 2, ("10.0.0.9", 1), 0.0).phone == ""
    assert connections.peer(5) == "10.0.0.9:1"


def test_an_address_gets_its_place_back() -> None:
    addresses = Addresses(2)
    assert [addresses.enter("a") for _ in range(3)] == [True, True, False]
    addresses.leave("a")
    assert addresses.enter("a") and addresses.enter("b")


def test_rates_are_averaged_over_a_window_and_name_the_offender() -> None:
    rates = Rates(Limits(connections_per_address=0, bytes_per_s=1000, frames_per_s=0, malformed_per_minute=2), 8)
    rates.tick(1000)
    none = np.zeros(0, np.int64)
    reads = np.array([1, 2, 1])
    assert rates.count(reads, np.array([9000, 100, 900]), reads, none).size == 0
    assert rates.count(reads, np.array([100, 1, 1]), reads, none).tolist() == [1]
    rates.open(1)
    rates.open(2)
    assert rates.count(reads, np.array([1, 1, 1]), reads, np.array([2, 2, 2])).tolist() == [2]
    rates.tick(2000)
    assert rates.count(reads, np.array([1, 1, 1]), reads, none).size == 0


def test_a_budget_refills_with_time() -> None:
    budget = Budget(10, 2)
    assert [budget.spend(100.0) for _ in range(3)] == [True, True, False]
    assert budget.spend(100.2)


DOWN = sorted({(number, year) for number, direction, year in MESSAGES if direction == "down"})


@pytest.mark.parametrize(("number", "year"), DOWN, ids=lambda value: f"{value:#06x}" if value > 3000 else str(value))
def test_every_message_to_a_terminal_can_be_ordered_from_plain_fields(number: int, year: int) -> None:
    form = MESSAGES[number, "down", year]
    built = build(form, {})
    assert isinstance(built, form)
    plain = {name: getattr(built, name) for name in form.fields() if isinstance(getattr(built, name), int | str)}
    assert build(form, plain) == built


def test_an_order_with_a_wrong_value_names_the_field() -> None:
    for fields in ({"flag": ["nonsense"]}, {"flag": 1.5}, {"text": 7}, {"other": 1}):
        with pytest.raises(FieldsRefused, match=next(iter(fields))):
            build(TextMessage2013, fields)


def anything(source: Random, depth: int = 2) -> object:
    """Return a JSON value of any shape."""
    leaves = [None, True, -1, 0, 7, 300, 1 << 70, 1.5, "", "x", "吉A", "2026-11-22T08:00:00", "25:99", "zz", "0x29", "\ud800"]
    if depth and source.random() < 0.4:
        some = [anything(source, depth - 1) for _ in range(source.randrange(4))]
        return some if source.random() < 0.5 else {source.choice(["id", "0x29", "x", "count"]): value for value in some}
    return source.choice(leaves)


def test_no_fields_whatever_raise_more_than_a_refusal() -> None:
    source = Random(11)
    for number, year in DOWN * 12:
        form = MESSAGES[number, "down", year]
        fields = {name: anything(source) for name in form.fields() if source.random() < 0.7}
        try:
            build(form, fields).write(bytearray())
        except (FieldsRefused, Malformed):
            continue


def test_rows_with_alarms_are_found_wherever_the_item_stands() -> None:
    source = Random(4)
    rows, expected = [], []
    for row in range(300):
        numbers = [source.choice((0x05, 0x11, 0x63, 0x68, 0xE1)) for _ in range(source.randrange(4))]
        if source.random() < 0.3:
            numbers.insert(source.randrange(len(numbers) + 1), source.randrange(0x64, 0x68))
            expected.append(row)
        item = b"".join(struct.pack("BB", number, size := source.randrange(6)) + b"\x64" * size for number in numbers)
        rows.append(item or None)
    column = pa.array(rows, pa.binary())
    assert rows_with_items(column, FIRST, LAST).tolist() == expected
    assert rows_with_items(column.slice(7, 100), FIRST, LAST).tolist() == [row - 7 for row in expected if 7 <= row < 107]
