"""The linear models of the command: fitted by their estimators, kept as a network of one dense layer."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..engines import State
from ..graph.node import Array
from ..nn import Dense, Network, Sequential
from ..training import History
from .errors import UserError

__all__ = ["LinearFit", "fit_linear_model"]

ALPHA = 1.0
"""scikit-learn's penalty of both; beside 0.01, 0.1 and 10 the best on validation rows of digits and breast_cancer."""
NEVER = -1e4
"""The score of a class of which no row was learnt from."""


@dataclass(frozen=True)
class LinearFit:
    """A fitted linear model.

    Attributes
    ----------
    estimator : Perceptron, LogisticRegression or Ridge
    network : Network
        One dense layer.
    state : State
        Its kernel and bias: those of the estimator, so that softmax gives its decisions and, for logistic regression,
        its probabilities.
    history : History
    how : str
        The fit in a few words.
    notes : list of str
    """

    estimator: Any
    network: Network
    state: State
    history: History
    how: str
    notes: list[str] = field(default_factory=list)

    @property
    def n_parameters(self) -> int:
        """The estimator's: of two classes it has one score, where the network has two of which one is 0."""
        return int(np.size(self.estimator.coef_) + np.size(self.estimator.intercept_))


def fit_linear_model(
    model: str, x: Array, y: Array, outputs: int, epochs: int, seed: int, weights: Array | None = None
) -> LinearFit:
    """Fit a perceptron, ``logistic`` or ``linear`` regression, and make a network of it.

    ``logistic`` minimises the mean of −log p plus ½·‖W‖²/n, ``linear`` that of ½(ŷ − y)² plus the same.
    ``perceptron`` has no penalty.

    Parameters
    ----------
    model : str
    x : array, shape (n, features)
    y : array, shape (n,) of class indices, or (n, 1) of numbers
    outputs : int
        Classes in all, of which the rows may lack some; or 1.
    epochs : int
        Passes or iterations at most.
    seed : int
    weights : array, shape (n,), optional
        How much each row counts.
    """
    if model != "linear" and len(np.unique(y)) < 2:
        raise UserError(f"the {len(y)} rows to learn from are all of one class; give more rows")
    estimator = _estimator(model, epochs, seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(x, y[:, 0] if model == "linear" else y, sample_weight=weights)
    unfinished = any("Convergence" in t.__name__ for w in caught for t in w.category.__mro__)
    network = Network(Sequential([Dense(outputs)]), x.shape[1:])
    kernel, bias = _dense(estimator, outputs)
    names = network.named_variables()
    first = {names["dense_1/kernel"]: kernel, names["dense_1/bias"]: bias}
    state = State({node: np.asarray(value, node.dtype) for node, value in first.items()})
    told = _TOLD[model](estimator, epochs, unfinished)
    return LinearFit(estimator, network, state, *told)


def _estimator(model: str, epochs: int, seed: int) -> Any:
    from ..estimators.linear.logistic import LogisticRegression
    from ..estimators.linear.perceptron import Perceptron
    from ..estimators.linear.regression import Ridge

    if model == "perceptron":
        # To the first epoch without a mistake: where the loss stands still for a while, mistakes may yet end.
        return Perceptron(max_iter=epochs, tol=None, random_state=seed)
    if model == "logistic":
        return LogisticRegression(C=1 / ALPHA, max_iter=epochs, tol=1e-6, dtype="float64")
    return Ridge(alpha=ALPHA)


def _dense(estimator: Any, outputs: int) -> tuple[Array, Array]:
    """Kernel (features, outputs) and bias (outputs,)."""
    coef, intercept = np.atleast_2d(estimator.coef_), np.atleast_1d(estimator.intercept_)
    if not hasattr(estimator, "classes_"):
        return coef.T, intercept
    if len(coef) == 1:
        # Softmax of (0, f) is the sigmoid of f.
        coef, intercept = np.vstack([np.zeros_like(coef), coef]), np.append(0.0, intercept)
    kernel, bias = np.zeros((coef.shape[1], outputs)), np.full(outputs, NEVER)
    kernel[:, estimator.classes_] = coef.T
    bias[estimator.classes_] = intercept
    return kernel, bias


Told = tuple[History, str, list[str]]


def _tell_perceptron(estimator: Any, epochs: int, unfinished: bool) -> Told:
    several = len(estimator.classes_) > 2
    losses = estimator.loss_curve_ if several else [estimator.loss_curve_]
    mistakes = estimator.mistakes_curve_ if several else [estimator.mistakes_curve_]
    history = History()
    for epoch in range(max(map(len, losses))):
        # One class may be told from the rest sooner than another.
        history.append(
            {
                "epoch": epoch + 1,
                "loss": float(sum(curve[epoch] for curve in losses if epoch < len(curve))),
                "mistakes": int(sum(curve[epoch] for curve in mistakes if epoch < len(curve))),
            }
        )
    made, last = int(np.sum(estimator.n_mistakes_)), history.last("mistakes")
    counted = f", summed over {len(losses)} classes, each told from the rest" if several else ""
    how = (
        f"{len(history)} epoch{'s' * (len(history) != 1)} with {made} mistakes, {last} of them in the last one{counted}"
    )
    note = (
        f"not separated in {epochs} epochs: {last} mistakes in the last one{counted}. Raise --epochs if a hyperplane "
        f"can tell {'each class from the rest' if several else 'the classes apart'}; if not, --model logistic has a "
        "best fit"
    )
    return history, how, [note] if last else []


def _tell_logistic(estimator: Any, epochs: int, unfinished: bool) -> Told:
    history = History()
    for step, loss in enumerate(estimator.loss_curve_, start=1):
        history.append({"epoch": step, "loss": float(loss)})
    how = f"{len(history)} iteration{'s' * (len(history) != 1)}, log-likelihood {estimator.log_likelihood_:.4g}"
    note = f"not at the best fit after {epochs} iterations; raise --epochs"
    return history, how, [note] if unfinished else []


def _tell_linear(estimator: Any, epochs: int, unfinished: bool) -> Told:
    return History(), "solved at once", []


_TOLD = {"perceptron": _tell_perceptron, "logistic": _tell_logistic, "linear": _tell_linear}
