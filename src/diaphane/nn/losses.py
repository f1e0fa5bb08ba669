"""Losses: one number for each example, from the network's raw outputs and the targets.

What is trained is their mean over examples, weighted where weights are given: see :func:`mean_loss`.
Outputs of several columns are summed over. Cross-entropies take *logits* (what goes into the
sigmoid or softmax), which stays finite where the probability itself rounds to 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from numbers import Real
from typing import TypeAlias

import numpy as np

from .. import graph
from ..graph import Node, ShapeError
from ..graph.sizes import show

__all__ = [
    "LOSSES",
    "LabelSmoothing",
    "Loss",
    "LossLike",
    "absolute_error",
    "binary_cross_entropy",
    "categorical_cross_entropy",
    "find_loss",
    "half_poisson_deviance",
    "half_squared_error",
    "hinge",
    "huber",
    "mean_loss",
    "multiclass_hinge",
    "of_signs",
    "of_true_targets",
    "perceptron",
    "poisson",
    "squared_error",
    "squared_hinge",
    "zero_one",
]

Loss: TypeAlias = Callable[[Node, Node], Node]
LossLike: TypeAlias = str | Loss


def zero_one(scores: Node, target: Node) -> Node:
    """1[y ≠ ŷ]: for evaluation, it has no gradient.

    Parameters
    ----------
    scores : node, shape (N,) or (N, K)
        One column: ŷ is the sign, −1 or +1 (0 counts as a mistake). Several: ŷ is the greatest's index.
    target : node, shape (N,) or (N, K)
        −1/+1 for one column; class indices or one-hot rows for several.

    Returns
    -------
    node, shape (N,)

    Examples
    --------
    >>> import diaphane as dia
    >>> zero_one(dia.constant([2.0, -1.0, 0.0]), dia.constant([1.0, 1.0, 1.0])).value
    array([0., 1., 1.])
    """
    if scores.ndim == 1 or scores.shape[1:] == (1,):
        wrong = graph.less_equal(graph.reshape(scores * _paired(scores, target), scores.shape[:1]), 0)
    else:
        label = target if target.ndim == 1 else graph.argmax(target)
        wrong = graph.not_equal(graph.argmax(scores), label)
    return graph.astype(wrong, scores.dtype)


def perceptron(scores: Node, target: Node) -> Node:
    """max(0, −y·a), y being −1 or +1: where it is above 0 its slope gives Rosenblatt's rule (1958).

    Examples
    --------
    >>> import diaphane as dia
    >>> perceptron(dia.constant([2.0, -1.0]), dia.constant([1.0, 1.0])).value
    array([0., 1.])
    """
    return _over_columns(graph.relu(-_paired(scores, target) * scores))


def hinge(scores: Node, target: Node) -> Node:
    """max(0, 1 − y·a), y being −1 or +1 and a the score itself (Cortes & Vapnik 1995).

    Examples
    --------
    >>> import diaphane as dia
    >>> hinge(dia.constant([2.0, 0.5, -1.0]), dia.constant([1.0, 1.0, 1.0])).value
    array([0. , 0.5, 2. ])
    """
    return _over_columns(graph.relu(1 - _paired(scores, target) * scores))


def squared_hinge(scores: Node, target: Node) -> Node:
    """max(0, 1 − y·a)²."""
    return _over_columns(graph.square(graph.relu(1 - _paired(scores, target) * scores)))


def multiclass_hinge(scores: Node, target: Node) -> Node:
    """max(0, 1 + max over k ≠ y of aₖ − a_y) (Crammer & Singer 2001).

    Parameters
    ----------
    scores : node, shape (N, K)
    target : node, shape (N,) of class indices or (N, K) one-hot

    Examples
    --------
    >>> import diaphane as dia
    >>> multiclass_hinge(dia.constant([[3.0, 1.0], [1.0, 1.5]]), dia.constant([0, 0])).value
    array([0. , 1.5])
    """
    truth = _one_hot(scores, target)
    own = graph.sum(scores * truth, axis=-1)
    # The least finite number rather than −inf, which would be taken for an overflow where one is looked for.
    others = graph.max(graph.where(truth > 0.5, float(np.finfo(scores.dtype).min), scores), axis=-1)
    return graph.relu(1 + others - own)


def squared_error(prediction: Node, target: Node) -> Node:
    """Σ (p − t)² over an example's outputs."""
    return _over_columns(graph.square(prediction - _paired(prediction, target)))


