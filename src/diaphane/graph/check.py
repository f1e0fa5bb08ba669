"""Are the gradients right? Backpropagation against central differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .backend import NumpyBackend
from .errors import DTypeError
from .evaluation import Plan, bind_sizes, checked_feed, named_feeds
from .gradient import gradient
from .leaves import initial_value
from .node import Array, Node, ancestors
from .operations import sum as sum_of

__all__ = ["GradientCheck", "GradientReport", "check_gradient"]

MOST_ELEMENTS = 200
"""Elements tried of one node: two evaluations each."""


@dataclass(frozen=True)
class GradientCheck:
    """One node's gradient beside the differences.

    Attributes
    ----------
    name : str
    tried, size : int
        Elements compared, and how many there are.
    error : float
        The largest |analytic − numeric|, relative to the larger of the two (and at least 1e-8 of the
        largest of all).
    index : tuple of int
        Where that is.
    analytic, numeric : float
        What they are there.
    passed : bool
    """

    name: str
    tried: int
    size: int
    error: float
    index: tuple[int, ...]
    analytic: float
    numeric: float
    passed: bool


@dataclass(frozen=True)
class GradientReport:
    """What :func:`check_gradient` found; true where all gradients passed, and printed as a table."""

    checks: tuple[GradientCheck, ...]
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether every gradient is right."""
        return all(check.passed for check in self.checks)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        width = max([len(c.name) for c in self.checks], default=4)
        lines = [f"{'node':{width}}  {'tried':>11}  {'error':>8}  worst at: backpropagation, differences"]
        for c in self.checks:
            at = f"[{', '.join(map(str, c.index))}]" if c.index else ""
            verdict = "right" if c.passed else "WRONG"
            beside = f"{at} {c.analytic:.8g}, {c.numeric:.8g}"
            lines.append(f"{c.name:{width}}  {f'{c.tried} of {c.size}':>11}  {c.error:8.1e}  {beside}  {verdict}")
        lines.append(f"{'passed' if self.passed else 'FAILED'} at a relative tolerance of {self.tolerance:g}")
        return "\n".join(lines)


def check_gradient(
    y: Node,
    wrt: Sequence[Node],
    feeds: Mapping[Node | str, Any] | None = None,
    *,
    step: float = 1e-6,
    tolerance: float = 1e-5,
    random_state: int = 0,
    seed: int = 0,
) -> GradientReport:
    """Compare dy/d(wrt) by backpropagation with (y(x + h) − y(x − h)) / 2h, in float64.

    Parameters
    ----------
    y : Node
        Any shape; the sum of its elements is differentiated.
    wrt : sequence of Node
        Variables or placeholders of the graph. Of large ones 200 elements are drawn at random.
    feeds : mapping of node (or its name) to array, optional
        For placeholders, and for variables in place of their initial values.
    step : float
        h, scaled by max(1, |x|).
    tolerance : float
        The largest relative difference that passes.
    random_state, seed : int
        Which elements are tried; what random nodes draw from.

    Returns
    -------
    GradientReport

    Notes
    -----
    A float32 graph is computed with float64 inputs throughout where its operations allow it; casts inside
    the graph stay, and need a larger ``step`` and ``tolerance``. At a kink (relu at 0) the two may differ
    though both are right.

    Examples
    --------
    >>> import diaphane as dia
    >>> w = dia.variable([0.5, -1.0], "w")
    >>> print(dia.check_gradient(dia.sum(dia.tanh(w) ** 2), [w]))
    node        tried     error  worst at: backpropagation, differences
    w          2 of 2  ...  right
    passed at a relative tolerance of 1e-05
    """
    total = sum_of(y) if y.shape else y
    slopes = gradient(total, list(wrt))
    outputs = [total, *slopes]
    fed = named_feeds(feeds or {}, ancestors(outputs))
    plan = Plan(outputs, fed)
    values = {n: checked_feed(n, fed[n]) if n in fed else initial_value(n) for n in plan.given}
    values = {n: v.astype(np.float64) if v.dtype.kind == "f" else v for n, v in values.items()}
    missing = [n for n in wrt if n not in values and n not in fed]
    if any(n.inputs for n in missing):
        raise DTypeError(
            f"check_gradient moves variables and placeholders; {missing[0].label()} is computed from others"
        )
    backend = NumpyBackend(bind_sizes(list(values), list(values.values())), seed)
    just_total = Plan([total], values)

    def evaluate(node: Node, moved: Array) -> float:
        here = {**values, node: moved}
        with np.errstate(all="ignore"):
            return float(just_total.run(backend, [here[n] for n in just_total.given])[0])

    with np.errstate(all="ignore"):
        _, *analytic = plan.run(backend, [values[n] for n in plan.given])
    rng = np.random.default_rng(random_state)
    checks = []
    for node, slope in zip(wrt, analytic, strict=True):
        value = values.get(node, np.zeros(()))
        at = rng.permutation(value.size)[:MOST_ELEMENTS]
        found = np.asarray(slope, np.float64).reshape(-1)[at]
        numeric = np.array([_difference(evaluate, node, value, int(i), step) for i in at])
        checks.append(_compared(node, value.shape, at, found, numeric, tolerance))
    return GradientReport(tuple(checks), tolerance)


def _difference(evaluate: Any, node: Node, value: Array, i: int, step: float) -> float:
    size = step * max(1.0, abs(float(value.flat[i])))
    ends = []
    for sign in (1, -1):
        moved = value.copy()
        moved.flat[i] += sign * size
        ends.append((evaluate(node, moved), float(moved.flat[i])))
    return float((ends[0][0] - ends[1][0]) / (ends[0][1] - ends[1][1]))


def _compared(
    node: Node, shape: tuple[int, ...], at: Array, analytic: Array, numeric: Array, tolerance: float
) -> GradientCheck:
    size = int(np.prod(shape, dtype=np.int64))
    if not len(at):
        return GradientCheck(node.label(), 0, size, 0.0, (), 0.0, 0.0, True)
    scale = np.maximum(np.abs(analytic), np.abs(numeric))
    errors = np.abs(analytic - numeric) / np.maximum(scale, max(1e-8, float(scale.max()) * 1e-3))
    errors = np.where(np.isfinite(errors), errors, np.inf)
    worst = int(errors.argmax())
    index = tuple(int(i) for i in np.unravel_index(at[worst], shape)) if shape else ()
    error = float(errors[worst])
    return GradientCheck(
        node.label(), len(at), size, error, index, float(analytic[worst]), float(numeric[worst]), error <= tolerance
    )
