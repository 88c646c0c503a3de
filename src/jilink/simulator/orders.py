"""What a pretend terminal does when the platform orders something. One function an order; the table is the list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, cast

from jilink.protocols.jt808.message import MESSAGES
from jilink.protocols.jt808.parameters import Parameters
from jilink.protocols.wire.groups import Tag, Tags
from jilink.protocols.wire.records import Record
from jilink.simulator import photo, reports

if TYPE_CHECKING:
    from jilink.simulator.terminal import Terminal

OK, UNSUPPORTED = 0, 3
MOST_PHOTOGRAPHS = 10
TYPE_BITS = {"coach": 1 << 0, "dangerous goods": 1 << 1, "truck": 1 << 2, "taxi": 1 << 3, "refuse truck": 1 << 2}

Order = Callable[["Terminal", int, Record, datetime], bytes]


def obey(terminal: Terminal, id: int, serial: int, fields: Record, now: datetime) -> bytes:
    """Do what was ordered and return the answer; what a terminal cannot do is answered with "unsupported"."""
    order = ORDERS.get(id)
    if order is not None:
        return order(terminal, serial, fields, now)
    known = (id, "down", terminal.year) in MESSAGES
    return _answer(terminal, serial, id, OK if known and id in ACCEPTED else UNSUPPORTED)


def _answer(terminal: Terminal, serial: int, id: int, result: int = OK) -> bytes:
    return terminal.send(reports.message(0x0001, terminal.year, reply_serial=serial, reply_id=id, result=result)).bytes


def _position(terminal: Terminal, serial: int, fields: Record, now: datetime) -> bytes:
    return terminal.send(reports.message(0x0201, terminal.year, reply_serial=serial, position=terminal.position(now))).bytes


def _track(terminal: Terminal, serial: int, fields: Record, now: datetime) -> bytes:
    interval, duration = (cast(int, fields.__dict__.get(name) or 0) for name in ("interval", "duration"))
    terminal.track(interval, duration, now)
    return _answer(terminal, serial, 0x8202)


def _confirm(terminal: Terminal, serial: int, fields: Record, now: datetime) -> bytes:
    terminal.troubles.confirm(cast(int, fields.__dict__.get("alarms", 0)), now)
    return _answer(terminal, serial, 0x8203)


def _text(terminal: Terminal, serial: int, fields: Record, now: datetime) -> bytes:
    terminal.texts.append(cast(str, fields.__dict__.get("text", "")))
    del terminal.texts[:-20]
    return _answer(terminal, serial, 0x8300)


def _set_parameters(terminal: Terminal, serial: int, fields: Record, now: datetime) -> bytes:
    for tag in cast(Tags, fields.__dict__["parameters"]):
        terminal.parameters[tag.id] = tag.value
    terminal.apply_parameters()
    return _answer(terminal, serial, 0x8103)


def _parameters(terminal: Terminal, serial: int, ids: list[int]) -> bytes:
    table = Parameters.parameters.kinds
    tags = Tags()
    for id in ids:
        value = terminal.parameters[id]
        tags.items.append(Tag(id, value, next((kind for kind in table.get(id, ()) if not isinstance(value, bytes)), None)))
    return terminal.send(reports.message(0x0104, terminal.year, reply_serial=serial, parameters=tags)).bytes


def _all_parameters(terminal: Terminal, serial: int, fields: Record, now: datetime) -> bytes:
    return _parameters(terminal, serial, sorted(terminal.parameters))


def _some_parameters(terminal: Terminal, serial: int, fields: Record, now: datetime) -> bytes:
    wanted = cast(list[int], fields.__dict__["ids"])
    return _parameters(terminal, serial, [id for id in wanted if id in terminal.parameters])


def _control(terminal: Terminal, serial: int, fields: Record, now: datetime) -> bytes:
    if fields.__dict__.get("command") in (4, 5):  # reset
        terminal.after(1.0, _reset(terminal), now)
    return _answer(terminal, serial, 0x8105)


def _reset(terminal: Terminal) -> Callable[[datetime], bytes]:
    def work(now: datetime) -> bytes:
        terminal.close(now, 5.0)
        return b""

    return work


def _attributes(terminal: Terminal, serial: int, fields: Record, now: datetime) -> bytes:
    vehicle = terminal.vehicle
    attributes = reports.message(
        0x0107,
        terminal.year,
        type=TYPE_BITS[vehicle.kind],
        maker=vehicle.manufacturer,
        model=vehicle.terminal_model,
        terminal=vehicle.terminal_id,
        iccid=f"898600{vehicle.index:014d}",
        hardware="JL-HW 3.1",
        firmware="JL-2.4.1",
        gnss=0b0011,
        radio=1 << 5,
    )
    return terminal.send(attributes).bytes


def _upgrade(terminal: Terminal, serial: int, fields: Record, now: datetime) -> bytes:
    kind = cast(int, fields.__dict__.get("type", 0))

    def done(_now: datetime) -> bytes:
        return terminal.send(reports.message(0x0108, terminal.year, type=kind, result=OK)).bytes

    terminal.after(8.0, done, now)
    return _answer(terminal, serial, 0x8108)


def _vehicle(terminal: Terminal, serial: int, fields: Record, now: datetime) -> bytes:
    """2013: bit 0 locks. 2019: a list of controls, doors 0 close and lock, 1 open."""
    if terminal.year == 2013:
        terminal.doors_locked = bool(cast(int, fields.__dict__.get("flag", 0)) & 1)
    for control in cast(list[Record], fields.__dict__.get("controls", ())):
        if control.__dict__.get("type") == 1:
            terminal.doors_locked = control.__dict__.get("parameter") == 0
    return terminal.send(reports.message(0x0500, terminal.year, reply_serial=serial, position=terminal.position(now))).bytes


def _photograph(terminal: Terminal, serial: int, fields: Record, now: datetime) -> bytes:
    """Take photographs: the answer names them, then each follows as packages."""
    count, channel = (cast(int, fields.__dict__[name]) for name in ("command", "channel"))
    if not 0 < count <= MOST_PHOTOGRAPHS:
        result = OK if count == 0 else 1
        return terminal.send(
            reports.message(0x0805, terminal.year, reply_serial=serial, result=result, media=[] if result == OK else None)
        ).bytes
    first = terminal.vehicle.index * 1000 + terminal.dice.randrange(1000) * 1_000_000 & 0x7FFF_FFFF
    ids = [first + number for number in range(count)]
    interval = max(cast(int, fields.__dict__["interval"]), 1)
    for number, id in enumerate(ids):
        terminal.after(1.0 + number * interval, _upload(terminal, id, channel, fields), now)
    return terminal.send(reports.message(0x0805, terminal.year, reply_serial=serial, result=OK, media=ids)).bytes


def _upload(terminal: Terminal, id: int, channel: int, fields: Record) -> Callable[[datetime], bytes]:
    def work(now: datetime) -> bytes:
        terminal.drive.advance(now)
        fix = terminal.drive.fix()
        resolution, quality = (cast(int, fields.__dict__[name]) for name in ("resolution", "quality"))
        picture = photo.take(now, fix.speed_kmh, resolution, quality, terminal.dice)
        upload = MESSAGES[0x0801, "up", terminal.year]
        whole = terminal.position(now).__dict__
        place_kind = cast(type[Record], upload.position.record)  # type: ignore[attr-defined]  # -- every year but 2011 has it
        place = place_kind(**{name: whole[name] for name in place_kind.fields()})
        head: dict[str, object] = {"media": id, "type": 0, "format": 0, "event": 0, "channel": channel}
        event = terminal.send(reports.message(0x0800, terminal.year, **head))
        sent = terminal.send(reports.message(0x0801, terminal.year, **head, position=place, data=picture))
        terminal.recordings[id] = sent
        while len(terminal.recordings) > MOST_PHOTOGRAPHS:
            terminal.recordings.pop(next(iter(terminal.recordings)))
        return event.bytes + sent.bytes

    return work


def _uploaded(terminal: Terminal, serial: int, fields: Record, now: datetime) -> bytes:
    """Send missing packages again; forget a recording that arrived whole."""
    id, missing = cast(int, fields.__dict__["media"]), cast(list[int] | None, fields.__dict__.get("packages"))
    if not missing:
        terminal.recordings.pop(id, None)
        return b""
    kept = terminal.recordings.get(id)
    return b"" if kept is None else b"".join(kept.frames[index - 1] for index in missing if 0 < index <= len(kept.frames))


def _resend(terminal: Terminal, serial: int, fields: Record, now: datetime) -> bytes:
    first, wanted = cast(int, fields.__dict__["first_serial"]), cast(list[int], fields.__dict__["packages"])
    for kept in terminal.recordings.values():
        if kept.serial == first:
            return b"".join(kept.frames[index - 1] for index in wanted if 0 < index <= len(kept.frames))
    return b""


def _nothing(terminal: Terminal, serial: int, fields: Record, now: datetime) -> bytes:
    return b""


ORDERS: dict[int, Order] = {
    0x8003: _resend,
    0x8004: _nothing,
    0x8103: _set_parameters,
    0x8104: _all_parameters,
    0x8105: _control,
    0x8106: _some_parameters,
    0x8107: _attributes,
    0x8108: _upgrade,
    0x8201: _position,
    0x8202: _track,
    0x8203: _confirm,
    0x8300: _text,
    0x8500: _vehicle,
    0x8800: _uploaded,
    0x8801: _photograph,
}

ACCEPTED = frozenset({0x8204, 0x8301, 0x8302, 0x8303, 0x8304, 0x8400, 0x8401, *range(0x8600, 0x8608)})
"""Orders that are simply answered with success."""
