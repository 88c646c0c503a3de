"""Registration and authentication: the two questions that need the spine's buckets, asked beside the loop."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from jilink.edges.terminals import metrics
from jilink.edges.terminals.connections import Terminal
from jilink.edges.terminals.events import Teller, plain
from jilink.edges.terminals.gateway import Gateway
from jilink.edges.terminals.limits import Budget
from jilink.edges.terminals.link import Link, Received
from jilink.edges.terminals.session import (
    Registration,
    Result,
    State,
    Step,
    hash_token,
    judge_authentication,
    judge_registration,
    new_token,
)
from jilink.kernel.errors import Unavailable
from jilink.protocols.jt808.general import Registration2011
from jilink.spine import subjects
from jilink.spine.records import Admission, Token
from jilink.spine.terminals import TerminalRegistered, TerminalSeen, TerminalSpoke

MOST_FAILURES = 3
"""Refused authentications in a row before the connection is closed."""

EDITIONS_A_TICK = 25
"""So many terminals are reported at once as speaking another edition than was known; a fleet's first login must not fill the spine."""

LISTED_PER_SECOND = 20.0
LISTED_AT_ONCE = 500.0


@dataclass(frozen=True, slots=True)
class _Known:
    """What the buckets say of one terminal, read through where the mirror does not have it."""

    admission: Admission | None
    token: Token | None


Decide = Callable[[_Known | None, Unavailable | None], None]


