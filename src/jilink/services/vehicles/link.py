"""This process's one connection to the spine and its one view of the history, made at first use."""

import threading

from django.conf import settings

from jilink.history.reads import Reads
from jilink.history.tables import History
from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import Settings
from jilink.spine.bridge import SpineThread

_lock = threading.Lock()
_spines: dict[Settings, SpineThread] = {}
_histories: dict[Settings, Reads] = {}


def spine() -> SpineThread:
    """Return the connection. Calls on it raise Unavailable while no server answers."""
    with _lock:
        if settings.JILINK not in _spines:
            thread = _spines[settings.JILINK] = SpineThread(settings.JILINK, "web")
            try:
                thread.wait_ready(2.0)
            except Unavailable:  # not reached yet: each call says so for itself
                return thread
        return _spines[settings.JILINK]


def history() -> Reads:
    """Return the reads of the history."""
    with _lock:
        if settings.JILINK not in _histories:
            _histories[settings.JILINK] = Reads(History(settings.JILINK))
        return _histories[settings.JILINK]


def close() -> None:
    """Close the connection; the next use makes a new one."""
    with _lock:
        for thread in _spines.values():
            thread.stop()
        _spines.clear()
        _histories.clear()
