"""A change asked for twice under one key happens once (draft-ietf-httpapi-idempotency-key-header-07).

The key and the answer are kept in the transaction of the change, so that neither exists without the other. Whoever comes second waits for
the first and is given its answer. A refused change keeps nothing: asked again, it is decided again.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from jilink.core.parties.access import Actor
from jilink.kernel.clock import utc_now
from jilink.webkit.api import problems
from jilink.webkit.api.calls import call_of
from jilink.webkit.api.problems import Fault
from jilink.webkit.models import KeptAnswer

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(hours=24)
WAIT_MS = 10_000
CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_KEY = re.compile(r'"?([!#-\[\]-~]{1,128})"?')
_HEADERS = ("Content-Type", "Location", "ETag")


class _Known(Exception):
    """The key was used before."""


class _Undone(Exception):
    """The change was refused: keep nothing."""


def once(request: HttpRequest, actor: Actor, run: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Return what `run` answers; for a change that carries a key, only the first time, and its kept answer ever after."""
    told = request.headers.get(HEADER)
    if told is None or request.method not in CHANGES or actor.user is None:
        return run()
    key = _KEY.fullmatch(told.strip())
    if key is None:
        fault = Fault(detail=_("A key is 1 to 128 printable ASCII characters without spaces."), header=HEADER)
        return problems.answer(call_of(request).id, 400, code="key_refused", detail=fault.detail, errors=[fault])
    print_ = fingerprint(request, actor.name)
    answer: HttpResponseBase | None = None
    try:
        with transaction.atomic():
            row = _claimed(actor.user, key[1], print_)
            answer = run()
            if answer.status_code >= 400 or not isinstance(answer, HttpResponse):
                raise _Undone
            _keep(row, answer)
    except _Known:
        return _again(request, actor.user, key[1], print_)
    except _Undone:
        pass
    except OperationalError:
        if answer is not None:
            raise
        return _busy(request)
    return answer if answer is not None else _busy(request)


def _claimed(user: int, key: str, print_: str) -> KeptAnswer:
    """Return the row of a new key. Another request with the same key waits here until that one has ended. Raises _Known."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{WAIT_MS}ms"])
        try:
            with transaction.atomic():
                row = KeptAnswer.objects.create(user_id=user, key=key, fingerprint=print_, created_at=utc_now())
        except IntegrityError:
            raise _Known from None
        if connection.vendor == "postgresql":
            cursor.execute("SELECT set_config('lock_timeout', '0', true)")
    return row


def _keep(row: KeptAnswer, answer: HttpResponse) -> None:
    row.status = answer.status_code
    row.headers = msgspec.json.encode({name: answer[name] for name in _HEADERS if answer.has_header(name)}).decode()
    row.body = _fernet().encrypt(answer.content)
    row.save(update_fields=["status", "headers", "body"])


def _again(request: HttpRequest, user: int, key: str, print_: str) -> HttpResponseBase:
    row = KeptAnswer.objects.filter(user_id=user, key=key).first()
    if row is None or row.status is None:
        return _busy(request)
    if row.fingerprint != print_:
        fault = Fault(detail=_("This key was used for another request. Make a new one."), header=HEADER)
        return problems.answer(call_of(request).id, 422, code="key_reused", detail=fault.detail, errors=[fault])
    headers = msgspec.json.decode(row.headers, type=dict[str, str])
    body = _fernet().decrypt(bytes(row.body))
    return HttpResponse(body, status=row.status, headers={**headers, "Idempotent-Replayed": "true"})


def _busy(request: HttpRequest) -> HttpResponse:
    detail = _("A request with this key is still being answered. Ask again in a moment.")
    return problems.answer(call_of(request).id, 409, code="key_busy", detail=detail, headers={"Retry-After": "1"})


def fingerprint(request: HttpRequest, caller: str) -> str:
    """Return the SHA-256 over what a request asks for: caller, method, address, fields, files and body (64 hexadecimal digits).

    The caller is an account with its token: what one token was answered is not told to another that may do less.
    """
    found = hashlib.sha256(f"{caller} {request.method} {request.get_full_path()} {request.headers.get('If-Match', '')}\n".encode())
    if request.content_type == "multipart/form-data":
        for name, values in sorted(request.POST.lists()):
            found.update(msgspec.json.encode([name, [str(value) for value in values]]))
        for name, files in sorted(request.FILES.lists()):
            for file in files:
                found.update(msgspec.json.encode([name, file.name, file.size]))
                for chunk in file.chunks():
                    found.update(chunk)
                file.seek(0)
    else:
        found.update(request.body)
    return found.hexdigest()


def _fernet() -> Fernet:
    """Answers may tell of people or show a secret once: they are kept sealed under the installation's key (RFC 5869)."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"jilink kept answers").derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(key))


def forget(now: datetime) -> int:
    """Remove answers older than a day and return how many there were."""
    return KeptAnswer.objects.filter(created_at__lt=now - KEPT_FOR).delete()[0]
