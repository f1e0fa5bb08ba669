"""One look for all pictures: colours that colour-blind people tell apart, thin frames, legends beside the data."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "COLOURS",
    "DASHES",
    "GREY",
    "INK",
    "MARKERS",
    "ORANGE",
    "dress",
    "legend_below",
    "new_axes",
    "need_matplotlib",
    "panels",
    "plain",
    "whole_numbers",
    "written_whole",
]

BLUE, ORANGE, PURPLE, GREEN, OCHRE, ROSE = "#2f6fb5", "#d1661f", "#7b4ea3", "#1d8f76", "#8a6d1d", "#b8487f"
COLOURS = (BLUE, ORANGE, PURPLE, GREEN, OCHRE, ROSE)
MARKERS = ("o", "^", "s", "D", "v", "P")
"""Classes differ in shape too: a print in grey still tells them apart."""
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)), (0, (9, 3)), (0, (1, 1)))
INK, GREY, GRID = "#1f2933", "#7a828c", "#e5e5e5"


def need_matplotlib() -> None:
    """Raise an error that says what to install where there is no matplotlib.

    Raises
    ------
    ImportError
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ImportError("pictures need matplotlib, which is not there: pip install 'diaphane[plot]'") from error


def new_axes(ax: Axes | None, size: tuple[float, float] = (6.4, 4.8)) -> Axes:
    """The axes given, or those of a new figure of pyplot's, which notebooks show."""
    if ax is not None:
        return ax
    return panels(None, 1, size)[0]


def panels(axes: Sequence[Axes] | Axes | None, count: int, size: tuple[float, float], **shared: Any) -> list[Axes]:
    """``count`` axes side by side: those given, or those of a new figure.

    Raises
    ------
    ValueError
        If another number of axes is given.
    ImportError
        If there is no matplotlib.
    """
    if axes is not None:
        found = list(getattr(axes, "flat", [axes] if hasattr(axes, "plot") else axes))
        if len(found) != count:
            raise ValueError(f"this picture has {count} panels and got {len(found)} axes; give {count}, or none")
        return found
    need_matplotlib()
    import matplotlib.pyplot as plt

    return list(plt.subplots(1, count, figsize=size, layout="constrained", squeeze=False, **shared)[1].flat)


def dress(ax: Axes, **labels: Any) -> Figure:
    """Set labels, the grid and the frame; returns the figure."""
    ax.set(**labels)
    ax.grid(visible=True, color=GRID, linewidth=0.8)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        ax.spines[side].set_color(GREY)
    figure: Any = ax.figure
    return figure  # type: ignore[no-any-return]


def plain(text: object) -> str:
    r"""A user's words as they are: between two dollar signs matplotlib would see a formula.

    Examples
    --------
    >>> plain("from $5 to $9")
    'from \\$5 to \\$9'
    """
    return str(text).replace("$", r"\$")


def whole_numbers(ax: Axes) -> None:
    """Ticks along x at whole numbers only, as epochs and layers are."""
    from matplotlib.ticker import MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def legend_below(ax: Axes, columns: int = 3) -> None:
    """A legend under the axes, where it hides nothing."""
    handles, names = ax.get_legend_handles_labels()
    if names:
        ax.legend(
            handles,
            names,
            loc="upper center",
            bbox_to_anchor=(0.5, -0.13),
            ncols=min(columns, len(names)),
            frameon=False,
            fontsize="small",
            handlelength=1.8,
            columnspacing=1.2,
        )


def written_whole(path: Path, content: str | bytes) -> Path:
    """Write a file that is whole or as it was."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return path
