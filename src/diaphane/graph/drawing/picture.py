"""From nodes to boxes and edges: what is drawn, and what is written on it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import ShapeError
from ..evaluation import evaluate, named_feeds
from ..gradient import Backpropagation, backpropagate, gradient
from ..leaves import Constant, Leaf, Variable, constant
from ..node import Array, Node, ancestors
from ..operations.reduction import ExtentValue
from ..operations.scan import Scan
from ..sizes import show
from .content import Box, Line, box_of, kind_of
from .figures import summary

__all__ = ["Edge", "Picture", "picture_of"]


@dataclass(frozen=True)
class Edge:
    """A line from a box to another, or out of the picture; the texts stand on its two sides."""

    source: int
    target: int | None
    value: str = ""
    gradient: str = ""
    tooltip: str = ""
    dashed: bool = False


@dataclass
class Picture:
    """Boxes, edges between them (by position in ``boxes``) and what is said below.

    ``summed`` holds the boxes whose gradient is a sum of what comes back through several edges.
    """

    boxes: list[Box] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    summed: set[int] = field(default_factory=set)
    description: str = ""


@dataclass
class _Known:
    """Numbers by node and by edge."""

    values: dict[Node, Array] = field(default_factory=dict)
    gradients: dict[Node, Array] = field(default_factory=dict)
    contributions: dict[tuple[Node, int], Array] = field(default_factory=dict)
    missing: list[Node] = field(default_factory=list)


def picture_of(
    outputs: Sequence[Node],
    *,
    values: bool,
    gradients: bool,
    feeds: Mapping[Node | str, Any] | None,
    wrt: Sequence[Node] | None,
    seed: int,
    step: int,
    max_nodes: int,
) -> Picture:
    """The picture of a graph; see :func:`~diaphane.graph.drawing.draw` for the parameters."""
    fed = named_feeds(feeds or {}, ancestors(outputs))
    order = ancestors(outputs, stop=fed)
    shown = order if len(order) <= max_nodes else _nearest(outputs, order, max_nodes, fed)
    backward = _backward(outputs, order, wrt) if gradients else Backpropagation()
    known = _numbers(shown, order, backward, fed, seed, step) if values or gradients else _Known()
    picture = _Builder(outputs, shown, fed, known, values, whole=len(order) <= max_nodes).built()
    hidden = len(order) - len(shown)
    if hidden:
        picture.captions.append(f"{hidden} of {len(order)} nodes, the farthest from the output, are not drawn")
    if known.missing:
        names = ", ".join(n.name or f"{n.op.label()} {show(n.shape)}" for n in known.missing[:4])
        more = ", …" if len(known.missing) > 4 else ""
        what = "values and gradients" if gradients else "values"
        picture.captions.append(f"no {what}: they need {names}{more} (feeds={{…}})")
    return picture


def _nearest(outputs: Sequence[Node], order: Sequence[Node], most: int, stop: Iterable[Node]) -> list[Node]:
    """The nodes that are the fewest steps away from an output, in the graph's order."""
    ends = set(stop)
    kept = dict.fromkeys(outputs)
    queue = deque(kept)
    while queue and len(kept) < most:
        node = queue.popleft()
        for value in () if node in ends else node.inputs:
            if value not in kept and len(kept) < most:
                kept[value] = None
                queue.append(value)
    return [n for n in order if n in kept]


def _backward(outputs: Sequence[Node], order: Sequence[Node], wrt: Sequence[Node] | None) -> Backpropagation:
    if len(outputs) != 1:
        raise ShapeError(f"draw: gradients are those of one number, got {len(outputs)} nodes; draw one of them")
    [y] = outputs
    gradient(y, list(wrt or ()))  # refuses what has no gradient
    leaves = wrt or [n for n in order if n.dtype.kind == "f" and not n.inputs and isinstance(n.op, Leaf) and n is not y]
    return backpropagate({y: constant(1.0, dtype=y.dtype)}, leaves)


def _numbers(
    shown: Sequence[Node],
    order: Sequence[Node],
    backward: Backpropagation,
    fed: Mapping[Node, Any],
    seed: int,
    step: int,
) -> _Known:
    known = _Known()
    feeds: dict[Node | str, Any] = dict(fed.items())
    known.missing = [n for n in order if isinstance(n.op, Leaf) and not isinstance(n.op, Variable) and n not in fed]
    visible = set(shown)
    plain = [n for n in shown if not isinstance(n.op, Scan)]
    if known.missing:
        own = [n for n in plain if isinstance(n.op, Variable | Constant) or n in fed]
        known.values = dict(zip(own, evaluate(own, {n: fed[n] for n in own if n in fed}), strict=True))
        return known
    through = {n: g for n, g in backward.gradients.items() if n in visible and not isinstance(n.op, Scan)}
    along = {key: g for key, g in backward.contributions.items() if key[0] in visible}
    found = evaluate([*plain, *through.values(), *along.values()], feeds, seed=seed, step=step)
    known.values = dict(zip(plain, found, strict=False))
    known.gradients = dict(zip(through, found[len(plain) :], strict=False))
    known.contributions = dict(zip(along, found[len(plain) + len(through) :], strict=True))
    return known


