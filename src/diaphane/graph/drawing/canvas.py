"""A page of SVG: what every picture has in common."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

from .content import Box
from .style import stylesheet
from .text import SIZES, line_height, text_width

__all__ = ["Drawing", "attribute", "box_markup", "coordinate", "page", "text_markup"]

MARGIN = 22.0
LEGEND_ROW = 20.0
SWATCH = 16.0
WIDEST_FITTED = 1600.0
"""A wider picture is not shrunk to the page's width, where nobody could read it: the page scrolls."""
# Control characters, lone surrogates and non-characters may not stand in XML at all.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Drawing:
    """A picture as SVG; notebooks show it by themselves.

    Attributes
    ----------
    svg : str
        A whole, self-contained SVG document, light or dark as its reader's screen is.
    """

    svg: str

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture into a file.

        Parameters
        ----------
        path : path-like
            It ends in ``.svg``; a file that is there is replaced once the new one is complete.

        Returns
        -------
        pathlib.Path

        Raises
        ------
        ValueError
            For another suffix.
        FileNotFoundError
            If there is no such folder.
        """
        target = Path(path)
        if target.suffix.lower() != ".svg":
            raise ValueError(
                f"a drawing is saved as .svg, got {target.name!r}: use {target.with_suffix('.svg').name!r}"
                if target.name
                else "a drawing is saved in a file that ends in .svg, got a folder"
            )
        if not target.parent.is_dir():
            raise FileNotFoundError(
                f"there is no folder {str(target.parent)!r} to save {target.name!r} in; make it first"
            )
        temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            temporary.write_text(self.svg, encoding="utf-8")
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
        return target

    def _repr_html_(self) -> str:
        return self.svg

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Drawing, {len(self.svg) / 1000:.0f} kB of SVG>"


def coordinate(value: float) -> str:
    """A length with one decimal, no more characters than it needs."""
    text = f"{value:.1f}"
    return "0" if text == "-0.0" else text.removesuffix(".0")


def attribute(text: str) -> str:
    """A text as a quoted XML attribute."""
    return f'"{escape(_FORBIDDEN.sub(chr(0xFFFD), text))}"'


def text_markup(x: float, y: float, text: str, classes: str) -> str:
    """One line of text, its baseline at y."""
    clean = escape(_FORBIDDEN.sub("�", text))
    return f'<text x="{coordinate(x)}" y="{coordinate(y)}" class="{classes}">{clean}</text>'


def title_markup(text: str) -> str:
    """What a browser shows when the pointer rests on something."""
    return f"<title>{escape(_FORBIDDEN.sub('�', text))}</title>" if text else ""


def box_markup(box: Box, x: float, y: float, width: float | None = None, height: float | None = None) -> str:
    """A box around a centre, with its lines."""
    w, h = width or box.width, height or box.height
    classes = " ".join([box.kind, *["output"] * box.output, *["alarm"] * box.alarming])
    parts = [f'<g class="node {classes}">', title_markup(box.tooltip), outline(box.kind, x - w / 2, y - h / 2, w, h)]
    baseline = y - sum(line_height(line.role) for line in box.lines) / 2
    for line in box.lines:
        baseline += line_height(line.role)
        descent = (line_height(line.role) - 0.72 * SIZES[line.role]) / 2
        if line.role == "dot":
            # The sign is too small to read in some fonts and square in others.
            centre = baseline - line_height(line.role) / 2
            parts.append(f'<circle class="dot" cx="{coordinate(x)}" cy="{coordinate(centre)}" r="3.4"/>')
        else:
            parts.append(text_markup(x, baseline - descent, line.text, line.role))
    return "".join([*parts, "</g>"])


def outline(kind: str, x: float, y: float, w: float, h: float) -> str:
    """The shape of a kind of box: round for what is learnt, notched for what comes in, sharp for what is fixed."""
    if kind == "placeholder":
        notch = min(8.0, h / 3)
        points = [(x, y), (x + w, y), (x + w, y + h), (x, y + h), (x + notch, y + h / 2)]
        path = " ".join(f"{coordinate(a)},{coordinate(b)}" for a, b in points)
        return f'<polygon class="box" points="{path}"/>'
    radius = {"variable": min(14.0, h / 2), "constant": 0.0, "part": min(10.0, h / 2)}.get(kind, 5.0)
    place = f'x="{coordinate(x)}" y="{coordinate(y)}" width="{coordinate(w)}" height="{coordinate(h)}"'
    rounded = f' rx="{coordinate(radius)}"' if radius else ""
    return f'<rect class="box" {place}{rounded}/>'


def page(
    body: str,
    width: float,
    height: float,
    *,
    label: str,
    description: str,
    title: str | None = None,
    legend: list[tuple[str, str]] | None = None,
    captions: list[str] | None = None,
) -> Drawing:
    """A page around a body drawn from (0, 0) to (width, height).

    Parameters
    ----------
    body : str
        SVG elements.
    width, height : float
    label, description : str
        For those who do not see the picture.
    title : str, optional
        Written above.
    legend : list of (kind, text), optional
        What the kinds of boxes mean; the kinds "value" and "gradient" are colours of text.
    captions : list of str, optional
        Written below the legend.
    """
    notes = [(caption, text_width(caption, "small")) for caption in captions or []]
    inner = max(
        [
            width,
            240.0,
            text_width(title or "", "title") * 1.1,
            *(w for _, w in notes),
            *(_legend_width(*e) for e in legend or []),
        ]
    )
    top = MARGIN + (30.0 if title else 0.0)
    parts = [text_markup(MARGIN, MARGIN + 10, title, "heading start")] if title else []
    parts.append(f'<g transform="translate({coordinate(MARGIN + (inner - width) / 2)} {coordinate(top)})">{body}</g>')
    y = top + height + 18
    if legend or notes:
        parts.append(f'<path class="hair" d="M{coordinate(MARGIN)} {coordinate(y)}H{coordinate(MARGIN + inner)}"/>')
    rows = _legend_rows(legend or [], inner)
    for row in rows:
        y += LEGEND_ROW
        parts += [_legend_entry(kind, text, MARGIN + x, y) for kind, text, x in row]
    for caption, _ in notes:
        y += LEGEND_ROW
        parts.append(text_markup(MARGIN, y + 3.5, caption, "small start"))
    w, h = coordinate(inner + 2 * MARGIN), coordinate(y + (MARGIN if rows or notes else 4.0))
    fit = ' style="max-width:100%;height:auto"' if inner < WIDEST_FITTED else ""
    return Drawing(
        f'<svg xmlns="http://www.w3.org/2000/svg" class="diaphane" role="img" aria-label={attribute(label)} '
        f'width="{w}" height="{h}" viewBox="0 0 {w} {h}"{fit}>'
        f"{title_markup(label)}<desc>{escape(_FORBIDDEN.sub('�', description))}</desc><style>{stylesheet()}</style>"
        f'<rect class="paper" width="100%" height="100%"/>{"".join(parts)}</svg>\n'
    )


def _legend_rows(legend: list[tuple[str, str]], width: float) -> list[list[tuple[str, str, float]]]:
    rows: list[list[tuple[str, str, float]]] = []
    x = width
    for kind, text in legend:
        needed = _legend_width(kind, text)
        if not rows or x + needed > width:
            rows.append([])
            x = 0.0
        rows[-1].append((kind, text, x))
        x += needed + 14
    return rows


def _legend_width(kind: str, text: str) -> float:
    return (0.0 if kind in ("value", "gradient") else SWATCH + 6) + text_width(text, "small")


def _legend_entry(kind: str, text: str, x: float, y: float) -> str:
    if kind in ("value", "gradient"):
        return text_markup(x, y + 3.5, text, f"small start {kind}")
    swatch = f'<g class="{kind}">{outline(kind, x, y - 5.5, SWATCH, 11.0)}</g>'
    return swatch + text_markup(x + SWATCH + 6, y + 3.5, text, "small start")
