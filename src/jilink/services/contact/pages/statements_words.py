"""Words of tariffs and statements."""

from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from jilink.services.contact.rules.tariffs import Basis

BASES: dict[str, Promise] = {
    Basis.SEAT.value: _("Seats that served, a month"),
    Basis.AGREED_SEAT.value: _("Seats agreed on, a month"),
    Basis.MINUTE.value: _("Minutes of talk"),
    Basis.HANDLING_MINUTE.value: _("Minutes of talk and wrap-up"),
    Basis.ANSWERED.value: _("Answered contacts"),
    Basis.OFFERED.value: _("Offered contacts"),
    Basis.OUTCOME.value: _("Contacts with an outcome"),
}
OTHERS: dict[str, Promise] = {"base": _("Base fee"), "minimum": _("Monthly minimum")}
CHANNELS: dict[str, Promise] = {
    "call": _("Call"),
    "callback": _("Callback"),
    "text": _("Text message"),
    "chat": _("Chat"),
    "case": _("Case"),
}


def basis_words(basis: str) -> Promise | str:
    """Return what a line counts, in words."""
    return BASES.get(basis) or OTHERS.get(basis) or basis


def quantity(count: Decimal) -> str:
    """Return a quantity with as many decimals as it has."""
    text = f"{count:,.4f}".rstrip("0").rstrip(".")
    return text or "0"
