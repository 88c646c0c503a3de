"""Every string that pages show has its Chinese."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def translations() -> ModuleType:
    spec = importlib.util.spec_from_file_location("translations", ROOT / "frontend" / "translations.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["translations"] = module
    spec.loader.exec_module(module)
    return module


def test_no_string_lacks_its_chinese(translations: ModuleType) -> None:
    lacking = [message.id for message in translations.missing()]
    assert lacking == [], "run: python frontend/translations.py, then add the Chinese to django.po"


def test_a_translation_keeps_every_placeholder(translations: ModuleType) -> None:
    placeholder = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
    for message in translations.present():
        if message.id and isinstance(message.id, str):
            assert sorted(placeholder.findall(message.id)) == sorted(placeholder.findall(message.string)), message.id


def test_strings_of_templates_and_of_python_are_both_found(translations: ModuleType) -> None:
    found = {message.id for message in translations.sources() if message.id}
    assert {"Skip to the content", "Page %(number)s of %(total)s", "Never seen"} <= found
