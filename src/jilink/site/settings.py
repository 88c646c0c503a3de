"""Django's settings, derived from `jilink.kernel.settings`; nothing here is set twice.

Importing this module never makes the data folder: the commands and processes do, before they import it.
"""

from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from jilink.kernel.settings import Settings, addresses
from jilink.site import single_sign_on
from jilink.site.database import database
from jilink.site.mail import PATIENCE_S, mail
from jilink.site.secrets import secret_key

JILINK = Settings.from_environment()
_PACKAGE = Path(__file__).resolve().parent.parent
_ORIGINS = [origin.strip().rstrip("/") for origin in JILINK.web_origins.split(",") if origin.strip()]
_BIND = [host for host, _port in addresses(JILINK.web)]
_LOOPBACK = all(host in {"127.0.0.1", "::1", "localhost"} for host in _BIND)

SECRET_KEY = secret_key(JILINK.data)
DEBUG = False
_PUBLIC = [host for host in (urlsplit(origin).hostname for origin in _ORIGINS) if host]
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *_PUBLIC, *_BIND]
CSRF_TRUSTED_ORIGINS = _ORIGINS

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "jilink.webkit",
    "jilink.core.outbox",
    "jilink.core.parties",
    "jilink.core.files",
    "jilink.core.imports",
    "jilink.core.areas",
    "jilink.core.webhooks",
    "jilink.core.assets",
    "jilink.core.knowledge",
    "jilink.core.interactions",
    "jilink.core.observations",
    "jilink.core.cases",
    "jilink.core.flows",
    "jilink.services.console",
    "jilink.services.vehicles",
    "jilink.services.contact",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "django_htmx",
    "django_vite",
    "ninja",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "jilink.site.static_files.StaticFilesMiddleware",
    "jilink.webkit.compression.CompressedPages",
    "csp.middleware.CSPMiddleware",
    "jilink.core.parties.requests.behind_walls",
    "jilink.webkit.api.calls.answers_programs",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "jilink.core.parties.second_factor.set_up_first",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "jilink.site.urls"
ASGI_APPLICATION = "jilink.site.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": database(JILINK.database_url, JILINK.data)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "parties.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "jilink.core.parties.sign_in.Adapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False
SOCIALACCOUNT_ADAPTER = "jilink.core.parties.sign_in.SubjectAdapter"
SOCIALACCOUNT_PROVIDERS = single_sign_on.providers(JILINK)
MFA_ADAPTER = "jilink.core.parties.sign_in.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "add_webauthn": "jilink.core.parties.key_forms.AddKey",
    "edit_webauthn": "jilink.core.parties.key_forms.EditKey",
    "authenticate": "jilink.core.parties.key_forms.AskForCode",
    "authenticate_webauthn": "jilink.core.parties.key_forms.AskForKey",
    "reauthenticate": "jilink.core.parties.key_forms.AskForCodeAgain",
}
MFA_TOTP_ISSUER = "Jilink"

_SECURE = any(origin.startswith("https:") for origin in _ORIGINS) if _ORIGINS else not _LOOPBACK
SESSION_COOKIE_SECURE = _SECURE
CSRF_COOKIE_SECURE = _SECURE
LANGUAGE_COOKIE_SECURE = _SECURE
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_SAVE_EVERY_REQUEST = False
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _SECURE  # browsers themselves allow it on loopback alone
SECURE_HSTS_SECONDS = 31536000 if _SECURE else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],  # icons of the map's controls, the code of two-step sign-in
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF, *single_sign_on.origins(JILINK)],
        "frame-ancestors": [NONE],
    }
}

LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LANGUAGE_CODE = JILINK.language
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Shanghai"
FORMAT_MODULE_PATH = ["jilink.webkit.formats"]

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
DJANGO_VITE = {
    "default": {
        "dev_mode": False,
        "static_url_prefix": "jl",
        "manifest_path": _PACKAGE / "webkit" / "static" / "jl" / "manifest.json",
    }
}
_MAIL = mail(JILINK)
EMAIL_HOST, EMAIL_PORT, EMAIL_TIMEOUT = _MAIL.host, _MAIL.port, PATIENCE_S
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.user, _MAIL.password
EMAIL_USE_TLS, EMAIL_USE_SSL, DEFAULT_FROM_EMAIL = _MAIL.starttls, _MAIL.tls, _MAIL.sender
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 << 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 8 << 20
CACHES = {
    "default": {  # counts attempts to sign in: one count for all web processes, which must not forget the old ones for a flood of new ones
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "jilink_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
LOGGING_CONFIG = None  # `jilink.site.logs` sets up one door for all log lines when a process starts
