"""The scripts' own tests and the built files."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "src" / "jilink" / "webkit" / "static" / "jl"


def test_the_scripts_pass_their_own_tests() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "frontend" / "build.py"), "--test"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "# fail 0" in done.stdout


def test_the_lock_names_no_server_and_proves_every_package() -> None:
    packages = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert not name or package["integrity"].startswith("sha512-"), name


def test_every_entry_is_built_with_its_licences() -> None:
    subprocess.run([sys.executable, str(ROOT / "frontend" / "build.py")], check=True, capture_output=True, timeout=240)
    manifest = json.loads((BUILT / "manifest.json").read_text())
    for entry in ("app", "map-page", "vehicle-page", "track-page"):
        assert (BUILT / manifest[f"src/{entry}.js"]["file"]).is_file()
    licences = (BUILT / "THIRD_PARTY_LICENSES.md").read_text()
    assert all(re.search(name, licences) for name in ("maplibre-gl", "echarts", "htmx.org", "pmtiles"))


def test_no_template_has_a_script_or_style_of_its_own() -> None:
    inline = re.compile(r"<style|\sstyle=|\son[a-z]+=\"|<script(?![^>]*\ssrc=)", re.IGNORECASE)
    wrong = [str(path) for path in (ROOT / "src" / "jilink").rglob("templates/**/*.html") if inline.search(path.read_text())]
    assert wrong == []
