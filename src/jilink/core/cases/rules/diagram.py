"""A case type as a drawing: boxes in columns, arrows between them. The page draws it; nothing is laid out by hand."""

from dataclasses import dataclass

from jilink.core.cases.rules.definition import Definition, StageKind, Step


@dataclass(frozen=True, slots=True)
class Node:
    """One stage at a place of the grid; `limit` is that of the usual priority, in words of its clock, or ""."""

    key: str
    zh: str
    en: str
    kind: StageKind
    column: int
    row: int
    limit: str


@dataclass(frozen=True, slots=True)
class Edge:
    """One transition; `back` where it leads to an earlier column, `implied` for a return that goes to arbitration."""

    key: str
    zh: str
    en: str
    step: Step
    source: str
    target: str
    permission: str
    back: bool
    implied: bool = False


@dataclass(frozen=True, slots=True)
class Diagram:
    """The whole drawing, `columns` by `rows`."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    columns: int
    rows: int


def diagram(definition: Definition) -> Diagram:
    """Return the drawing: a stage stands one column after those declared before it that lead to it, ends at the right edge."""
    ways = [(way.source, way.target) for way in definition.transitions]
    arbitration = definition.first_of(StageKind.ARBITRATION)
    implied = [way for way in definition.transitions if way.step == Step.RETURN and arbitration is not None]
    ways += [(way.source, arbitration.key) for way in implied if arbitration is not None]
    order = {stage.key: number for number, stage in enumerate(definition.stages)}
    column: dict[str, int] = {}
    for stage in definition.stages:
        before = [column[source] for source, target in ways if target == stage.key and order.get(source, 0) < order[stage.key]]
        column[stage.key] = max(before, default=-1) + 1
    last = max(column.values(), default=0)
    if any(stage.kind not in {StageKind.CLOSED, StageKind.VOID} and column.get(stage.key) == last for stage in definition.stages):
        last += 1
    filled: dict[int, int] = {}
    nodes = []
    for stage in definition.stages:
        at = last if stage.kind in {StageKind.CLOSED, StageKind.VOID} else column.get(stage.key, last)
        column[stage.key] = at
        row = filled.get(at, 0)
        filled[at] = row + 1
        limit = f"{stage.limits.usual.amount} {stage.limits.usual.clock}" if stage.limits else ""
        nodes.append(Node(stage.key, stage.label.in_("zh"), stage.label.in_("en"), stage.kind, at, row, limit))
    edges = []
    for way in definition.transitions:
        back = column.get(way.target, 0) <= column.get(way.source, 0)
        words = way.label.in_("zh"), way.label.in_("en")
        edges.append(Edge(way.key, *words, way.step, way.source, way.target, way.permission, back))
        if way in implied and arbitration is not None:
            edges.append(Edge(way.key, *words, way.step, way.source, arbitration.key, way.permission, False, True))
    return Diagram(tuple(nodes), tuple(edges), last + 1, max(filled.values(), default=0))
