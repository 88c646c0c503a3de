"""The session of one terminal as a table: (state, message) -> what to do and the states that may follow.

Nothing here reads a socket, a clock or the spine; the worker performs the act and asks for the next state.
Source: JT/T 808-2019, 7.2 (connection), 8.1-8.9 (registration, authentication, logout, time).
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from jilink.spine.records import Admission, Token

GENERAL_ANSWER = 0x8001
REGISTER_ANSWER = 0x8100
TIME_ANSWER = 0x8004
TERMINAL_ANSWER = 0x0001
HEARTBEAT = 0x0002
LOGOUT = 0x0003
TIME_REQUEST = 0x0004
RESEND_REQUEST = 0x0005
REGISTER = 0x0100
AUTHENTICATE = 0x0102


class State(IntEnum):
    """Where a connection stands. The numbers are stored in the connection columns."""

    FREE = 0
    CONNECTED = 1
    REGISTERING = 2
    REGISTERED = 3
    AUTHENTICATING = 4
    ONLINE = 5
    ENDED = 6


class Act(StrEnum):
    """What the worker does with a message."""

    REGISTER = "register"
    AUTHENTICATE = "authenticate"
    BEAT = "beat"
    LOGOUT = "logout"
    TELL_TIME = "tell_time"
    TAKE = "take"
    REFUSE = "refuse"
    WAIT = "wait"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table: the act, the state while it runs, and the states after success and after refusal."""

    act: Act
    meanwhile: State
    success: State
    refusal: State


def _stay(act: Act, state: State) -> Step:
    return Step(act, state, state, state)


_C, _RG, _R, _AG, _O, _E = State.CONNECTED, State.REGISTERING, State.REGISTERED, State.AUTHENTICATING, State.ONLINE, State.ENDED

TABLE: dict[tuple[State, int], Step] = {
    (_C, REGISTER): Step(Act.REGISTER, _RG, _R, _C),
    (_C, AUTHENTICATE): Step(Act.AUTHENTICATE, _AG, _O, _C),
    (_C, TIME_REQUEST): _stay(Act.TELL_TIME, _C),
    (_C, LOGOUT): Step(Act.LOGOUT, _C, _E, _E),
    (_R, REGISTER): Step(Act.REGISTER, _RG, _R, _C),
    (_R, AUTHENTICATE): Step(Act.AUTHENTICATE, _AG, _O, _R),
    (_R, TIME_REQUEST): _stay(Act.TELL_TIME, _R),
    (_R, LOGOUT): Step(Act.LOGOUT, _R, _E, _E),
    (_RG, TIME_REQUEST): _stay(Act.TELL_TIME, _RG),
    (_AG, TIME_REQUEST): _stay(Act.TELL_TIME, _AG),
    (_RG, REGISTER): _stay(Act.WAIT, _RG),
    (_AG, AUTHENTICATE): _stay(Act.WAIT, _AG),
    (_O, REGISTER): Step(Act.REGISTER, _RG, _R, _C),
    (_O, AUTHENTICATE): Step(Act.AUTHENTICATE, _AG, _O, _C),
    (_O, HEARTBEAT): _stay(Act.BEAT, _O),
    (_O, TIME_REQUEST): _stay(Act.TELL_TIME, _O),
    (_O, LOGOUT): Step(Act.LOGOUT, _O, _E, _E),
}
"""Messages that move a session. Registering again ends what was authenticated: the old token is replaced."""

OTHERWISE: dict[State, Act] = {
    State.FREE: Act.IGNORE,
    _C: Act.REFUSE,
    _RG: Act.REFUSE,
    _R: Act.REFUSE,
    _AG: Act.REFUSE,
    _O: Act.TAKE,
    _E: Act.IGNORE,
}
"""Every other message: taken once authenticated, answered with result 1 before that."""


def step(state: State, message: int) -> Step:
    """Return what to do with `message` in `state`. Defined for every pair."""
    return TABLE.get((state, message)) or _stay(OTHERWISE[state], state)


class Result(IntEnum):
    """Result byte of 0x8001 (JT/T 808-2019, 8.2)."""

    SUCCESS = 0
    FAILURE = 1
    MALFORMED = 2
    UNSUPPORTED = 3


class Registration(IntEnum):
    """Result byte of 0x8100 (JT/T 808-2019, 8.8)."""

    SUCCESS = 0
    VEHICLE_TAKEN = 1
    NO_VEHICLE = 2
    TERMINAL_TAKEN = 3
    NO_TERMINAL = 4


def judge_registration(admission: Admission | None, terminal_id: str, plate_owner: int | None) -> Registration:
    """Return the result of a registration. `plate_owner` is the admitted asset that carries the plate the terminal states, if any.

    A plate nobody carries is accepted: terminals leave the factory with one, and the operator sees both.
    """
    if admission is None:
        return Registration.NO_TERMINAL
    if not admission.admitted:
        return Registration.NO_VEHICLE
    if admission.terminal_id and admission.terminal_id != terminal_id:
        return Registration.TERMINAL_TAKEN
    if plate_owner is not None and plate_owner != admission.asset:
        return Registration.VEHICLE_TAKEN
    return Registration.SUCCESS


def new_token() -> str:
    """Return a random authentication token: 32 characters of hexadecimal, 128 bits."""
    return secrets.token_hex(16)


def hash_token(token: str) -> str:
    """Return the SHA-256 of a token, as it is stored."""
    return hashlib.sha256(token.encode("gbk", "replace")).hexdigest()


def judge_authentication(admission: Admission | None, stored: Token | None, token: str) -> bool:
    """Tell whether a terminal may come online. The comparison takes the same time wherever the tokens differ.

    A token holds for the phone it is stored under, the terminal id that registered and the asset it registered for.
    """
    expected = stored.token_sha256 if stored else "0" * 64
    equal = hmac.compare_digest(expected, hash_token(token))
    if admission is None or stored is None or not admission.admitted:
        return False
    bound = not admission.terminal_id or admission.terminal_id == stored.terminal_id
    return equal and bound and stored.asset == admission.asset
