"""A picture of a graph as SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .canvas import Drawing, box_markup, coordinate, page, text_markup, title_markup
from .layout import Arrangement, Extents, Run, arrange
from .picture import Edge, Picture
from .text import line_height, text_width

__all__ = ["render"]

HEAD = 7.0
ARROW_ROOM = 16.0
BESIDE = 5.0
"""How far a label's text stays from its line."""
MEANINGS = {
    "variable": "variable",
    "placeholder": "given at each run",
    "constant": "constant",
    "operation": "operation",
    "scan": "loop",
    "part": "part of a loop's result",
    "more": "not drawn",
}


def render(picture: Picture, *, downwards: bool, title: str | None, label: str) -> Drawing:
    """Lay a picture out and write it as SVG.

    Parameters
    ----------
    picture : Picture
    downwards : bool
        From top to bottom, not from left to right.
    title : str or None
        Written above the picture.
    label : str
        Its name for those who do not see it.
    """
    turned: Callable[[Extents], Extents] = (lambda pair: (pair[1], pair[0])) if downwards else (lambda pair: pair)
    sizes = _sizes(picture, downwards)
    placed = arrange(
        [turned(size) for size in sizes],
        [(edge.source, edge.target) for edge in picture.edges],
        [_label_extents(edge, downwards) for edge in picture.edges],
        downwards=downwards,
    )
    parts = [
        _edge_markup(edge, runs, centre, downwards)
        for edge, runs, centre in zip(picture.edges, placed.lines, placed.labels, strict=True)
    ]
    for i, (box, size, centre) in enumerate(zip(picture.boxes, sizes, placed.boxes, strict=True)):
        parts.append(box_markup(box, *turned(centre), *size))
        if i in picture.summed:
            half = turned(size)[0] / 2
            parts.append(_sum_markup(*turned((centre[0] + half, centre[1]))))
    width, height = turned(_whole_extents(placed, picture))
    return page(
        "".join(parts),
        width,
        height,
        label=label,
        description=picture.description,
        title=title,
        legend=_legend(picture, downwards),
        captions=picture.captions,
    )


def _sizes(picture: Picture, downwards: bool) -> list[Extents]:
    """Widths and heights, with room on a box's side for all arrows that end there."""
    arrows = [0] * len(picture.boxes)
    for edge in picture.edges:
        if edge.target is not None:
            arrows[edge.target] += 1
    sizes = []
    for box, count in zip(picture.boxes, arrows, strict=True):
        needed = ARROW_ROOM * count
        sizes.append((max(box.width, needed), box.height) if downwards else (box.width, max(box.height, needed)))
    return sizes


def _whole_extents(placed: Arrangement, picture: Picture) -> Extents:
    leaving = any(edge.target is None for edge in picture.edges)
    return placed.extents[0] + (HEAD + 4 if leaving else 0), placed.extents[1]


def _label_extents(edge: Edge, downwards: bool) -> Extents | None:
    if not edge.value and not edge.gradient:
        return None
    widest = max(text_width(edge.value, "value"), text_width(edge.gradient, "gradient"))
    height = line_height("value")
    return (height, 2 * (widest + BESIDE)) if downwards else (widest + 2, 2 * height + 2)


def _edge_markup(edge: Edge, runs: Sequence[Run], centre: Extents | None, downwards: bool) -> str:
    def point(along: float, across: float) -> str:
        x, y = (across, along) if downwards else (along, across)
        return f"{coordinate(x)} {coordinate(y)}"

    leaving = edge.target is None
    tip = runs[-1].end + (HEAD + 4 if leaving else 0)
    path = [f"M{point(runs[0].start, runs[0].across)}"]
    for k, run in enumerate(runs):
        last = k == len(runs) - 1
        if k:
            before = runs[k - 1]
            # Lines come in straight, so that the arrowhead does not stand askew on its line.
            start = run.start - (HEAD if last and not leaving else 0)
            middle = (before.end + start) / 2
            straight = abs(run.across - before.across) < 0.05
            bend = f"C{point(middle, before.across)} {point(middle, run.across)} "
            path.append(("L" if straight else bend) + point(start, run.across))
        end = tip - HEAD + 1 if last else run.end
        if not k or end > run.start:
            path.append(f"L{point(end, run.across)}")
    across = runs[-1].across
    head = f"M{point(tip, across)}L{point(tip - HEAD, across - 3.2)}L{point(tip - HEAD, across + 3.2)}Z"
    style = "line dashed" if edge.dashed else "line"
    parts = ["<g>", title_markup(edge.tooltip), f'<path class="{style}" d="{"".join(path)}"/>']
    parts.append(f'<path class="head" d="{head}"/>')
    if centre is not None:
        parts += _label_markup(edge, centre, downwards)
    return "".join([*parts, "</g>"])


def _label_markup(edge: Edge, centre: Extents, downwards: bool) -> list[str]:
    along, across = centre
    if downwards:
        places = [(across - BESIDE, along + 4, "value end"), (across + BESIDE, along + 4, "gradient start")]
    else:
        places = [(along, across - BESIDE, "value"), (along, across + 13, "gradient")]
    texts = (edge.value, edge.gradient)
    return [text_markup(x, y, text, style) for (x, y, style), text in zip(places, texts, strict=True) if text]


def _sum_markup(x: float, y: float) -> str:
    where = f'cx="{coordinate(x)}" cy="{coordinate(y)}"'
    cross = f"M{coordinate(x - 3.2)} {coordinate(y)}h6.4M{coordinate(x)} {coordinate(y - 3.2)}v6.4"
    hint = title_markup("the gradient is the sum of what comes back through the edges")
    return f'<g class="sum">{hint}<circle {where} r="6"/><path d="{cross}"/></g>'


def _legend(picture: Picture, downwards: bool) -> list[tuple[str, str]]:
    kinds = {box.kind for box in picture.boxes}
    entries = [(kind, meaning) for kind, meaning in MEANINGS.items() if kind in kinds]
    roles = {line.role for box in picture.boxes for line in box.lines}
    sides = ("left of", "right of") if downwards else ("above", "below")
    if "value" in roles:
        also = f" (also {sides[0]} edges)" if any(edge.value for edge in picture.edges) else ""
        entries.append(("value", f"value{also}"))
    if "gradient" in roles:
        also = f" ({sides[1]} an edge: what comes back through it)" if any(e.gradient for e in picture.edges) else ""
        entries.append(("gradient", f"∂ gradient of the result{also}"))
    if any(box.alarming for box in picture.boxes):
        entries.append(("alarm", "NaN or infinite"))
    if picture.summed:
        entries.append(("gradient", "⊕ the parts add up"))
    return entries
