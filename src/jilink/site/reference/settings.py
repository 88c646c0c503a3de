"""The page of settings, from `kernel.settings.Settings`."""

from __future__ import annotations

from dataclasses import fields

from jilink.kernel.settings import PREFIX, Settings


def page() -> str:
    """Return the Markdown of the page."""
    lines = [
        "# Settings",
        "",
        "Environment variables; every process reads them once at its start. Generated from `jilink.kernel.settings`.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for spec in fields(Settings):
        default = f"`{spec.default}`" if str(spec.default) else "empty"
        lines.append(f"| `{PREFIX}{spec.name.upper()}` | {default} | {spec.metadata['doc']} |")
    return "\n".join([*lines, ""])
