"""This process's one view of the history, made at first use."""

import threading

from django.conf import settings

from jilink.history.reads import Reads
from jilink.history.tables import History
from jilink.kernel.settings import Settings

_lock = threading.Lock()
_histories: dict[Settings, Reads] = {}


def history() -> Reads:
    """Return the reads of the history."""
    with _lock:
        if settings.JILINK not in _histories:
            _histories[settings.JILINK] = Reads(History(settings.JILINK))
        return _histories[settings.JILINK]


def close() -> None:
    """Forget the view; the next use makes a new one."""
    with _lock:
        _histories.clear()
