"""Pure decisions about people: the one form of a contact, what a number shows when masked, and what an identity number must be."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum

import msgspec
import phonenumbers

from jilink.core.parties import rules as parties
from jilink.kernel.errors import Refused

REGION = "CN"
UNDO_WITHIN = timedelta(days=30)
CONSENT_KEPT = timedelta(days=3 * 365)
"""How long the evidence of a consent is kept after it ended."""
LONGEST_NOTES = 10_000
LONGEST_NAMES = 400

SHORT_CODES = (
    frozenset({"110", "119", "120", "122", "10000", "10010", "10086", "10099", "12110", "12121"})
    | frozenset(
        {"12301", "12305", "12306", "12308", "12309", "12310", "12312", "12313", "12314", "12315", "12316", "12318", "12319", "12320"}
    )
    | frozenset({"12321", "12323", "12328", "12329", "12330", "12331", "12333", "12336", "12337", "12338", "12339", "12340", "12343"})
    | frozenset(
        {"12345", "12348", "12349", "12350", "12351", "12355", "12356", "12358", "12360", "12363", "12365", "12366", "12367", "12368"}
    )
    | frozenset({"12369", "12371", "12377", "12378", "12380", "12381", "12386", "12388", "12389", "12393", "12395", "12398"})
)
"""Numbers of public services that are dialled as they are; they have no international form."""
_ENTERPRISE = re.compile(r"9[56]\d{3,6}")
"""Codes of nation-wide enterprises and of services of a province: 95xxx and 96xxx."""


class ContactKind(StrEnum):
    """A way to reach a person."""

    PHONE = "phone"
    EMAIL = "email"
    ADDRESS = "address"
    WECHAT = "wechat"
    OTHER = "other"


class ContactRefused(Refused):
    """This is no telephone number, address or account of its kind."""


class IdentityRefused(Refused):
    """This is no resident identity number."""


class PersonRefused(Refused):
    """A person cannot be kept so; the message says what is wrong."""


def contact(kind: ContactKind, text: str) -> str:
    """Return a contact in the one form of its kind, by which doubles are found. Raises ContactRefused."""
    value = " ".join(text.split())
    if not value or len(value) > 250 or not value.isprintable():
        raise ContactRefused("A contact needs between 1 and 250 characters.")
    if kind is ContactKind.PHONE:
        return phone(value)
    if kind is ContactKind.EMAIL:
        if not re.fullmatch(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+", value):
            raise ContactRefused("That is no e-mail address.")
        return value.lower()
    return value


def phone(text: str) -> str:
    """Return a number in E.164 (``+8613900000000``), or a short code as it is dialled. Raises ContactRefused."""
    digits = re.sub(r"[\s().-]", "", text)
    if digits in SHORT_CODES or _ENTERPRISE.fullmatch(digits):
        return digits
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException as error:
        raise ContactRefused("That is no telephone number. Landlines need their area code.") from error
    if not phonenumbers.is_valid_number(number):
        raise ContactRefused("There is no such telephone number. Landlines need their area code.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


LONGEST_NUMBER = 20


def tail(kind: str, value: str) -> str:
    """Return the digits of a telephone from the last to the first; empty for any other contact."""
    return "".join(reversed([each for each in value if each.isdigit()]))[:LONGEST_NUMBER] if kind == ContactKind.PHONE else ""


def ending_in(digits: str) -> tuple[str, str]:
    """Return the least and the greatest tail of the telephones that end in these digits, the same under every collation."""
    least = "".join(reversed(digits))[:LONGEST_NUMBER]
    return least, least + "9" * (LONGEST_NUMBER - len(least))


def masked_contact(kind: str, value: str) -> str:
    """Return a contact with most of it hidden: enough to recognise, too little to use."""
    if kind == ContactKind.PHONE:
        if not value.startswith("+"):
            return value  # a public service's number is nobody's secret
        home = value.removeprefix("+86")
        return parties.masked(home) if home != value else f"{value[:4]}****{value[-3:]}"
    if kind == ContactKind.EMAIL:
        name, _at, domain = value.partition("@")
        return f"{name[:1]}***@{domain}"
    if kind == ContactKind.ADDRESS:
        return f"{value[:6]}…" if len(value) > 8 else "…"
    return f"{value[:1]}***"


_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def identity_number(text: str, today: date) -> str:
    """Return an 18-character resident identity number with its check character large. Raises IdentityRefused.

    Area (6), date of birth (8), sequence (3), check by ISO 7064 MOD 11-2 (GB 11643-1999, 4.1 and 4.2).
    """
    number = re.sub(r"\s", "", text).upper()
    if not re.fullmatch(r"[1-9][0-9]{16}[0-9X]", number):
        raise IdentityRefused("An identity number has 17 digits and a check character.")
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise IdentityRefused("The date of birth in this identity number does not exist.") from error
    if not date(1880, 1, 1) <= born <= today:
        raise IdentityRefused("The date of birth in this identity number cannot be.")
    if _CHECKS[sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False)) % 11] != number[17]:
        raise IdentityRefused("The check character of this identity number is wrong: one of its digits is mistyped.")
    return number


def looks_like_identity(text: str) -> bool:
    """Return whether somebody may have meant an identity number."""
    return re.fullmatch(r"[1-9][0-9]{16}[0-9Xx]", re.sub(r"\s", "", text)) is not None


def masked_identity(number: str) -> str:
    """Return an identity number of which only the province and the last character show: ``22***************X``."""
    return f"{number[:2]}{'*' * (len(number) - 3)}{number[-1:]}"


def names(text: str) -> str:
    """Return further names, one a line, each once. Raises PersonRefused."""
    lines = dict.fromkeys(" ".join(line.split()) for line in text.splitlines())
    kept = "\n".join(line for line in lines if line)
    if len(kept) > LONGEST_NAMES:
        raise PersonRefused("These are too many names.")
    return kept


def name(text: str) -> str:
    """Return a name with its spaces in order. Raises PersonRefused."""
    kept = " ".join(text.split())
    if len(kept) > 120:
        raise PersonRefused("A name has at most 120 characters.")
    return kept


def languages(tags: tuple[str, ...]) -> str:
    """Return language tags as they are kept, each once, the preferred one first. Raises PersonRefused."""
    kept = list(dict.fromkeys(tag.strip().lower() for tag in tags if tag.strip()))
    if any(not re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", tag) for tag in kept) or len(",".join(kept)) > 60:
        raise PersonRefused("Give languages as tags, like zh or ko-kr.")
    return ",".join(kept)


def notes(text: str) -> str:
    """Return notes as they are kept. Raises PersonRefused."""
    if len(text) > LONGEST_NOTES:
        raise PersonRefused("Notes have at most 10,000 characters.")
    return text.strip()


def purpose(text: str) -> str:
    """Return the name of a purpose: small letters, digits, dots, ``-`` and ``_``. Raises PersonRefused."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,59}", text):
        raise PersonRefused("A purpose is a word of small letters, like recording or sms.news.")
    return text


def stands(given_at: datetime, expires_at: datetime | None, withdrawn_at: datetime | None, now: datetime) -> bool:
    """Return whether a consent holds now."""
    return given_at <= now and (expires_at is None or now < expires_at) and (withdrawn_at is None or now < withdrawn_at)


class Moved(msgspec.Struct, frozen=True):
    """What a merge moved: by holding, the numbers of the rows."""

    rows: Mapping[str, tuple[int, ...]]
