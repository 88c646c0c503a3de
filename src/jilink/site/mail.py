"""Django's settings for letters, from ours."""

from dataclasses import dataclass
from pathlib import Path

from jilink.kernel.settings import PREFIX, Settings, SettingsRefused

PATIENCE_S = 10


@dataclass(frozen=True, slots=True)
class Mail:
    """The mail server as Django wants to know it."""

    host: str
    port: int
    user: str
    password: str
    starttls: bool
    tls: bool
    sender: str


def mail(settings: Settings) -> Mail:
    """Return the mail server of the operator, with an empty host where there is none. Raises SettingsRefused."""
    if settings.smtp_host and not settings.mail_from:
        raise SettingsRefused(f"{PREFIX}MAIL_FROM is needed where {PREFIX}SMTP_HOST is set")
    security = settings.smtp_security
    return Mail(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_user,
        _password(settings),
        security == "starttls",
        security == "tls",
        settings.mail_from or "webmaster@localhost",
    )


def _password(settings: Settings) -> str:
    if not settings.smtp_password_file:
        return ""
    try:
        return Path(settings.smtp_password_file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsRefused(f"{PREFIX}SMTP_PASSWORD_FILE cannot be read: {error.strerror}") from error
