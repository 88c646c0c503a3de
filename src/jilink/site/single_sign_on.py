"""The single sign-on by OpenID Connect, as Django's settings want it (OpenID Connect Core 1.0, authorization code flow with PKCE)."""

from pathlib import Path
from urllib.parse import urlsplit

from jilink.kernel.settings import PREFIX, Settings, SettingsRefused

PROVIDER = "sso"
"""The provider's place in addresses: ``/accounts/oidc/sso/login/callback/`` is what it is told to send people back to."""


def providers(settings: Settings) -> dict[str, object]:
    """Return allauth's providers: none, or the one that is set. Raises SettingsRefused where something is missing."""
    if not settings.oidc_issuer:
        return {}
    if urlsplit(settings.oidc_issuer).scheme not in {"http", "https"} or not settings.oidc_client:
        raise SettingsRefused(f"{PREFIX}OIDC_ISSUER must be an address, and {PREFIX}OIDC_CLIENT be set with it")
    application = {
        "provider_id": PROVIDER,
        "name": settings.oidc_name or urlsplit(settings.oidc_issuer).hostname or PROVIDER,
        "client_id": settings.oidc_client,
        "secret": _secret(settings),
        "settings": {"server_url": settings.oidc_issuer.rstrip("/"), "uid_field": "sub"},
    }
    return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [application]}}


def origins(settings: Settings) -> list[str]:
    """Return the origin of the single sign-on, to which the button for it leads."""
    place = urlsplit(settings.oidc_issuer)
    return [f"{place.scheme}://{place.netloc}"] if place.netloc else []


def _secret(settings: Settings) -> str:
    if not settings.oidc_secret_file:
        return settings.oidc_secret
    try:
        return Path(settings.oidc_secret_file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsRefused(f"{PREFIX}OIDC_SECRET_FILE cannot be read: {error.strerror}") from error
