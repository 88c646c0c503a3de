"""Importing by hand: a file chosen in a form that works without JavaScript, its progress, and the rows that were not taken."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from jilink.core.parties.models import Person
from jilink.core.parties.rules import Role
from tests.core.world import World
from tests.services.conftest import signed_in
from tests.services.console.test_api_imports import carry_on

pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture
def browser(world: World, settings: Any, tmp_path: Path) -> Client:
    settings.JILINK = replace(settings.JILINK, data=tmp_path)
    return signed_in(world, Role.SUPERVISOR, world.north)


def test_a_file_is_tried_looked_at_and_then_imported(world: World, browser: Client) -> None:
    page = browser.get("/console/imports/").content.decode()
    assert "data-imports" in page and "/api/v1/imports/nouns/people.csv" in page
    file = SimpleUploadedFile("people.csv", b"name,phones,key\nA,13912345678,1\nB,12,2\n", "text/csv")
    sent = browser.post("/console/imports/", {"noun": "people", "organisation": world.north, "file": file, "dry_run": "on"})
    assert sent.status_code == 302
    place = sent["Location"]
    assert "Waiting" in browser.get(place).content.decode()
    carry_on()
    tried = browser.get(place).content.decode()
    assert "Import it now" in tried and "telephone number" in tried and "refusals.csv" in tried and not Person.objects.exists()
    part = browser.get(place, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and "hx-get" not in part
    assert browser.post(f"{place}apply").status_code == 302
    carry_on()
    done = browser.get(place).content.decode()
    assert "Import it now" not in done and [person.name for person in Person.objects.all()] == ["A"]
    assert "people.csv" in browser.get("/console/imports/").content.decode()


def test_what_cannot_be_imported_is_said_in_the_form(world: World, browser: Client) -> None:
    file = SimpleUploadedFile("a.csv", b"label\nA\n", "text/csv")
    wrong = browser.post("/console/imports/", {"noun": "assets", "organisation": world.north, "file": file})
    assert wrong.status_code == 400 and "takes these options" in wrong.content.decode()
    assert signed_in(world, Role.AUDITOR, world.north).get("/console/imports/").status_code == 404


def test_an_import_is_cancelled(world: World, browser: Client) -> None:
    file = SimpleUploadedFile("people.csv", b"name\nA\n", "text/csv")
    place = browser.post("/console/imports/", {"noun": "people", "organisation": world.north, "file": file})["Location"]
    assert browser.post(f"{place}cancel").status_code == 302
    carry_on()
    assert "Cancelled" in browser.get(place).content.decode() and not Person.objects.exists()
