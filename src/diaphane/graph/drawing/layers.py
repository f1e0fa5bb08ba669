"""The textbook's picture of a network: columns of units, and under each what the layer is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .canvas import Drawing, box_markup, coordinate, page, text_markup, title_markup
from .content import Box, Line
from .text import shorten

__all__ = ["LayerBox", "draw_layers"]

MOST_UNITS = 10
"""Circles in a column; of more units the first and the last are drawn, with ⋮ between."""
MOST_LINES = MOST_UNITS**2
RADIUS = 9.0
PITCH = 26.0
GAP = 34.0
UNITS_GAP = 74.0
LONGEST = 22
BOX_HEIGHT = 44.0
CAPTION_GAP = 20.0


@dataclass(frozen=True)
class LayerBox:
    """One layer of a network, as it is drawn.

    Attributes
    ----------
    title : str
        What it is: ``"Dense 64"``, ``"Input"``, ``"Dropout"``.
    subtitle : str
        What else is to be said: ``"relu"``, ``"p = 0.5"``.
    units : int or None
        How many circles stand for it; None for a layer without units of its own (dropout, normalisation,
        reshaping), which is drawn as a narrow box between the columns.
    output_shape : str
        As a person writes it: ``"(N, 64)"``.
    parameters : int
        How many numbers it learns.
    """

    title: str
    subtitle: str = ""
    units: int | None = None
    output_shape: str = ""
    parameters: int = 0


def draw_layers(layers: Sequence[LayerBox], *, title: str | None = None) -> Drawing:
    """A network layer by layer, from left to right.

    Parameters
    ----------
    layers : sequence of LayerBox
        From input to output.
    title : str, optional
        Written above.

    Returns
    -------
    Drawing

    Examples
    --------
    >>> picture = draw_layers(
    ...     [
    ...         LayerBox("Input", units=4, output_shape="(N, 4)"),
    ...         LayerBox("Dense 64", "relu", 64, "(N, 64)", 320),
    ...         LayerBox("Dropout", "p = 0.5", None, "(N, 64)"),
    ...         LayerBox("Dense 3", "softmax", 3, "(N, 3)", 195),
    ...     ]
    ... )
    >>> picture.svg.count('class="unit')
    17
    """
    if not layers:
        raise ValueError("draw_layers: there is no layer to draw")
    tallest = max(_column_height(layer) for layer in layers)
    centres = _centres(layers)
    parts = _connections(layers, centres, tallest)
    below = max(_caption(layer).height for layer in layers)
    for i, (layer, x) in enumerate(zip(layers, centres, strict=True)):
        parts += _column(layer, x, tallest, kind=_kind(i, layers))
        parts.append(box_markup(_caption(layer), x, tallest + CAPTION_GAP + below / 2, height=below))
    total = sum(layer.parameters for layer in layers)
    name = title or "Network"
    return page(
        "".join(parts),
        centres[-1] + _width(layers[-1]) / 2,
        tallest + CAPTION_GAP + below,
        label=name,
        description=f"{name}: " + ", ".join(_said(layer) for layer in layers),
        title=title,
        captions=[f"{_count(total, 'parameter')} in all"],
    )


def _kind(i: int, layers: Sequence[LayerBox]) -> str:
    """Input units look like what is given, inner ones like what is learnt, output units like a result."""
    if layers[i].units is None:
        return "operation"
    if i == 0:
        return "placeholder"
    return "scan" if i == len(layers) - 1 else "variable"


def _centres(layers: Sequence[LayerBox]) -> list[float]:
    centres: list[float] = []
    edge = 0.0
    for i, layer in enumerate(layers):
        if i:
            # Lines between units need some length to be told apart.
            edge += max(GAP, UNITS_GAP - (_width(layer) + _width(layers[i - 1])) / 2)
        centres.append(edge + _width(layer) / 2)
        edge += _width(layer)
    return centres


def _caption(layer: LayerBox) -> Box:
    lines = [Line(shorten(layer.title, LONGEST), "name")]
    if layer.subtitle:
        lines.append(Line(shorten(layer.subtitle, LONGEST), "value"))
    if layer.output_shape:
        lines.append(Line(shorten(layer.output_shape, LONGEST), "shape"))
    if layer.parameters:
        lines.append(Line(_count(layer.parameters, "parameter"), "shape"))
    return Box("caption", tuple(lines), _said(layer))


def _width(layer: LayerBox) -> float:
    return _caption(layer).width


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}".replace(",", "\u202f")


def _said(layer: LayerBox) -> str:
    units = [_count(layer.units, "unit")] if layer.units is not None else []
    parameters = [_count(layer.parameters, "parameter")] if layer.parameters else []
    said = [layer.title, layer.subtitle, *units, layer.output_shape, *parameters]
    return " · ".join(text for text in said if text)


def _places(layer: LayerBox) -> list[float | None]:
    """How far below the column's middle each circle is; None where ⋮ stands for the rest."""
    units = layer.units or 0
    rows = min(units, MOST_UNITS + 1)
    offsets: list[float | None] = [(k - (rows - 1) / 2) * PITCH for k in range(rows)]
    if units > MOST_UNITS:
        offsets[MOST_UNITS // 2] = None
    return offsets


def _column_height(layer: LayerBox) -> float:
    if layer.units is None:
        return BOX_HEIGHT
    return max(len(_places(layer)), 1) * PITCH


def _connections(layers: Sequence[LayerBox], centres: Sequence[float], tallest: float) -> list[str]:
    parts = []
    middle = tallest / 2
    for i in range(len(layers) - 1):
        before, after = ([p for p in _places(layer) if p is not None] for layer in layers[i : i + 2])
        x0, x1 = centres[i], centres[i + 1]
        if before and after and len(before) * len(after) <= MOST_LINES:
            start, end = coordinate(x0 + RADIUS), coordinate(x1 - RADIUS)
            path = "".join(
                f"M{start} {coordinate(middle + a)}L{end} {coordinate(middle + b)}" for a in before for b in after
            )
            parts.append(f'<path class="line unit-line" d="{path}"/>')
        else:
            parts.append(_arrow(x0 + RADIUS + 6, x1 - RADIUS - 6, middle))
    return parts


def _arrow(start: float, end: float, y: float) -> str:
    line = f'<path class="line" d="M{coordinate(start)} {coordinate(y)}H{coordinate(end - 6)}"/>'
    tip = f"M{coordinate(end)} {coordinate(y)}L{coordinate(end - 7)} {coordinate(y - 3.2)}v6.4Z"
    return f'{line}<path class="head" d="{tip}"/>'


def _column(layer: LayerBox, x: float, tallest: float, kind: str) -> list[str]:
    middle = tallest / 2
    parts = [f'<g class="layer {kind}">', title_markup(_said(layer))]
    if layer.units is None:
        height = max(tallest, BOX_HEIGHT)
        corner = f'x="{coordinate(x - RADIUS)}" y="{coordinate(middle - height / 2)}"'
        size = f'width="{coordinate(2 * RADIUS)}" height="{coordinate(height)}"'
        parts.append(f'<rect class="box" {corner} {size} rx="5"/>')
    for place in _places(layer):
        if place is None:
            parts.append(text_markup(x, middle + 6, "⋮", "symbol"))
        else:
            where = f'cx="{coordinate(x)}" cy="{coordinate(middle + place)}"'
            parts.append(f'<circle class="unit box" {where} r="{coordinate(RADIUS)}"/>')
    return [*parts, "</g>"]
