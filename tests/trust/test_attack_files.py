"""Files that are not what they say, unpack to more than a machine holds, or are named like places of the system."""

import gzip
import io
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from PIL import Image

from jilink.core.files.models import File
from jilink.core.imports.models import ImportJob
from jilink.core.parties.rules import Role
from tests.core.cases.office import office_of
from tests.core.world import World
from tests.services.conftest import signed_in
from tests.services.console.programs import lift_limits, token_of
from tests.services.console.test_api_imports import Sender

pytestmark = [pytest.mark.usefixtures("site"), pytest.mark.once]
SCRIPT = b"<script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
WITHIN_S = 20.0
"""Of the processor, not of the clock: the tests may run beside others."""


def picture(kind: str, side: int = 16) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), "navy").save(out, kind)
    return out.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *, more: bytes = b"", data: bytes = b"") -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + more + chunk(b"IDAT", data or zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")


def archive(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in parts.items():
            made.writestr(name.replace("__", "/"), data)
    return out.getvalue()


def bomb(size: int) -> bytes:
    """A workbook of a few kB whose one sheet unpacks to `size` bytes."""
    return archive(**{"[Content_Types].xml": b"<Types/>", "xl__workbook.xml": b"<workbook/>", "xl__worksheets__sheet1.xml": b"0" * size})


GIF_HTML = b"GIF89a/*" + SCRIPT + b"*/=1;"
UPLOADS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a drawing with a script": ("a.svg", lambda: SVG),
    "a drawing with a mark before it": ("a.svg", lambda: b"\xef\xbb\xbf" + SVG),
    "a drawing with a comment before it": ("a.svg", lambda: b"<!-- x -->" + SVG),
    "a drawing of UTF-16": ("a.svg", lambda: SVG.decode().encode("utf-16")),
    "a drawing that says it is a photograph": ("a.jpg", lambda: SVG),
    "a page": ("a.html", lambda: b"<html>" + SCRIPT),
    "a page with words before it": ("a.txt", lambda: b"hello\n" + SCRIPT),
    "a picture with a page behind it": ("a.png", lambda: picture("PNG") + SCRIPT),
    "a photograph with a page behind it": ("a.html", lambda: picture("JPEG") + SCRIPT),
    "a picture that is a script too": ("a.js", lambda: GIF_HTML),
    "a photograph with a page in its comment": ("a.jpg", lambda: picture("JPEG")[:2] + b"\xff\xfe\x00\x1b" + SCRIPT + picture("JPEG")[2:]),
    "a document with a page in it": ("a.pdf", lambda: b"%PDF-1.7\n" + SCRIPT),
    "a document with an archive behind it": ("a.pdf", lambda: b"%PDF-1.7\n" + archive(a=b"x")),
    "sound with a page in it": ("a.mp3", lambda: b"ID3\x03\0\0\0\0\0\0" + SCRIPT),
    "a program": ("a.pdf", lambda: b"MZ\x90\0" + b"\0" * 200),
    "a picture of 10 thousand million points": ("a.png", lambda: png(100_000, 100_000)),
    "a picture of no height": ("a.png", lambda: png(10, 0)),
    "a picture with words that unpack to 200 MB": (
        "a.png",
        lambda: png(4, 4, more=chunk(b"zTXt", b"k\0\0" + zlib.compress(b"\0" * 200_000_000)), data=zlib.compress(b"\0" * 68)),
    ),
    "a picture whose points unpack to 200 MB": ("a.png", lambda: png(4, 4, data=zlib.compress(b"\0" * 200_000_000))),
    "a workbook that unpacks to 200 MB": ("a.xlsx", lambda: bomb(200_000_000)),
    "an archive in an archive": ("a.zip", lambda: archive(a=archive(b=archive(c=b"x" * 1000)))),
}


@pytest.fixture
def browser(world: World, settings: Any, tmp_path: Path) -> Iterator[Client]:
    settings.JILINK = replace(settings.JILINK, data=tmp_path)
    return signed_in(world, Role.OWNER, world.north)


def uploaded(world: World, browser: Client, name: str, data: bytes) -> HttpResponse | None:
    """Add a file to a case; the answer that sends it back, None where it was refused."""
    office = office_of(world)
    case = office.row(office.open()).number
    before = set(File.objects.values_list("pk", flat=True))
    answer = browser.post(f"/console/cases/{case}/files", {"files": SimpleUploadedFile(name, data)})
    made = set(File.objects.values_list("pk", flat=True)) - before
    assert (answer.status_code == 302) == bool(made) and answer.status_code in (200, 302, 400)
    found = browser.get(f"/console/cases/{case}/files/{made.pop()}") if made else None
    return found  # type: ignore[return-value]  # -- the client adds to HttpResponse


@pytest.mark.parametrize("kind", UPLOADS)
def test_an_upload_is_refused_or_sent_back_as_what_it_is_and_never_run(world: World, browser: Client, kind: str) -> None:
    name, make = UPLOADS[kind]
    data, began = make(), time.process_time()
    back = uploaded(world, browser, name, data)
    assert time.process_time() - began < WITHIN_S
    if back is None:
        return
    shown = back["Content-Disposition"].startswith("inline")
    assert back["X-Content-Type-Options"] == "nosniff" and "sandbox" in back["Content-Security-Policy"]
    assert "default-src 'none'" in back["Content-Security-Policy"]
    assert not any(word in back["Content-Type"] for word in ("html", "svg", "xml;", "javascript"))
    if back["Content-Type"].startswith("image/"):
        assert b"script" not in back.content, "a picture is encoded anew"
    assert not shown or back["Content-Type"].split("/")[0] in ("image", "audio")


NAMES = (
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/cron.d/x",
    "a.txt\r\nSet-Cookie: s=1",
    'a"; filename="b.html',
    "a\0.html",
    "‮txt.exe",
    "%2e%2e%2fpasswd",
    ".htaccess",
    "CON",
    "名" * 300 + ".txt",
    "<img src=x onerror=xq7()>.txt",
)


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_a_file_leads_elsewhere_or_into_a_header(world: World, browser: Client, tmp_path: Path, name: str) -> None:
    back = uploaded(world, browser, name, b"words\n")
    assert back is not None and "Set-Cookie" not in back and not set('\r\n"') & set(back["Content-Disposition"])
    kept = File.objects.latest("pk").name
    assert not set("/\\\r\n\0‮") & set(kept) and not kept.startswith(".") and kept.endswith(".txt") and len(kept) <= 120
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files and all((tmp_path / "files") in path.parents and "passwd" not in path.name for path in files)


PATHS = (
    "/static/../../../../etc/passwd",
    "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/static/..%2f..%2f..%2fetc%2fpasswd",
    "/static/%252e%252e%252fetc/passwd",
    "/static//etc/passwd",
    "/static/..\\..\\etc\\passwd",
    "/basemap/../../../etc/passwd",
    "/basemap/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "/basemap/..%5c..%5cetc%5cpasswd",
    "/basemap/%00",
    "/api/v1/imports/nouns/..%2f..%2fpeople.csv",
    "/console/areas/shapes/1/..%2f..%2fx.json",
)


@pytest.mark.parametrize("path", PATHS)
def test_no_address_leads_out_of_a_folder(browser: Client, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code in (301, 302, 400, 401, 404) and b"root:" not in getattr(answer, "content", b"")


IMPORTS: dict[str, Callable[[], bytes]] = {
    "lines that unpack to more than is taken": lambda: gzip.compress(b"name\n" + b"x\n" * 40_000_000, 9),
    "one line that never ends": lambda: gzip.compress(b'{"name": "' + b"x" * 60_000_000, 9),
    "one cell that never ends": lambda: gzip.compress(b'name\n"' + b"x" * 60_000_000, 9),
    "a workbook": lambda: bomb(1_000_000),
    "packed twice": lambda: gzip.compress(gzip.compress(b"name\nx\n")),
    "many heads": lambda: b",".join(b"name%d" % place for place in range(200_000)),
    "deep JSON": lambda: b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    "a number that is a bomb": lambda: b'{"name": ' + b"9" * 500_000 + b"}\n",
    "cut short": lambda: gzip.compress(b"name\nx\n" * 1000)[:-20],
}


@pytest.mark.parametrize("kind", IMPORTS)
def test_an_import_that_is_a_bomb_ends_with_a_reason_and_leaves_nothing(world: World, settings: Any, tmp_path: Path, kind: str) -> None:
    lift_limits(settings)
    settings.JILINK = replace(settings.JILINK, data=tmp_path)
    sender = Sender(token_of(world, Role.OWNER, world.north))
    data, began = IMPORTS[kind](), time.process_time()
    job = sender.send("people", world.north, data)
    assert time.process_time() - began < WITHIN_S
    assert job["created"] == 0 and (job["state"] == "failed" or job["refused"] > 0), job
    assert ImportJob.objects.get(pk=job["id"]).state in ("failed", "done")
    left = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert job["state"] != "failed" or left < 1 << 20
