"""The formal neuron of McCulloch & Pitts, and small networks of it, with weights set by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..graph.drawing import Drawing
from ..graph.drawing.neurons import NeuronMark, draw_neurons
from ..insight.theory.gates import GATES, threshold_gate

__all__ = ["FormalNetwork", "FormalNeuron", "TruthTable", "find_neuron", "xor_network"]

Bits = NDArray[np.int64]

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
MOST_INPUTS = 16
EPSILON = float(np.finfo(np.float64).eps)
LARGE, SAFE = 2.0**1000, 2.0**40
"""Numbers above the first are divided by the second, which rounds nothing, so that their sums are finite."""
NAMED = ("AND", "OR", "NAND", "NOR", "NOT")


@dataclass(frozen=True)
class TruthTable:
    """What comes out for each row of inputs, in the order of counting.

    Attributes
    ----------
    inputs : tuple of str
        Their names.
    outputs : tuple of int
        2ⁿ zeros and ones.
    """

    inputs: tuple[str, ...]
    outputs: tuple[int, ...]

    @property
    def rows(self) -> Bits:
        """The inputs, (2ⁿ, n)."""
        return _all_inputs(len(self.inputs))

    def __str__(self) -> str:
        lines = [" ".join(self.inputs) + " │ y"]
        for row, output in zip(self.rows.tolist(), self.outputs, strict=True):
            cells = [f"{bit:<{len(name)}}" for bit, name in zip(row, self.inputs, strict=True)]
            lines.append(" ".join(cells) + f" │ {output}")
        return "\n".join(lines)


@dataclass(frozen=True)
class FormalNeuron:
    """A neuron that fires where the weighted sum of its inputs reaches its threshold.

    y = 1 where wᵀx ≥ θ, else 0, for inputs of 0 and 1 (McCulloch & Pitts 1943; their inhibition was absolute, here
    a negative weight is one that counts against the others). The sum is compared with θ without rounding; the floats
    are what they are: 0.7 + 0.1 is below 0.8 by 8·10⁻¹⁷, for which a threshold between two sums leaves room.

    Parameters
    ----------
    weights : sequence of float
        One for each input.
    threshold : float
    name : str
        For drawings.

    Examples
    --------
    >>> both = FormalNeuron((1, 1), 2, "AND")
    >>> both([1, 1]), both([[0, 1], [1, 1]])
    (1, array([0, 1]))
    >>> print(FormalNeuron.gate("NOT").truth_table())
    x₁ │ y
    0  │ 1
    1  │ 0
    """

    weights: tuple[float, ...]
    threshold: float
    name: str = ""

    def __post_init__(self) -> None:
        weights = np.asarray(self.weights, dtype=np.float64)
        if weights.ndim != 1 or not weights.size or not np.isfinite(weights).all():
            raise ValueError(f"weights are {self.weights!r}; expected a sequence of finite numbers, one for each input")
        if not np.isfinite(float(self.threshold)):
            raise ValueError(f"threshold is {self.threshold!r}; expected a finite number")
        object.__setattr__(self, "weights", tuple(weights.tolist()))
        object.__setattr__(self, "threshold", float(self.threshold))

    @classmethod
    def gate(cls, name: str, n_inputs: int | None = None) -> FormalNeuron:
        """A logical function by its name.

        Parameters
        ----------
        name : str
            AND, OR, NAND, NOR of any number of inputs, NOT of one, or another of
            :data:`~diaphane.insight.theory.GATES`, of two.
        n_inputs : int, optional
            2 by default, 1 for NOT.

        Raises
        ------
        ValueError
            For an unknown name, and for XOR and XNOR, with the proof that no neuron computes them.

        Examples
        --------
        >>> FormalNeuron.gate("or", 3)
        FormalNeuron(weights=(1.0, 1.0, 1.0), threshold=1.0, name='OR')
        """
        wanted = str(name).upper()
        if wanted in NAMED:
            count = (1 if wanted == "NOT" else 2) if n_inputs is None else n_inputs
            if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
                raise ValueError(f"n_inputs is {n_inputs!r}; expected a whole number of at least 1")
            if wanted == "NOT" and count != 1:
                raise ValueError(f"NOT takes one input, not {count}")
            sign = 1.0 if wanted in ("AND", "OR") else -1.0
            threshold = {"AND": count, "OR": 1, "NAND": 1 - count, "NOR": 0, "NOT": 0}[wanted]
            return cls((sign,) * int(count), float(threshold), wanted)
        known = {gate.upper(): gate for gate in GATES}
        if wanted not in known:
            raise ValueError(f"there is no gate {name!r}; there are NOT, {', '.join(GATES)}")
        if n_inputs not in (None, 2):
            raise ValueError(f"{known[wanted]} is a function of 2 inputs, not {n_inputs}")
        return find_neuron(GATES[known[wanted]])

    def __call__(self, inputs: ArrayLike) -> Any:
        """0 or 1 for inputs (n,), an array of them for rows of inputs (…, n)."""
        bits, weights = _bits(inputs, len(self.weights)), np.array(self.weights)
        threshold, largest = self.threshold, max(float(np.abs(weights).max()), abs(self.threshold))
        if largest > LARGE:
            weights, threshold = weights / SAFE, threshold / SAFE
        above = np.asarray(bits @ weights - threshold)
        fires = np.asarray(above >= 0)
        doubt = (len(weights) + 2) * EPSILON * float(np.abs(weights).sum() + abs(threshold))
        for place in np.argwhere(np.abs(above) <= doubt):
            at = tuple(place.tolist())
            # Of the right sign whatever the order, as it is rounded once.
            fires[at] = fsum([*weights[bits[at] == 1].tolist(), -threshold]) >= 0
        return int(fires) if fires.ndim == 0 else fires.astype(np.int64)

    def truth_table(self) -> TruthTable:
        """What comes out for each of the 2ⁿ rows of inputs."""
        rows = _all_inputs(len(self.weights))
        return TruthTable(_names("x", len(self.weights)), tuple(self(rows).tolist()))

    def draw(self, title: str | None = None) -> Drawing:
        """The neuron with its weights and its threshold, as SVG."""
        return FormalNetwork(((self,),)).draw(title)


@dataclass(frozen=True)
class FormalNetwork:
    """Formal neurons in layers, each hearing all of the layer before.

    Parameters
    ----------
    layers : sequence of sequence of FormalNeuron
        The last one has one neuron, the output.

    Raises
    ------
    ValueError
        If there is no layer, the last has not one neuron, or weights do not fit the layer before.

    Examples
    --------
    >>> network = xor_network()
    >>> network.truth_table().outputs
    (0, 1, 1, 0)
    """

    layers: tuple[tuple[FormalNeuron, ...], ...]

    def __post_init__(self) -> None:
        layers = tuple(tuple(layer) for layer in self.layers)
        object.__setattr__(self, "layers", layers)
        if not layers or any(not layer for layer in layers) or len(layers[-1]) != 1:
            raise ValueError("expected at least one layer, neurons in each, and one in the last")
        heard = len(layers[0][0].weights)
        for i, layer in enumerate(layers):
            for neuron in layer:
                if len(neuron.weights) != heard:
                    raise ValueError(
                        f"a neuron of layer {i + 1} has {len(neuron.weights)} weights; expected {heard}, one for each "
                        + ("input" if i == 0 else "neuron of the layer before")
                    )
            heard = len(layer)

    @property
    def n_inputs(self) -> int:
        return len(self.layers[0][0].weights)

    def hidden(self, inputs: ArrayLike) -> Bits:
        """What the layer before the last says, (…, neurons): the inputs as the output neuron sees them."""
        heard = _bits(inputs, self.n_inputs)
        for layer in self.layers[:-1]:
            heard = np.stack([np.asarray(neuron(heard)) for neuron in layer], axis=-1)
        return heard

    def __call__(self, inputs: ArrayLike) -> Any:
        """0 or 1 for inputs (n,), an array of them for rows of inputs (…, n)."""
        return self.layers[-1][0](self.hidden(inputs))

    def truth_table(self) -> TruthTable:
        """What comes out for each of the 2ⁿ rows of inputs."""
        return TruthTable(_names("x", self.n_inputs), tuple(self(_all_inputs(self.n_inputs)).tolist()))

    def draw(self, title: str | None = None) -> Drawing:
        """The neurons with their weights and thresholds, as SVG."""
        columns = [[NeuronMark(n.weights, n.threshold, n.name) for n in layer] for layer in self.layers]
        return draw_neurons(columns, _names("x", self.n_inputs), title=title)


def find_neuron(table: Sequence[int]) -> FormalNeuron:
    """A formal neuron with this truth table, by linear programming.

    Parameters
    ----------
    table : sequence of int
        0 or 1 for each row of inputs in the order of counting: (0, 0), (0, 1), (1, 0), (1, 1) for two.

    Returns
    -------
    FormalNeuron

    Raises
    ------
    ValueError
        If no neuron has it, with the proof; :func:`~diaphane.insight.theory.threshold_gate` returns that.

    Examples
    --------
    >>> find_neuron([0, 0, 1, 0])
    FormalNeuron(weights=(1.0, -1.0), threshold=1.0, name='x₁ AND NOT x₂')
    >>> find_neuron([0, 1, 1, 0])
    Traceback (most recent call last):
        ...
    ValueError: no formal neuron computes XOR; two layers do:
    1 × (0, 0) → 0:   θ > 0
    1 × (0, 1) → 1:   w₂ − θ ≥ 0
    1 × (1, 0) → 1:   w₁ − θ ≥ 0
    1 × (1, 1) → 0:   θ − w₁ − w₂ > 0
    the sum of these: 0 > 0
    """
    gate = threshold_gate(table)
    if gate.weights is None or gate.threshold is None:
        raise ValueError(f"no formal neuron computes {gate.name}; two layers do:\n{gate.refutation}")
    return FormalNeuron(gate.weights, gate.threshold, gate.name)


def xor_network() -> FormalNetwork:
    """Two hidden neurons and an output one that compute XOR, their weights set by hand.

    h₁ = x₁ OR x₂, h₂ = x₁ AND x₂, y = h₁ AND NOT h₂ (Rumelhart, Hinton & Williams 1986 learn one of this form). The
    inputs (0, 1) and (1, 0) fall on one point of the hidden space, where a line separates what none could before.

    Returns
    -------
    FormalNetwork

    Examples
    --------
    >>> xor_network().hidden([[0, 0], [0, 1], [1, 0], [1, 1]]).tolist()
    [[0, 0], [1, 0], [1, 0], [1, 1]]
    """
    hidden = FormalNeuron.gate("OR"), FormalNeuron.gate("AND")
    return FormalNetwork((hidden, (FormalNeuron((1.0, -1.0), 1.0, "h₁ AND NOT h₂"),)))


def _bits(inputs: ArrayLike, n_inputs: int) -> Bits:
    given = np.asarray(inputs)
    if given.shape[-1:] != (n_inputs,):
        raise ValueError(f"inputs have shape {given.shape}; expected {n_inputs} in the last place")
    if given.dtype.kind not in "biuf" or not np.isin(given, (0, 1)).all():
        raise ValueError("a formal neuron takes inputs of 0 and 1; use Perceptron for other numbers")
    return given.astype(np.int64)


def _all_inputs(n_inputs: int) -> Bits:
    if n_inputs > MOST_INPUTS:
        raise ValueError(f"a truth table of {n_inputs} inputs has 2^{n_inputs} rows; expected at most {MOST_INPUTS}")
    return np.array(list(product((0, 1), repeat=n_inputs)), dtype=np.int64)


def _names(letter: str, count: int) -> tuple[str, ...]:
    return tuple(f"{letter}{str(i + 1).translate(SUBSCRIPTS)}" for i in range(count))
