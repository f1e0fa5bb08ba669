"""The factor of a learning rate over a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...graph.node import Array
from ...optim.schedule_names import find_schedule
from ...optim.schedules import Schedule
from .style import COLOURS, DASHES, dress, legend_below, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["ScheduleDisplay"]


@dataclass(eq=False)
class ScheduleDisplay:
    """ε_t/ε₀ of one schedule or several, step by step.

    Parameters
    ----------
    steps : array, shape (n,)
        Steps done.
    factors : dict of name to array, shape (n,)
    steps_per_epoch : int

    Attributes
    ----------
    ax_, figure_
    lines_ : dict of name to matplotlib.lines.Line2D

    Examples
    --------
    >>> display = ScheduleDisplay.from_schedules("warmup:2+cosine", epochs=6)
    >>> display.factors["warmup:2+cosine"].round(3)
    array([0.1  , 0.55 , 1.   , 0.854, 0.5  , 0.146])
    """

    steps: Array
    factors: dict[str, Array]
    steps_per_epoch: int = 1
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    lines_: dict[str, Line2D] = field(init=False, repr=False, default_factory=dict)

    @classmethod
    def from_schedules(
        cls,
        schedules: str | Schedule | Sequence[str | Schedule] | Mapping[str, str | Schedule],
        *,
        epochs: int,
        steps_per_epoch: int = 1,
        log: bool = False,
        ax: Axes | None = None,
    ) -> ScheduleDisplay:
        """Evaluate schedules over a training, and draw.

        Parameters
        ----------
        schedules : Schedule or text, a sequence of them, or a mapping of name to one
        epochs, steps_per_epoch : int
        log : bool
            Whether the factor's axis is logarithmic.
        ax : Axes, optional

        Raises
        ------
        ValueError
            If there is nothing to draw, or a text is no schedule.
        """
        if int(epochs) < 1 or int(steps_per_epoch) < 1:
            raise ValueError(f"a training has an epoch and a step at least, got {epochs!r} and {steps_per_epoch!r}")
        if isinstance(schedules, str | Schedule):
            schedules = [schedules]
        named = schedules if isinstance(schedules, Mapping) else {str(s): s for s in schedules}
        if not named:
            raise ValueError("schedules is empty; expected one at least, such as 'cosine'")
        steps = np.arange(int(epochs) * int(steps_per_epoch))
        factors = {}
        for name, given in named.items():
            schedule = find_schedule(given, total=epochs)
            if schedule is None:
                raise ValueError(f"the schedule {name!r} is None; a rate that does not change is 'constant'")
            factors[name] = schedule.values(steps, steps_per_epoch)
        return cls(steps, factors, int(steps_per_epoch)).plot(ax=ax, log=log)

    def plot(self, ax: Axes | None = None, *, log: bool = False) -> ScheduleDisplay:
        """Draw on the axes given, or on new ones."""
        self.ax_ = ax = new_axes(ax)
        self.lines_ = {}
        for i, (name, values) in enumerate(self.factors.items()):
            [self.lines_[name]] = ax.step(
                self.steps / self.steps_per_epoch, values, where="post", color=COLOURS[i % len(COLOURS)],
                linestyle=DASHES[i // len(COLOURS) % len(DASHES)], linewidth=1.8, label=plain(name),
            )  # fmt: skip
        if log:
            ax.set_yscale("log")
        else:
            ax.set_ylim(bottom=0)
        self.figure_ = dress(ax, xlabel="epochs done", ylabel="learning rate, as a factor of ε₀")
        legend_below(ax, columns=2)
        return self
