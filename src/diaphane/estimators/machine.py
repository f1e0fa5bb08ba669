"""The graph behind a multi-layer perceptron: network, step and prediction programs, made anew when asked for.

An estimator's fitted attributes are plain arrays; this is what they are put into. It is dropped when an
estimator is pickled or copied.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from ..engines import Program, State
from ..graph import Node, log_softmax, square, stack, variable
from ..graph import sum as sum_of
from ..graph.node import Array
from ..nn import Dense, Dropout, GlorotUniform, Layer, Network, Sequential, Uniform, find_activation
from ..nn.initializers import InitializerLike
from ..nn.losses import Loss
from ..training.trainer import EVALUATION_ROWS

__all__ = ["Machine", "architecture", "l2_penalty"]


@dataclass
class Machine:
    """A network, with the programs that predict."""

    network: Network
    out_activation: str
    loss: Loss
    engine: str
    _programs: dict[str, Program] = field(default_factory=dict)

    def state(self, coefs: Sequence[Array], intercepts: Sequence[Array]) -> State:
        """The weights, in the places of the network's parameters."""
        arrays = [a for pair in zip(coefs, intercepts, strict=True) for a in pair]
        values = dict(zip(self.network.parameters, arrays, strict=True))
        others = {v: v for v in self.network.variables if v not in values}
        return State({**values, **{v: np.asarray(v.value) for v in others}})

    def weights(self, state: State) -> tuple[list[Array], list[Array]]:
        """Coefficients and intercepts out of a state."""
        arrays = [state[p] for p in self.network.parameters]
        return arrays[0::2], arrays[1::2]

    def predict(self, state: State, x: Any, kind: str = "output") -> Array:
        """Probabilities (or numbers), logarithms of probabilities, or raw outputs."""
        program = self._programs.get(kind)
        if program is None:
            raw = self.network.output
            nodes = {
                "raw": lambda: raw,
                "output": lambda: find_activation(self.out_activation)(raw),
                "log": lambda: log_softmax(raw),
            }
            program = self._programs[kind] = Program(nodes[kind](), engine=self.engine)
        outputs, _ = program.run_batches(state, {self.network.input: x}, batch_size=EVALUATION_ROWS)
        return np.asarray(outputs)


def architecture(
    inputs: int,
    hidden: Sequence[int],
    outputs: int,
    activation: Any,
    dropout: float | Sequence[float] = 0.0,
    weight_init: InitializerLike | None = None,
) -> Sequential:
    """Dense layers with one activation between them; the last gives raw outputs.

    Without ``weight_init`` the first weights and biases are scikit-learn's:
    U[±√(6/(d_in + d_out))], a third of that variance for logistic units.
    """
    rates = list(dropout) if isinstance(dropout, Sequence | np.ndarray) else [dropout] * len(hidden)
    if len(rates) != len(hidden):
        raise ValueError(
            f"dropout must be a number or one for each of the {len(hidden)} hidden layers, got {dropout!r}"
        )
    gain = 1 / 3 if activation == "logistic" else 1.0
    layers: list[Layer] = []
    sizes = [inputs, *hidden, outputs]
    for i, (d_in, d_out) in enumerate(pairwise(sizes)):
        kernel, bias = weight_init, 0.0
        if weight_init is None:
            kernel, bias = GlorotUniform(gain), Uniform(math.sqrt(gain * 6 / (d_in + d_out)))  # type: ignore[assignment]
        last = i == len(hidden)
        layers.append(Dense(d_out, None if last else activation, kernel, bias))  # type: ignore[arg-type]
        if not last and rates[i]:
            layers.append(Dropout(float(rates[i])))
    return Sequential(layers)


def l2_penalty(alpha: float) -> Any:
    """½·α·Σ‖W‖² / n, over coefficients and not intercepts: scikit-learn's ``alpha``."""

    def penalty(network: Network, examples: Node) -> Node:
        strength = variable(float(alpha), "alpha", dtype=network.dtype, role="hyperparameter")
        squares = [sum_of(square(p)) for p in network.parameters if p.ndim > 1]
        return 0.5 * strength * sum_of(stack(squares)) / examples

    return penalty
