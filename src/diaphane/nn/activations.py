"""Activation functions by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from .. import graph
from ..graph import Node

__all__ = ["ACTIVATIONS", "Activating", "ActivationLike", "find_activation", "register_activation"]

Activating: TypeAlias = Callable[[Node], Node]
ActivationLike: TypeAlias = str | Activating | None


def _identity(a: Node) -> Node:
    return a


ACTIVATIONS: dict[str, Activating] = {
    "identity": _identity,
    "relu": graph.relu,
    "tanh": graph.tanh,
    "sigmoid": graph.sigmoid,
    "logistic": graph.sigmoid,
    "softplus": graph.softplus,
    "leaky_relu": graph.leaky_relu,
    "elu": graph.elu,
    "selu": graph.selu,
    "gelu": graph.gelu,
    "silu": graph.silu,
    "exp": graph.exp,
    "erf": graph.erf,
    "softmax": graph.softmax,
    "log_softmax": graph.log_softmax,
}
"""Every activation by name; ``logistic`` is scikit-learn's word for the sigmoid."""


def find_activation(value: ActivationLike) -> Activating:
    """The activation of a name, the function itself, or the identity for None.

    Examples
    --------
    >>> import diaphane as dia
    >>> find_activation("relu")(dia.constant([-1.0, 2.0])).value
    array([0., 2.])
    """
    if value is None:
        return _identity
    if callable(value):
        return value
    if value not in ACTIVATIONS:
        raise ValueError(
            f"there is no activation {value!r}; there are: {', '.join(ACTIVATIONS)}, or a function of a node"
        )
    return ACTIVATIONS[value]


def register_activation(name: str, function: Activating) -> None:
    """Make a function of a node an activation that has a name, and so can be saved.

    Examples
    --------
    >>> import diaphane as dia
    >>> register_activation("cube", lambda a: a**3)
    >>> float(find_activation("cube")(dia.constant(2.0)).value)
    8.0
    >>> del ACTIVATIONS["cube"]
    """
    if name in ACTIVATIONS and ACTIVATIONS[name] is not function:
        raise ValueError(f"the activation {name!r} is there already")
    ACTIVATIONS[name] = function
