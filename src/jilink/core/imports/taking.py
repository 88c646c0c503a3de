"""Taking rows in: a batch a transaction, each row by itself, from the place where the last batch that was committed ended.

A kill loses nothing and takes nothing twice: what a batch made, the rows it refused and the place of the next are committed together.
"""

import hashlib
import time
from collections.abc import Callable
from datetime import datetime
from itertools import islice

import msgspec
from django.db import DataError, IntegrityError, transaction

from jilink.core.imports import readying
from jilink.core.imports.actions import carry_on, end
from jilink.core.imports.models import ImportJob, KnownKey, RefusedRow, SeenKey
from jilink.core.imports.readying import Read
from jilink.core.imports.registry import Into, Noun, Row, noun_of
from jilink.core.imports.rules import LONGEST_KEY, MOST_REFUSALS, OVER, FileRefused, ImportRefused, ImportState, RowRefused
from jilink.core.parties import access, walls
from jilink.core.parties.access import Actor, NotFound
from jilink.core.parties.lasting import actor_again
from jilink.kernel.errors import Refused
from jilink.kernel.ids import OrganisationId
from jilink.kernel.refusals import kept_words
from jilink.kernel.texts import gettext_noop

TOGETHER = 100
"""Rows of a batch at most; one that takes longer than `BATCH_S` ends earlier, so that nobody waits long for the database."""
BATCH_S = 0.25
LAP_S = 5.0
"""How long one telling works before it lets others have their turn."""


def carry_out(*, job: int, lap: int, clock: Callable[[], datetime]) -> None:
    """Take rows of an import for a while; the last transaction ends the import or asks for the next lap. Twice or late changes nothing."""
    until = time.monotonic() + LAP_S
    if not _readied(job, lap, clock):
        return
    while _batch(job, lap, until, clock()):
        pass


def _readied(job: int, lap: int, clock: Callable[[], datetime]) -> bool:
    """Ready the rows where that is not done, and return whether there is something to take. What cannot be read ends the import."""
    row = ImportJob.objects.filter(pk=job, lap=lap).first()
    if row is None or row.state in OVER:
        return False
    failure: Refused | None = None
    rows = row.rows
    if row.state == ImportState.WAITING:
        try:
            rows = readying.ready(job, noun_of(row.noun))
        except FileRefused as error:
            failure = error
    with transaction.atomic():
        row = ImportJob.objects.select_for_update().get(pk=job)
        if row.lap != lap or row.state in OVER:
            return False
        if failure is not None:
            end(row, ImportState.FAILED, Actor(row.actor), clock(), failure)
            return False
        row.rows, row.state, row.begun_at = rows, ImportState.RUNNING.value, row.begun_at or clock()
        row.save(update_fields=["rows", "state", "begun_at"])
    return True


@transaction.atomic
def _batch(job: int, lap: int, until: float, now: datetime) -> bool:
    """Take one batch; return whether this lap goes on."""
    row = ImportJob.objects.select_for_update().filter(pk=job).first()
    if row is None or row.lap != lap or row.state != ImportState.RUNNING:
        return False
    noun, by = noun_of(row.noun), actor_again(row.actor, now)
    into = Into(OrganisationId(row.organisation_id), msgspec.json.decode(row.options, type=dict[str, str]), by, now)
    try:
        access.require(by, noun.permission, row.organisation_id)
        found = list(islice(readying.batch(job, row.position), TOGETHER))
    except NotFound:
        end(row, ImportState.FAILED, Actor(row.actor), now, ImportRefused(gettext_noop("Whoever began this import may no longer do it.")))
        return False
    except FileRefused as error:
        end(row, ImportState.FAILED, Actor(row.actor), now, error)
        return False
    taken = _Batch(row, noun, into)
    over = _take_all(taken, found, by)
    taken.write()
    if over:
        end(row, ImportState.DONE, by, now)
        return False
    if time.monotonic() >= until:
        carry_on(row, now)
    row.save()
    return row.lap == lap


