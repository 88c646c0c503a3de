"""With which settings `jilink up` runs, for commands that are called in another shell: a small file in the data folder."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import msgspec

from jilink.kernel.settings import PREFIX, Settings, SettingsRefused

NOT_KEPT = frozenset({"data", "database_url", "nats_url"})
"""What the folder itself says, and addresses in which a password may stand."""


def path(data: Path) -> Path:
    """Return where they are kept."""
    return data / "running.json"


def write(settings: Settings) -> None:
    """Keep what a supervisor runs with, for its owner alone. A full disk leaves the old: nobody's work depends on it."""
    kept = {spec.name: str(getattr(settings, spec.name)) for spec in fields(settings) if spec.name not in NOT_KEPT}
    with contextlib.suppress(OSError):
        draft = path(settings.data).with_suffix(".new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(kept))
        os.replace(draft, path(settings.data))


def read(own: Settings) -> Settings:
    """Return the settings that a running supervisor of this folder was started with; `own` say what it did not keep.

    Ask only while one runs. A file that cannot be read, or is of another version, leaves `own`.
    """
    environment = {PREFIX + spec.name.upper(): str(getattr(own, spec.name)) for spec in fields(own)}
    try:
        kept = msgspec.json.decode(path(own.data).read_bytes(), type=dict[str, str])
        return Settings.from_environment({**environment, **_named(kept)})
    except (OSError, msgspec.DecodeError, SettingsRefused):
        return own


def _named(kept: Mapping[str, str]) -> dict[str, str]:
    return {PREFIX + name.upper(): value for name, value in kept.items()}


def differing(own: Settings, running: Settings) -> list[str]:
    """Return the variables whose value in this shell is not the one that the installation runs with."""
    return [PREFIX + spec.name.upper() for spec in fields(own) if getattr(own, spec.name) != getattr(running, spec.name)]
