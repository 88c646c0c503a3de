"""Doing one thing at a time for an organisation, where the row that two would change may not be there yet."""

from jilink.core.parties.models import Organisation


def hold(organisation: int) -> None:
    """Let whoever else holds the organisation wait until this transaction ends; rows that only refer to it are not held up.

    A lock of its row in PostgreSQL (15, 13.3.2 "Row-Level Locks", FOR NO KEY UPDATE); SQLite lets only one transaction write anyway.
    """
    Organisation.objects.select_for_update(no_key=True).filter(pk=organisation).values_list("pk", flat=True).first()
