"""The login made at the first start, kept in a file that only its owner may read."""

import os
import secrets
from pathlib import Path
from typing import NamedTuple

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is read two ways


class Login(NamedTuple):
    """A user name and a password."""

    user: str
    password: str


def path(data: Path) -> Path:
    """Return where the first login is kept."""
    return data / "first-login"


def generate_password() -> str:
    """Return a random password of 20 letters and digits in groups of five (about 99 bits)."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


def write(data: Path, login: Login) -> None:
    """Keep the login; the file has mode 0600."""
    descriptor = os.open(path(data), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{login.user}\n{login.password}\n")


def read(data: Path) -> Login:
    """Return the login that was kept."""
    user, password = path(data).read_text(encoding="utf-8").split()
    return Login(user, password)
