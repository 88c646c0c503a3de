"""Rows of people."""

from jilink.core.imports.registry import Column, Into, Noun, Row, imports
from jilink.core.imports.rules import blames
from jilink.core.parties.people import actions, reads, rules
from jilink.core.parties.people.actions import Contact, PersonData
from jilink.core.parties.people.rules import ContactKind
from jilink.core.parties.rules import Permission
from jilink.kernel.clock import CHINA
from jilink.kernel.ids import PersonId
from jilink.kernel.texts import Text

KINDS = {
    "phones": ContactKind.PHONE,
    "emails": ContactKind.EMAIL,
    "addresses": ContactKind.ADDRESS,
    "wechat": ContactKind.WECHAT,
}


class PersonRow(Row, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person. In a change, what is left out stays, and ways to reach the person are added to those there are."""

    name: str | None = None
    other_names: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    notes: str | None = None
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    wechat: tuple[str, ...] = ()
    identity: str | None = None


def _checked(row: PersonRow, into: Into) -> tuple[PersonData, tuple[Contact, ...]]:
    """Return what a row says, each part looked at by itself, so that a refusal names the field."""
    names = "\n".join(row.other_names) if row.other_names is not None else None
    for field, value, check in (("name", row.name, rules.name), ("other_names", names, rules.names), ("notes", row.notes, rules.notes)):
        with blames(field):
            if value is not None:
                check(value)
    with blames("languages"):
        rules.languages(row.languages or ())
    with blames("identity"):
        if row.identity is not None:
            rules.identity_number(row.identity, into.now.astimezone(CHINA).date())
    contacts = []
    for field, kind in KINDS.items():
        with blames(field):
            contacts += [Contact(kind, rules.contact(kind, told)) for told in getattr(row, field)]
    return PersonData(name=row.name, other_names=names, languages=row.languages, notes=row.notes), tuple(contacts)


def _create(row: PersonRow, into: Into) -> int:
    data, contacts = _checked(row, into)
    person = actions.add_person(organisation=into.organisation, data=data, contacts=contacts, by=into.by, now=into.now)
    _identify(person, row, into)
    return person


def _change(subject: int, row: PersonRow, into: Into) -> None:
    data, contacts = _checked(row, into)
    actions.edit_person(person=PersonId(subject), data=data, by=into.by, now=into.now)
    for contact in contacts:
        actions.add_contact(person=PersonId(subject), contact=contact, by=into.by, now=into.now)
    _identify(PersonId(subject), row, into)


def _identify(person: PersonId, row: PersonRow, into: Into) -> None:
    if row.identity is not None:
        with blames("identity"):
            actions.set_identity(person=person, number=row.identity, by=into.by, now=into.now)


imports(
    Noun(
        key="people",
        title=Text("人员", "people"),
        row=PersonRow,
        permission=Permission.MANAGE_PEOPLE,
        columns={
            "name": Column(Text("姓名", "Name"), "王小明"),
            "other_names": Column(Text("其他姓名", "Other names")),
            "languages": Column(Text("语言", "Languages"), "zh;ko"),
            "notes": Column(Text("备注", "Notes")),
            "phones": Column(Text("电话", "Telephones"), "13900001111;0431-88990000"),
            "emails": Column(Text("电子邮箱", "E-mail addresses"), "wang@example.cn"),
            "addresses": Column(Text("地址", "Addresses"), "长春市人民大街 1 号"),
            "wechat": Column(Text("微信", "WeChat")),
            "identity": Column(Text("身份证号", "Identity number")),
        },
        create=_create,
        change=_change,
        look=lambda subject, into: reads.row_of(into.by, Permission.MANAGE_PEOPLE, subject),
    )
)
