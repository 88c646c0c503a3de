"""Why a frame could not be used, and why an order was not carried out, in people's words: one for each key that rooms below may give."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from jilink.services.vehicles.words import word

FRAMES: dict[str, str | Promise] = {
    # keys of protocols.jt808.tolerances.REASONS
    "frame": _("Not a frame: nothing stands between the delimiters, or a delimiter stands inside"),
    "escape": _("Wrong escape: a byte 7D is not followed by 01 or 02"),
    "checksum": _("Wrong checksum: bytes were changed or lost on the way"),
    "header": _("Too short: fewer bytes than a message header has"),
    "truncated": _("Cut short: the body ends before its fields do"),
    "too_long": _("Too long: no end came within the longest frame the standard allows"),
    "hex": _("Not hexadecimal: the record of the bytes is damaged"),
    "capture": _("The capture file cannot be read"),
    "profile": _("The terminal profile set for it does not exist any more"),
    "unencodable": _("A value does not fit its field"),
    # keys of the terminal gateway
    "no_delimiter": _("No delimiter 7E: the device speaks another protocol, or begins in the middle of a frame"),
    "unknown_terminal": _("Unknown terminal: nobody has entered this phone number"),
    "foreign_phone": _("Another terminal's phone number in the header of this connection"),
    "unknown_message": _("Unknown message: this edition of the standard has no such message"),
    "encrypted": _("Encrypted: this platform has no key for the body"),
    "gateway_fault": _("The gateway failed at this frame; please report it to the developers"),
}
ORDERS: dict[str, str | Promise] = {
    "wrong_request": _("The gateway did not understand the order; web pages and gateway may be of different versions"),
    "wrong_fields": _("The gateway does not take these fields for this terminal's edition of the standard"),
    "does_not_fit": _("A value does not fit into the message of this terminal's edition of the standard"),
}


WANTED: dict[str, str | Promise] = {
    # keys of the terminal gateway: what a field takes
    "known": _("the message has no such field"),
    "settable": _("an order cannot give this field"),
    "flags": _("the names of its flags are taken"),
    "number": _("a whole number is taken"),
    "text": _("text is taken"),
    "bytes": _("bytes in hexadecimal are taken"),
    "time": _("a time like 2026-11-22T08:00:00+08:00 is taken"),
    "date": _("a date like 2026-11-22 is taken"),
    "group": _("a group of fields is taken"),
    "list": _("a list is taken"),
    "texts": _("a list of texts is taken"),
    "items": _("items by name or id are taken"),
    "item": _("there is no such item"),
}


def of_frame(key: str) -> str:
    """Return why a frame was set aside; a key of another version is shown as it is."""
    return str(FRAMES.get(key.replace("-", "_"), key))


def of_order(key: str) -> str:
    """Return why an order ended without an answer, "" where it did not."""
    return str(ORDERS.get(key) or word(key)) if key else ""
