"""What one hidden layer makes of a continuous function, and its worst error against the number of units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graph.node import Array
from .style import COLOURS, DASHES, GREY, INK, MARKERS, dress, need_matplotlib, panels, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["ApproximationDisplay"]


@dataclass(eq=False)
class ApproximationDisplay:
    """Fits, a panel an activation, and beside them sup |f − g| against the number of hidden units, on scales of powers.

    Of one variable a panel has f with the fits of some numbers of units; of two it has the levels of f, and of each
    activation's widest fit. Where an activation is a polynomial the error stops at a floor: a level, dashed line.

    Parameters
    ----------
    points : array, shape (n, d)
        A grid of one variable or two.
    target : array, shape (n,)
        f there.
    fits : dict of name to dict of number of units to array, shape (n,)
        g there.
    spread : dict of name to list of arrays
        The worst errors of all starts, for each number of units.
    bounds : dict of name to list of float
        What theory promises, for each number of units.
    floors : dict of name to (label, float)
        What no number of units is below.
    show : sequence of int
        The numbers of units whose fits are drawn.

    Attributes
    ----------
    axes_ : list of matplotlib.axes.Axes
    ax_ : the last of them, with the errors
    figure_
    lines_ : dict of name to matplotlib.lines.Line2D
        Of the errors.
    errors : dict of name to array, shape (numbers of units,)

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 5)[:, np.newaxis]
    >>> target = np.abs(x[:, 0])
    >>> display = ApproximationDisplay.from_fits(x, target, {"relu": {1: target * 0 + 0.5, 2: target}})
    >>> display.errors["relu"].tolist(), len(display.axes_)
    ([0.5, 0.0], 2)
    """

    points: Array
    target: Array
    fits: dict[str, dict[int, Array]]
    spread: dict[str, list[Array]]
    bounds: dict[str, list[float]]
    floors: dict[str, tuple[str, float]]
    show: tuple[int, ...]
    ax_: Axes = field(init=False, repr=False)
    axes_: list[Axes] = field(init=False, repr=False, default_factory=list)
    figure_: Figure = field(init=False, repr=False)
    lines_: dict[str, Line2D] = field(init=False, repr=False, default_factory=dict)

    @classmethod
    def from_fits(
        cls,
        points: Any,
        target: Any,
        fits: Mapping[str, Mapping[int, Any]],
        *,
        spread: Mapping[str, Sequence[Any]] | None = None,
        bounds: Mapping[str, Sequence[Any]] | None = None,
        floors: Mapping[str, tuple[str, float]] | None = None,
        show: Sequence[int] | None = None,
        axes: Sequence[Axes] | None = None,
    ) -> ApproximationDisplay:
        """Draw values on a grid, as ``selection.universal_approximation(…).plot()`` does.

        Parameters
        ----------
        points, target, fits, spread, bounds, floors
            As the class has them.
        show : sequence of int, optional
            By default the least number of units, a middle one and the greatest.
        axes : sequence of Axes, optional
            One for each activation, one for f where it has two variables, and one for the errors.

        Raises
        ------
        ValueError
            If shapes do not agree, there is no fit, or ``show`` has a number of units that no fit has.
        """
        grid, truth = np.asarray(points, float), np.asarray(target, float)
        if grid.ndim != 2 or grid.shape[1] not in (1, 2) or truth.shape != (len(grid),):
            raise ValueError(f"points of shape {grid.shape} and target of {truth.shape}; expected (n, 1 or 2) and (n,)")
        known = {name: {int(n): np.asarray(g, float) for n, g in of.items()} for name, of in fits.items()}
        if not known or not all(known.values()):
            raise ValueError("fits is empty; expected a mapping of an activation's name to its fits by number of units")
        for name, of in known.items():
            if shapes := {g.shape for g in of.values()} - {truth.shape}:
                raise ValueError(f"fits of {name!r} have shapes {shapes}; expected {truth.shape}, one value a point")
        units = sorted({n for of in known.values() for n in of})
        chosen = tuple(dict.fromkeys((units[0], units[len(units) // 2], units[-1]))) if show is None else tuple(show)
        if missing := [n for n in chosen if n not in units]:
            raise ValueError(f"show has {missing[0]!r}; there are fits of {', '.join(map(str, units))} units")
        every = {n: [np.asarray(e, float) for e in of] for n, of in (spread or {}).items()}
        promised = {n: [float(b) for b in of] for n, of in (bounds or {}).items()}
        return cls(grid, truth, known, every, promised, dict(floors or {}), chosen).plot(axes)

    @property
    def errors(self) -> dict[str, Array]:
        """sup |f − g| over the grid, by name, for each number of units."""
        return {n: np.array([np.abs(g - self.target).max() for g in of.values()]) for n, of in self.fits.items()}

    def plot(self, axes: Sequence[Axes] | None = None) -> ApproximationDisplay:
        """Draw on the axes given, or on new ones."""
        plane = self.points.shape[1] == 2
        count = len(self.fits) + 1 + plane
        self.axes_ = _places(axes, count)
        self.ax_, self.lines_ = self.axes_[-1], {}
        if plane:
            self._levels()
        else:
            for ax, (name, of) in zip(self.axes_, self.fits.items(), strict=False):
                self._curves(ax, name, of)
        self._errors(self.ax_)
        return self

    def _curves(self, ax: Axes, name: str, of: dict[int, Array]) -> None:
        x = self.points[:, 0]
        ax.plot(x, self.target, color=GREY, linewidth=4, alpha=0.45, label="f")
        for i, n in enumerate(n for n in self.show if n in of):
            ax.plot(
                x, of[n], color=COLOURS[i % len(COLOURS)], linestyle=DASHES[-i % len(DASHES)] if i else "-",
                linewidth=1.5, label=f"{n} {'unit' if n == 1 else 'units'}",
            )  # fmt: skip
        dress(ax, title=plain(name), xlabel="x")
        ax.legend(frameon=False, fontsize="small", handlelength=2.4)

    def _levels(self) -> None:
        from matplotlib.ticker import MaxNLocator

        widest = {name: (max(of), of[max(of)]) for name, of in self.fits.items()}
        pictures = {"f": self.target, **{_title(name, n): g for name, (n, g) in widest.items()}}
        low, high = float(self.target.min()), float(self.target.max())
        levels = MaxNLocator(14).tick_values(low, high if high > low else low + 1)
        # Rows of a grid lie as they were made: x is constant along one of the two axes.
        sides = [np.unique(self.points[:, i]) for i in range(2)]
        order = np.lexsort((self.points[:, 0], self.points[:, 1]))
        for ax, (title, values) in zip(self.axes_, pictures.items(), strict=False):
            surface = values[order].reshape(len(sides[1]), len(sides[0]))
            drawn = ax.contourf(*sides, surface, levels, cmap="PuOr", extend="both")
            ax.contour(*sides, surface, levels, colors=INK, linewidths=0.4)
            dress(ax, title=plain(title), xlabel="$x_1$", ylabel="$x_2$")
            ax.grid(visible=False)
        self.axes_[0].figure.colorbar(drawn, ax=self.axes_[len(pictures) - 1], shrink=0.8)

    def _errors(self, ax: Axes) -> None:
        for i, (name, errors) in enumerate(self.errors.items()):
            colour, units = COLOURS[i % len(COLOURS)], list(self.fits[name])
            [self.lines_[name]] = ax.plot(
                units, errors, color=colour, linestyle=DASHES[i % len(DASHES)], marker=MARKERS[i % len(MARKERS)],
                markersize=4.5, linewidth=1.7, label=plain(name),
            )  # fmt: skip
            for n, tries in zip(units, self.spread.get(name, []), strict=False):
                ax.scatter([n] * len(tries), tries, s=9, color=colour, alpha=0.4, linewidths=0, zorder=2)
            if name in self.bounds:
                ax.plot(units, self.bounds[name], color=colour, linewidth=1, linestyle=":", label="its bound, ω(f, h)")
            if name in self.floors:
                label, floor = self.floors[name]
                ax.axhline(floor, color=colour, linewidth=1, linestyle="--", label=f"{plain(label)} = {floor:.3g}")
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ticks = sorted({n for of in self.fits.values() for n in of})
        ax.set_xticks(ticks, [str(n) for n in ticks])
        self.figure_ = dress(ax, title="worst error", xlabel="hidden units, N", ylabel="sup |f − g|")
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize="small", handlelength=2.4)


def _places(axes: Sequence[Axes] | None, count: int) -> list[Axes]:
    """The axes given, or new ones, at most three side by side."""
    if axes is not None or count <= 3:
        return panels(axes, count, (4.2 * count + 1, 3.9))
    need_matplotlib()
    import matplotlib.pyplot as plt

    columns = 2 if count == 4 else 3
    rows = -(-count // columns)
    figure, every = plt.subplots(rows, columns, figsize=(4.2 * columns + 1, 3.6 * rows), layout="constrained")
    found = list(every.flat)
    for ax in found[count:]:
        figure.delaxes(ax)
    return found[:count]


def _title(name: str, n_units: int) -> str:
    return f"{name}, {n_units} {'unit' if n_units == 1 else 'units'}"
