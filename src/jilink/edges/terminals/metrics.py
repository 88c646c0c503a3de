"""What a worker counts, for Prometheus. The hot path counts in its own columns and hands sums over once a second."""

from prometheus_client import Counter, Gauge, Histogram

FRAMES = Counter("jilink_terminal_frames", "Frames received from terminals, by what became of them", ["fate"])
BYTES = Counter("jilink_terminal_bytes", "Bytes received from terminals")
CONNECTIONS = Gauge("jilink_terminal_connections", "Open connections")
ONLINE = Gauge("jilink_terminals_online", "Authenticated terminals")
UNCONFIRMED = Gauge("jilink_terminal_unconfirmed", "Publishes on their way to the spine")
CONFIRMATION = Histogram(
    "jilink_terminal_confirmation_seconds",
    "Time from a batch of positions to its confirmation by the spine",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30),
)
CLOSED = Counter("jilink_terminal_closed", "Connections ended, by reason", ["reason"])
REFUSED = Counter("jilink_terminal_refused", "Registrations and authentications refused, by result", ["result"])
COMMANDS = Counter("jilink_terminal_commands", "Commands, by what became of them", ["state"])
MEDIA = Counter("jilink_terminal_media", "Files stored, by kind", ["kind"])
FAULTS = Counter("jilink_terminal_faults", "Pieces of work that failed by a fault of the gateway itself; the log has each")
