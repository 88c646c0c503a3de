"""The house keeps its shape: what a machine can see of style is checked here."""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "jilink"
MODULES = sorted(p for p in SOURCE.rglob("*.py") if "migrations" not in p.parts)
REASONED = re.compile(r"#\s*(noqa|type:\s*ignore)\S*(\s\S+)*?\s+(--|#|\u2013)\s*\S+")
PARTS = ("**Context.**", "**Decision.**", "**Consequences.**", "**What would change our mind.**")
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
SERVICE_FILES = (
    "README.md",
    "models.py",
    "rules.py",
    "events.py",
    "reads.py",
    "actions.py",
    "reactions.py",
    "pages.py",
    "urls.py",
    "api.py",
)


def overload(node: ast.AST) -> bool:
    return any(isinstance(d, ast.Name) and d.id == "overload" for d in getattr(node, "decorator_list", []))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def rooms(parent: str) -> list[Path]:
    return sorted(p.parent for p in (SOURCE / parent).glob("*/__init__.py"))


@cache
def tracked() -> tuple[Path, ...]:
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return tuple(p for p in (ROOT / part for part in listing.split("\0") if part) if p.is_file())


def has_file_or_folder(room: Path, file: str) -> bool:
    return (room / file).exists() or (room / file.removesuffix(".py") / "__init__.py").exists()


@pytest.mark.parametrize("service", rooms("services"), ids=lambda p: p.name)
def test_a_service_has_every_file_a_reader_expects(service: Path) -> None:
    missing = [file for file in SERVICE_FILES if not has_file_or_folder(service, file)]
    assert not missing, f"{name(service)} lacks {missing}"


@pytest.mark.parametrize("room", [p for top in ("edges", "services", "core") for p in rooms(top)], ids=name)
def test_a_room_says_what_it_promises(room: Path) -> None:
    readme = room / "README.md"
    assert readme.exists(), f"{name(room)} has no README.md"
    assert 3 <= len(readme.read_text().splitlines()) <= 120


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_short_and_its_functions_shorter(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_MODULE, f"{name(path)} has {len(text.splitlines())} lines: make it a folder of its name"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno
            assert length <= LONGEST_FUNCTION, f"{name(path)}:{node.lineno}: {node.name} is {length} lines long"


@pytest.mark.parametrize("path", [p for p in MODULES if p.read_text().strip()], ids=name)
def test_a_module_and_its_public_names_are_documented(path: Path) -> None:
    tree = ast.parse(path.read_text())
    bare = [] if ast.get_docstring(tree) else ["the module"]
    for node in tree.body:
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
            and not overload(node)
            and not ast.get_docstring(node)
        ):
            bare.append(f"{node.name} (line {node.lineno})")
    assert not bare, f"{name(path)} says nothing about {bare}"


def test_the_core_refuses_in_words_that_are_translated_where_they_are_read() -> None:
    spoken = [name(p) for p in MODULES if "core" in p.parts and re.search(r"raise [\w.]+\(\s*(_|gettext)\(", p.read_text())]
    assert spoken == [], "raise Refused with the words as they are, and their values beside them: whoever reads may have another language"


def test_there_is_no_room_for_odds_and_ends() -> None:
    assert [name(p) for p in MODULES if p.stem in {"utils", "helpers", "misc", "common"}] == []


def test_an_ignore_states_its_reason() -> None:
    without = []
    for path in (p for p in tracked() if p.suffix == ".py"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"#\s*(noqa|type:\s*ignore)", line) and not re.search(
                r"#\s*(noqa|type:\s*ignore)\S*(\s\S+)*?\s+(--|#|\u2013)\s*\S+", line
            ):
                without.append(f"{name(path)}:{number}")
    assert without == []


def test_no_address_of_a_registry_and_no_path_of_a_machine_is_written_down() -> None:
    words = [
        b"pypi" + b".org",
        b"files.python" + b"hosted",
        b"registry.npm" + b"js",
        b"deb.debian" + b".org",
        b"/root" + b"/",
        b"/ho" + b"me/",
        b"/wo" + b"rk/",
    ]
    found = [f"{name(p)}: {w.decode()}" for p in tracked() for w in words if w in p.read_bytes()]
    assert found == []


def test_locks_carry_hashes_and_no_addresses() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text()
        assert "--hash=sha256:" in text and "://" not in text, lock.name
    package_lock = (ROOT / "frontend" / "package-lock.json").read_text()
    assert '"integrity"' in package_lock and '"resolved"' not in package_lock


def test_every_decision_has_its_four_parts_and_a_number_of_its_own() -> None:
    decisions = sorted(p for p in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [p.name[:4] for p in decisions]
    assert len(numbers) == len(set(numbers))
    for path in decisions:
        text = path.read_text()
        assert all(part in text for part in PARTS), path.name


def test_a_change_note_is_one_sentence_of_a_known_kind() -> None:
    for path in (ROOT / "changes").glob("*.*.md"):
        assert path.name.split(".")[-2] in {"added", "changed", "fixed", "removed", "security"}, path.name
        assert len(path.read_text().strip().splitlines()) == 1, path.name


def test_links_between_our_pages_lead_somewhere() -> None:
    broken = []
    for page in (p for p in tracked() if p.suffix == ".md"):
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{name(page)} -> {target}")
    assert broken == []
