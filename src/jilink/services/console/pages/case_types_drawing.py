"""A case type as a drawing: boxes and arrows of `rules.diagram`, placed in an SVG that needs no script."""

from dataclasses import dataclass

from django.utils.translation import get_language

from jilink.core.cases.rules.diagram import Diagram, Node

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 132, 52, 84, 40, 20


@dataclass(frozen=True, slots=True)
class Box:
    """One stage, in the drawing's units."""

    key: str
    label: str
    kind: str
    x: int
    y: int
    middle: int
    baseline: int


@dataclass(frozen=True, slots=True)
class Arrow:
    """One or several transitions between the same stages; `path` is SVG's, the words stand at (x, y)."""

    label: str
    path: str
    x: int
    y: int
    back: bool
    implied: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole, `width` by `height`."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: int
    height: int


def drawing(diagram: Diagram) -> Drawing:
    """Return where everything stands; ways back run below the boxes, each on a line of its own."""
    chinese = (get_language() or "zh").startswith("zh")
    nodes = {node.key: node for node in diagram.nodes}
    boxes = tuple(_box(node, chinese) for node in diagram.nodes)
    grouped: dict[tuple[str, str], list[str]] = {}
    marks: dict[tuple[str, str], tuple[bool, bool]] = {}
    for edge in diagram.edges:
        if edge.source in nodes and edge.target in nodes:
            way = edge.source, edge.target
            grouped.setdefault(way, []).append(edge.zh if chinese else edge.en)
            marks[way] = edge.back, edge.implied
    floor = MARGIN + diagram.rows * (HEIGHT + GAP_Y)
    arrows, lane = [], 0
    for (source, target), labels in grouped.items():
        back, implied = marks[source, target]
        words = " / ".join(dict.fromkeys(labels))
        first, last = nodes[source], nodes[target]
        direct = not back and last.column == first.column + 1
        if direct:
            arrows.append(_straight(first, last, words, implied))
        else:
            lane += 1
            arrows.append(_around(first, last, words, floor + lane * 22, back, implied))
    width = 2 * MARGIN + diagram.columns * (WIDTH + GAP_X) - GAP_X
    return Drawing(boxes, tuple(arrows), width, floor + (lane + 1) * 22)


def _place(node: Node) -> tuple[int, int]:
    return MARGIN + node.column * (WIDTH + GAP_X), MARGIN + node.row * (HEIGHT + GAP_Y)


def _box(node: Node, chinese: bool) -> Box:
    x, y = _place(node)
    return Box(node.key, node.zh if chinese else node.en, node.kind.value, x, y, x + WIDTH // 2, y + HEIGHT // 2 + 5)


def _straight(first: Node, last: Node, words: str, implied: bool) -> Arrow:
    (x, y), (to_x, to_y) = _place(first), _place(last)
    x, y, to_y = x + WIDTH, y + HEIGHT // 2, to_y + HEIGHT // 2
    middle = (x + to_x) // 2
    path = f"M{x} {y} C{middle} {y} {middle} {to_y} {to_x - 2} {to_y}"
    return Arrow(words, path, middle, (y + to_y) // 2 - 6, False, implied)


def _around(first: Node, last: Node, words: str, floor: int, back: bool, implied: bool) -> Arrow:
    (x, y), (to_x, to_y) = _place(first), _place(last)
    x, to_x = x + WIDTH // 2 + 8, to_x + WIDTH // 2 - 8
    path = f"M{x} {y + HEIGHT} V{floor} H{to_x} V{to_y + HEIGHT + 2}"
    return Arrow(words, path, (x + to_x) // 2, floor - 5, back, implied)
