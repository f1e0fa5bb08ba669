"""Multi-layer perceptrons on rows that memory does not hold."""

from __future__ import annotations

from typing import Any

from sklearn.utils import check_random_state

from ..data.streams import Stream
from .linear.streamed import note_columns
from .multilayer_parameters import check_multilayer
from .parameters import hidden_sizes

__all__ = ["fit_on_stream"]


def fit_on_stream(estimator: Any, stream: Stream, validation: Any, resume: bool) -> None:
    """Fit a multi-layer perceptron to a stream.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    stream : Stream
    validation : Stream, (X, y), (X, y, sample_weight) or None
    resume : bool

    Raises
    ------
    ValueError
        If the estimator is set to what a stream cannot have.
    """
    check_multilayer(estimator, incremental=False)
    _refuse(estimator, validation)
    hidden = hidden_sizes(estimator.hidden_layer_sizes)
    note_columns(estimator, stream)
    first = estimator._refuse_other_sizes(hidden)
    estimator._learn_labels(stream, first)
    stream = _with_targets(estimator, stream)
    if isinstance(validation, Stream):
        validation = _with_targets(estimator, validation)
    elif validation is not None:
        validation = estimator._checked_validation(validation)
    rng, chunk = check_random_state(estimator.random_state), stream.first()
    estimator.n_outputs_ = estimator._n_outputs(chunk.y)
    if first:
        estimator._start_afresh(chunk.x, hidden, rng)
    estimator._start_curves(first)
    machine = estimator._machine_to_fit(stream.n_features, hidden)
    start = machine.state(estimator.coefs_, estimator.intercepts_)
    estimator._fit_stochastic(machine, start, stream, validation, rng, resume=resume)
    estimator._refuse_non_finite()


def _with_targets(estimator: Any, stream: Stream) -> Stream:
    """The stream with its targets as the network learns them."""
    return stream.with_target(lambda y: estimator._encode_target(y, False, held_out=True))


def _refuse(estimator: Any, validation: Any) -> None:
    if estimator.solver == "lbfgs":
        raise ValueError("a stream is learnt by batches: take another solver than 'lbfgs'")
    if estimator.early_stopping and validation is None:
        raise ValueError(
            "early_stopping on a stream needs validation_data: another stream or (X, y); none is held out of it"
        )
    if getattr(estimator, "class_weight", None) is not None:
        raise ValueError("class_weight is not for a stream: give open_stream a column of weights")
