"""Which truth tables one threshold computes: fourteen of the sixteen of two inputs, and why not the other two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import gcd, lcm

import numpy as np
from numpy.typing import NDArray

from .separability import witness

__all__ = ["GATES", "Gate", "Refutation", "all_gates", "threshold_gate"]

GATES: dict[str, tuple[int, ...]] = {
    "FALSE": (0, 0, 0, 0),
    "AND": (0, 0, 0, 1),
    "x₁ AND NOT x₂": (0, 0, 1, 0),
    "x₁": (0, 0, 1, 1),
    "NOT x₁ AND x₂": (0, 1, 0, 0),
    "x₂": (0, 1, 0, 1),
    "XOR": (0, 1, 1, 0),
    "OR": (0, 1, 1, 1),
    "NOR": (1, 0, 0, 0),
    "XNOR": (1, 0, 0, 1),
    "NOT x₂": (1, 0, 1, 0),
    "x₁ OR NOT x₂": (1, 0, 1, 1),
    "NOT x₁": (1, 1, 0, 0),
    "NOT x₁ OR x₂": (1, 1, 0, 1),
    "NAND": (1, 1, 1, 0),
    "TRUE": (1, 1, 1, 1),
}
"""The sixteen functions of two inputs: what comes out for (0, 0), (0, 1), (1, 0) and (1, 1)."""

MOST_INPUTS = 8
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Refutation:
    """The proof that no weights and threshold give a truth table, to be checked by hand.

    A row (x → 1) demands wᵀx − θ ≥ 0, a row (x → 0) demands θ − wᵀx > 0. Taken as often as the multipliers say,
    the left sides add up to 0 whatever w and θ are, and one of the right sides is strict: 0 > 0.

    Attributes
    ----------
    rows : tuple of tuple of int
        The inputs of the rows that are used.
    outputs : tuple of int
        What is to come out for each.
    multipliers : tuple of int
        How often each is taken.

    Examples
    --------
    >>> print(threshold_gate((0, 1, 1, 0)).refutation)
    1 × (0, 0) → 0:   θ > 0
    1 × (0, 1) → 1:   w₂ − θ ≥ 0
    1 × (1, 0) → 1:   w₁ − θ ≥ 0
    1 × (1, 1) → 0:   θ − w₁ − w₂ > 0
    the sum of these: 0 > 0
    """

    rows: tuple[tuple[int, ...], ...]
    outputs: tuple[int, ...]
    multipliers: tuple[int, ...]

    @property
    def holds(self) -> bool:
        """Whether the rows do add up to 0 > 0; whole numbers, nothing is rounded."""
        taken = [
            (times if output else -times, row)
            for times, output, row in zip(self.multipliers, self.outputs, self.rows, strict=True)
        ]
        cancels = sum(sign for sign, _ in taken) == 0 and not any(
            sum(sign * row[j] for sign, row in taken) for j in range(len(self.rows[0]))
        )
        strict = any(times and not out for times, out in zip(self.multipliers, self.outputs, strict=True))
        return cancels and strict and min(self.multipliers) >= 0

    def __str__(self) -> str:
        lines = [
            f"{times} × ({', '.join(map(str, row))}) → {output}:   {_demand(row, output)}"
            for times, row, output in zip(self.multipliers, self.rows, self.outputs, strict=True)
        ]
        return "\n".join([*lines, "the sum of these: 0 > 0"])


@dataclass(frozen=True)
class Gate:
    """A truth table, and the threshold that computes it or the proof that none does.

    Attributes
    ----------
    name : str
    table : tuple of int
        What comes out for each row of inputs, in the order of counting: (0, 0), (0, 1), (1, 0), (1, 1).
    weights : tuple of float or None
    threshold : float or None
        1 comes out where wᵀx ≥ θ.
    refutation : Refutation or None
    """

    name: str
    table: tuple[int, ...]
    weights: tuple[float, ...] | None
    threshold: float | None
    refutation: Refutation | None

    @property
    def possible(self) -> bool:
        """Whether one formal neuron computes it."""
        return self.weights is not None

    def __str__(self) -> str:
        if self.weights is None or self.threshold is None:
            return f"{self.name}: no weights and threshold\n{self.refutation}"
        return f"{self.name}: 1 where {_weighted_sum(self.weights)} ≥ {self.threshold:g}".replace("-", "−")


def all_gates() -> list[Gate]:
    """The sixteen functions of two inputs, fourteen with weights, XOR and XNOR refuted.

    Minsky & Papert 1969, §0.2; McCulloch & Pitts 1943 for the neuron.

    Returns
    -------
    list of Gate

    Examples
    --------
    >>> gates = all_gates()
    >>> sum(gate.possible for gate in gates), [gate.name for gate in gates if not gate.possible]
    (14, ['XOR', 'XNOR'])
    >>> print(gates[1])
    AND: 1 where x₁ + x₂ ≥ 2
    """
    return [threshold_gate(table) for table in GATES.values()]


def threshold_gate(table: Sequence[int]) -> Gate:
    """Weights and a threshold for a truth table, by linear programming, or the proof that there are none.

    The weights are those of least |w₁| + … + |wₙ| + |θ| with wᵀx ≥ θ where 1 is to come out and wᵀx ≤ θ − 1
    where 0 is: the distance of 1 is without loss of generality, for weights and threshold may be multiplied by
    any positive number. Where that program has no solution its dual has one, Farkas' multipliers.

    Parameters
    ----------
    table : sequence of int
        0 or 1 for each of the 2ⁿ rows of inputs in the order of counting, n at most 8.

    Returns
    -------
    Gate

    Raises
    ------
    ValueError
        For anything but 2, 4, 8, … 256 zeros and ones.

    Examples
    --------
    >>> majority = threshold_gate([0, 0, 0, 1, 0, 1, 1, 1])
    >>> majority.weights, majority.threshold
    ((1.0, 1.0, 1.0), 2.0)
    >>> threshold_gate([1, 0, 0, 1]).refutation.multipliers
    (1, 1, 1, 1)
    """
    outputs = _checked(table)
    inputs = np.array(list(product((0, 1), repeat=len(outputs).bit_length() - 1)), dtype=np.float64)
    name = next((name for name, known in GATES.items() if known == outputs), "".join(map(str, outputs)))
    found = _least_weights(inputs, np.array(outputs))
    if found is not None:
        return Gate(name, outputs, tuple(found[:-1].tolist()), float(found[-1]), None)
    return Gate(name, outputs, None, None, _refute(inputs, outputs))


def _checked(table: Sequence[int]) -> tuple[int, ...]:
    if not isinstance(table, Iterable):
        raise ValueError(f"the truth table is {table!r}; expected a sequence of 0 and 1, such as [0, 1, 1, 0] for XOR")
    values = [int(value) if value in (0, 1) else -1 for value in table]
    n_inputs = len(values).bit_length() - 1
    if -1 in values or n_inputs < 1 or len(values) != 2**n_inputs:
        raise ValueError(
            f"the truth table is {list(table)!r}; expected a 0 or 1 for each of the 2ⁿ rows of inputs, "
            "such as [0, 1, 1, 0] for XOR"
        )
    if n_inputs > MOST_INPUTS:
        raise ValueError(f"the truth table has {n_inputs} inputs; expected at most {MOST_INPUTS}")
    return tuple(values)


def _least_weights(inputs: NDArray[np.float64], outputs: NDArray[np.int64]) -> NDArray[np.float64] | None:
    from scipy.optimize import linprog

    signs = np.where(outputs == 1, 1.0, -1.0)
    demands = signs[:, np.newaxis] * np.column_stack([inputs, -np.ones(len(inputs))])
    n = demands.shape[1]
    found = linprog(
        np.ones(2 * n),
        A_ub=-np.column_stack([demands, -demands]),
        b_ub=-np.where(outputs == 1, 0.0, 1.0),
        bounds=(0, None),
        method="highs-ds",
    )
    if found.x is None:
        return None
    # Solutions at a corner are fractions of small whole numbers, which rounding has moved a little.
    weights = np.array([float(Fraction(value).limit_denominator(1000)) for value in found.x[:n] - found.x[n:]])
    fires = inputs @ weights[:-1] >= weights[-1]
    if not np.array_equal(fires, outputs == 1):
        raise RuntimeError("linear programming gave weights that do not give the truth table")
    return weights + 0.0


def _refute(inputs: NDArray[np.float64], outputs: tuple[int, ...]) -> Refutation:
    signs = np.where(np.array(outputs) == 1, 1.0, -1.0)
    found = witness(signs[:, np.newaxis] * np.column_stack([inputs, np.ones(len(inputs))]))
    shares = [Fraction(0)] * len(outputs) if found is None else [Fraction(v).limit_denominator(1000) for v in found]
    whole = lcm(*(share.denominator for share in shares))
    times = [int(share * whole) for share in shares]
    common = gcd(*times) or 1
    used = [i for i, value in enumerate(times) if value]
    refutation = Refutation(
        tuple(tuple(int(v) for v in inputs[i]) for i in used),
        tuple(outputs[i] for i in used),
        tuple(times[i] // common for i in used),
    )
    if not used or not refutation.holds:
        raise RuntimeError("linear programming gave neither weights nor a proof that there are none")
    return refutation


def _demand(row: Sequence[int], output: int) -> str:
    on = [f"w{str(j + 1).translate(SUBSCRIPTS)}" for j, value in enumerate(row) if value]
    if output:
        return (" + ".join(on) + " − θ" if on else "−θ") + " ≥ 0"
    return " − ".join(["θ", *on]) + " > 0"


def _weighted_sum(weights: Sequence[float]) -> str:
    text = ""
    for j, weight in enumerate(weights):
        if weight == 0:
            continue
        sign = ("−" if weight < 0 else "+") if text else ("−" if weight < 0 else "")
        size = "" if abs(weight) == 1 else f"{abs(weight):g}·"
        text += f"{' ' if text else ''}{sign}{' ' if text else ''}{size}x{str(j + 1).translate(SUBSCRIPTS)}"
    return text or "0"
