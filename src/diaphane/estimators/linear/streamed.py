"""Linear classifiers learnt from a stream, one example after another, a window in memory at a time."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state

from ...data.errors import DataError
from ...data.streams import Stream
from ...data.windows import Window
from ...engines.online import OnlineRule, OnlineState, one_pass, storable
from ...graph.node import Array
from .passes import Passes, Progress, Stopping, is_finite, penalty_of

if TYPE_CHECKING:
    from .online import OnlineClassifier

__all__ = ["OverflowedPass", "classes_of", "learn_stream", "note_columns", "places"]

MOST_SEED = np.iinfo(np.int32).max


class OverflowedPass(ValueError):
    """Weights overflow; ``passes`` has those of the last whole one."""

    def __init__(self, epoch: int, passes: list[Passes]) -> None:
        super().__init__(
            f"the weights overflow in epoch {epoch}: the features are too large. Scale them, as the stream's encoded() "
            "does, or take a smaller eta0"
        )
        self.epoch, self.passes = epoch, passes


def learn_stream(
    model: OnlineClassifier, stream: Stream, states: list[OnlineState], stopping: Stopping
) -> list[Passes]:
    """Pass after pass over a stream until one of the criteria holds for every class that is told from the rest.

    Rows are shuffled within windows where the model shuffles. A class that is at its end learns no more.

    Raises
    ------
    OverflowedPass
        Where weights or a score are not finite.
    """
    rng = check_random_state(model.random_state)
    rules = model._rules()
    found = [Passes(state) for state in states]
    progress = [Progress(stopping) for _ in states]
    positives = range(len(states)) if len(states) > 1 else [1]
    for epoch in range(1, stopping.epochs + 1):
        going = [i for i, passes in enumerate(found) if not passes.converged]
        if not going:
            break
        before = {i: found[i].state.copy() for i in going}
        totals = {i: np.zeros(3) for i in going}
        seed = int(rng.randint(MOST_SEED)) if model.shuffle else None
        with closing(stream.windows(seed, reuse=True)) as windows:
            for window in windows:
                for i in going:
                    own = _learn_window(rules[i], found[i].state, window, model, positives[i], seed is not None)
                    if own is None or not is_finite(found[i].state):
                        found[i].state = before[i]
                        raise OverflowedPass(epoch, found)
                    totals[i] += own
        for i in going:
            losses, weight, mistakes = totals[i]
            found[i].losses.append(
                float(losses / weight if weight else 0.0) + penalty_of(rules[i], found[i].state.weights)
            )
            found[i].mistakes.append(int(mistakes))
            rules[i], found[i].converged = progress[i].after(found[i], rules[i])
            if model.verbose:
                print(f"Epoch {epoch}: loss {found[i].losses[-1]:.6f}, {int(mistakes)} mistakes")  # noqa: T201
    return found


def classes_of(stream: Stream) -> Array:
    """The classes of a stream's target, at least two."""
    classes = np.array(stream.labels())
    if classes.dtype.kind == "f" and not np.all(classes == np.floor(classes)):
        raise DataError(f"the target {stream.target!r} holds numbers such as {classes[0]!r}; expected classes")
    if len(classes) < 2:
        raise DataError(f"there must be at least 2 classes to tell apart, the target has only {classes.tolist()}")
    return classes


def places(y: Array, classes: Array) -> Array:
    """The place of each label among the classes.

    Raises
    ------
    DataError
        For a label that is none of them.
    """
    found = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    strange = classes[found] != y
    if strange.any():
        raise DataError(f"the target has {y[strange][0]!r}, which is none of the classes {classes.tolist()}")
    return found


def note_columns(model: Any, stream: Stream) -> None:
    """What scikit-learn's estimators know of the columns."""
    model.n_features_in_ = stream.n_features
    model.__dict__.pop("feature_names_in_", None)
    if stream.source.first is None:
        model.feature_names_in_ = np.array(stream.feature_names, dtype=object)


def _learn_window(
    rule: OnlineRule, state: OnlineState, window: Window, model: Any, positive: int, shuffled: bool
) -> Array | None:
    """Sum of losses, of weights, and the mistakes of a window's rows; None where one could not be learnt from."""
    target = places(window.y, model.classes_)
    weights = None if window.weights is None else np.ascontiguousarray(window.weights, np.float64)
    result = one_pass(
        rule,
        state,
        storable(window.x),
        target == positive,
        weights,
        order=window.order.astype(np.int32) if shuffled else None,
        engine=model.engine,
    )
    if result.stopped is not None:
        return None
    counted = float(len(window)) if weights is None else float(weights.sum())
    return np.array([result.loss * counted, counted, result.mistakes])
