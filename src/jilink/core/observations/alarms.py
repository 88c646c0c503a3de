"""Alarm edges on their way from the columns to the database: in order, again and again until they are written."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence

import structlog
from django.db import DatabaseError, close_old_connections

from jilink.core.observations import actions
from jilink.core.observations.columns import Edge
from jilink.kernel.ids import AssetId, OrganisationId

log = structlog.get_logger(__name__)
RETRY_S = 1.0
MOST_TOGETHER = 2000


class AlarmWriter:
    """Writes edges one bunch at a time in a thread. `waiting` counts what is not written."""

    def __init__(self, write: Callable[[Sequence[Edge]], None] | None = None) -> None:
        self._write = write or write_edges
        self._edges: deque[Edge] = deque()
        self._more = asyncio.Event()
        self._written = asyncio.Condition()
        self.added = 0
        self.done = 0
        self.stalled = ""

    @property
    def waiting(self) -> int:
        """How many edges are not written."""
        return self.added - self.done

    def add(self, edges: Iterable[Edge]) -> None:
        """Take in edges in the order they happened."""
        before = len(self._edges)
        self._edges.extend(edges)
        self.added += len(self._edges) - before
        if self._edges:
            self._more.set()

    async def written(self, count: int) -> None:
        """Wait until the first `count` edges ever added are written."""
        async with self._written:
            await self._written.wait_for(lambda: self.done >= count)

    async def run(self) -> None:
        """Write for ever; while the database is down, try again every second."""
        while True:
            if not self._edges:
                self._more.clear()
                await self._more.wait()
            while self._edges:
                part = [self._edges[place] for place in range(min(len(self._edges), MOST_TOGETHER))]
                try:
                    await asyncio.to_thread(self._write, part)
                except DatabaseError as error:
                    if not self.stalled:
                        log.warning("watch.alarms_wait", edges=self.waiting, reason=repr(error))
                    self.stalled = "alarms cannot be written to the database"
                    await asyncio.sleep(RETRY_S)
                    continue
                if self.stalled:
                    log.info("watch.alarms_written_again")
                    self.stalled = ""
                for _ in part:
                    self._edges.popleft()
                async with self._written:
                    self.done += len(part)
                    self._written.notify_all()


def write_edges(edges: Sequence[Edge]) -> None:
    """Raise and clear alarms in the order given. Writing the same edges again changes nothing."""
    close_old_connections()
    try:
        for group in in_rounds(edges):
            actions.clear_alarms(
                [actions.Cleared(asset=AssetId(edge.asset), condition=edge.condition, at=edge.at) for edge in group if not edge.raised]
            )
            actions.raise_alarms(
                [
                    actions.Raised(
                        organisation=OrganisationId(edge.organisation),
                        asset=AssetId(edge.asset),
                        condition=edge.condition,
                        at=edge.at,
                        latitude=edge.latitude,
                        longitude=edge.longitude,
                        ended_at=edge.ended_at,
                        level=edge.level,
                        label=edge.label,
                        rule=edge.rule,
                        title=edge.title,
                    )
                    for edge in group
                    if edge.raised
                ]
            )
    finally:
        close_old_connections()


def in_rounds(edges: Sequence[Edge]) -> list[list[Edge]]:
    """Split edges into groups with at most one of each asset and condition, so that each group may be written in bulk."""
    rounds: list[list[Edge]] = []
    depth: dict[tuple[int, str], int] = {}
    for edge in edges:
        place = depth.get((edge.asset, edge.condition), 0)
        depth[edge.asset, edge.condition] = place + 1
        if place == len(rounds):
            rounds.append([])
        rounds[place].append(edge)
    return rounds
