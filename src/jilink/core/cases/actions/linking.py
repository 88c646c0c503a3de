"""Cases that have to do with each other: links, and merging without losing a line of either."""

from datetime import datetime

from django.db import transaction

from jilink.core.assets.models import Asset
from jilink.core.cases.actions import timing
from jilink.core.cases.actions.desk import Desk, lay, lay_many
from jilink.core.cases.events import CaseMerged, CaseNoted
from jilink.core.cases.models import Attachment, Link
from jilink.core.cases.reads.ground import HIDDEN
from jilink.core.cases.rules import allowed
from jilink.core.cases.rules.allowed import Act
from jilink.core.cases.rules.timeline import Linked, MergedFrom, MergedInto
from jilink.core.cases.rules.workflow import CALL_BACK, UNDECIDED, LinkKind, State
from jilink.core.parties.access import Actor, NotFound, require
from jilink.core.parties.rules import Permission
from jilink.kernel.errors import Refused

ABOUT = "about_asset"


class LinkRefused(Refused):
    """These cannot be linked so."""


@transaction.atomic
def link_cases(*, case: int, kind: LinkKind, other: int, by: Actor, now: datetime | None = None) -> None:
    """Say how one case has to do with another; saying it twice changes nothing. Raises NotFound, LinkRefused."""
    if case == other:
        raise LinkRefused("A case cannot be linked to itself.")
    one, second = lay_many([case, other], Permission.WORK_CASES, by, now)
    if kind in {LinkKind.PART_OF, LinkKind.CAUSED_BY} and _leads_to(other, case, kind):
        raise LinkRefused("The other case already leads back to this one.")
    _made, new = Link.objects.get_or_create(
        case=one.row, kind=kind.value, other=second.row, asset=None, defaults={"actor": by.name, "at": one.now}
    )
    if new:
        _tell_both(one, second, kind.value, removed=False)


@transaction.atomic
def unlink_cases(*, case: int, kind: LinkKind, other: int, by: Actor, now: datetime | None = None) -> None:
    """Take a link away; both timelines keep that it was there. Raises NotFound."""
    one, second = lay_many([case, other], Permission.WORK_CASES, by, now)
    if one.row.merged_into_id == other and kind == LinkKind.DUPLICATE_OF:
        raise LinkRefused("The case was merged into the other; that cannot be taken back.")
    if not Link.objects.filter(case=one.row, kind=kind.value, other=second.row).delete()[0]:
        raise NotFound(HIDDEN)
    _tell_both(one, second, kind.value, removed=True)


@transaction.atomic
def link_asset(*, case: int, asset: int, by: Actor, now: datetime | None = None) -> None:
    """Say that a case is about a thing; the first one becomes the case's own. Raises NotFound."""
    desk = lay(case, Permission.WORK_CASES, by, now)
    known = Asset.objects.filter(pk=asset).first()
    require(by, Permission.VIEW_ASSETS, known.organisation_id if known else None)
    _made, new = Link.objects.get_or_create(
        case=desk.row, kind=ABOUT, asset_id=asset, other=None, defaults={"actor": by.name, "at": desk.now}
    )
    if new:
        if desk.row.asset_id is None:
            desk.set(asset_id=asset)
        desk.write(Linked(how=ABOUT, asset=asset))
        desk.save()
        desk.tell(CaseNoted, what="linked")


@transaction.atomic
def unlink_asset(*, case: int, asset: int, by: Actor, now: datetime | None = None) -> None:
    """Say that a case is not about a thing after all; the next one linked becomes the case's own. Raises NotFound."""
    desk = lay(case, Permission.WORK_CASES, by, now)
    links = Link.objects.filter(case=desk.row, kind=ABOUT)
    if not links.filter(asset_id=asset).delete()[0] and desk.row.asset_id != asset:
        raise NotFound(HIDDEN)
    if desk.row.asset_id == asset:
        desk.set(asset_id=links.order_by("pk").values_list("asset_id", flat=True).first())
    desk.write(Linked(how=ABOUT, asset=asset, removed=True))
    desk.save()
    desk.tell(CaseNoted, what="unlinked")


def _tell_both(one: Desk, second: Desk, how: str, *, removed: bool) -> None:
    for desk, other, words in ((one, second, how), (second, one, f"{how}_of_other")):
        desk.write(Linked(how=words, number=other.row.number, removed=removed))
        desk.save()
        desk.tell(CaseNoted, what="unlinked" if removed else "linked")


def _leads_to(start: int, goal: int, kind: LinkKind) -> bool:
    seen, line = {start}, [start]
    while line:
        if goal in seen:
            return True
        found = set(Link.objects.filter(case_id__in=line, kind=kind.value).values_list("other_id", flat=True)) - {None}
        line = [one for one in found if one not in seen]
        seen |= found
    return goal in seen


@transaction.atomic
def merge_cases(*, case: int, into: int, by: Actor, now: datetime | None = None) -> None:
    """Let an open case go on as another open one. Its lines, notes, files and number stay; its number leads to the other.

    Its clocks end, what it asked for is withdrawn, its files are shown with the other too. Raises NotFound, StepRefused, LinkRefused.
    """
    if case == into:
        raise LinkRefused("A case cannot be merged into itself.")
    lost, kept = lay_many([case, into], Permission.WORK_CASES, by, now)
    for desk in (lost, kept):
        allowed.require(desk.row.state, Act.MERGE)
    if lost.row.organisation_id != kept.row.organisation_id:
        raise LinkRefused("Another organisation answers for the other case; link them instead.")
    timing.end_all(lost, keep=(CALL_BACK,))
    lost.withdraw(UNDECIDED)
    lost.set(state=State.MERGED.value, merged_into=kept.row, suspended_at=None)
    Link.objects.get_or_create(
        case=lost.row, kind=LinkKind.DUPLICATE_OF.value, other=kept.row, asset=None, defaults={"actor": by.name, "at": lost.now}
    )
    for file in Attachment.objects.filter(case=lost.row):
        Attachment.objects.get_or_create(
            case=kept.row, file_id=file.file_id, defaults={"question": "", "public": False, "actor": file.actor, "at": file.at}
        )
    lost.write(MergedInto(number=kept.row.number))
    kept.write(MergedFrom(number=lost.row.number, person=lost.row.person))
    lost.save()
    kept.save()
    lost.tell(CaseMerged, into=kept.row.pk)
    kept.tell(CaseNoted, what="merged")
