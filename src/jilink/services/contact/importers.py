"""Rows of campaigns: whom to call, and whom never."""

from datetime import date, datetime, time, timedelta

from jilink.core.imports.registry import Column, Into, Noun, Row, imports
from jilink.core.imports.rules import RowRefused, blames
from jilink.core.parties.access import require
from jilink.core.parties.people import actions as people
from jilink.core.parties.people import reads
from jilink.core.parties.people.actions import Contact, PersonData
from jilink.core.parties.people.rules import ContactKind, phone
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import CHINA
from jilink.kernel.ids import PersonId
from jilink.kernel.texts import Text
from jilink.services.contact.actions import campaigns
from jilink.services.contact.actions.do_not_call import add_do_not_call
from jilink.services.contact.reads import campaigns as seen


class TargetRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody to call. With the evidence of a consent, it is kept; without, they must have consented already."""

    phone: str
    name: str = ""
    consent: str = ""
    consent_given: date | None = None
    consent_until: date | None = None


class DoNotCallRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number that nobody calls."""

    phone: str
    reason: str = ""


def _campaign(into: Into) -> tuple[int, str]:
    said = into.options["campaign"]
    number = int(said) if said.isascii() and said.isdecimal() and len(said) < 19 else 0
    view = seen.campaign(into.by, number)
    require(into.by, Permission.MANAGE_CAMPAIGNS, view.organisation)
    if view.organisation != into.organisation:
        raise RowRefused("The campaign belongs to another organisation.")
    return number, view.design.purpose


def _call(row: TargetRow, into: Into) -> int:
    campaign, purpose = _campaign(into)
    with blames("phone"):
        whole = phone(row.phone)
        found = reads.by_contact(into.by, into.organisation, ContactKind.PHONE, whole)
    named = [each for each in found if row.name and reads.person(into.by, each).name == row.name]
    if len(found) > 1 and len(named) != 1:
        raise RowRefused("Several people have this telephone. Say by the name who is meant.", field="name")
    person = named[0] if named else found[0] if found else None
    if person is None:
        with blames("name"):
            told = (Contact(ContactKind.PHONE, whole),)
            person = people.add_person(
                organisation=into.organisation, data=PersonData(name=row.name), contacts=told, by=into.by, now=into.now
            )
    _consent(person, purpose, row, into)
    with blames("consent"):
        return campaigns.add_target(campaign=campaign, person=PersonId(person), by=into.by, now=into.now)


def _consent(person: PersonId, purpose: str, row: TargetRow, into: Into) -> None:
    if not row.consent or reads.consents_to(person, purpose, into.now):
        return
    with blames("consent"):
        people.give_consent(
            person=person, purpose=purpose, evidence=row.consent, by=into.by, now=into.now,
            given_at=min(into.now, _begins(row.consent_given)) if row.consent_given else None,
            expires_at=_begins(row.consent_until) + timedelta(days=1) if row.consent_until else None,
        )  # fmt: skip


def _begins(day: date) -> datetime:
    return datetime.combine(day, time(), CHINA)


def _forbid(row: DoNotCallRow, into: Into) -> int:
    with blames("phone"):
        return add_do_not_call(
            organisation=into.organisation, number=row.phone, reason=row.reason, source="import", by=into.by, now=into.now
        )


imports(
    Noun(
        key="campaign_targets",
        title=Text("外呼名单", "people of a campaign"),
        row=TargetRow,
        permission=Permission.MANAGE_CAMPAIGNS,
        columns={
            "phone": Column(Text("电话", "Telephone"), "13900001111"),
            "name": Column(Text("姓名", "Name"), "王小明"),
            "consent": Column(Text("同意依据", "Evidence of the consent"), "2026 年 3 月服务协议"),
            "consent_given": Column(Text("同意日期", "Consent given on"), "2026-03-01"),
            "consent_until": Column(Text("同意有效期至", "Consent holds until"), "2027-02-28"),
        },
        options={"campaign": Column(Text("外呼活动编号", "Number of the campaign"))},
        natural=lambda row, into: f"{into.options['campaign']}:{row.phone}:{row.name}",
        create=_call,
        change=lambda subject, row, into: _call(row, into),
        look=lambda subject, into: require(into.by, Permission.MANAGE_CAMPAIGNS, into.organisation),
    )
)
imports(
    Noun(
        key="do_not_call",
        title=Text("免打扰名单", "do-not-call list"),
        row=DoNotCallRow,
        permission=Permission.MANAGE_CAMPAIGNS,
        columns={"phone": Column(Text("电话", "Telephone"), "13900001111"), "reason": Column(Text("原因", "Reason"))},
        natural=lambda row, into: row.phone,
        create=_forbid,
        change=lambda subject, row, into: _forbid(row, into),
        look=lambda subject, into: require(into.by, Permission.MANAGE_CAMPAIGNS, into.organisation),
    )
)