def half_squared_error(prediction: Node, target: Node) -> Node:
    """½·Σ (p − t)², whose gradient is p − t: scikit-learn's for MLPs.

    Examples
    --------
    >>> import diaphane as dia
    >>> half_squared_error(dia.constant([3.0]), dia.constant([1.0])).value
    array([2.])
    """
    return 0.5 * squared_error(prediction, target)


def absolute_error(prediction: Node, target: Node) -> Node:
    """Σ |p − t| over an example's outputs."""
    return _over_columns(graph.abs(prediction - _paired(prediction, target)))


def huber(prediction: Node, target: Node, delta: float = 1.0) -> Node:
    """½(p − t)² where |p − t| ≤ δ, δ(|p − t| − ½δ) beyond (Huber 1964).

    Examples
    --------
    >>> import diaphane as dia
    >>> huber(dia.constant([0.5, 3.0]), dia.constant([0.0, 0.0])).value
    array([0.125, 2.5  ])
    """
    error = prediction - _paired(prediction, target)
    size = graph.abs(error)
    return _over_columns(graph.where(size <= delta, 0.5 * graph.square(error), delta * (size - 0.5 * delta)))


def binary_cross_entropy(logits: Node, target: Node) -> Node:
    """−t·log σ(a) − (1 − t)·log(1 − σ(a)) = softplus(a) − t·a, t in [0, 1]; its gradient is σ(a) − t.

    Several columns are several independent labels; their losses add up.

    Examples
    --------
    >>> import diaphane as dia
    >>> binary_cross_entropy(dia.constant([1000.0, -1000.0]), dia.constant([1.0, 1.0])).value
    array([   0., 1000.])
    """
    return _over_columns(graph.softplus(logits) - _paired(logits, target) * logits)


def categorical_cross_entropy(logits: Node, target: Node) -> Node:
    """−Σₖ tₖ·log softmax(a)ₖ; its gradient is softmax(a) − t.

    Parameters
    ----------
    logits : node, shape (N, K)
    target : node, shape (N,) of class indices, or (N, K) of probabilities

    Examples
    --------
    >>> import diaphane as dia
    >>> categorical_cross_entropy(dia.constant([[0.0, 0.0]]), dia.constant([1])).value.round(6)
    array([0.693147])
    """
    return -graph.sum(_one_hot(logits, target) * graph.log_softmax(logits), axis=-1)


def poisson(log_rate: Node, target: Node) -> Node:
    """e^a − t·a: the negative log-likelihood of counts t, without the log t! that no parameter changes."""
    return _over_columns(graph.exp(log_rate) - _paired(log_rate, target) * log_rate)


def half_poisson_deviance(log_rate: Node, target: Node) -> Node:
    """t·log t − t + e^a − t·a: :func:`poisson` shifted so that a perfect fit has 0."""
    t = _paired(log_rate, target)
    constant = graph.where(t > 0, t * graph.log(graph.where(t > 0, t, 1)), 0) - t
    return _over_columns(graph.exp(log_rate) - t * log_rate + constant)


LOSSES: dict[str, Loss] = {
    "zero_one": zero_one,
    "perceptron": perceptron,
    "hinge": hinge,
    "squared_hinge": squared_hinge,
    "multiclass_hinge": multiclass_hinge,
    "squared_error": squared_error,
    "half_squared_error": half_squared_error,
    "absolute_error": absolute_error,
    "huber": huber,
    "binary_cross_entropy": binary_cross_entropy,
    "categorical_cross_entropy": categorical_cross_entropy,
    "poisson": poisson,
    "half_poisson_deviance": half_poisson_deviance,
}
"""Every loss by name."""


def find_loss(value: LossLike) -> Loss:
    """The loss of a name, or the function itself: any function of (outputs, targets) to one number an example.

    Examples
    --------
    >>> find_loss("hinge").__name__
    'hinge'
    """
    if callable(value):
        return value
    if value not in LOSSES:
        raise ValueError(f"there is no loss {value!r}; there are: {', '.join(LOSSES)}, or a function of two nodes")
    return LOSSES[value]


