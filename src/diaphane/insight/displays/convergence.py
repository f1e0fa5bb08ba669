"""The proof that the perceptron's mistakes end, drawn at each mistake it made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...graph.node import Array
from ..theory.certificate import ConvergenceCertificate, convergence_certificate
from ..theory.mistakes import ProofTrace
from .plane import fitted
from .style import BLUE, GREY, INK, ORANGE, dress, legend_below, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["ConvergenceDisplay"]

FEW = 100.0
"""Two decades."""


@dataclass(eq=False)
class ConvergenceDisplay:
    """t·γ ≤ w̃ₜᵀw̃* ≤ ‖w̃ₜ‖ ≤ √t·R, at each mistake t.

    Every mistake adds at least γ along the separator w̃*, and at most R² to the squared norm. A straight line and a root
    cannot keep that order for ever: they meet at t = R²/γ², where the mistakes must have ended (Novikoff 1962).

    Parameters
    ----------
    certificate : ConvergenceCertificate
        Of separable examples, with its trace.

    Attributes
    ----------
    ax_, figure_
    lines_ : dict of str to matplotlib.lines.Line2D
        ``growth`` t·γ, ``alignment`` w̃ₜᵀw̃*, ``norm`` ‖w̃ₜ‖ and ``ceiling`` √t·R.

    Examples
    --------
    >>> display = ConvergenceDisplay.from_data([[2.0, 1.0], [3.0, 2.0], [0.0, 1.0], [-1.0, 0.0]], [1, 1, -1, -1])
    >>> display.lines_["growth"].get_ydata()[:3].round(3).tolist()
    [0.816, 1.633, 2.449]
    """

    certificate: ConvergenceCertificate
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    lines_: dict[str, Line2D] = field(init=False, repr=False, default_factory=dict)

    @classmethod
    def from_data(cls, X: Any, y: Any, *, ax: Axes | None = None) -> ConvergenceDisplay:
        """Run Rosenblatt's rule, certify it, and draw.

        Parameters
        ----------
        X : array, shape (n, d)
            Any number of features.
        y : array, shape (n,)
            Two values.
        ax : Axes, optional

        Raises
        ------
        ValueError
            If no hyperplane separates the classes.
        """
        return cls.from_certificate(convergence_certificate(X, y, trace=True), ax=ax)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, *, ax: Axes | None = None) -> ConvergenceDisplay:
        """Draw the mistakes that a `Perceptron` made, in its own order, beside what the examples allow.

        Parameters
        ----------
        estimator : Perceptron
            Fitted with ``record=True``, and without penalty, class weights or ``normalize``.
        X, y : arrays, shape (n, d) and (n,)
            What it was fitted on, of two classes.
        ax : Axes, optional

        Raises
        ------
        ValueError
            If it is not fitted, kept no history, or no hyperplane separates the classes.
        """
        history = getattr(fitted(estimator), "history_", None)
        if history is None:
            raise ValueError(f"{type(estimator).__name__} kept no history; fit it with record=True")
        # γ, R and the separator are the examples' own; one mistake is enough to have them.
        found = convergence_certificate(X, y, max_mistakes=1)
        if found.separator is None or not history:
            return cls.from_certificate(found, ax=ax)
        count = np.arange(1, len(history) + 1)
        after = np.stack([mistake.after for mistake in history]).astype(float) / estimator.eta0
        trace = ProofTrace(
            np.array([mistake.example for mistake in history]),
            np.asarray(count * found.margin, np.float64),
            after @ found.separator,
            np.square(after).sum(axis=1),
            np.asarray(count * found.radius**2, np.float64),
        )
        return cls.from_certificate(replace(found, mistakes=len(history), trace=trace), ax=ax)

    @classmethod
    def from_certificate(cls, certificate: ConvergenceCertificate, *, ax: Axes | None = None) -> ConvergenceDisplay:
        """Draw what ``convergence_certificate(X, y, trace=True)`` gave.

        Raises
        ------
        ValueError
            If the examples are not separable, there is no trace, or the bound is too large for a float.
        """
        if not certificate.separable:
            raise ValueError(
                "the classes are not separable, so there is no γ > 0 and no bound; see the certificate's witness"
            )
        if certificate.trace is None:
            raise ValueError("this certificate has no trace; ask for convergence_certificate(X, y, trace=True)")
        if not np.isfinite(certificate.bound):
            raise ValueError("the bound R²/γ² is too large for a float, and for a picture; scale the features")
        return cls(certificate).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> ConvergenceDisplay:
        """Draw on the axes given, or on new ones."""
        found = self.certificate
        assert found.trace is not None
        self.ax_ = ax = new_axes(ax)
        made, bound = found.mistakes, found.bound
        # On to where they meet; both axes logarithmic, as the bound may be far.
        beyond = np.geomspace(max(made, 1), max(1.3 * bound, 2.0), 200)
        count = np.concatenate([np.arange(1, made + 1), beyond])
        curves: dict[str, tuple[Array, Array, str, dict[str, Any]]] = {
            "ceiling": (count, np.sqrt(count) * found.radius, "√t·R", {"color": BLUE, "linestyle": "--"}),
            "norm": (count[:made], np.sqrt(found.trace.squared_norm), "‖w̃ₜ‖", {"color": BLUE, "marker": "."}),
            "alignment": (count[:made], found.trace.alignment, "w̃ₜᵀw̃*", {"color": ORANGE, "marker": "."}),
            "growth": (count, count * found.margin, "t·γ", {"color": ORANGE, "linestyle": "--"}),
        }
        self.lines_ = {}
        for name, (t, values, label, looks) in curves.items():
            self.lines_[name] = ax.plot(t, values, label=label, linewidth=1.8, **looks)[0]
        ax.axvline(bound, color=INK, linewidth=1.2, linestyle=":", label=f"R²/γ² = {bound:.4g}")
        ax.axvline(made, color=GREY, linewidth=1.2, label=f"mistakes made: {made}")
        ax.set_xscale("log")
        ax.set_yscale("log")
        _name_few_ticks(ax)
        title = (
            f"{made} mistake{'s' * (made != 1)} ≤ {bound:.4g}, with R = {found.radius:.3g} and γ = {found.margin:.3g}"
        )
        self.figure_ = dress(ax, xlabel="mistake t", ylabel="length, and its part along w̃*")
        ax.set_title(title, fontsize="medium")
        legend_below(ax)
        return self


def _name_few_ticks(ax: Axes) -> None:
    """Names that do not run into each other: of few decades 1, 2 and 5, of many what matplotlib takes."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for axis in (ax.xaxis, ax.yaxis):
        low, high = axis.get_view_interval()
        axis.set_minor_formatter(NullFormatter())
        if high <= FEW * low:
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
