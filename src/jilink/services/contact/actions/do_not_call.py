"""The do-not-call list: by page, by a person's own word or key, by import."""

from datetime import datetime

from django.db import IntegrityError, transaction

from jilink.core.parties import audit
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.people import sealing
from jilink.core.parties.people.rules import ContactKind, masked_contact, phone
from jilink.core.parties.people.sealing import Keyring, Sealed
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import utc_now
from jilink.services.contact.models import DoNotCall

HIDDEN = "There is no such thing, or you may not see it."
EVERYBODY = 0
"""What numbers are sealed for: the same hash in every organisation."""


@transaction.atomic
def add_do_not_call(
    *,
    organisation: int,
    number: str,
    by: Actor,
    reason: str = "",
    source: str = "page",
    everywhere: bool = False,
    now: datetime | None = None,
) -> int:
    """Let nobody of an organisation and those below it call a number in a campaign, and return the entry.

    `everywhere`, which only who runs the installation may say: nobody of the whole installation. A number that is there already stays.
    Raises NotFound, ContactRefused.
    """
    require(by, Permission.MANAGE_CAMPAIGNS, organisation)
    if everywhere:
        require(by, Permission.VIEW_OPERATIONS, organisation)
    whole, ring, moment = phone(number), sealing.keyring(), now or utc_now()
    known = DoNotCall.objects.filter(organisation_id=organisation, lookup__in=ring.lookups(EVERYBODY, whole)).first()
    if known is not None:
        if everywhere and not known.everywhere:
            known.everywhere = True
            known.save(update_fields=["everywhere"])
            audit.record(by, "do_not_call.widened", f"do_not_call:{known.pk}", organisation, detail=known.masked, at=moment)
        return known.pk
    kept = ring.seal(EVERYBODY, whole)
    made = DoNotCall(
        organisation_id=organisation, everywhere=everywhere, key=kept.key, sealed=kept.sealed, lookup=kept.lookup,
        masked=masked_contact(ContactKind.PHONE, whole)[:30], source=source[:10], reason=reason.strip()[:200], added_at=moment,
    )  # fmt: skip
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError:
        return DoNotCall.objects.get(organisation_id=organisation, lookup=kept.lookup).pk
    audit.record(by, "do_not_call.added", f"do_not_call:{made.pk}", organisation, detail=f"{made.masked} {source}"[:200], at=moment)
    return made.pk


@transaction.atomic
def remove_do_not_call(*, entry: int, reason: str, by: Actor, now: datetime | None = None) -> None:
    """Let a number be called again; the audit keeps who said so and why. Raises NotFound."""
    row = DoNotCall.objects.select_for_update().filter(pk=entry).first()
    require(by, Permission.MANAGE_CAMPAIGNS, row.organisation_id if row else None)
    if row is None:
        raise NotFound(HIDDEN)
    if row.everywhere:
        require(by, Permission.VIEW_OPERATIONS, row.organisation_id)
    told = f"{row.masked} {reason.strip()}"[:200]
    audit.record(by, "do_not_call.removed", f"do_not_call:{row.pk}", row.organisation_id, detail=told, at=now)
    row.delete()


@sealing.sealed_also_by
def _seal_anew(ring: Keyring) -> int:
    done = 0
    for pk in list(DoNotCall.objects.exclude(key=ring.current).values_list("pk", flat=True)):
        with transaction.atomic():
            row = DoNotCall.objects.select_for_update().filter(pk=pk).first()
            if row is None:
                continue
            number = ring.unseal(EVERYBODY, Sealed(row.key, bytes(row.sealed), row.lookup))
            kept = ring.seal(EVERYBODY, number)
            row.key, row.sealed, row.lookup = kept.key, kept.sealed, kept.lookup
            row.save(update_fields=["key", "sealed", "lookup"])
            done += 1
    return done
