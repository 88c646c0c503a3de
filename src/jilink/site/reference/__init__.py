"""Reference pages, generated from the declarations. `python -m jilink.site.reference [FOLDER]` writes them (`make docs`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jilink.site.reference import jt808, settings, spine

PAGES: dict[str, Callable[[], str]] = {"jt808.md": jt808.page, "settings.md": settings.page, "spine.md": spine.page}
"""File name -> what writes it."""


def write(folder: Path) -> list[Path]:
    """Write every page into a folder; return those that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, page in PAGES.items():
        path, text = folder / name, page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed
