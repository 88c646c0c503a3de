"""The plain path: every message that is not a position or a heartbeat of an authenticated terminal, one frame at a time."""

from collections.abc import Callable, Mapping

from jilink.edges.terminals.commands import Commands
from jilink.edges.terminals.connections import Terminal
from jilink.edges.terminals.events import Teller
from jilink.edges.terminals.gateway import Gateway
from jilink.edges.terminals.link import Link, Received
from jilink.edges.terminals.matching import ANSWERS, UNNUMBERED
from jilink.edges.terminals.media import Media
from jilink.edges.terminals.packages import Packages
from jilink.edges.terminals.registrar import Registrar
from jilink.edges.terminals.session import TERMINAL_ANSWER, Act, Result, State, Step, step
from jilink.kernel.errors import Malformed
from jilink.protocols.jt808 import codec
from jilink.protocols.jt808.columns import phone_number
from jilink.protocols.jt808.general import (
    Authentication,
    Authentication2013,
    PlatformAnswer,
    Registration2011,
    TerminalAnswer,
    TerminalResendRequest,
)
from jilink.protocols.jt808.header import Header
from jilink.protocols.jt808.media import MediaUpload, MediaUpload2011
from jilink.protocols.wire.records import Record
from jilink.spine.terminals import MessageReceived

POSITIONS = frozenset({0x0200, 0x0201, 0x0704, 0x0500})
"""Messages that carry positions. The hot path takes them, but for those in packages."""
ASKED = frozenset(ANSWERS.values()) - {TERMINAL_ANSWER}
"""Messages that may answer a command."""

TakePositions = Callable[[Terminal, Received], None]