def mean_loss(losses: Node, weights: Node | None = None) -> Node:
    """The mean over examples, or Σ wₙ·lₙ / Σ wₙ; 0 for a batch that has no weight at all.

    Parameters
    ----------
    losses : node, shape (N,)
    weights : node, shape (N,), optional

    Examples
    --------
    >>> import diaphane as dia
    >>> float(mean_loss(dia.constant([1.0, 3.0]), dia.constant([3.0, 1.0])).value)
    1.5
    """
    if losses.ndim != 1:
        raise ShapeError(f"a loss gives one number for each example, shape (N,), got {show(losses.shape)}")
    if weights is None:
        return graph.mean(losses)
    total = graph.sum(weights)
    return graph.sum(losses * weights) / graph.where(graph.equal(total, 0), 1, total)


@dataclass(frozen=True)
class LabelSmoothing:
    """A cross-entropy with targets t ← (1 − s)·t + s/K, K being the number of classes (Szegedy et al. 2016, §7).

    For labels of yes or no K is 2. It is the loss that is trained; validation has that of the targets themselves.

    Parameters
    ----------
    loss : {"categorical_cross_entropy", "binary_cross_entropy"} or one of these functions
    smoothing : float in [0, 1)
        s, a hyperparameter of the program: ``"label_smoothing"``.

    Examples
    --------
    >>> import diaphane as dia
    >>> smoothed = LabelSmoothing("categorical_cross_entropy", 0.1)
    >>> smoothed(dia.constant([[0.0, 2.0]]), dia.constant([1])).value.round(6)
    array([0.226928])
    """

    loss: LossLike
    smoothing: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "loss", find_loss(self.loss))
        if self.loss not in (categorical_cross_entropy, binary_cross_entropy):
            raise ValueError(
                f"labels are smoothed for categorical_cross_entropy and binary_cross_entropy, not for {self.loss!r}"
            )
        if isinstance(self.smoothing, bool) or not isinstance(self.smoothing, Real):
            raise TypeError(f"smoothing must be a number in [0, 1), got {self.smoothing!r}")
        if not 0 <= self.smoothing < 1:
            raise ValueError(f"smoothing must be in [0, 1), got {self.smoothing!r}")
        object.__setattr__(self, "smoothing", float(self.smoothing))

    def __call__(self, outputs: Node, target: Node) -> Node:
        """One number for each example."""
        loss = find_loss(self.loss)
        share = graph.astype(self._share, outputs.dtype)
        categorical = loss is categorical_cross_entropy
        truth = _one_hot(outputs, target) if categorical else _paired(outputs, target)
        classes = graph.extent_value(outputs.shape[-1] if categorical else 2, outputs.dtype)
        return loss(outputs, (1 - share) * truth + share / classes)

    @cached_property
    def _share(self) -> Node:
        """One variable, however often the loss is taken in a step."""
        return graph.variable(self.smoothing, "label_smoothing", dtype="float64", role="hyperparameter")


@cache
def of_signs(margin: Loss) -> Loss:
    """The same loss for targets 0 and 1, where it takes −1 and +1; the same function each time, for equal plans."""
    return lambda scores, target: margin(scores, 2 * target - 1)


def of_true_targets(loss: Loss) -> Loss:
    """What a loss is without the smoothing of its targets: what validation looks at."""
    return find_loss(loss.loss) if isinstance(loss, LabelSmoothing) else loss


def _over_columns(losses: Node) -> Node:
    return losses if losses.ndim <= 1 else graph.sum(losses, axis=tuple(range(1, losses.ndim)))


def _paired(outputs: Node, target: Node) -> Node:
    """The target in the outputs' shape and type: (N,) beside (N, 1) would broadcast to (N, N)."""
    if target.shape != outputs.shape:
        if target.size != outputs.size or target.shape[:1] != outputs.shape[:1]:
            raise ShapeError(f"outputs of {show(outputs.shape)} and targets of {show(target.shape)} do not pair up")
        target = graph.reshape(target, outputs.shape)
    return graph.astype(target, outputs.dtype)


def _one_hot(outputs: Node, target: Node) -> Node:
    if target.ndim == outputs.ndim - 1 and target.dtype.kind in "iu":
        classes = outputs.shape[-1]
        assert isinstance(classes, int)
        return graph.one_hot(target, classes, outputs.dtype)
    if target.shape != outputs.shape:
        raise ShapeError(
            f"targets are class indices of shape (N,) or rows of probabilities like the outputs, "
            f"{show(outputs.shape)}; "
            f"got {show(target.shape)} of {target.dtype}"
        )
    return graph.astype(target, outputs.dtype)
