"""The number a citizen is given: ten digits, the same on the phone, in a text and on the web.

``381 024 9671``: nine digits that tell nothing, and one that checks them. Digits alone can be spoken in any dialect and typed on
any telephone; three groups are what people remember. The nine are a secret permutation of a counter, so that no number comes
twice and nobody finds the next case by counting on. The last is Damm's check digit, which catches every single wrong digit and
every exchange of two neighbours (H. M. Damm, "Total anti-symmetrische Quasigruppen", Marburg 2004); Luhn's misses 09 for 90.
"""

import hashlib
import re
import unicodedata

from jilink.kernel.errors import Refused

DIGITS = 10
_HALF = 30_000
CAPACITY = _HALF * _HALF
"""How many numbers there are: 9 x 10^8, from 100000000 on, so that none begins with a zero that a spreadsheet would drop."""
_FIRST = 10**8
_ROUNDS = 10
KEY_BYTES = 32
_DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)
"""Damm's quasigroup of order 10: row by what was carried, column by the digit."""
_SPOKEN = ("零〇○洞", "一壹幺", "二贰两", "三叁", "四肆", "五伍", "六陆", "七柒拐", "八捌", "九玖勾")
"""How digits are said and written in Chinese; 幺, 拐, 勾 and 洞 are what telephonists say."""
_DIGIT_OF = {word: str(digit) for digit, words in enumerate(_SPOKEN) for word in words}
_NOISE = re.compile(r"[\s\-‐-―−_.,、，。·]+")
_LABEL = re.compile(r"^(?:case(?:number|no)?|number|no|(?:工单|案件|受理|查询)?(?:编号|号码|单号|号)?(?:是|为)?)", re.IGNORECASE)


class NumberMisread(Refused):
    """These are not the digits of a case number; `reason` is ``length``, ``characters`` or ``check``."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class NumbersExhausted(Refused):
    """Every number has been given out."""


def check_digit(digits: str) -> str:
    """Return the digit that makes `digits` whole (Damm 2004)."""
    carried = 0
    for digit in digits:
        carried = int(_DAMM[carried][int(digit)])
    return str(carried)


def number_of(serial: int, key: bytes) -> str:
    """Return the number of the case with this serial, counted from 0. Raises NumbersExhausted from `CAPACITY` on.

    A generalised Feistel network over Z_30000 x Z_30000 keyed by `key` (J. Black and P. Rogaway, "Ciphers with arbitrary finite
    domains", CT-RSA 2002, section 5; ten rounds as NIST SP 800-38G has): a permutation for every key, so no number comes twice.
    """
    if not 0 <= serial < CAPACITY:
        raise NumbersExhausted("Every case number has been given out.")
    left, right = divmod(serial, _HALF)
    for turn in range(_ROUNDS):
        left, right = right, (left + _mixed(key, turn, right)) % _HALF
    body = str(_FIRST + left * _HALF + right)
    return body + check_digit(body)


def serial_of(number: str, key: bytes) -> int:
    """Return the serial that `number_of` made this number from."""
    left, right = divmod(int(parse(number)[:-1]) - _FIRST, _HALF)
    for turn in reversed(range(_ROUNDS)):
        left, right = (right - _mixed(key, turn, left)) % _HALF, left
    return left * _HALF + right


def _mixed(key: bytes, turn: int, half: int) -> int:
    data = turn.to_bytes(1, "big") + half.to_bytes(2, "big")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8, key=key).digest(), "big") % _HALF


def parse(words: str) -> str:
    """Return the ten digits of a number as a person typed or said it. Raises NumberMisread.

    Spaces, dashes, full-width digits (NFKC), Chinese digits with 幺 and 两, and a word like 工单号 or No. before it are understood.
    """
    plain = _NOISE.sub("", unicodedata.normalize("NFKC", words)).strip("#:：()（）")
    plain = _LABEL.sub("", plain, count=1).lstrip("#:：")
    digits = "".join(_DIGIT_OF.get(sign, sign) for sign in plain)
    if not digits.isascii() or not digits.isdigit():
        raise NumberMisread("A case number has digits only.", reason="characters")
    if len(digits) != DIGITS:
        raise NumberMisread("A case number has ten digits.", reason="length")
    if check_digit(digits[:-1]) != digits[-1] or digits[0] == "0":
        raise NumberMisread("This is not a case number: a digit is wrong, or two are exchanged.", reason="check")
    return digits


def grouped(number: str) -> str:
    """Return the number as it is written for people: ``381 024 9671``."""
    return f"{number[:3]} {number[3:6]} {number[6:]}"


def spoken(number: str) -> str:
    """Return the number as it is read out in Chinese, 幺 for one: ``三八幺 零二四 九六七幺``."""
    said = "".join("零幺二三四五六七八九"[int(digit)] for digit in number)
    return grouped(said)