class _Builder:
    """Boxes and edges, one node after another."""

    def __init__(
        self,
        outputs: Sequence[Node],
        shown: Sequence[Node],
        fed: Mapping[Node, Any],
        known: _Known,
        values: bool,
        whole: bool,
    ) -> None:
        self.outputs, self.shown, self.fed, self.known = outputs, shown, fed, known
        self.values, self.whole = values, whole
        self.picture = Picture()
        self.position: dict[Node, int] = {}
        self.drawn = set(shown)
        self.hidden: set[Node] = set()

    def built(self) -> Picture:
        for node in self.shown:
            if not _is_copied(node) or node in self.outputs:
                self.position[node] = self._box(node)
                self._edges_into(node)
        self._stubs()
        self._mark_sums()
        names = [n.label() for n in self.outputs]
        self.picture.description = (
            f"The computational graph of {', '.join(names)}: {len(self.picture.boxes)} boxes and "
            f"{len(self.picture.edges)} edges, from the leaves to the result."
        )
        return self.picture

    def _box(self, node: Node) -> int:
        value = self.known.values.get(node) if self.values else None
        kind = kind_of(node, node in self.fed)
        gradient = self.known.gradients.get(node)
        output = node in self.outputs
        return self._add(box_of(node, kind, value, gradient, output=output, whole=self.whole))

    def _add(self, box: Box) -> int:
        self.picture.boxes.append(box)
        return len(self.picture.boxes) - 1

    def _edges_into(self, node: Node) -> None:
        if node in self.fed:
            return
        hidden = []
        for i, value in enumerate(node.inputs):
            if value not in self.drawn:
                hidden.append(value)
                continue
            source = self.position.get(value)
            if source is None:
                source = self._box(value)
            self.picture.edges.append(self._edge(source, node, i))
        if hidden:
            self._hide(node, hidden)

    def _edge(self, source: int, node: Node, i: int) -> Edge:
        value = node.inputs[i]
        contribution = self.known.contributions.get((node, i))
        place = _place(node, i)
        tooltip = f"{value.label()} → {node.label()}" + (f", {place}" if place else "")
        if contribution is None:
            return Edge(source, self.position[node], tooltip=tooltip)
        lines = summary(contribution)
        number = self.known.values.get(value) if self.values else None
        return Edge(
            source,
            self.position[node],
            value=summary(number, 4)[0] if number is not None and number.ndim == 0 else "",
            gradient=summary(contribution, 4)[0] + (" …" if len(lines) > 1 and contribution.size <= 6 else ""),
            tooltip=f"{tooltip}\ncontribution to the gradient of {value.label()}: {'; '.join(lines)}",
        )

    def _stubs(self) -> None:
        """The result leaves the picture with its value, and the gradient 1 comes in there."""
        for node in self.outputs if self.known.contributions else ():
            value = self.known.values.get(node) if self.values else None
            text = summary(value, 4)[0] if value is not None else ""
            self.picture.edges.append(
                Edge(self.position[node], None, text, "1", "the result; its gradient with respect to itself is 1")
            )

    def _mark_sums(self) -> None:
        users: dict[int, int] = {}
        for edge in self.picture.edges:
            if edge.gradient and edge.target is not None:
                users[edge.source] = users.get(edge.source, 0) + 1
        self.picture.summed = {box for box, count in users.items() if count > 1}

    def _hide(self, node: Node, hidden: Sequence[Node]) -> None:
        count = self._newly_hidden(hidden)
        text = f"… {count} more" if count else "…"
        box = self._add(Box("more", (Line(text, "shape"),), "not drawn: too far from the result"))
        self.picture.edges.append(Edge(box, self.position[node], tooltip="not drawn", dashed=True))

    def _newly_hidden(self, nodes: Sequence[Node]) -> int:
        """How many hidden nodes stand behind these, each counted once in the whole picture."""
        before, stack = len(self.hidden), list(nodes)
        while stack:
            node = stack.pop()
            if node not in self.hidden and node not in self.drawn:
                self.hidden.add(node)
                stack.extend(() if node in self.fed else node.inputs)
        return len(self.hidden) - before


def _is_copied(node: Node) -> bool:
    """Whether a box is drawn at each use: lines from one "2" all over the picture tell nothing."""
    return not node.name and not node.shape and isinstance(node.op, Constant | ExtentValue)


def _place(node: Node, i: int) -> str:
    """What an input is to its node, where that is not plain."""
    if isinstance(node.op, Scan):
        carries, items = len(node.op.carries), len(node.op.items)
        if i < carries:
            return "the first carry"
        return "a row at each step" if i < carries + items else "the same at each step"
    return f"input {i + 1} of {len(node.inputs)}" if len(node.inputs) > 1 else ""
