"""Pictures of matplotlib's as SVG within a page: text stays text, and colours follow the page's light or dark."""

from __future__ import annotations

import io
import re
import textwrap
import warnings
from base64 import b64encode
from collections.abc import Callable, Sequence
from hashlib import blake2s
from typing import Any

from ..insight.displays.style import BLUE, GREEN, GREY, GRID, INK, OCHRE, ORANGE, PURPLE, ROSE, need_matplotlib
from .markup import Markup, clean, joined, tag

__all__ = ["VARIABLES", "figure", "from_svg", "panels", "picture"]

VARIABLES = {
    BLUE: "blue", ORANGE: "orange", PURPLE: "purple", GREEN: "green", OCHRE: "ochre", ROSE: "rose", INK: "ink",
    "#000000": "ink", GREY: "muted", GRID: "hair", "#ffffff": "paper",
}  # fmt: skip
"""Colours of the displays, by the page's name for them."""
SIZE = (4.2, 3.2)
"""Inches: scaled to a phone's width, letters of 10 points still have 11 pixels."""
LONGEST_ACROSS, LONGEST_UP = 42, 32
"""Letters along its axes."""
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none", "font.size": 10.0, "axes.labelsize": 10.0, "legend.fontsize": 9.5,
    "xtick.labelsize": 9.5, "ytick.labelsize": 9.5, "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK,
    "ytick.color": INK, "axes.edgecolor": GREY, "path.simplify_threshold": 0.5,
}  # fmt: skip
DROPPED = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<!--.*?-->|\sxmlns(:xlink)?=\"[^\"]*\"", re.S
)
STYLE = re.compile(r'style="[^"]*"')
COLOUR = re.compile("#[0-9a-f]{6}")
FAMILY = re.compile("(font: [^';]*)'[^;\"]*")
NAMED = re.compile(r'\sid="([^"]*)"')


def picture(draw: Callable[[Any], object], *, title: str, said: str, size: tuple[float, float] = SIZE) -> Markup:
    """What is drawn on new axes, with a title above and words for those who do not see it.

    Parameters
    ----------
    draw : callable
        (axes) → anything.
    title : str
    said : str
        What the picture shows.
    size : (width, height)
        Inches.

    Raises
    ------
    ImportError
        If there is no matplotlib.
    """
    [drawn] = panels(lambda axes: draw(axes[0]), [(title, said)], size=size)
    return drawn


def panels(
    draw: Callable[[list[Any]], object],
    words: Sequence[tuple[str, str] | None],
    *,
    size: tuple[float, float] = SIZE,
) -> list[Markup]:
    """The panels of a display as pictures of their own: side by side on a desk, one below the other on a phone.

    Parameters
    ----------
    draw : callable
        (list of axes) → anything.
    words : sequence of (title, said) or None
        One for each panel; None leaves it out.
    """
    need_matplotlib()
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    shown = []
    # A seed of its own keeps the names within a picture the same from run to run.
    with mpl.rc_context({**SETTINGS, "svg.hashsalt": "diaphane"}), warnings.catch_warnings():
        # The browser has the letters that matplotlib's font lacks.
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        figures = [Figure(figsize=size, layout="constrained") for _ in words]
        for drawn in figures:
            FigureCanvasSVG(drawn)
        draw([drawn.subplots() for drawn in figures])
        for drawn, texts in zip(figures, words, strict=True):
            if texts is None:
                continue
            title, said = texts
            for ax in drawn.axes:
                _fit_small(ax)
            file = io.StringIO()
            drawn.savefig(file, format="svg", transparent=True, metadata={"Date": None})
            shown.append(figure(_adapted(file.getvalue(), title, said), title))
    return shown


def _fit_small(ax: Any) -> None:
    """What is made for a large picture: a title (the page has its own), long labels, a legend under the axes."""
    ax.set_title("")
    ax.set_xlabel(textwrap.fill(ax.get_xlabel(), LONGEST_ACROSS))
    ax.set_ylabel(textwrap.fill(ax.get_ylabel(), LONGEST_UP))
    legend = ax.get_legend()
    if legend is None:
        return
    handles, names = legend.legend_handles, [text.get_text() for text in legend.get_texts()]
    legend.remove()
    columns = 1 if max(map(len, names)) > LONGEST_ACROSS // len(names) else len(names)
    ax.figure.legend(
        handles, names, loc="outside lower center", ncols=min(columns, 3), frameon=False, handlelength=1.6,
        columnspacing=1.2,
    )  # fmt: skip


def _adapted(svg: str, title: str, said: str) -> Markup:
    """With variables for colours, the page's own font, and names that are no other picture's."""
    body = DROPPED.sub("", clean(svg)).replace("xlink:href", "href")
    body = STYLE.sub(_with_variables, body)
    used = {*re.findall(r'href="#([^"]+)"', body), *re.findall(r"url\(#([^)]+)\)", body)}
    body = NAMED.sub(lambda found: found[0] if found[1] in used else "", body)
    own = blake2s(f"{title} {said}".encode()).hexdigest()[:8]
    body = re.sub(r'(\sid="|href="#|url\(#)', rf"\g<1>p{own}-", body)
    box = re.search(r'viewBox="([^"]*)"', body)
    assert box is not None
    inner = body[body.index(">", box.start()) + 1 :].strip().replace("\n", " ")
    # Without width and height it takes those of its place.
    start = tag("svg", role="img", aria_label=f"{title}. {said}", viewBox=box[1]).removesuffix("</svg>")
    return Markup(start + inner)


def _with_variables(style: re.Match[str]) -> str:
    found = COLOUR.sub(lambda c: f"var(--{VARIABLES[c[0]]})" if c[0] in VARIABLES else c[0], style[0])
    return FAMILY.sub(r"\1var(--font)", found)


def from_svg(svg: str, *, title: str, said: str) -> Markup:
    """A whole SVG document as a picture of its own, whose names, rules and scripts stay within it."""
    width = re.search(r'<svg[^>]*?\swidth="([\d.]+)', svg)
    data = b64encode(clean(svg).encode()).decode()
    shown = tag("img", src=f"data:image/svg+xml;base64,{data}", alt=f"{title}. {said}", width=width and width[1])
    return tag("figure", tag("figcaption", title), tag("div", shown, class_="scroll", tabindex="0", role="region",
                                                       aria_label=title), class_="wide")  # fmt: skip


def figure(content: Any, title: str) -> Markup:
    """A picture under its title."""
    return tag("figure", joined(tag("figcaption", title), content))
