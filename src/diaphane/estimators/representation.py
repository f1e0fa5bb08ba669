"""What a hidden layer makes of the inputs, and whether a line separates the classes there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..graph import constant
from ..insight.theory.certificate import ConvergenceCertificate, convergence_certificate
from ..insight.theory.examples import as_rows
from ..nn import find_activation
from .mlp import MLPClassifier

__all__ = ["HiddenSpace", "hidden_representation", "hidden_space", "learn_xor"]

Floats = NDArray[np.float64]

XOR_INPUTS = ((0, 0), (0, 1), (1, 0), (1, 1))
XOR_OUTPUTS = (0, 1, 1, 0)
MOST_STARTS = 100


@dataclass(frozen=True, eq=False)
class HiddenSpace:
    """The same examples before and after the hidden layers.

    Attributes
    ----------
    inputs : float64 array of shape (n, d)
    hidden : float64 array of shape (n, units)
    labels : array of shape (n,)
    before, after : ConvergenceCertificate
        Of the inputs and of the hidden representation: a separating hyperplane, and how many mistakes the perceptron
        makes until it has one, or the witness that there is none.
    """

    inputs: Floats
    hidden: Floats
    labels: NDArray[Any]
    before: ConvergenceCertificate
    after: ConvergenceCertificate

    def __str__(self) -> str:
        return f"the inputs are {self.before}\nthe hidden units' values are {self.after}"


def hidden_space(model: Any, X: ArrayLike, y: ArrayLike, *, max_mistakes: int = 100_000) -> HiddenSpace:
    """The internal representation beside the inputs, each with its separator or the proof that it has none.

    Parameters
    ----------
    model : FormalNetwork, MLPClassifier or scikit-learn's MLPClassifier
        As for `hidden_representation`.
    X : array of shape (n, d)
    y : array of shape (n,)
        Two classes.
    max_mistakes : int
        Where the perceptron stops.

    Returns
    -------
    HiddenSpace

    Examples
    --------
    >>> from diaphane.estimators import xor_network
    >>> space = hidden_space(xor_network(), [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], max_mistakes=1000)
    >>> space.before.separable, space.after.separable, space.after.mistakes
    (False, True, 11)
    """
    hidden = hidden_representation(model, X)
    return HiddenSpace(
        as_rows(X),
        hidden,
        np.asarray(y),
        convergence_certificate(X, y, max_mistakes=max_mistakes),
        convergence_certificate(hidden, y, max_mistakes=max_mistakes),
    )


def hidden_representation(model: Any, X: ArrayLike) -> Floats:
    """The values of the last hidden layer's units, (n, units).

    Parameters
    ----------
    model : FormalNetwork, MLPClassifier or scikit-learn's MLPClassifier
        Fitted: with ``hidden(X)``, or with ``coefs_``, ``intercepts_`` and ``activation``.
    X : array of shape (n, d)

    Returns
    -------
    array of shape (n, units)

    Raises
    ------
    TypeError
        For a model that has neither.

    Examples
    --------
    >>> hidden_representation(learn_xor(), [[0, 0], [1, 1]]).shape
    (2, 2)
    """
    rows = as_rows(X)
    if hasattr(model, "hidden"):
        return np.asarray(model.hidden(rows), dtype=np.float64)
    if not all(hasattr(model, name) for name in ("coefs_", "intercepts_", "activation")):
        raise TypeError(
            f"{type(model).__name__} has no hidden layer to look at; expected a FormalNetwork or a fitted MLPClassifier"
        )
    activate = find_activation(model.activation)
    for kernel, bias in list(zip(model.coefs_, model.intercepts_, strict=True))[:-1]:
        rows = np.asarray(activate(constant(rows @ kernel + bias)).value, dtype=np.float64)
    return rows


def learn_xor(random_state: int = 0) -> MLPClassifier:
    """A 2-2-1 network of sigmoids that has learnt XOR.

    Gradient descent from random weights finds it from some starts only; the others end where one of the four
    examples stays wrong (Rumelhart, Hinton & Williams 1986, ch. 8). Starts are tried in turn.

    Parameters
    ----------
    random_state : int
        The first start's seed; the next ones follow.

    Returns
    -------
    MLPClassifier
        Without a mistake; its ``random_state`` is the seed that did it.

    Examples
    --------
    >>> network = learn_xor()
    >>> network.predict([[0, 0], [0, 1], [1, 0], [1, 1]])
    array([0, 1, 1, 0])
    """
    if isinstance(random_state, bool) or not isinstance(random_state, int | np.integer) or random_state < 0:
        raise ValueError(f"random_state is {random_state!r}; expected a whole number of at least 0")
    inputs, outputs = np.array(XOR_INPUTS, dtype=np.float64), np.array(XOR_OUTPUTS)
    for seed in range(random_state, random_state + MOST_STARTS):
        network = MLPClassifier(
            (2,), activation="logistic", solver="lbfgs", alpha=1e-5, max_iter=1000, random_state=seed
        ).fit(inputs, outputs)
        if np.array_equal(network.predict(inputs), outputs):
            return network
    raise RuntimeError(f"none of {MOST_STARTS} starts from random_state {random_state} on has learnt XOR")
