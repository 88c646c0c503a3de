"""Create the declared streams, buckets and object stores on a server, or bring them up to their declaration."""

import nats.js.errors
import structlog
from nats.js import JetStreamContext, api

from jilink.spine import subjects

log = structlog.get_logger(__name__)

EXISTS_OTHERWISE = {10058, 10148}
"""JetStream error codes: the stream, or the consumer, exists with another configuration."""
NO_ROOM = {10023, 10028, 10047}
"""JetStream error codes: insufficient resources, memory or storage for what the stream reserves."""
SMALLEST = 1 << 20


async def lay(jetstream: JetStreamContext) -> None:
    """Make every declared stream and bucket exist as declared. Doing it again changes nothing.

    A stream's size limit reserves disk; where the server has less, the limit is halved until it takes half of what there is.
    """
    for stream in subjects.STREAMS:
        await _make(
            jetstream,
            api.StreamConfig(
                name=stream.name,
                subjects=list(stream.subjects),
                description=stream.doc,
                retention=api.RetentionPolicy.LIMITS,
                storage=api.StorageType.FILE,
                max_age=stream.max_age_s,
                max_bytes=stream.max_bytes or -1,
                max_msgs_per_subject=stream.max_per_subject or -1,
                duplicate_window=stream.duplicate_window_s,
                num_replicas=1,
                allow_direct=True,
            ),
        )
    for bucket in subjects.BUCKETS:
        await _make(
            jetstream,
            api.StreamConfig(
                name=f"KV_{bucket.name}",
                subjects=[f"$KV.{bucket.name}.>"],
                description=bucket.doc,
                retention=api.RetentionPolicy.LIMITS,
                storage=api.StorageType.FILE,
                max_age=bucket.max_age_s,
                max_bytes=-1,
                max_msgs_per_subject=1,
                discard=api.DiscardPolicy.NEW,
                duplicate_window=120,
                num_replicas=1,
                allow_rollup_hdrs=True,
                deny_delete=True,
                allow_direct=True,
            ),
        )
    try:
        await jetstream.object_store(subjects.MEDIA)
    except nats.js.errors.NotFoundError:
        await jetstream.create_object_store(subjects.MEDIA)


async def _make(jetstream: JetStreamContext, config: api.StreamConfig) -> None:
    declared = limit = config.max_bytes or -1
    before = await _limit(jetstream, config.name)
    while True:
        try:
            await _add_or_update(jetstream, config.evolve(max_bytes=limit))
        except nats.js.errors.APIError as error:
            if error.err_code not in NO_ROOM or limit <= SMALLEST:
                raise
            limit //= 2
            continue
        if limit != declared:
            limit = max(limit // 2, SMALLEST)
            await jetstream.update_stream(config.evolve(max_bytes=limit))
            if limit != before:
                log.info("spine.stream_smaller_than_declared", stream=config.name, bytes=limit, declared=declared)
        return


async def _limit(jetstream: JetStreamContext, name: str | None) -> int | None:
    """Return how many bytes a stream may hold now; None where there is none."""
    try:
        return (await jetstream.stream_info(name or "")).config.max_bytes
    except nats.js.errors.NotFoundError:
        return None


async def _add_or_update(jetstream: JetStreamContext, config: api.StreamConfig) -> None:
    try:
        await jetstream.add_stream(config)
    except nats.js.errors.APIError as error:
        if error.err_code not in EXISTS_OTHERWISE:
            raise
        await jetstream.update_stream(config)
