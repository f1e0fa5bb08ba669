"""What is added to the loss for the size of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ..graph import Node, abs, astype, square, stack
from ..graph import sum as sum_of
from ..graph.record import Record
from .checking import check_number, hyperparameter, is_number

__all__ = ["L1", "L2", "PenaltySum", "WeightPenalty"]


class HasParameters(Protocol):
    """A network."""

    @property
    def parameters(self) -> Sequence[Node]: ...


@dataclass(frozen=True)
class WeightPenalty(Record, abstract=True):
    """λ·r(w), summed over kernels (parameters of two axes and more); penalties add up: ``L1(1e-5) + L2(1e-4)``.

    Parameters
    ----------
    strength : float
        λ ≥ 0, a hyperparameter of the program: ``"l2/strength"``.
    biases : bool
        Whether biases and the scales and shifts of normalisation are penalised too.
    """

    strength: float
    biases: bool = False

    def __post_init__(self) -> None:
        check_number(self, "strength", is_number(self.strength) and self.strength >= 0, "of at least 0")
        if not isinstance(self.biases, bool):
            raise TypeError(f"{type(self).__name__}: biases must be True or False, got {self.biases!r}")

    def size(self, parameter: Node) -> Node:
        """r of each element."""
        raise NotImplementedError(f"{type(self).__name__} says nothing of a weight's size")

    def __call__(self, network: HasParameters, examples: Node) -> Node:
        """The penalty of a network's parameters, whatever the number of examples."""
        return self.of(network.parameters, type(self).__name__.lower())

    def of(self, parameters: Sequence[Node], label: str) -> Node:
        """The penalty of parameters, its strength being known as ``label/strength``."""
        penalised = [p for p in parameters if self.biases or p.ndim > 1]
        if not penalised:
            raise ValueError(
                f"{self} has nothing to penalise: no parameter has two axes; biases=True takes in those of one"
            )
        strength = astype(hyperparameter(self, "strength", label), penalised[0].dtype)
        return strength * sum_of(stack([sum_of(self.size(p)) for p in penalised]))

    def __add__(self, other: WeightPenalty | PenaltySum) -> PenaltySum:
        return PenaltySum((self,)) + other


@dataclass(frozen=True)
class L2(WeightPenalty):
    """λ·Σ w², so that gradient descent does w ← (1 − 2λε)·w − ε·∇l (Krogh & Hertz 1992).

    With the mean of the losses λ is half of ``weight_decay`` in PyTorch's SGD, and alpha/(2·batch) of scikit-learn.
    With a learning rate for each weight (Adam and the like) this is not weight decay: see the optimizers' own
    ``weight_decay`` (Loshchilov & Hutter 2019).

    Examples
    --------
    >>> import diaphane as dia
    >>> network = dia.nn.Network(dia.nn.Dense(2, kernel_initializer=3.0, bias_initializer=1.0), (1,))
    >>> float(L2(0.5)(network, None).value), float(L2(0.5, biases=True)(network, None).value)
    (9.0, 10.0)
    """

    def size(self, parameter: Node) -> Node:
        return square(parameter)


@dataclass(frozen=True)
class L1(WeightPenalty):
    """λ·Σ |w|, whose subgradient is λ·sign(w), 0 at 0 (Tibshirani 1996).

    Gradient descent brings weights near to 0 and seldom to it: they go back and forth over it by ε·λ.

    Examples
    --------
    >>> import diaphane as dia
    >>> network = dia.nn.Network(dia.nn.Dense(2, kernel_initializer=-3.0), (1,))
    >>> float(L1(0.5)(network, None).value)
    3.0
    """

    def size(self, parameter: Node) -> Node:
        return abs(parameter)


@dataclass(frozen=True)
class PenaltySum(Record):
    """Several penalties, added up.

    Examples
    --------
    >>> L1(0.1) + L2(0.2)
    PenaltySum(parts=(L1(strength=0.1, biases=False), L2(strength=0.2, biases=False)))
    """

    parts: tuple[WeightPenalty, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        for part in self.parts:
            if not isinstance(part, WeightPenalty):
                raise TypeError(f"PenaltySum takes penalties such as L2(1e-4), got {part!r}")
        if not self.parts:
            raise ValueError("PenaltySum takes at least one penalty; leave it out (penalty=None) for none")

    def __call__(self, network: HasParameters, examples: Node) -> Node:
        """The sum; of two of a kind the second one's strength is known as ``l2_2/strength``."""
        seen: dict[str, int] = {}
        terms = []
        for part in self.parts:
            kind = type(part).__name__.lower()
            count = seen[kind] = seen.get(kind, 0) + 1
            terms.append(part.of(network.parameters, kind if count == 1 else f"{kind}_{count}"))
        return sum_of(stack(terms))

    def __add__(self, other: WeightPenalty | PenaltySum) -> PenaltySum:
        if not isinstance(other, WeightPenalty | PenaltySum):
            raise TypeError(f"a penalty adds up with a penalty such as L2(1e-4), got {other!r}")
        return PenaltySum((*self.parts, *(other.parts if isinstance(other, PenaltySum) else (other,))))
