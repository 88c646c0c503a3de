"""What the process `voice` counts."""

from prometheus_client import Counter, Gauge, Histogram

CONNECTED = Gauge("jilink_voice_node_connected", "1 where the engine is connected and ours.", ["node"])
LEGS = Gauge("jilink_voice_legs", "Legs that an engine carries.", ["node"])
EVENTS = Counter("jilink_voice_events", "Events that engines told.", ["type"])
FACTS = Counter("jilink_voice_facts", "Facts that were told to the spine.", ["fact"])
NOT_DONE = Counter("jilink_voice_orders_not_done", "Orders that were not carried out.", ["order", "reason"])
ORDER_SECONDS = Histogram(
    "jilink_voice_order_seconds", "Time to carry out an order.", ["order"], buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)
)
