"""Scores of classifiers or regressors beside what is reached without learning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .style import COLOURS, GREY, INK, MARKERS, dress, legend_below, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MetricsDisplay"]


@dataclass(eq=False)
class MetricsDisplay:
    """Each score of each estimator, with a bar at the baseline's: always the most frequent class, or the mean.

    Losses have no place here: only scores of which more is better, 1 being the best.

    Parameters
    ----------
    scores : dict of estimator's name to dict of metric's title to float
    baseline : dict of metric's title to float

    Attributes
    ----------
    ax_, figure_

    Examples
    --------
    >>> display = MetricsDisplay({"tree": {"accuracy": 0.99, "AUC": 0.7}}, {"accuracy": 0.99, "AUC": 0.5}).plot()
    >>> [text.get_text() for text in display.ax_.get_yticklabels()]
    ['accuracy', 'AUC']
    """

    scores: Mapping[str, Mapping[str, float]]
    baseline: Mapping[str, float]
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)

    @classmethod
    def from_reports(cls, reports: Mapping[str, Any], *, ax: Axes | None = None) -> MetricsDisplay:
        """Draw what ``selection.report_metrics`` gives, by the estimator's name; the baseline is the first report's."""
        shown = {
            name: {row.metric.title: row.value for row in report.scores if row.metric.greater_is_better}
            for name, report in reports.items()
        }
        first = next(iter(reports.values()))
        baseline = {row.metric.title: row.baseline for row in first.scores if row.metric.greater_is_better}
        return cls(shown, baseline).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> MetricsDisplay:
        """Draw on the axes given, or on new ones."""
        self.ax_ = ax = new_axes(ax)
        titles = list(self.baseline)
        places = range(len(titles))
        ax.plot(
            [self.baseline[title] for title in titles], places, "|", color=INK, markersize=18, markeredgewidth=2.5,
            label="without learning",
        )  # fmt: skip
        for i, (name, scores) in enumerate(self.scores.items()):
            known = [(scores[title], place) for title, place in zip(titles, places, strict=True) if title in scores]
            ax.plot(
                *zip(*known, strict=True), MARKERS[i % len(MARKERS)], color=COLOURS[i % len(COLOURS)], markersize=9,
                label=plain(name),
            )  # fmt: skip
        ax.axvline(0, color=GREY, linewidth=0.8)
        ax.set_yticks(list(places), titles)
        ax.invert_yaxis()
        ax.set_xlim(right=1.03)
        self.figure_ = dress(ax, xlabel="score")
        legend_below(ax)
        return self
