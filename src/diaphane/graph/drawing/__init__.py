"""Graphs and networks as pictures: SVG, light and dark, with graphviz or without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from ..errors import DTypeError
from ..node import Node
from .canvas import Drawing
from .picture import picture_of
from .render import render
from .text import shorten

__all__ = ["Drawing", "draw"]


def draw(
    nodes: Node | Sequence[Node],
    values: bool = True,
    gradients: bool = False,
    *,
    feeds: Mapping[Node | str, Any] | None = None,
    wrt: Sequence[Node] | None = None,
    seed: int = 0,
    step: int = 0,
    direction: Literal["LR", "TB"] = "LR",
    max_nodes: int = 400,
    title: str | None = None,
) -> Drawing:
    """The graph that computes a node, as a picture.

    Boxes are operations, variables, placeholders and constants, with shape and value; lines lead from what is used
    to where it is used. With ``gradients`` each box shows ∂f/∂(box) and each line the part of the gradient that
    comes back through it: where a value is used several times, these parts add up to its gradient.

    Parameters
    ----------
    nodes : Node or sequence of Node
        What is computed.
    values : bool
        Show values: numbers and small arrays as they are, of larger ones mean ± standard deviation and the range.
    gradients : bool
        Show gradients of the node, which is then one number.
    feeds : mapping of node (or its name) to array, optional
        As in :func:`~diaphane.graph.evaluate`. If a placeholder is not fed, the picture shows only what does not
        depend on it, and says so.
    wrt : sequence of Node, optional
        Where the gradients lead to; all floating variables and placeholders by default.
    seed, step : int
        What random nodes draw from.
    direction : {"LR", "TB"}
        From left to right, or from top to bottom.
    max_nodes : int
        Of a larger graph only so many nodes nearest to the result are drawn.
    title : str, optional
        Written above the picture.

    Returns
    -------
    Drawing
        With ``svg``, ``save(path)``, and shown by notebooks.

    Raises
    ------
    ShapeError, DTypeError, NotDifferentiableError
        With ``gradients``, as :func:`~diaphane.graph.gradient`.

    Examples
    --------
    >>> import diaphane as dia
    >>> x, y, z = dia.variable(-2.0, "x"), dia.variable(5.0, "y"), dia.variable(-4.0, "z")
    >>> f = (x + y) * z
    >>> picture = draw(f, gradients=True, title="f = (x + y)·z")
    >>> picture.svg[:4], picture.svg.count('class="node ')
    ('<svg', 5)
    """
    outputs = [nodes] if isinstance(nodes, Node) else list(nodes)
    for node in outputs:
        if not isinstance(node, Node):
            raise DTypeError(f"draw takes a node or several, got {type(node).__name__}")
    if not outputs:
        raise ValueError("draw: there is no node to draw")
    if direction not in ("LR", "TB"):
        raise ValueError(f'draw: direction is "LR" (left to right) or "TB" (top to bottom), got {direction!r}')
    if max_nodes < 1:
        raise ValueError(f"draw: max_nodes is at least 1, got {max_nodes}")
    picture = picture_of(
        outputs, values=values, gradients=gradients, feeds=feeds, wrt=wrt, seed=seed, step=step, max_nodes=max_nodes
    )
    label = title or f"Computational graph of {shorten(', '.join(node.label() for node in outputs), 80)}"
    return render(picture, downwards=direction == "TB", title=title, label=label)
