"""Where boxes go: layers from left to right (or top to bottom), nothing on anything else.

The scheme of Sugiyama, Tagawa & Toda 1981. Layers: the least total length of edges (Gansner et al. 1993), a
linear program. An edge over several layers, and each edge's label, take a place in every layer they cross, like
a box; so lines pass boxes by and labels lie on none. The order within the layers is graphviz's where ``dot`` is
installed, else igraph's. Distances are our own, from the sizes of the boxes.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from .order import ordered_by_dot, ordered_by_igraph

__all__ = ["Arrangement", "Extents", "Run", "arrange"]

SWEEPS = 40
SPREAD = 0.6
"""The part of a box's side over which its lines end."""
GAPS = {"box": 20.0, "label": 8.0, "line": 12.0}
"""How far apart two things of a layer stay, by what they are: the mean of the two."""
LAYER_GAP = 26.0
STEEP = 0.14, 70.0
"""A gap between layers widens with the longest way a line makes across it, up to so many pixels."""

STRAIGHTNESS = (1.0, 2.0, 8.0)
"""What a piece of a line counts, by how many of its ends are on the way (Gansner et al. 1993)."""

Vector: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.float64]]"
Extents = tuple[float, float]
"""Along the layers' axis and across it."""


@dataclass(frozen=True)
class Run:
    """A straight piece of a line, within one layer: from, to (along), and where (across)."""

    start: float
    end: float
    across: float


@dataclass
class Arrangement:
    """Centres as (along, across), a list of runs for each link, and the whole extent."""

    boxes: list[Extents] = field(default_factory=list)
    labels: list[Extents | None] = field(default_factory=list)
    lines: list[list[Run]] = field(default_factory=list)
    extents: Extents = (0.0, 0.0)


@dataclass
class Item:
    """Something with a place in a layer: a box, a label, or a line passing through."""

    kind: str
    layer: int
    along: float
    across: float
    centre: float = 0.0


@dataclass
class Layered:
    """Items; for each link the items it leads through, and how far off the middle of its last box it ends."""

    items: list[Item]
    chains: list[list[int]]
    entries: list[float] = field(default_factory=list)

    def layers(self) -> list[list[int]]:
        result: list[list[int]] = [[] for _ in range(1 + max(item.layer for item in self.items))]
        for i, item in enumerate(self.items):
            result[item.layer].append(i)
        return [layer for layer in result if layer]

    def segments(self) -> list[tuple[int, int]]:
        return [pair for chain in self.chains for pair in itertools.pairwise(chain)]


def arrange(
    boxes: Sequence[Extents],
    links: Sequence[tuple[int, int | None]],
    labels: Sequence[Extents | None],
    *,
    downwards: bool = False,
) -> Arrangement:
    """A place for each box, label and line.

    Parameters
    ----------
    boxes : sequence of (along, across)
        Their sizes.
    links : sequence of (int, int or None)
        From box to box; None leads out of the picture. There is no way round in a circle.
    labels : sequence of (along, across) or None
        The sizes of the links' labels; the line runs through a label's middle.
    downwards : bool
        For graphviz, which breaks ties by it: layers go from top to bottom.
    """
    if not boxes:
        return Arrangement()
    graph = _layered(boxes, links, labels)
    _place_across(graph, downwards)
    columns = _columns(graph)
    return _arrangement(graph, len(boxes), links, labels, columns)


def _layered(
    boxes: Sequence[Extents], links: Sequence[tuple[int, int | None]], labels: Sequence[Extents | None]
) -> Layered:
    ranks = _ranks(len(boxes), [(s, t) for s, t in links if t is not None])
    step = 2 if any(label is not None for label in labels) else 1
    items = [Item("box", step * rank, *size) for rank, size in zip(ranks, boxes, strict=True)]
    chains = []
    for (source, target), label in zip(links, labels, strict=True):
        first = items[source].layer
        last = items[target].layer if target is not None else first + 2
        chain = [source]
        for layer in range(first + 1, last):
            if label is not None and layer == first + 1:
                items.append(Item("label", layer, *label))
            else:
                items.append(Item("line", layer, 0.0, 0.0))
            chain.append(len(items) - 1)
        chains.append(chain if target is None else [*chain, target])
    return Layered(items, chains)


def _ranks(count: int, links: Sequence[tuple[int, int]]) -> list[int]:
    """Layer numbers with every link going forward, and the least total length of links."""
    if not links:
        return [0] * count
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    sources, targets = np.array(links).T
    cost = np.bincount(targets, minlength=count) - np.bincount(sources, minlength=count)
    rows = np.arange(len(links))
    matrix = coo_array(
        (np.repeat([1.0, -1.0], len(links)), (np.tile(rows, 2), np.concatenate([sources, targets]))),
        shape=(len(links), count),
    )
    # The matrix is totally unimodular: the simplex method's solution is whole.
    solution = linprog(cost, A_ub=matrix.tocsr(), b_ub=-np.ones(len(links)), bounds=(0, None), method="highs-ds")
    return [round(rank) for rank in solution.x]


def _place_across(graph: Layered, downwards: bool) -> None:
    """Order the items of each layer, and set their centres so that none touches another."""
    segments = graph.segments()
    guess = ordered_by_dot(graph.items, segments, downwards) or ordered_by_igraph(graph.items, segments)
    layers = [sorted(layer, key=lambda i: (guess[i], i)) for layer in graph.layers()]
    offsets = [_offsets([graph.items[i] for i in layer]) for layer in layers]
    for layer, offset in zip(layers, offsets, strict=True):
        for i, position in zip(layer, offset, strict=True):
            graph.items[i].centre = float(position - offset[-1] / 2)
    graph.entries = _entries(graph)
    _straighten(graph, layers, offsets)


