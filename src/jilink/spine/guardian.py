"""Ends a server that can store nothing any more although there is room again, so that it is started anew.

nats-server gives a stream up after a failed write (a disk that others have filled) and does not try again by itself; its /healthz
says so. The guardian is a child of the server's process: it watches that page and sends SIGTERM, no sooner than the disk has room.
"""

import ctypes
import http.client
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

PAUSE_S = 2.0
ROOM = 64 << 20
_PR_SET_PDEATHSIG = 1


def post(port: int, folder: Path, release: Callable[[], None]) -> None:
    """Fork the guardian of the calling process, which may go on to become the server. `release` drops what only the server may hold."""
    server = os.getpid()
    if os.fork():
        return
    release()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    while os.getppid() == server and not look(server, port, folder):
        time.sleep(PAUSE_S)
    os._exit(0)


def look(server: int, port: int, folder: Path) -> bool:
    """End the server (SIGTERM) where it is stuck and the disk has room; return whether it was ended."""
    if not stuck(port) or shutil.disk_usage(folder).free < ROOM:
        return False
    os.kill(server, signal.SIGTERM)
    return True


def stuck(port: int) -> bool:
    """Tell whether the server says that a write has failed (nats-server, monitoring, /healthz)."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        return answer.status != http.HTTPStatus.OK and b"write error" in answer.read(4096)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
