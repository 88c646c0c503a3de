"""Arrow batches, event envelopes and health pages."""

import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import ClassVar

import pyarrow as pa
import pytest
from prometheus_client import CollectorRegistry, Counter

from jilink.kernel.errors import Malformed
from jilink.kernel.ids import OrganisationId
from jilink.spine import arrow, events, health
from jilink.spine.health import PortTaken
from jilink.spine.measurements import POSITIONS, SESSIONS
from tests.ports import free_port

NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
SESSION = {"organisation": 1, "asset": 7, "at": NOW, "online": True, "worker": "w1", "reason": ""}


class LanternLit(events.Event, frozen=True, kw_only=True):
    """A lantern was lit."""

    NOUN: ClassVar[str] = "lantern"
    lantern: int
    lit_at: datetime


def test_a_batch_comes_back_as_it_went() -> None:
    batch = pa.RecordBatch.from_pylist([SESSION, SESSION], schema=SESSIONS)
    assert arrow.decode(arrow.encode(batch), SESSIONS).equals(batch)
    empty = pa.RecordBatch.from_pylist([], schema=POSITIONS)
    assert arrow.decode(arrow.encode(empty), POSITIONS).num_rows == 0


def test_a_batch_of_an_older_or_newer_sender_is_fitted_to_the_schema() -> None:
    batch = pa.RecordBatch.from_pylist([SESSION], schema=SESSIONS)
    more = batch.append_column("colour", pa.array(["red"])).replace_schema_metadata(SESSIONS.metadata)
    assert arrow.decode(arrow.encode(more)).schema.equals(SESSIONS)
    less = batch.drop_columns(["worker"]).replace_schema_metadata(SESSIONS.metadata)
    with pytest.raises(Malformed, match="worker"):
        arrow.decode(arrow.encode(less))


def test_rubbish_and_other_schemas_are_malformed() -> None:
    data = arrow.encode(pa.RecordBatch.from_pylist([SESSION], schema=SESSIONS))
    for end in range(len(data)):
        with pytest.raises(Malformed):
            arrow.decode(data[:end])
    with pytest.raises(Malformed):
        arrow.decode(data, POSITIONS)
    with pytest.raises(Malformed):
        arrow.decode(arrow.encode(pa.RecordBatch.from_pydict({"a": [1]})))


def test_an_event_is_found_again_by_noun_and_name() -> None:
    event = LanternLit(lantern=3, lit_at=NOW)
    envelope = events.envelope(event, organisation=OrganisationId(5), occurred_at=NOW, received_at=NOW, cause="test")
    again = events.decode_envelope(events.encode_envelope(envelope))
    assert (again.noun, again.name, again.organisation, again.cause) == ("lantern", "lit", 5, "test")
    assert events.decode_event(again) == event
    assert events.subject(again) == "events.lantern.lit"


def test_an_unknown_or_unfitting_event_is_malformed() -> None:
    event = LanternLit(lantern=3, lit_at=NOW)
    data = events.encode_envelope(events.envelope(event, organisation=OrganisationId(5), occurred_at=NOW, received_at=NOW))
    for wrong in (data[:-2], data.replace(b'"lantern":3', b'"lantern":"x"'), data.replace(b'"name":"lit"', b'"name":"burnt"')):
        with pytest.raises(Malformed):
            events.decode_event(events.decode_envelope(wrong))


def test_two_classes_cannot_tell_the_same_event() -> None:
    with pytest.raises(TypeError, match=r"lantern\.lit"):

        class LanternLit(events.Event, frozen=True, kw_only=True):
            NOUN: ClassVar[str] = "lantern"


def fetch(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_health_pages_say_alive_ready_and_the_metrics() -> None:
    registry = CollectorRegistry()
    Counter("frames", "Frames seen.", registry=registry).inc(3)
    reasons: list[str] = []
    port = free_port()
    server = health.serve(port, lambda: reasons, registry)
    try:
        assert fetch(port, "/healthz") == (200, "ok\n")
        assert fetch(port, "/readyz") == (200, "ready\n")
        reasons.append("the spine is down")
        assert fetch(port, "/readyz") == (503, "the spine is down\n")
        assert "frames_total 3.0" in fetch(port, "/metrics")[1]
        assert fetch(port, "/else")[0] == 404
        with pytest.raises(PortTaken):
            health.serve(port, list, registry)
    finally:
        server.stop()
