"""How great a learning rate an estimator can take."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from sklearn.base import clone

from ..optim import Optimizer
from ..training.range_test import RateSweep, RateTest, RateTestDone

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..insight.displays import RateTestDisplay

__all__ = ["LearningRateTest", "find_learning_rate"]


@dataclass(frozen=True, eq=False)
class LearningRateTest(RateTest):
    """A :class:`~diaphane.training.RateTest` that can be drawn."""

    def plot(self, ax: Axes | None = None) -> RateTestDisplay:
        """Draw the losses against the rate, with the suggestion."""
        from ..insight.displays import RateTestDisplay

        return RateTestDisplay.from_rate_test(self, ax=ax)


def find_learning_rate(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    low: float = 1e-7,
    high: float = 10.0,
    steps: int = 200,
    **fit_params: Any,
) -> LearningRateTest:
    """The learning-rate range test (Smith 2017, §3.3) of an estimator as it is set up.

    A clone is trained for some steps, each at a greater rate than the one before, until the smoothed loss is four
    times its best. The suggestion is halfway between the rate at which it falls the fastest and the one at which it
    is least: an order of magnitude to begin from, as ``learning_rate_init`` (or the optimizer's ``learning_rate``).
    The estimator stays as it was; its schedule is left out of the test. Of a pipeline the last step is tested, on
    what the steps before make of X.

    Parameters
    ----------
    estimator : MLPClassifier, MLPRegressor, or a pipeline that ends in one
    X, y
        As for ``fit``; of a stream its first rows are learnt from.
    low, high : float
        The rate rises from one to the other, by the same factor each step.
    steps : int
    **fit_params
        For ``fit``, such as ``sample_weight``.

    Returns
    -------
    LearningRateTest
        With ``rates``, ``losses``, ``smoothed``, ``steepest``, ``suggestion`` and ``plot()``.

    Raises
    ------
    TypeError, ValueError
        If the estimator has no steps, as with ``solver="lbfgs"``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from diaphane.estimators import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> found = find_learning_rate(MLPClassifier(random_state=0), X, y)
    >>> 1e-3 < found.suggestion < 1.0
    True
    """
    sweep = RateSweep(low, high, steps)
    if hasattr(estimator, "steps") and hasattr(estimator, "named_steps"):
        X, estimator = clone(estimator[:-1]).fit_transform(X, y) if len(estimator) > 1 else X, estimator[-1]
    tested = clone(estimator)
    tested.set_params(**_as_tested(tested, sweep))
    try:
        tested.fit(X, y, **fit_params)
    except RateTestDone as done:
        found = {f.name: getattr(done.found, f.name) for f in fields(RateTest)}
        return LearningRateTest(**found)
    raise TypeError(f"{type(estimator).__name__} was fitted without an epoch of mini-batches: it has no rate to test")


def _as_tested(estimator: Any, sweep: RateSweep) -> dict[str, Any]:
    """What is set for the test: nothing of the user's that acts on the rate or writes files."""
    known = estimator.get_params(deep=False)
    if "callbacks" not in known:
        raise TypeError(
            f"find_learning_rate tests estimators that learn by mini-batches and take callbacks, such as "
            f"MLPClassifier and MLPRegressor, got {type(estimator).__name__}"
        )
    solver = known.get("solver")
    if solver == "lbfgs":
        raise ValueError("solver='lbfgs' searches along lines and has no learning rate: choose another, such as 'adam'")
    changes: dict[str, Any] = {"callbacks": [sweep], "early_stopping": False, "verbose": False}
    changes |= {"schedule": None, "checkpoint": None, "warm_start": False}
    if isinstance(solver, Optimizer):
        changes["solver"] = replace(solver, schedule=None)
    return {name: value for name, value in changes.items() if name in known}