def _offsets(items: Sequence[Item]) -> Vector:
    """The centres of a layer's items when they are packed as closely as they may be."""
    positions = [0.0]
    for before, item in itertools.pairwise(items):
        gap = (before.across + item.across + GAPS[before.kind] + GAPS[item.kind]) / 2
        positions.append(positions[-1] + gap)
    return np.array(positions)


def _straighten(graph: Layered, layers: Sequence[list[int]], offsets: Sequence[Vector]) -> None:
    """Move each layer to where its neighbours are, again and again; straight long lines count most."""
    centres = np.array([item.centre for item in graph.items])
    # For each item, to each side: its neighbours, how far off their centres the lines meet, and how much that counts.
    sides: tuple[list[list[tuple[int, float, float]]], ...] = ([[] for _ in graph.items], [[] for _ in graph.items])
    for chain, entry in zip(graph.chains, graph.entries, strict=True):
        for a, b in itertools.pairwise(chain):
            weight = STRAIGHTNESS[(graph.items[a].kind != "box") + (graph.items[b].kind != "box")]
            off = entry if b == chain[-1] else 0.0
            sides[0][b].append((a, -off, weight))
            sides[1][a].append((b, off, weight))
    numbered = list(zip(layers, offsets, strict=True))
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        looked_at = (0, 1) if sweep >= SWEEPS // 2 else ((0,) if forward else (1,))
        for layer, offset in numbered if forward else reversed(numbered):
            wanted, weights = centres[layer].copy(), np.full(len(layer), 0.05)
            for k, i in enumerate(layer):
                near = [entry for side in looked_at for entry in sides[side][i]]
                if near:
                    weights[k] = sum(w for _, _, w in near)
                    wanted[k] = sum((centres[j] + off) * w for j, off, w in near) / weights[k]
            centres[layer] = _separated(wanted, weights, offset)
    for item, centre in zip(graph.items, centres, strict=True):
        item.centre = float(centre)


def _separated(wanted: Vector, weights: Vector, offset: Vector) -> Vector:
    """The positions nearest to the wanted ones (weighted least squares) that keep order and distances.

    With yₖ = zₖ + offsetₖ, "far enough apart" is z₁ ≤ z₂ ≤ …: isotonic regression.
    """
    from scipy.optimize import isotonic_regression

    fitted: Vector = isotonic_regression(wanted - offset, weights=weights).x
    return fitted + offset


def _columns(graph: Layered) -> list[tuple[float, float]]:
    """Where each layer starts and ends along the axis."""
    count = 1 + max(item.layer for item in graph.items)
    widths, climbs = [0.0] * count, [0.0] * count
    for item in graph.items:
        widths[item.layer] = max(widths[item.layer], item.along)
    for a, b in graph.segments():
        before, after = graph.items[a], graph.items[b]
        climbs[before.layer] = max(climbs[before.layer], abs(before.centre - after.centre))
    columns, start = [], 0.0
    for width, climb in zip(widths, climbs, strict=True):
        columns.append((start, start + width))
        start += width + LAYER_GAP + min(climb * STEEP[0], STEEP[1])
    return columns


def _arrangement(
    graph: Layered,
    boxes: int,
    links: Sequence[tuple[int, int | None]],
    labels: Sequence[Extents | None],
    columns: Sequence[tuple[float, float]],
) -> Arrangement:
    items = graph.items
    top = min(item.centre - item.across / 2 for item in items)
    for item in items:
        item.centre -= top
    result = Arrangement(extents=(columns[-1][1], max(item.centre + item.across / 2 for item in items)))
    result.boxes = [(sum(columns[item.layer]) / 2, item.centre) for item in items[:boxes]]
    for k, ((_, target), chain) in enumerate(zip(links, graph.chains, strict=True)):
        first = items[chain[0]]
        left, right = columns[first.layer]
        runs = [Run((left + right + first.along) / 2, right, first.centre)]
        inner = chain[1:] if target is None else chain[1:-1]
        runs += [Run(*columns[items[i].layer], items[i].centre) for i in inner]
        if target is not None:
            last = items[target]
            left, right = columns[last.layer]
            runs.append(Run(left, (left + right - last.along) / 2, last.centre + graph.entries[k]))
        result.lines.append(runs)
        label = [items[i] for i in chain if items[i].kind == "label"]
        result.labels.append((sum(columns[label[0].layer]) / 2, label[0].centre) if label else None)
    return result


def _entries(graph: Layered) -> list[float]:
    """How far off a box's middle each line ends: spread over its side, in the order in which they come."""
    arriving: dict[int, list[tuple[float, int]]] = {}
    for k, chain in enumerate(graph.chains):
        if graph.items[chain[-1]].kind == "box":
            arriving.setdefault(chain[-1], []).append((graph.items[chain[-2]].centre, k))
    result = [0.0] * len(graph.chains)
    for box, comers in arriving.items():
        for place, (_, k) in enumerate(sorted(comers)):
            result[k] = graph.items[box].across * SPREAD * ((place + 0.5) / len(comers) - 0.5)
    return result