class Plain:
    """Decodes one frame, asks the session table, acts. Nothing a device sends raises."""

    def __init__(self, gateway: Gateway, link: Link, positions: TakePositions) -> None:
        self._gateway, self._link, self._positions = gateway, link, positions
        self._teller = Teller(gateway.publisher, gateway.now)
        self._registrar = Registrar(gateway, link, self._teller)
        self._media = Media(gateway, link, self._teller)
        self._packages = Packages(gateway, link)
        self.commands = Commands(gateway, link)
        self._acts: Mapping[Act, Callable[[Terminal, Received, Step], None]] = {
            Act.REGISTER: self._register,
            Act.AUTHENTICATE: self._authenticate,
            Act.BEAT: self._beat,
            Act.LOGOUT: self._log_out,
            Act.TELL_TIME: self._tell_time,
            Act.TAKE: self._take,
            Act.REFUSE: self._refuse,
            Act.WAIT: self._ignore,
            Act.IGNORE: self._ignore,
        }

    def tick(self) -> None:
        """Ask again for packages that are late, fail commands that are, report what terminals spoke."""
        self._registrar.tick()
        self._packages.tick()
        self.commands.tick()

    def frame(self, terminal: Terminal, raw: bytes, *, stored: bool) -> None:
        """Handle one frame; `stored` says that the hot path has its position. What cannot be decoded is kept with its reason."""
        try:
            packet = codec.open_frame(raw)
        except Malformed as error:
            self._malformed(terminal, raw, error.reason)
            return
        try:
            received = self._link.decode(terminal, packet, raw)
        except Malformed as error:
            self._tell_malformed(terminal, packet.header)
            self._malformed(terminal, raw, error.reason)
            return
        if not self._identify(terminal, received):
            return
        todo = step(self._gateway.connections.state_of(terminal.fd), received.id)
        if received.part and todo.act in (Act.TAKE, Act.REGISTER, Act.AUTHENTICATE):
            try:
                whole = self._packages.add(terminal, received)
            except Malformed as error:
                self._malformed(terminal, raw, error.reason)
                return
            if whole is None:
                return
            received = whole
        if stored:
            self._settle(terminal, received)
        else:
            self._acts[todo.act](terminal, received, todo)

    def _identify(self, terminal: Terminal, received: Received) -> bool:
        """Bind the connection to the phone of its first frame; False for a frame of any other phone."""
        header, columns = received.header, self._gateway.connections
        number = phone_number(header.digits)
        if not terminal.phone:
            terminal.phone = header.phone
            columns.phone_high[terminal.fd], columns.phone[terminal.fd] = number
        elif header.phone != terminal.phone:
            self._gateway.quarantine(terminal, received.raw, "foreign_phone")
            self._link.answer(terminal, received, Result.FAILURE)
            return False
        if header.year == 2019:
            terminal.year, terminal.version = 2019, header.version
        elif isinstance(received.fields, Registration2011) or terminal.year == 2019:
            terminal.year = received.year
        return True

    def _malformed(self, terminal: Terminal, raw: bytes, reason: str) -> None:
        self._gateway.quarantine(terminal, raw, reason)
        if self._gateway.rates.malformed(terminal.fd):
            self._gateway.close(terminal, "malformed")

    def _tell_malformed(self, terminal: Terminal, header: Header) -> None:
        """Answer result 2 (JT/T 808-2019, 8.2) to a whole frame whose body fits no form, so that its sender does not repeat it for ever."""
        online = self._gateway.connections.state_of(terminal.fd) is State.ONLINE
        if online and header.phone == terminal.phone and header.id != TERMINAL_ANSWER:
            self._link.send(terminal, PlatformAnswer(reply_serial=header.serial, reply_id=header.id, result=int(Result.MALFORMED)))

    def _register(self, terminal: Terminal, received: Received, todo: Step) -> None:
        if isinstance(received.fields, Registration2011):
            self._registrar.register(terminal, received, received.fields, todo)

    def _authenticate(self, terminal: Terminal, received: Received, todo: Step) -> None:
        if isinstance(received.fields, Authentication | Authentication2013):
            self._registrar.authenticate(terminal, received, received.fields.token, todo)

    def _beat(self, terminal: Terminal, received: Received, todo: Step) -> None:
        self._link.answer(terminal, received, Result.SUCCESS)

    def _log_out(self, terminal: Terminal, received: Received, todo: Step) -> None:
        self._link.answer(terminal, received, Result.SUCCESS)
        self._gateway.close(terminal, "logout")

    def _tell_time(self, terminal: Terminal, received: Received, todo: Step) -> None:
        self._link.tell_time(terminal, self._gateway.now())

    def _refuse(self, terminal: Terminal, received: Received, todo: Step) -> None:
        self._link.answer(terminal, received, Result.FAILURE)

    def _ignore(self, terminal: Terminal, received: Received, todo: Step) -> None:
        """Nothing: the session is busy with the same question, or over."""

    def _take(self, terminal: Terminal, received: Received, todo: Step) -> None:
        message = received.fields
        if message is None:
            self._gateway.quarantine(terminal, received.raw, "encrypted" if received.header.encryption else "unknown_message")
            self._link.answer(terminal, received, Result.UNSUPPORTED)
        elif isinstance(message, TerminalAnswer):
            self._general_answer(terminal, message)
        elif isinstance(message, TerminalResendRequest):
            self._send_again(terminal, received, message)
        elif isinstance(message, MediaUpload | MediaUpload2011):
            self._media.store(terminal, message)
        else:
            self._content(terminal, received, message)

    def _content(self, terminal: Terminal, received: Received, message: Record) -> None:
        """A message worth keeping: positions, a command's answer, else an event; answered once it is safe."""
        settled = self._settle(terminal, received)
        if received.id in POSITIONS:
            self._positions(terminal, received)
        elif settled:
            self._link.answer(terminal, received, Result.SUCCESS)
        elif terminal.admission:
            owner = terminal.admission
            fields: dict[str, object] = {**message.render()}
            event = MessageReceived(asset=owner.asset, message=received.id, serial=received.serial, fields=fields)
            self._teller.tell(event, owner.organisation, self._link.answer_when_stored(terminal, received))

    def _settle(self, terminal: Terminal, received: Received) -> bool:
        """Give a command its answer; False where nobody asked."""
        gateway, message = self._gateway, received.fields
        if received.id not in ASKED or message is None:
            return False
        serial = None if received.id in UNNUMBERED else getattr(message, "reply_serial", None)
        now, at = gateway.clock(), gateway.now()
        settled = gateway.ledger.answer(terminal.number, received.id, serial, {**message.render()}, now, at)
        gateway.deliver(settled)
        return bool(settled)

    def _general_answer(self, terminal: Terminal, message: TerminalAnswer) -> None:
        gateway = self._gateway
        gateway.deliver(gateway.ledger.accept(terminal.number, message.reply_serial, message.result, gateway.clock(), gateway.now()))

    def _send_again(self, terminal: Terminal, received: Received, message: TerminalResendRequest) -> None:
        frames = self._gateway.ledger.frames_to_repeat(terminal.number, message.first_serial)
        again = [frames[index - 1] for index in message.packages if 0 < index <= len(frames)]
        if again:
            self._gateway.send(terminal, again)
        self._link.answer(terminal, received, Result.SUCCESS if again else Result.FAILURE)