class Registrar:
    """Registers and authenticates terminals; every answer is sent from the loop's thread to the connection that asked."""

    def __init__(self, gateway: Gateway, link: Link, teller: Teller) -> None:
        self._gateway, self._link, self._teller = gateway, link, teller
        self._listing = Budget(LISTED_PER_SECOND, LISTED_AT_ONCE)
        self._editions: dict[int, tuple[int, int]] = {}

    def tick(self) -> None:
        """Report a few of the terminals that speak another edition than was known."""
        for asset in list(itertools.islice(self._editions, EDITIONS_A_TICK)):
            organisation, year = self._editions.pop(asset)
            self._teller.tell(TerminalSpoke(asset=asset, year=year), organisation)

    def register(self, terminal: Terminal, received: Received, message: Registration2011, step: Step) -> None:
        """Take a 0x0100. The token is stored, as a hash, before the terminal hears of it."""
        self._gateway.offline(terminal, "registers_again")
        self._move(terminal, step.meanwhile)
        terminal.terminal_id = plain(message.terminal)

        def decide(known: _Known | None, error: Unavailable | None) -> None:
            if not self._still(terminal, step.meanwhile):
                return
            if error is not None or known is None:
                self._move(terminal, step.refusal)
                return
            plate = plain(message.plate)
            result = judge_registration(known.admission, terminal.terminal_id, self._gateway.directory.plate_owner(plate))
            if result is Registration.SUCCESS and known.admission:
                self._admit(terminal, received, message, known.admission, step)
                return
            metrics.REFUSED.labels(result.name.lower()).inc()
            if known.admission is None and self._may_list():
                self._gateway.quarantine(terminal, received.raw, "unknown_terminal")
                self._teller.tell(
                    TerminalSeen(
                        phone=terminal.phone,
                        terminal_id=terminal.terminal_id,
                        maker=plain(message.maker),
                        model=plain(message.model),
                        plate=plate,
                        year=terminal.year,
                    )
                )
            self._refuse(terminal, received, result, step)

        self._gateway.when_mirrored(terminal, lambda: self._look_up(terminal, decide, token=False))

    def authenticate(self, terminal: Terminal, received: Received, text: str, step: Step) -> None:
        """Take a 0x0102: online where the token is the one issued to this phone, terminal and asset."""
        self._gateway.offline(terminal, "authenticates_again")
        self._move(terminal, step.meanwhile)
        self._gateway.when_mirrored(terminal, lambda: self._judge(terminal, received, text, step))

    def _judge(self, terminal: Terminal, received: Received, text: str, step: Step) -> None:
        if not self._still(terminal, step.meanwhile):
            return
        known = self._mirrored(terminal)
        if judge_authentication(known.admission, known.token, text):
            self._accept(terminal, received, known, step)
            return

        def decide(known: _Known | None, error: Unavailable | None) -> None:
            if not self._still(terminal, step.meanwhile):
                return
            if error is not None or known is None:
                self._move(terminal, step.refusal)
            elif judge_authentication(known.admission, known.token, text):
                self._accept(terminal, received, known, step)
            else:
                self._reject(terminal, received, step)

        self._look_up(terminal, decide, token=True)

    def _admit(self, terminal: Terminal, received: Received, message: Registration2011, admission: Admission, step: Step) -> None:
        gateway, text = self._gateway, new_token()
        token = Token(token_sha256=hash_token(text), terminal_id=terminal.terminal_id, asset=admission.asset, issued_at=gateway.now())

        key = terminal.key

        def stored(revision: int, error: Exception | None) -> None:
            if error is None:
                gateway.directory.keep_token(key, token, revision)
            if not self._still(terminal, step.meanwhile):
                return
            if error is not None:
                self._move(terminal, step.refusal)
                return
            self._move(terminal, step.success)
            self._link.register_answer(terminal, received, Registration.SUCCESS, text)

        gateway.spine.put_soon(
            subjects.TOKENS, key, msgspec.json.encode(token), lambda revision, error: gateway.post(lambda: stored(revision, error))
        )
        self._teller.tell(
            TerminalRegistered(
                asset=admission.asset,
                terminal_id=terminal.terminal_id,
                maker=plain(message.maker),
                model=plain(message.model),
                plate=plain(message.plate),
                year=terminal.year,
            ),
            admission.organisation,
        )

    def _may_list(self) -> bool:
        """Unknown terminals are listed where the policy says so, and only so many a second: anyone may claim any phone."""
        return self._gateway.directory.policy.quarantine_unknown and self._listing.spend(self._gateway.clock())

    def _refuse(self, terminal: Terminal, received: Received, result: Registration, step: Step) -> None:
        self._move(terminal, step.refusal)
        self._link.register_answer(terminal, received, result, "")

    def _accept(self, terminal: Terminal, received: Received, known: _Known, step: Step) -> None:
        if known.admission is None or known.token is None:
            return
        terminal.failures = 0
        terminal.terminal_id = known.token.terminal_id
        self._gateway.online(terminal, known.admission)
        self._move(terminal, step.success)
        if known.admission.year != terminal.year:
            self._editions[known.admission.asset] = (known.admission.organisation, terminal.year)
        self._link.answer(terminal, received, Result.SUCCESS)

    def _reject(self, terminal: Terminal, received: Received, step: Step) -> None:
        metrics.REFUSED.labels("authentication").inc()
        terminal.failures += 1
        self._move(terminal, step.refusal)
        self._link.answer(terminal, received, Result.FAILURE)
        if terminal.failures >= MOST_FAILURES:
            self._gateway.close(terminal, "authentication_refused")

    def _mirrored(self, terminal: Terminal) -> _Known:
        directory = self._gateway.directory
        return _Known(directory.admission(terminal.key), directory.token(terminal.key))

    def _look_up(self, terminal: Terminal, decide: Decide, *, token: bool) -> None:
        """Answer from the mirror where it knows enough, else from the buckets themselves."""
        mirrored, key, spine = self._mirrored(terminal), terminal.key, self._gateway.spine
        if mirrored.admission is not None and not token:
            decide(mirrored, None)
            return

        def ask() -> _Known:
            admission = spine.get(subjects.ADMISSION, key)
            stored = spine.get(subjects.TOKENS, key) if token else None
            return _Known(
                msgspec.json.decode(admission, type=Admission) if admission else None,
                msgspec.json.decode(stored, type=Token) if stored else None,
            )

        self._gateway.fetch(ask, decide)

    def _move(self, terminal: Terminal, state: State) -> None:
        self._gateway.connections.state[terminal.fd] = state

    def _still(self, terminal: Terminal, state: State) -> bool:
        gateway = self._gateway
        current = gateway.connections.current(terminal.fd, terminal.generation)
        return current is not None and gateway.connections.state_of(terminal.fd) is state
