"""The accounts of the demonstration that can be tried, kept in a file that only its owner may read until they are removed."""

import os
from collections.abc import Sequence
from pathlib import Path

from jilink.services.console.demonstration.data import Login


def mark(data: Path) -> Path:
    """Return the file that lies in the data folder while the demonstration is loaded: whoever drives its vehicles goes by it."""
    return data / "demonstration"


def path(data: Path) -> Path:
    """Return where the accounts are kept."""
    return data / "demo-logins"


def write(data: Path, logins: Sequence[Login], password: str) -> None:
    """Keep the accounts, one a line after the password that they share; the file has mode 0600."""
    lines = [f"password {password}", *(f"{login.username}\t{login.role}\t{login.place}\t{login.name}" for login in logins)]
    descriptor = os.open(path(data), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def read(data: Path) -> tuple[str, list[str]]:
    """Return the password and the names of the accounts."""
    first, *lines = path(data).read_text(encoding="utf-8").splitlines()
    return first.removeprefix("password "), [line.partition("\t")[0] for line in lines]
