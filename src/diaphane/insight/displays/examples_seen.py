"""What is learnt by the time that so many examples were seen: all at once, in small batches, or one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...engines import State
from ...graph.node import Array
from ...nn import Dense, Network
from ...nn.losses import binary_cross_entropy
from ...optim import SGD
from ...training.step import Evaluation, TrainingStep
from .plane import checked_labels
from .style import COLOURS, dress, legend_below, new_axes, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

__all__ = ["ErrorAgainstExamplesDisplay"]

POINTS_A_DECADE = 16


@dataclass(eq=False)
class ErrorAgainstExamplesDisplay:
    """Error over all data against examples seen, for batches of several sizes.

    The mean gradient of a batch costs as many examples as it has. A full batch's first step comes when a learner of
    single examples has made n, each along a gradient that is right on average: most of the way is behind it by then,
    though at a constant ε it keeps wandering near the optimum (Bottou & Bousquet 2008).

    Parameters
    ----------
    curves : dict of name to (seen, values), arrays of shape (m,)
        Examples seen, and the error when so many were.
    ylabel : str

    Attributes
    ----------
    ax_, figure_
    lines_ : dict of name to matplotlib.lines.Line2D

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> display = ErrorAgainstExamplesDisplay.from_data(X, X[:, 0] > 0, epochs=3, random_state=0)
    >>> list(display.curves)[0], display.curves["full batch of 200"][0].tolist()
    ('full batch of 200', [0.0, 200.0, 400.0, 600.0])
    """

    curves: dict[str, tuple[Array, Array]]
    ylabel: str = "mean loss over all examples"
    ax_: Axes = field(init=False, repr=False)
    figure_: Figure = field(init=False, repr=False)
    lines_: dict[str, Line2D] = field(init=False, repr=False, default_factory=dict)

    @classmethod
    def from_curves(
        cls, curves: Mapping[str, tuple[Any, Any]], *, ylabel: str = "error", ax: Axes | None = None
    ) -> ErrorAgainstExamplesDisplay:
        """Draw curves that were measured.

        Parameters
        ----------
        curves : mapping of name to (examples seen, values)
        ylabel : str
        ax : Axes, optional

        Raises
        ------
        ValueError
            If there is none, or one's two arrays differ in length.
        """
        if not curves:
            raise ValueError("curves is empty; expected a mapping of a name to (examples seen, values)")
        found = {}
        for name, (seen, values) in curves.items():
            pair = np.asarray(seen, float), np.asarray(values, float)
            if pair[0].shape != pair[1].shape or pair[0].ndim != 1 or not pair[0].size:
                raise ValueError(
                    f"{name!r} has {pair[0].shape} examples seen and {pair[1].shape} values; expected (m,)"
                )
            found[name] = pair
        return cls(found, ylabel).plot(ax=ax)

    @classmethod
    def from_data(
        cls,
        X: Any,
        y: Any,
        *,
        batch_sizes: Sequence[int | None] = (None, 32, 1),
        learning_rates: Sequence[float] | None = None,
        epochs: int = 20,
        measure: str = "loss",
        random_state: int | None = None,
        ax: Axes | None = None,
    ) -> ErrorAgainstExamplesDisplay:
        """Train logistic regression by descent with batches of each size, from w = 0 and in the same order, and draw.

        Parameters
        ----------
        X : array, shape (n, d)
        y : array, shape (n,)
            Two values.
        batch_sizes : sequence of int or None
            None for all examples.
        learning_rates : sequence of float, optional
            One a batch size. By default 1/(2·ℒ) with ℒ the expected smoothness of batches of b (Gower et al. 2019,
            proposition 3.8), ℒ = L·n(b − 1)/(b(n − 1)) + L_max·(n − b)/(b(n − 1)), where
            L = λ_max(mean x̃x̃ᵀ)/4 and L_max = max ‖x̃‖²/4.
        epochs : int
        measure : {"loss", "error"}
            The mean loss, or the part of examples that are misclassified.
        random_state : int, optional
            Of the order, which is new in each epoch.
        ax : Axes, optional

        Raises
        ------
        ValueError
            If shapes or values are not as above.
        """
        x, target = _binary(X, y)
        n = len(x)
        if measure not in ("loss", "error"):
            raise ValueError(f"measure must be 'loss' or 'error', got {measure!r}")
        if not batch_sizes or epochs < 1:
            raise ValueError(f"expected batch sizes and at least 1 epoch, got {batch_sizes!r} and {epochs!r}")
        sizes = [n if size is None else int(size) for size in batch_sizes]
        if any(not 1 <= size <= n for size in sizes) or len(set(sizes)) < len(sizes):
            raise ValueError(f"batch sizes are from 1 to the {n} examples, each once, or None; got {batch_sizes!r}")
        rates = [_safe_rate(x, size) for size in sizes] if learning_rates is None else list(learning_rates)
        if len(rates) != len(sizes):
            raise ValueError(f"got {len(rates)} learning rates for {len(sizes)} batch sizes; expected one each")
        rng = np.random.default_rng(random_state)
        order = np.concatenate([rng.permutation(n) for _ in range(epochs)])
        curves = {
            _named(size, n): _descend(x, target, order, size, rate, measure)
            for size, rate in zip(sizes, rates, strict=True)
        }
        label = "mean loss over all examples" if measure == "loss" else "part misclassified of all examples"
        return cls(curves, label).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> ErrorAgainstExamplesDisplay:
        """Draw on the axes given, or on new ones."""
        self.ax_ = ax = new_axes(ax)
        self.lines_ = {}
        for i, (name, (seen, values)) in enumerate(self.curves.items()):
            # Nothing changes between two steps; 0 examples have their place left of 1.
            [self.lines_[name]] = ax.plot(
                np.maximum(seen, 0.5), values, drawstyle="steps-post", color=COLOURS[i % len(COLOURS)],
                linewidth=max(2.4 - 0.5 * i, 1.0), label=plain(name),
            )  # fmt: skip
        ax.set_xscale("log")
        ax.set_xlim(left=0.7)
        self.figure_ = dress(ax, xlabel="examples seen", ylabel=plain(self.ylabel))
        legend_below(ax)
        return self


def _binary(X: Any, y: Any) -> tuple[Array, Array]:
    x = np.asarray(X, float)
    if x.ndim != 2 or not x.size or not np.isfinite(x).all():
        raise ValueError(f"X is a table of finite numbers, shape (n, d), got {x.shape}")
    classes, codes = np.unique(checked_labels(y, len(x)), return_inverse=True)
    if len(classes) != 2:
        raise ValueError(f"y has {len(classes)} classes; expected two")
    return x, codes.astype(float)[:, None]


def _safe_rate(x: Array, batch: int) -> float:
    n = len(x)
    augmented = np.column_stack([x, np.ones(n)])
    mean = float(np.linalg.eigvalsh(augmented.T @ augmented / n).max()) / 4
    most = float(np.square(augmented).sum(axis=1).max()) / 4
    others = max(n - 1, 1)
    return 1 / (2 * (mean * n * (batch - 1) + most * (n - batch)) / (batch * others)) if n > 1 else 1 / (2 * most)


def _named(batch: int, n: int) -> str:
    return f"full batch of {n}" if batch == n else "one example at a time" if batch == 1 else f"batches of {batch}"


def _descend(x: Array, target: Array, order: Array, batch: int, rate: float, measure: str) -> tuple[Array, Array]:
    """Measured after steps at even distances on a logarithmic scale."""
    network = Network(Dense(1, kernel_initializer="zeros"), x.shape[1:], dtype="float64")
    step = TrainingStep(network, binary_cross_entropy, SGD(rate), target_shape=(1,))
    judge = Evaluation(network, binary_cross_entropy, target_shape=(1,))
    state, data = step.initial_state(network.initial_state()), step.data(x, target)
    steps = len(order) // batch
    decades = max(np.log10(max(steps, 1)), 1)
    stops = np.unique(np.geomspace(1, steps, int(POINTS_A_DECADE * decades)).astype(int)).tolist()
    if batch == len(x):
        stops = list(range(1, steps + 1))
    seen, values = [0.0], [_measured(judge, step.network_state(state), x, target, measure)]
    done = 0
    for stop in stops:
        rows = order[done * batch : stop * batch]
        _, state = step.program.run_batches(state, data, rows, batch)
        done = stop
        seen.append(float(done * batch))
        values.append(_measured(judge, step.network_state(state), x, target, measure))
    return np.array(seen), np.array(values)


def _measured(judge: Evaluation, state: State, x: Array, target: Array, measure: str) -> float:
    output, loss = judge.run(state, x, target, None, len(x))
    return loss if measure == "loss" else float(((output > 0) != (target > 0.5)).mean())
