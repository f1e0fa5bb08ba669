"""Neurons with a threshold, drawn one by one: what comes in, with what weight, and from where on they fire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .canvas import Drawing, coordinate, page, text_markup, title_markup
from .figures import number
from .text import shorten, text_width

__all__ = ["NeuronMark", "draw_neurons"]

RADIUS = 25.0
INPUT_RADIUS = 15.0
COLUMN = 150.0
ROW = 96.0
STUB = 46.0
LABEL_AT = 0.34
"""Where on its line a weight stands: not in the middle, where lines cross."""
LONGEST = 20


@dataclass(frozen=True)
class NeuronMark:
    """One neuron, as it is drawn.

    Attributes
    ----------
    weights : sequence of float
        One for each neuron or input of the column before.
    threshold : float
    name : str
    """

    weights: Sequence[float]
    threshold: float
    name: str = ""


def draw_neurons(
    columns: Sequence[Sequence[NeuronMark]], inputs: Sequence[str], *, title: str | None = None
) -> Drawing:
    """Neurons column by column, from left to right, each line with its weight.

    Parameters
    ----------
    columns : sequence of sequence of NeuronMark
        From the inputs to the output.
    inputs : sequence of str
        The names of what comes in.
    title : str, optional
        Written above.

    Returns
    -------
    Drawing

    Raises
    ------
    ValueError
        If there is no neuron, or one with other than a weight for each that it hears.

    Examples
    --------
    >>> picture = draw_neurons([[NeuronMark((1.0, 1.0), 2.0, "AND")]], ["x₁", "x₂"])
    >>> picture.svg.count("<circle"), "≥ 2" in picture.svg
    (3, True)
    """
    heights = [len(inputs), *map(len, columns)]
    if not columns or 0 in heights:
        raise ValueError("draw_neurons: there is no neuron, or no input, to draw")
    for before, column in zip(heights, columns, strict=False):
        for mark in column:
            if len(mark.weights) != before:
                raise ValueError(
                    f"draw_neurons: {mark.name or 'a neuron'} has {len(mark.weights)} weights; expected {before}"
                )
    tallest = max(heights)
    places = [
        [(INPUT_RADIUS + x * COLUMN, (tallest / 2 + (y - (count - 1) / 2) - 0.5) * ROW + RADIUS) for y in range(count)]
        for x, count in enumerate(heights)
    ]
    lines, labels = _lines(columns, places)
    parts = [*lines, *labels, *(_input(name, *place) for name, place in zip(inputs, places[0], strict=True))]
    for i, column in enumerate(columns):
        for mark, (x, y) in zip(column, places[i + 1], strict=True):
            parts.append(_neuron(mark, x, y, last=i == len(columns) - 1))
    name = title or "Formal neuron"
    said = "; ".join(_said(mark) for column in columns for mark in column)
    return page(
        "".join(parts),
        places[-1][0][0] + RADIUS + STUB,
        (tallest - 1) * ROW + 2 * RADIUS + 20,
        label=name,
        description=f"{name}: {said}",
        title=title,
        captions=["a neuron gives 1 where the weighted sum reaches its threshold, else 0"],
    )


def _lines(
    columns: Sequence[Sequence[NeuronMark]], places: Sequence[Sequence[tuple[float, float]]]
) -> tuple[list[str], list[str]]:
    lines, labels = [], []
    for i, column in enumerate(columns):
        reach = INPUT_RADIUS if i == 0 else RADIUS
        for mark, (x1, y1) in zip(column, places[i + 1], strict=True):
            for weight, (x0, y0) in zip(mark.weights, places[i], strict=True):
                length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
                across, down = (x1 - x0) / length, (y1 - y0) / length
                start = (x0 + reach * across, y0 + reach * down)
                end = (x1 - RADIUS * across, y1 - RADIUS * down)
                lines.append(_line(start, end, dashed=weight == 0))
                at = (start[0] + LABEL_AT * (end[0] - start[0]), start[1] + LABEL_AT * (end[1] - start[1]))
                labels.append(_label(number(float(weight), 3), *at))
    for x, y in places[-1]:
        edge = x + RADIUS + STUB
        lines.append(_line((x + RADIUS, y), (edge - 6, y)))
        tip = f"M{coordinate(edge)} {coordinate(y)}l-7 -3.2v6.4Z"
        lines.append(f'<path class="head" d="{tip}"/>')
    return lines, labels


def _line(start: tuple[float, float], end: tuple[float, float], dashed: bool = False) -> str:
    kind = "line dashed" if dashed else "line"
    (x0, y0), (x1, y1) = start, end
    return f'<path class="{kind}" d="M{coordinate(x0)} {coordinate(y0)}L{coordinate(x1)} {coordinate(y1)}"/>'


def _label(text: str, x: float, y: float) -> str:
    width = text_width(text, "value") + 6
    corner = f'x="{coordinate(x - width / 2)}" y="{coordinate(y - 8)}"'
    ground = f'<rect class="paper" {corner} width="{coordinate(width)}" height="16"/>'
    return ground + text_markup(x, y + 4, text, "value")


def _input(name: str, x: float, y: float) -> str:
    circle = _circle(x, y, INPUT_RADIUS)
    return f'<g class="placeholder">{title_markup(name)}{circle}{text_markup(x, y + 4.5, name, "name")}</g>'


def _neuron(mark: NeuronMark, x: float, y: float, *, last: bool) -> str:
    kind = "scan" if last else "variable"
    below = text_markup(x, y + RADIUS + 14, shorten(mark.name, LONGEST), "small") if mark.name else ""
    threshold = text_markup(x, y + 4.5, f"≥ {number(float(mark.threshold), 3)}", "name")
    return f'<g class="{kind}">{title_markup(_said(mark))}{_circle(x, y, RADIUS)}{threshold}</g>{below}'


def _circle(x: float, y: float, radius: float) -> str:
    return f'<circle class="box" cx="{coordinate(x)}" cy="{coordinate(y)}" r="{coordinate(radius)}"/>'


def _said(mark: NeuronMark) -> str:
    weights = ", ".join(number(float(weight), 3) for weight in mark.weights)
    return f"{mark.name or 'neuron'}: weights {weights}, threshold {number(float(mark.threshold), 3)}"