def _take_all(taken: "_Batch", found: list[tuple[int, Read]], by: Actor) -> bool:
    """Take rows behind the walls of whoever began the import, and return whether those were the last."""
    began = time.monotonic()
    with walls.closed():
        walls.let_in(by.organisations)
        kept = transaction.savepoint()
        for place, (position, read) in enumerate(found):
            taken.take(read)
            taken.job.position = position
            if time.monotonic() - began > BATCH_S and place + 1 < len(found):
                break
        if taken.job.dry_run:
            transaction.savepoint_rollback(kept)
        else:
            transaction.savepoint_commit(kept)
    return taken.job.done == taken.job.rows


class _Batch:
    """Rows being taken, and what is to be written down about them."""

    def __init__(self, job: ImportJob, noun: Noun, into: Into) -> None:
        self.job, self._noun, self._into = job, noun, into
        self._refused: list[RefusedRow] = []
        self._seen: set[str] = set()

    def take(self, read: Read) -> None:
        """Take one row, or note why not."""
        number, given = read
        key, what = "", ""
        try:
            if isinstance(given, RowRefused):
                raise given
            row = readying.row_of(self._noun, given)
            assert isinstance(row, Row)  # noqa: S101 -- every noun's shape is a Row
            key = _key(self._noun, row, self._into)
            with transaction.atomic():
                what = self._put(row, key)
        except Refused as error:
            self._refuse(number, key or _told_key(given), error)
        except (IntegrityError, DataError):
            self._refuse(number, key, RowRefused(gettext_noop("This row contradicts what is there already.")))
        else:
            setattr(self.job, what, getattr(self.job, what) + 1)
            if key and self.job.dry_run:
                self._seen.add(key)
        self.job.done += 1

    def _put(self, row: Row, key: str) -> str:
        """Make or change what a row speaks of, and return which of it was done."""
        organisation, noun = self._into.organisation, self._noun
        digest = hashlib.sha256(msgspec.json.encode([row, self._into.options])).hexdigest()
        if key and self.job.dry_run and (key in self._seen or SeenKey.objects.filter(job=self.job, key=key).exists()):
            return "changed"
        known = KnownKey.objects.filter(organisation_id=organisation, noun=noun.key, key=key).first() if key else None
        if known is not None and known.digest == digest and self._there(known.subject):
            return "same"
        what, subject = self._changed(row, known.subject if known is not None else noun.find(row, self._into))
        if key:
            KnownKey.objects.update_or_create(
                organisation_id=organisation, noun=noun.key, key=key, defaults={"subject": subject, "digest": digest}
            )
        return what

    def _there(self, subject: int) -> bool:
        try:
            self._noun.look(subject, self._into)
        except NotFound:
            return False
        return True

    def _changed(self, row: Row, subject: int | None) -> tuple[str, int]:
        if subject is not None:
            try:
                with transaction.atomic():
                    self._noun.change(subject, row, self._into)
                return "changed", subject
            except NotFound:  # it was removed since
                pass
        return "created", self._noun.create(row, self._into)

    def _refuse(self, number: int, key: str, error: Refused) -> None:
        self.job.refused += 1
        message, values = kept_words(error)
        field = error.field[:120] if isinstance(error, RowRefused) else ""
        self._refused.append(RefusedRow(job=self.job, row=number, key=key[:LONGEST_KEY], field=field, message=message, values=values))

    def write(self) -> None:
        """Write down what was refused and, in a dry run, met."""
        room = MOST_REFUSALS - (self.job.refused - len(self._refused))
        RefusedRow.objects.bulk_create(self._refused[: max(0, room)], batch_size=200)
        SeenKey.objects.bulk_create([SeenKey(job=self.job, key=key) for key in self._seen], batch_size=200, ignore_conflicts=True)


def _key(noun: Noun, row: Row, into: Into) -> str:
    """Return by what a row is known: its own key, else what its noun is known by. Raises RowRefused."""
    own = row.key.strip()
    if len(own) > LONGEST_KEY - 2 or not own.isprintable():
        raise RowRefused("A key has at most %(most)d printable characters.", field="key", most=LONGEST_KEY - 2)
    if own:
        return f"k:{own}"
    natural = noun.natural(row, into)
    return f"n:{natural}"[:LONGEST_KEY] if natural else ""


def _told_key(given: object) -> str:
    """Return the key of a row that could not be read, as far as it says one."""
    told = given.get("key") if isinstance(given, dict) else None
    return f"k:{told}" if isinstance(told, str) else ""
