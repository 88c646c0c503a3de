"""This process's one connection to the spine for pages, made at first use."""

import threading

from django.conf import settings

from jilink.kernel.errors import Unavailable
from jilink.kernel.settings import Settings
from jilink.spine.bridge import SpineThread

_lock = threading.Lock()
_spines: dict[Settings, SpineThread] = {}
READY_S = 2.0


def spine() -> SpineThread:
    """Return the connection. Calls on it raise Unavailable while no server answers."""
    with _lock:
        thread = _spines.get(settings.JILINK)
        if thread is None:
            thread = _spines[settings.JILINK] = SpineThread(settings.JILINK, "web")
            try:
                thread.wait_ready(READY_S)
            except Unavailable:
                return thread  # not reached yet: each call says so for itself
        return thread


def close() -> None:
    """Close the connection; the next use makes a new one."""
    with _lock:
        for thread in _spines.values():
            thread.stop()
        _spines.clear()
