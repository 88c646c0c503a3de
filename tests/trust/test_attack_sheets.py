"""Formulas in what people write: no file that this system makes may calculate when it is opened in a spreadsheet."""

import csv
import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.http import HttpResponse
from django.test import Client

from jilink.core.assets.inventory import actions as inventory
from jilink.core.assets.kinds import Kind, TextAttribute
from jilink.core.cases import actions as cases
from jilink.core.cases.actions import Recipient, StepData
from jilink.core.cases.reports import counting
from jilink.core.imports import actions as imports
from jilink.core.imports import taking
from jilink.core.imports.models import ImportJob
from jilink.core.interactions import actions as interactions
from jilink.core.interactions.actions import Contact
from jilink.core.interactions.rules import Channel
from jilink.core.parties import access, actions, audit
from jilink.core.parties.models import User
from jilink.core.parties.people import actions as people
from jilink.core.parties.people.actions import PersonData
from jilink.core.parties.rules import Role
from jilink.kernel.clock import utc_now
from jilink.kernel.ids import OrganisationId
from jilink.kernel.texts import Text
from jilink.services.vehicles import actions as vehicles
from jilink.services.vehicles.actions import VehicleData
from tests.core.cases.office import MONDAY, Office, office_of
from tests.core.world import NOW, World
from tests.services.conftest import signed_in
from tests.services.console.programs import asking, lift_limits, token_of

pytestmark = [pytest.mark.usefixtures("site"), pytest.mark.once]
SIGNS = ("=", "+", "-", "@", "\t=", "\r=", "＝", "＋", "－", "＠")
WICKED = tuple(f"{sign}cmd|'/C calc'!A{place}" for place, sign in enumerate(SIGNS))


def cells_of(answer: HttpResponse) -> list[str]:
    """Every cell of a table; a sheet of Excel must hold no formula."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[arg-type,attr-defined]  # -- of a streaming answer
    if body.startswith(b"PK"):
        book = openpyxl.load_workbook(io.BytesIO(body))
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert all(cell.data_type != "f" and cell.hyperlink is None for cell in cells)
        return [f"'{cell.value}" for cell in cells if cell.value is not None]
    return [cell for row in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")) for cell in row]


def calculates(cell: str) -> bool:
    """Whether a spreadsheet would calculate a cell."""
    try:
        float(cell)
    except ValueError:
        return cell.lstrip(" ").startswith((*SIGNS, "\t", "\r", "\n"))
    return False


def names_of_people(world: World, office: Office) -> None:
    for name in WICKED:
        people.add_person(organisation=world.north, data=PersonData(name=name), by=access.system("test"), now=NOW)


def titles_of_cases(world: World, office: Office) -> None:
    for title in WICKED:
        office.open(title=title)


def subjects_of_contacts(world: World, office: Office) -> None:
    for subject in WICKED:
        call = Contact(channel=Channel.CALL, contact="13912345678", subject=subject)
        interactions.add_interaction(organisation=world.north, contact=call, by=access.system("test"), now=NOW)


def drivers(world: World, office: Office) -> None:
    for place, name in enumerate(WICKED):
        data = VehicleData(plate=f"吉A1234{place}", organisation=world.north, driver=name, note=name)
        vehicles.add_vehicle(data=data, by=world.actor(Role.OWNER, world.north), now=NOW)


def titles_of_attributes(world: World, office: Office) -> None:
    attributes = tuple(TextAttribute(key=f"a{place}", title=Text(title, title)) for place, title in enumerate(WICKED))
    kind = Kind(title=Text("杆", "Pole"), attributes=attributes)
    inventory.set_kind(organisation=world.north, key="pole", kind=kind, by=access.system("test"))


def names_of_units(world: World, office: Office) -> None:
    for name in WICKED:
        unit = actions.add_organisation(name=name, parent=world.north, by=access.system("test"), now=MONDAY)
        case, boss = office.open(), world.actor(Role.OWNER, world.north)
        data = StepData(recipient=Recipient(unit=unit), reason="x")
        cases.take_step(case=case, key="dispatch", data=data, by=boss, now=MONDAY)
        counting.count_case(case)


def names_of_members(world: World, office: Office) -> None:
    for place, name in enumerate(WICKED):
        person = world.person(Role.DISPATCHER, world.north, also=str(place))
        User.objects.filter(pk=person.pk).update(first_name=name)
        audit.record(access.actor_of(person), "member.role", f"user:{person.pk}", world.north, detail=name)


def rows_of_imports(world: World, office: Office) -> None:
    lines = "\n".join(["key,name,identity", *(f'"{key}",x,12' for key in WICKED)]).encode()
    by = access.system("test")
    job = imports.begin_import(organisation=world.north, noun="people", size=len(lines), name="x", by=by, now=NOW)
    pieces = iter([lines, b""])
    imports.receive(job=job, offset=0, read=lambda _most: next(pieces), by=by)
    taking.carry_out(job=job, lap=ImportJob.objects.get(pk=job).lap, clock=utc_now)


MAY = "first=2026-05-01&last=2026-05-31"
EXPORTS: dict[str, tuple[Callable[[World, Office], None], str]] = {
    "people": (names_of_people, "/api/v1/exports/people.csv?organisation={place}"),
    "cases": (titles_of_cases, "/api/v1/exports/cases.csv?organisation={place}"),
    "interactions": (subjects_of_contacts, "/api/v1/exports/interactions.csv?organisation={place}"),
    "refused rows": (rows_of_imports, "/api/v1/imports/{job}/refusals.csv"),
    "vehicles": (drivers, "/vehicles/export.csv"),
    "template of assets": (titles_of_attributes, "/console/assets/load/template.csv?organisation={place}&kind=pole"),
    "report": (names_of_units, f"/console/reports/export?as=csv&{MAY}"),
    "report for Excel": (names_of_units, f"/console/reports/export?as=xlsx&{MAY}"),
    "audit": (names_of_members, "/console/audit/export.csv"),
}


@pytest.mark.parametrize("export", EXPORTS)
def test_no_cell_of_an_export_calculates(world: World, settings: Any, export: str) -> None:
    lift_limits(settings)
    plant, place = EXPORTS[export]
    plant(world, office_of(world))
    job = ImportJob.objects.values_list("pk", flat=True).first()
    answer = got(world, world.north, place.format(place=world.north, job=job))
    assert answer.status_code == 200
    cells = cells_of(answer)
    found = [name for name in WICKED if any(name.strip() in cell for cell in cells)]
    assert len(found) == len(WICKED), "what was planted is not in the file"
    assert [cell for cell in cells if calculates(cell)] == []


def got(world: World, place: OrganisationId, address: str) -> HttpResponse:
    if address.startswith("/api/v1"):
        return asking(token_of(world, Role.OWNER, place))("GET", address.removeprefix("/api/v1"))
    client: Client = signed_in(world, Role.OWNER, place)
    answer = client.post(address) if "audit" in address else client.get(address)
    return answer  # type: ignore[return-value]  # -- the client adds to HttpResponse
