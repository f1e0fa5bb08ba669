"""Gradient health at one moment."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...data.randomness import RandomState
from ...engines import Engine, State
from ...engines.program import check_whole
from ...nn import find_loss
from ...nn.losses import LossLike
from ...optim import SGD, Optimizer, find_optimizer
from ...training import TrainingStep
from ...training.inputs import examples
from .callback import ROWS, sampled
from .fitted import subject_of
from .probe import Probe
from .report import HealthReport

__all__ = ["gradient_health"]


def gradient_health(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    state: State | None = None,
    loss: LossLike | None = None,
    optimizer: str | Optimizer | None = None,
    sample_weight: Any = None,
    rows: int = ROWS,
    random_state: RandomState = 0,
    engine: str | Engine = "native",
) -> HealthReport:
    """How gradients reach the layers of a network, which units are idle, and what is wrong.

    Parameters
    ----------
    model : Network or fitted estimator
        An estimator is one with ``network_`` and ``state_``.
    X, y : arrays
        Rows and targets as the network learns them, or as the estimator's ``fit`` takes them.
    state : State, optional
        The network's values; by default first ones, drawn by its initialisers, and an estimator's own.
    loss : str or callable, optional
        Needed for a network.
    optimizer : str or Optimizer, optional
        For the size of its first step beside that of the weights; without one nothing is said of it.
    sample_weight : array, shape (n,), optional
    rows : int
        How many of them to look at.
    random_state : int, RandomState or None
        Which rows, and first values.
    engine : str or Engine

    Returns
    -------
    HealthReport

    Raises
    ------
    TypeError, ValueError
        If the model is neither, has no known loss, or X and y do not fit it.

    Examples
    --------
    >>> import diaphane as dia
    >>> x = np.random.default_rng(0).standard_normal((100, 4))
    >>> layers = [dia.nn.Dense(20, "tanh", kernel_initializer="lecun_normal") for _ in range(10)]
    >>> network = dia.nn.Network(dia.nn.Sequential([*layers, dia.nn.Dense(2)]), (4,), dtype="float64")
    >>> gradient_health(network, x, (x[:, 0] > 0).astype(int), loss="categorical_cross_entropy").healthy
    True
    """
    rng = random_state if hasattr(random_state, "standard_normal") else np.random.default_rng(random_state)
    subject = subject_of(model, y, state, loss, rng)
    x, target, weights = examples(X, subject.target if y is not None else np.zeros(len(X)), sample_weight)
    step = TrainingStep(
        subject.network,
        find_loss(subject.loss),
        SGD() if optimizer is None else find_optimizer(optimizer),
        target_shape=target.shape[1:],
        target_dtype=target.dtype if target.dtype.kind in "iu" else subject.network.dtype,
        weighted=weights is not None,
        engine=engine,
    )
    picked = sampled(np.arange(x.shape[0]), check_whole("rows", rows), random_state)
    look = Probe(step).look(
        step.initial_state(subject.state), step.data(x, target, weights), picked, updates=optimizer is not None
    )
    return HealthReport((look,))
