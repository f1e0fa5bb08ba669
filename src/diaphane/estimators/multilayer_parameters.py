"""What a multi-layer perceptron's parameters may be."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..nn import ACTIVATIONS, find_initializer
from ..optim import Optimizer
from ..training.checkpoints import find_checkpoint
from .parameters import check_choice, check_flag, check_integer, check_number
from .regularisation import regularisation_of
from .solvers import SOLVERS

__all__ = ["check_multilayer"]


def check_multilayer(estimator: Any, incremental: bool) -> None:
    """Refuse what an estimator's parameters cannot be, before anything is learnt.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    incremental : bool
        Whether it is ``partial_fit`` that was called.

    Raises
    ------
    ValueError, TypeError

    Examples
    --------
    >>> from diaphane.estimators import MLPClassifier
    >>> check_multilayer(MLPClassifier(dropout=1.0), incremental=False)
    Traceback (most recent call last):
        ...
    ValueError: dropout must be in [0, 1), got 1.0
    """
    if not isinstance(estimator.solver, Optimizer):
        check_choice("solver", estimator.solver, SOLVERS)
    if not callable(estimator.activation):
        check_choice("activation", estimator.activation, list(ACTIVATIONS))
    check_number("alpha", estimator.alpha, 0)
    if estimator.batch_size != "auto":
        check_integer("batch_size", estimator.batch_size)
    check_choice("learning_rate", estimator.learning_rate, ("constant", "invscaling", "adaptive"))
    check_number("learning_rate_init", estimator.learning_rate_init, 0, low_open=True)
    check_number("power_t", estimator.power_t, 0)
    check_integer("max_iter", estimator.max_iter)
    check_integer("max_fun", estimator.max_fun)
    for flag in ("shuffle", "warm_start", "nesterovs_momentum", "early_stopping"):
        check_flag(flag, getattr(estimator, flag))
    check_number("tol", estimator.tol, 0)
    check_number("momentum", estimator.momentum, 0, 1)
    check_number("validation_fraction", estimator.validation_fraction, 0, 1, high_open=True)
    check_number("beta_1", estimator.beta_1, 0, 1, high_open=True)
    check_number("beta_2", estimator.beta_2, 0, 1, high_open=True)
    check_number("epsilon", estimator.epsilon, 0, low_open=True)
    if estimator.n_iter_no_change != np.inf:
        check_integer("n_iter_no_change", estimator.n_iter_no_change)
    for rate in estimator.dropout if np.iterable(estimator.dropout) else [estimator.dropout]:
        check_number("dropout", rate, 0, 1, high_open=True)
    if estimator.weight_init is not None:
        find_initializer(estimator.weight_init)
    if estimator.weight_decay is not None:
        check_number("weight_decay", estimator.weight_decay, 0)
    regularisation_of(estimator)
    find_checkpoint(estimator.checkpoint)
    if estimator.early_stopping and incremental:
        raise ValueError("partial_fit does not support early_stopping=True")
