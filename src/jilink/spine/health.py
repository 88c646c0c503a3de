"""The health pages of a process: /healthz (it runs), /readyz (it can do its work), /metrics (Prometheus text format).

Served from a thread of its own on loopback, so that a busy or blocked process still answers.
"""

import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from jilink.kernel.errors import Unavailable

Reasons = Callable[[], str | Sequence[str]]
"""Says why the process cannot do its work now, in one or several lines; empty when it can."""


class PortTaken(Unavailable):
    """Another program listens on the health port."""


def serve(port: int, reasons: Reasons, registry: CollectorRegistry = REGISTRY, *, stuck: Callable[[], str] = str) -> "HealthServer":
    """Serve the pages on a loopback port (`Settings.health`; 0: not at all). Raises PortTaken.

    `stuck` says why the process must be taken for hanging although its pages answer; "" while it does not.
    """
    return HealthServer(port, reasons, registry, stuck=stuck)


class HealthServer:
    """Serves the pages until `stop`. Port 0 serves nothing."""

    def __init__(self, port: int, reasons: Reasons, registry: CollectorRegistry = REGISTRY, *, stuck: Callable[[], str] = str) -> None:
        self._server: ThreadingHTTPServer | None = None
        if not port:
            return
        handler = type("Handler", (_Handler,), {"reasons": staticmethod(reasons), "registry": registry, "stuck": staticmethod(stuck)})
        try:
            self._server = _Server(("127.0.0.1", port), handler)
        except OSError as error:
            raise PortTaken(f"health port {port}: {error}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the port. Calling it twice changes nothing."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            self._thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


class _Handler(BaseHTTPRequestHandler):
    reasons: Reasons
    registry: CollectorRegistry
    stuck: Callable[[], str]
    timeout = 5

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/healthz":
            stuck = self.stuck()
            self._answer(503 if stuck else 200, f"{stuck or 'ok'}\n".encode())
        elif path == "/readyz":
            given = self.reasons()
            reasons = list(filter(None, [given] if isinstance(given, str) else given))
            self._answer(503 if reasons else 200, "".join(f"{reason}\n" for reason in reasons or ["ready"]).encode())
        elif path == "/metrics":
            self._answer(200, generate_latest(self.registry), CONTENT_TYPE_LATEST)
        else:
            self._answer(404, b"/healthz /readyz /metrics\n")

    def _answer(self, code: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing: a probe every few seconds is no event."""
