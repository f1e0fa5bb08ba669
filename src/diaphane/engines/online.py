"""Online rules: one pass over the data, one example after another, the weights moved by each.

An example with label y = ±1 and score a = wᵀx + b moves the weights against the slope of its loss,

    w ← (1 − ε·l2)·w − ε·s·loss′(a, y)·x,    b ← b − ε·s·loss′(a, y),

s being its weight, and an L1 penalty then takes ε·l1 off the size of each weight, never past 0 (cumulatively:
Tsuruoka, Tsujii & Ananiadou 2009). The rate ε is constant, 1/(α·(t₀ + t − 1)) (Bottou 2012), or ε₀/tᵖ.
With the perceptron's loss and ε = 1 this is Rosenblatt's rule (1958): w̃ ← w̃ + y·x̃ where y·w̃ᵀx̃ ≤ 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..graph.node import Array
from .contract import Engine

__all__ = ["ONLINE_LOSSES", "SCHEDULES", "OnlineRule", "OnlineState", "PassResult", "one_pass", "storable"]

ONLINE_LOSSES = ("perceptron", "hinge", "squared_hinge", "squared_error", "logistic")
SCHEDULES = ("constant", "optimal", "invscaling")
MOST_SLOPE = 1e12
"""Slopes are cut off here, as scikit-learn does it, so that one absurd example cannot overflow the weights."""

STORABLE = "float32 float64 int64 int32 int16 int8 uint64 uint32 uint16 uint8 bool".split()


@dataclass(frozen=True)
class OnlineRule:
    """How an example moves the weights.

    Attributes
    ----------
    loss : str
        One of :data:`ONLINE_LOSSES`: max(0, −y·a), max(0, 1 − y·a), its square, ½·(a − y)², log(1 + e^(−y·a)).
        Where y·a = 0 the perceptron's counts as a mistake and moves the weights.
    l1, l2 : float
        Penalty l1·‖w‖₁ + ½·l2·‖w‖².
    schedule : {"constant", "optimal", "invscaling"}
        ε₀; 1/(α·(t₀ + t − 1)) with t₀ from Bottou's heuristic; ε₀/t^power.
    rate, alpha, power : float
        ε₀, α and the exponent.
    fit_intercept : bool
    averages_after : int
        From which step on weights are averaged; 0 is never.
    unit : bool
        Whether each augmented example x̃ = (x, 1), or x where there is no intercept, is taken at length 1.
    positive_weight, negative_weight : float
        Weights of the two classes.
    clipped : bool
        Whether a slope beyond ±10¹² counts as that.
    """

    loss: str = "perceptron"
    l1: float = 0.0
    l2: float = 0.0
    schedule: str = "constant"
    rate: float = 1.0
    alpha: float = 0.0
    power: float = 0.5
    fit_intercept: bool = True
    averages_after: int = 0
    unit: bool = False
    positive_weight: float = 1.0
    negative_weight: float = 1.0
    clipped: bool = True

    def __post_init__(self) -> None:
        for name, known in (("loss", ONLINE_LOSSES), ("schedule", SCHEDULES)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        if self.schedule == "optimal" and not self.alpha > 0:
            raise ValueError(f"alpha must be > 0 for the 'optimal' schedule 1/(α·(t₀ + t − 1)), got {self.alpha!r}")

    @property
    def first(self) -> float:
        """t₀: the first rate is typw/max(1, loss′(−typw)) with typw = α^(−¼), the size weights may get to."""
        if self.schedule != "optimal":
            return 0.0
        typical = math.sqrt(1 / math.sqrt(self.alpha))
        slope = loss_and_slope(self.loss, -typical, 1.0)[1]
        # As scikit-learn computes it: where the slope is negative, as most losses' is here, the 1 stays.
        return max(1.0, slope) / (typical * self.alpha)


@dataclass
class OnlineState:
    """What a pass goes on from, and changes.

    Attributes
    ----------
    weights : ndarray, shape (d,)
        float32 or float64, in which it is computed.
    intercept : float
    step : int
        The number of the next example, from 1.
    total, total_intercept, counted
        Σ w and Σ b over the steps that are averaged, and how many those are.
    owed, owed_until : ndarray, float
        What the L1 penalty has done to each weight, and what it should have.
    """

    weights: Array
    intercept: float = 0.0
    step: int = 1
    total: Array | None = None
    total_intercept: float = 0.0
    counted: int = 0
    owed: Array | None = None
    owed_until: float = 0.0

    @property
    def averaged(self) -> tuple[Array, float]:
        """The mean weights and intercept over the steps counted; the present ones where there are none."""
        if self.total is None or not self.counted:
            return self.weights, self.intercept
        return (self.total / self.counted).astype(self.weights.dtype), self.total_intercept / self.counted

    def copy(self) -> OnlineState:
        """One of its own."""
        arrays = {name: None if a is None else a.copy() for name, a in vars(self).items() if name in ARRAYS}
        return OnlineState(**{**vars(self), **arrays})


ARRAYS = ("weights", "total", "owed")


@dataclass(frozen=True)
class PassResult:
    """What came of a pass.

    Attributes
    ----------
    loss : float
        The weighted mean over the examples, each before its own step.
    learnt : int
        How many examples.
    mistakes : int
        How many with y·a ≤ 0 and a weight.
    mistaken, steps : ndarray or None
        Which rows these were, and the number of each one's step, in order, where asked for.
    stopped : int or None
        The row where the pass ended early.
    reason : {"", "not finite", "zero row"}
        Why: its score was NaN or infinite, or it has no direction to be taken at length 1.
    """

    loss: float
    learnt: int
    mistakes: int
    mistaken: Array | None = None
    steps: Array | None = None
    stopped: int | None = None
    reason: str = ""


def loss_and_slope(loss: str, score: float, y: float) -> tuple[float, float]:
    """The loss of a score for a label ±1, and its slope by the score.

    Examples
    --------
    >>> loss_and_slope("perceptron", 0.0, 1.0), loss_and_slope("hinge", 0.5, 1.0)
    ((-0.0, -1.0), (0.5, -1.0))
    """
    margin = y * score
    if loss == "perceptron":
        return (-margin, -y) if margin <= 0 else (0.0, 0.0)
    if loss == "hinge":
        return (1 - margin, -y) if margin <= 1 else (0.0, 0.0)
    if loss == "squared_hinge":
        return ((1 - margin) ** 2, -2 * y * (1 - margin)) if margin < 1 else (0.0, 0.0)
    if loss == "squared_error":
        return 0.5 * (score - y) ** 2, score - y
    e = math.exp(-abs(score))
    return math.log1p(e) + max(0.0, -margin), -y * (e if margin > 0 else 1.0) / (1 + e)


def one_pass(
    rule: OnlineRule,
    state: OnlineState,
    x: Any,
    positive: Array,
    weights: Array | None = None,
    *,
    order: Array | None = None,
    seed: int | None = None,
    held_out: Array | None = None,
    record: bool = False,
    engine: str | Engine = "native",
) -> PassResult:
    """Learn from each row once.

    Parameters
    ----------
    rule : OnlineRule
    state : OnlineState
        Changed in place; where the pass ends early, to what it was at that row.
    x : ndarray (n, d) or CSR matrix
        Read where it lies, in its own type.
    positive : bool or uint8 ndarray, shape (n,)
        Whether y is +1.
    weights : float64 ndarray, shape (n,), optional
    order : int32 ndarray, shape (n,), optional
        Which row comes when; as they lie by default.
    seed : int, optional
        Shuffle the order first, in place, by scikit-learn's generator (Marsaglia 2003): the same seed gives its order.
    held_out : bool ndarray, shape (n,), optional
        Rows not to learn from.
    record : bool
        Whether to tell which rows were mistakes.
    engine : {"native", "reference"}

    Returns
    -------
    PassResult

    Examples
    --------
    Rosenblatt's rule: the first score is 0, the second 1 where y is −1, and both are mistakes.

    >>> x, positive = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([True, False])
    >>> state = OnlineState(np.zeros(2))
    >>> found = one_pass(OnlineRule(), state, x, positive)
    >>> found.mistakes, state.weights, state.intercept
    (2, array([ 1., -1.]), 0.0)
    """
    if seed is not None and order is None:
        raise ValueError("a shuffled pass needs the order that it shuffles: np.arange(n, dtype=np.int32)")
    if rule.averages_after and state.total is None:
        state.total = np.zeros(len(state.weights))
    if rule.l1 and state.owed is None:
        state.owed = np.zeros(len(state.weights))
    name = engine if isinstance(engine, str) else engine.name
    runs = {"native": _native_pass, "reference": _reference_pass}
    if name not in runs:
        raise ValueError(f"engine must be one of {', '.join(runs)} for online rules, got {name!r}")
    return runs[name](rule, state, x, positive, weights, order, seed, held_out, record)


def storable(x: Any) -> Any:
    """The data as a pass reads them: as they are, or copied where their type or layout is one that nobody reads.

    Raises
    ------
    ValueError
        If a sparse matrix's places lie outside of it.
    """
    if isinstance(x, np.ndarray):
        plain = x.dtype.name in STORABLE and x.dtype.isnative and all(s >= 0 and s % x.itemsize == 0 for s in x.strides)
        return x if plain else np.ascontiguousarray(x, np.result_type(x.dtype.newbyteorder("="), np.float32))
    x = x.tocsr()
    if x.dtype.name not in STORABLE or not x.dtype.isnative:
        x = x.astype(np.result_type(x.dtype.newbyteorder("="), np.float32))
    starts, columns = x.indptr, x.indices
    outside = columns.size and (columns.min() < 0 or columns.max() >= x.shape[1])
    if (
        outside
        or starts[0] != 0
        or starts[-1] > len(columns)
        or (np.diff(starts) < 0).any()
        or len(x.data) < starts[-1]
    ):
        raise ValueError(
            f"the sparse matrix of shape {x.shape} has places outside of it; X.check_format(True) says which"
        )
    return x


def _native_pass(
    rule: OnlineRule,
    state: OnlineState,
    x: Any,
    positive: Array,
    weights: Array | None,
    order: Array | None,
    seed: int | None,
    held_out: Array | None,
    record: bool,
) -> PassResult:
    from .native.kernels.online import NUMBERS, WORDS, compiled_pass

    n, d = x.shape
    mistaken = np.empty((n, 2), np.int64) if record else None
    dense = isinstance(x, np.ndarray)
    arrays = {
        "rows": x if dense else x.data,
        "starts": None if dense else x.indptr,
        "columns": None if dense else x.indices,
        "order": order,
        "held": held_out,
        "mistakes": mistaken,
        "positive": positive,
        "weights": weights,
        "v": state.weights,
        "lag": state.total,
        "owed": state.owed,
    }
    values = {name: 0 if a is None else a.__array_interface__["data"][0] for name, a in arrays.items()}
    values |= {"n": n, "d": d, "ordered": order is not None, "shuffled": seed is not None, "random": seed or 1}
    values |= {"averages_after": rule.averages_after, "schedule": SCHEDULES.index(rule.schedule), "stopped": -1}
    values |= {"clipped": rule.clipped, "unit": rule.unit, "step": state.step, "counted": state.counted}
    strided = dense and d > 1 and x.strides[1] != x.itemsize
    if dense:
        values |= {"row_stride": x.strides[0], "column_stride": x.strides[1] // x.itemsize}
        layout: dict[str, Any] = {"strided": strided}
    else:
        layout = {"starts": x.indptr.dtype.name, "columns": x.indices.dtype.name}
    words = np.array([values.get(name, 0) for name in WORDS], np.int64)
    dtype = state.weights.dtype
    real = {**vars(rule), "first": rule.first, "intercept": state.intercept, "lag_intercept": state.total_intercept}
    real |= {"loss": 0.0, "owed_until": state.owed_until}
    numbers = np.array([real.get(name, 0.0) for name in NUMBERS], np.float64)
    run = compiled_pass(rule.loss, dtype.name, (x if dense else x.data).dtype.name, **layout)
    run(words.ctypes.data, numbers.ctypes.data)
    out = dict(zip(WORDS, words.tolist(), strict=True)) | dict(zip(NUMBERS, numbers.tolist(), strict=True))
    state.intercept, state.step, state.owed_until = out["intercept"], out["step"], out["owed_until"]
    state.total_intercept, state.counted = out["lag_intercept"], out["counted"]
    rows, steps = (None, None) if mistaken is None else mistaken[: out["wrong"]].T.copy()
    return PassResult(
        out["loss"] / out["weighed"] if out["weighed"] else 0.0,
        out["learnt"],
        out["wrong"],
        rows,
        steps,
        None if out["stopped"] < 0 else out["stopped"],
        ("", "not finite", "zero row")[out["reason"]],
    )


def _reference_pass(
    rule: OnlineRule,
    state: OnlineState,
    x: Any,
    positive: Array,
    weights: Array | None,
    order: Array | None,
    seed: int | None,
    held_out: Array | None,
    record: bool,
) -> PassResult:
    """The rule as it is written: every weight shrunk, every weight added to the total, at each step."""
    n, dtype = x.shape[0], state.weights.dtype
    if order is not None and seed is not None:
        shuffle(order, seed)
    w, first = state.weights, rule.first
    losses = weighed = 0.0
    learnt, mistaken, stopped, reason = 0, [], None, ""
    for at in range(n) if order is None else order.tolist():
        if held_out is not None and held_out[at]:
            continue
        row = x[at] if isinstance(x, np.ndarray) else x[[at]].toarray()[0]
        touched = slice(None) if isinstance(x, np.ndarray) else x.indices[x.indptr[at] : x.indptr[at + 1]]
        row = row.astype(dtype)
        with np.errstate(all="ignore"):
            score = float(w @ row) + state.intercept
        if not math.isfinite(score):
            stopped, reason = at, "not finite"
            break
        y, weight = (1.0, rule.positive_weight) if positive[at] else (-1.0, rule.negative_weight)
        weight *= 1.0 if weights is None else weights[at]
        loss, slope = loss_and_slope(rule.loss, score, y)
        rate = rule.rate
        if rule.schedule == "optimal":
            rate = 1 / (rule.alpha * (first + state.step - 1))
        elif rule.schedule == "invscaling":
            rate = rule.rate / state.step**rule.power
        if rule.clipped:
            slope = min(max(slope, -MOST_SLOPE), MOST_SLOPE)
        move = -rate * slope * weight
        if rule.unit and move:
            length = math.sqrt(float(row.astype(np.float64) @ row) + rule.fit_intercept)
            if not length:
                stopped, reason = at, "zero row"
                break
            move, loss = move / length, loss / length
        losses, weighed = losses + weight * loss, weighed + weight
        if y * score <= 0 and weight:
            mistaken.append((at, state.step))
        with np.errstate(all="ignore"):
            w *= max(0.0, 1 - rate * rule.l2)
            w += dtype.type(move) * row
        state.intercept += rule.fit_intercept * move
        if rule.l1:
            state.owed_until += rate * rule.l1
            _truncate(state, touched)
        if rule.averages_after and state.step >= rule.averages_after:
            assert state.total is not None
            state.total += w
            state.total_intercept += state.intercept
            state.counted += 1
        state.step += 1
        learnt += 1
    if rule.l1:
        _truncate(state, slice(None))
    rows, steps = np.array(mistaken, np.int64).reshape(-1, 2).T if record else (None, None)
    return PassResult(losses / weighed if weighed else 0.0, learnt, len(mistaken), rows, steps, stopped, reason)


def _truncate(state: OnlineState, touched: Any) -> None:
    """Take what is owed off these weights' sizes, never past 0."""
    assert state.owed is not None
    before = state.weights[touched].astype(np.float64)
    owed = state.owed[touched]
    down = np.where(before > 0, np.maximum(0, before - (state.owed_until + owed)), before)
    gone = np.where(before < 0, np.minimum(0, before + (state.owed_until - owed)), down).astype(state.weights.dtype)
    state.weights[touched] = gone
    state.owed[touched] = owed + gone - before


def shuffle(order: Array, seed: int) -> None:
    """Fisher & Yates' shuffle in place, from the front, by a 32-bit xorshift generator (Marsaglia 2003).

    Examples
    --------
    >>> order = np.arange(5, dtype=np.int32)
    >>> shuffle(order, 3)
    >>> sorted(order.tolist())
    [0, 1, 2, 3, 4]
    """
    random = seed or 1
    for i in range(len(order) - 1):
        random ^= random << 13 & 0xFFFFFFFF
        random ^= random >> 17
        random ^= random << 5 & 0xFFFFFFFF
        j = i + (random & 0x7FFFFFFF) % (len(order) - i)
        order[i], order[j] = order[j], order[i]
