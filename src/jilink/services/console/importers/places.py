"""Organisations as rows name them."""

from jilink.core.imports.registry import Into
from jilink.core.imports.rules import RowRefused
from jilink.core.parties import reads
from jilink.core.parties.rules import Permission
from jilink.kernel.ids import OrganisationId


def organisation(field: str, told: str, into: Into, permission: Permission) -> OrganisationId | None:
    """Return the organisation that a field names, by number or by its whole name; None for an empty one. Raises RowRefused."""
    words = told.strip()
    if not words:
        return None
    found = [place.id for place in reads.choices(into.by, permission) if words in (str(place.id), place.name)]
    if len(found) != 1:
        raise RowRefused("“%(name)s” is none of your organisations, or several.", field=field, name=words[:60])
    return found[0]
