"""The order of a layer's items, with few crossings of lines: graphviz's, or igraph's."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .layout import Item

__all__ = ["ordered_by_dot", "ordered_by_igraph"]

MOST_FOR_DOT = 6000
"""Boxes, labels, and lines in each layer they cross: of more, ``dot`` takes longer than one wants to wait."""
SECONDS_FOR_DOT = 60
POINTS_PER_INCH = 72.0


def ordered_by_dot(
    items: Sequence[Item], segments: Sequence[tuple[int, int]], downwards: bool = False
) -> list[float] | None:
    """The items' centres across the layers' axis in graphviz's layout; None where there is no ``dot``."""
    program = shutil.which("dot")
    if program is None or len(items) > MOST_FOR_DOT:
        return None
    try:
        answer = subprocess.run(
            [program, "-Tplain"],
            input=_dot_source(items, segments, downwards),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=SECONDS_FOR_DOT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    centres = [0.0] * len(items)
    for line in answer.stdout.splitlines():
        word, *rest = line.split()
        if word == "node":
            across = float(rest[1]) if downwards else -float(rest[2])
            centres[int(rest[0][1:])] = across * POINTS_PER_INCH
    return centres


def _dot_source(items: Sequence[Item], segments: Sequence[tuple[int, int]], downwards: bool) -> str:
    rows = [
        "digraph {",
        f"rankdir={'TB' if downwards else 'LR'}; nodesep=0.25; ranksep=0.4; splines=false;",
        'node [shape=box, fixedsize=true, label=""]; edge [arrowhead=none];',
    ]
    layers: dict[int, list[int]] = {}
    for i, item in enumerate(items):
        along, across = max(item.along, 1.0) / POINTS_PER_INCH, max(item.across, 1.0) / POINTS_PER_INCH
        width, height = (across, along) if downwards else (along, across)
        rows.append(f"n{i} [width={width:.4f}, height={height:.4f}];")
        layers.setdefault(item.layer, []).append(i)
    rows += [f"{{rank=same; {' '.join(f'n{i};' for i in layer)}}}" for layer in layers.values()]
    for a, b in segments:
        rows.append(f"n{a} -> n{b};")
    return "\n".join([*rows, "}"])


def ordered_by_igraph(items: Sequence[Item], segments: Sequence[tuple[int, int]]) -> list[float]:
    """The items' places across the layers' axis in igraph's Sugiyama layout: the order counts, not the distances."""
    from igraph import Graph

    graph = Graph(n=len(items), edges=list(segments), directed=True)
    found = graph.layout_sugiyama(layers=[item.layer for item in items], maxiter=200)
    # Newer versions give the lines' bends with it.
    layout = found[0] if isinstance(found, tuple) else found
    return [float(layout[i][0]) for i in range(len(items))]
