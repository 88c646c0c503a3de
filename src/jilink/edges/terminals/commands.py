"""Commands from the spine to terminals: asked on `terminals.command.<asset>`, answered by the worker that holds the terminal.

The reply comes twice: ``sent`` (or ``refused``) at once, then ``answered`` or ``failed``.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec

from jilink.edges.terminals import metrics
from jilink.edges.terminals.connections import Terminal
from jilink.edges.terminals.gateway import Gateway
from jilink.edges.terminals.link import Link
from jilink.edges.terminals.matching import Outstanding
from jilink.edges.terminals.orders import FieldsRefused, build
from jilink.edges.terminals.session import State
from jilink.kernel.errors import Malformed
from jilink.spine import subjects
from jilink.spine.records import CommandReply, CommandRequest

MOST_OUTSTANDING = 10_000
LONGEST_S = 3600.0

_request = msgspec.json.Decoder(CommandRequest)
_encoder = msgspec.json.Encoder()

NEVER = frozenset({0x8001, 0x8003, 0x8004, 0x8100, 0x8800, 0x9208, 0x9212})
"""Messages of the session itself: the gateway sends them, nobody orders them."""


class Commands:
    """Takes commands for the terminals this worker holds."""

    def __init__(self, gateway: Gateway, link: Link) -> None:
        self._gateway, self._link = gateway, link

    def serve(self) -> None:
        """Begin to listen."""
        self._gateway.spine.serve(subjects.COMMANDS, self._hear)

    def tick(self) -> None:
        """Fail what is past its time."""
        gateway = self._gateway
        gateway.deliver(gateway.ledger.expire(gateway.clock(), gateway.now()))

    def _hear(self, subject: str, payload: bytes, reply: Callable[[bytes], None]) -> None:
        asset = subject.rpartition(".")[2]
        if asset.isascii() and asset.isdecimal():
            self._gateway.post(lambda: self._take(int(asset), payload, reply))

    def _take(self, asset: int, payload: bytes, reply: Callable[[bytes], None]) -> None:
        gateway = self._gateway

        def deliver(answer: CommandReply) -> None:
            reply(_encoder.encode(answer))

        try:
            request = _request.decode(payload)
        except msgspec.DecodeError as error:
            deliver(CommandReply(command="", state="refused", reason="wrong_request", reply={"detail": str(error)}, at=gateway.now()))
            return
        known = gateway.ledger.repeat(request.command, deliver)
        if known is not None:
            deliver(known)
            return
        terminal = gateway.connections.of_asset(asset)
        if terminal is None or gateway.connections.state_of(terminal.fd) is not State.ONLINE:
            return  # another worker holds it, or nobody does: whoever asks takes silence for offline
        if request.organisation != gateway.connections.organisation[terminal.fd]:
            deliver(CommandReply(command=request.command, state="refused", reason="other_organisation", at=gateway.now()))
            return
        self._send(terminal, request, deliver, gateway.now())

    def _send(self, terminal: Terminal, request: CommandRequest, deliver: Callable[[CommandReply], None], at: datetime) -> None:
        gateway = self._gateway

        def refuse(reason: str, **said: object) -> None:
            metrics.COMMANDS.labels("refused").inc()
            deliver(CommandReply(command=request.command, state="refused", reason=reason, reply=said, at=at))

        form = self._link.form(terminal, request.message)
        if form is None or request.message in NEVER:
            refuse("not_supported")
            return
        if len(gateway.ledger) >= MOST_OUTSTANDING:
            refuse("too_many")
            return
        try:
            serial, frames = self._link.encode(terminal, build(form, request.fields))
        except FieldsRefused as error:
            refuse("wrong_fields", detail=str(error), field=error.field, wanted=error.wanted, given=error.given)
            return
        except Malformed as error:
            refuse("does_not_fit", detail=str(error), field=str(error).partition(":")[0])
            return
        last = (serial + len(frames) - 1) & 0xFFFF
        gateway.ledger.open(
            Outstanding(
                command=request.command,
                connection=terminal.number,
                message=request.message,
                serials=frozenset((serial + k) & 0xFFFF for k in range(len(frames))),
                last_serial=last,
                deadline=gateway.clock() + min(max(request.timeout_s, 0.1), LONGEST_S),
                deliver=[deliver],
                frames=tuple(frames) if len(frames) > 1 else (),
            )
        )
        gateway.send(terminal, frames)
        metrics.COMMANDS.labels("sent").inc()
        deliver(CommandReply(command=request.command, state="sent", at=at))
