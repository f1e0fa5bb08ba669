"""One row for every operation: how it is built, what it must give, and from where that is known."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest
import scipy.special
from hypothesis import settings

import diaphane.graph as dia

N = "N"
"""In a row's shapes: a named size, bound to one number or another when the graph runs."""

PROPERTY = settings(max_examples=25, deadline=None, derandomize=True)
SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.5, 0.5, 20.0, -20.0, 1000.0, -1000.0)
EPSILON = {"float32": 2.0**-23, "float64": 2.0**-52}

Sampler = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def real(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.normal(0.0, 1.5, shape)


def positive(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(0.2, 3.0, shape)


def above_minus_one(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.uniform(-0.7, 3.0, shape)


def apart(offset: float = 0.11) -> Sampler:
    """Values that keep a distance from each other, from 0 and, for different offsets, from another input's."""

    def sample(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        size = math.prod(shape)
        return (rng.permutation(size).reshape(shape) - size // 2) * 0.37 + offset

    return sample


def with_ties(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(-1, 2, shape).astype(float)


def whole(stop: int) -> Sampler:
    return lambda rng, shape: rng.integers(0, stop, shape)


def coin(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.random(shape) < 0.5


@dataclass(frozen=True)
class Given:
    """One input: its shape (with N for a named size), how to draw it, its dtype (None: the float in question).

    No gradient goes to a held one.
    """

    shape: tuple[int | str, ...] = (N, 3)
    sample: Sampler = real
    dtype: str | None = None
    held: bool = False

    @property
    def moves(self) -> bool:
        return self.dtype is None and not self.held

    def extents(self, n: int) -> tuple[int, ...]:
        return tuple(n if e == N else e for e in self.shape)

    def named(self) -> tuple[Any, ...]:
        return tuple(dia.Dim(N) if e == N else e for e in self.shape)

    def draw(self, rng: np.random.Generator, n: int, dtype: str) -> np.ndarray:
        return np.asarray(self.sample(rng, self.extents(n))).astype(self.dtype or dtype)


@dataclass(frozen=True)
class Row:
    """
    Attributes
    ----------
    name : str
    build : nodes to node
    oracle : float64 arrays to array, by NumPy, SciPy or the docstring's formula
    torch : (torch, *tensors) to tensor, or None, and ``without_torch`` says why
    given : the inputs
    operations : the classes of OPERATIONS that it puts into the graph
    functions : the public functions that it calls
    result : the value's dtype where it is not the inputs' float
    derivative : "smooth"; "rounded" to float32; "none" where it is zero; "refused" where asking for it is an error
    broadcasts : the inputs may have any shapes that broadcast
    special : the oracle holds for NaN, ±inf and −0.0 too
    torch_differs : why PyTorch has another value at NaN or ±inf, if it does
    torch_takes_nothing : False where PyTorch refuses an empty axis, or the value is NaN for one
    """

    name: str
    build: Callable[..., dia.Node]
    oracle: Callable[..., Any]
    torch: Callable[..., Any] | None
    given: tuple[Given, ...] = (Given(),)
    operations: str = ""
    functions: str = ""
    result: str | None = None
    derivative: str = "smooth"
    broadcasts: bool = False
    special: bool = True
    torch_differs: str = ""
    torch_takes_nothing: bool = True
    without_torch: str = ""

    def expected(self, *arrays: np.ndarray) -> np.ndarray:
        """The oracle's value, floats taken as float64."""
        wide = [a.astype("float64") if a.dtype.kind == "f" else a for a in arrays]
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(self.oracle(*wide))

    def placeholders(self, dtype: str, shapes: Sequence[Sequence[Any]] | None = None) -> list[dia.Node]:
        shapes = shapes or [g.named() for g in self.given]
        return [
            dia.placeholder(shape, g.dtype or dtype, f"x{i}")
            for i, (g, shape) in enumerate(zip(self.given, shapes, strict=True))
        ]

    def floats(self, values: Sequence[Any]) -> list[Any]:
        """Those of the inputs, or of what belongs to them, that have a gradient."""
        return [v for g, v in zip(self.given, values, strict=True) if g.moves]

    @property
    def takes_floats_only(self) -> bool:
        return all(g.dtype is None for g in self.given)


def assert_close(got: Any, want: Any, dtype: str = "float64", *, ulps: float = 64.0, what: str = "") -> None:
    """Equal NaN and infinities; finite values to so many units in the last place of the largest (or of 1)."""
    got, want = np.asarray(got), np.asarray(want)
    assert got.shape == want.shape, f"{what}: shape {got.shape} instead of {want.shape}"
    if want.dtype.kind != "f":
        np.testing.assert_array_equal(got, want, err_msg=what)
        return
    finite = np.abs(want[np.isfinite(want)])
    scale = max(1.0, float(finite.max(initial=0.0)))
    tolerance = ulps * EPSILON[dtype] * scale
    np.testing.assert_allclose(got.astype("float64"), want, rtol=0, atol=tolerance, equal_nan=True, err_msg=what)


def central_difference(f: Callable[..., float], xs: Sequence[np.ndarray], step: float = 6e-6) -> list[np.ndarray]:
    """df/dx for each x, by (f(x + h) − f(x − h)) / 2h for one element at a time."""
    slopes = []
    for i, x in enumerate(xs):
        slope = np.zeros(x.shape)
        for at in np.ndindex(x.shape):
            ends = []
            for sign in (1, -1):
                moved = [np.array(other) for other in xs]
                moved[i][at] += sign * step
                ends.append(float(f(*moved)))
            slope[at] = (ends[0] - ends[1]) / (2 * step)
        slopes.append(slope)
    return slopes


def tensors(torch: Any, arrays: Sequence[np.ndarray]) -> list[Any]:
    """Each array as a tensor, floats with requires_grad."""
    return [torch.tensor(a, requires_grad=True) if np.asarray(a).dtype.kind == "f" else torch.tensor(a) for a in arrays]


def torch_gradients(torch: Any, total: Any, leaves: Sequence[Any], create_graph: bool = False) -> list[Any]:
    """PyTorch's gradients, with zeros where there is none."""
    if not total.requires_grad:
        return [torch.zeros_like(leaf) for leaf in leaves]
    found = torch.autograd.grad(total, leaves, create_graph=create_graph, allow_unused=True)
    return [torch.zeros_like(leaf) if g is None else g for leaf, g in zip(leaves, found, strict=True)]


def classes_in(outputs: Sequence[dia.Node]) -> set[str]:
    """The names of the operations of a graph, loops' bodies included."""
    names: set[str] = set()
    waiting = list(outputs)
    while waiting:
        for node in dia.ancestors([waiting.pop()]):
            names.add(type(node.op).__name__)
            for field in fields(node.op):
                inside = getattr(node.op, field.name)
                waiting += [n for n in (inside if isinstance(inside, tuple) else ()) if isinstance(n, dia.Node)]
    return names


def philox(counter: Sequence[int], key: Sequence[int]) -> tuple[int, ...]:
    """Philox4x32-10 by Salmon et al. 2011, section 4.3, on Python's integers."""
    words, (k0, k1) = tuple(counter), key
    for _ in range(10):
        high0, low0 = divmod(words[0] * 0xD2511F53, 2**32)
        high1, low1 = divmod(words[2] * 0xCD9E8D57, 2**32)
        words = (high1 ^ words[1] ^ k0, low1, high0 ^ words[3] ^ k1, low0)
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return words


def random_words(rows: int, columns: int, stream: int, seed: int = 0, step: int = 0, scan_index: int = 0) -> np.ndarray:
    """The 32-bit words of a block: key (seed, stream), counter (row, column // 4, step, scan index)."""
    words = [
        [philox((r, c // 4, step, scan_index), (seed, stream))[c % 4] for c in range(columns)] for r in range(rows)
    ]
    return np.array(words, np.uint64).reshape(rows, columns)


def _unit_floats(words: np.ndarray) -> np.ndarray:
    """[0, 1) from pairs of words along the last axis: 27 bits of one and 26 of the other."""
    pairs = words.reshape(*words.shape[:-1], -1, 2)
    return ((pairs[..., 0] >> np.uint64(5)) * 2**26 + (pairs[..., 1] >> np.uint64(6))) / 2**53


def _box_muller(words: np.ndarray) -> np.ndarray:
    units = _unit_floats(words)
    u, v = units[..., 0::2], units[..., 1::2]
    return np.sqrt(-2 * np.log1p(-u)) * np.cos(2 * np.pi * v)


def _keys_sorted(words: np.ndarray) -> np.ndarray:
    return np.lexsort((words[:, 1], words[:, 0]))


def _einsum_convolution(x: np.ndarray, k: np.ndarray, strides: tuple[int, int], padding: tuple[int, int]) -> np.ndarray:
    (s, t), (p, q) = strides, padding
    x = np.pad(x, [(0, 0), (p, p), (q, q), (0, 0)])
    h, w = k.shape[:2]
    out = np.zeros((x.shape[0], (x.shape[1] - h) // s + 1, (x.shape[2] - w) // t + 1, k.shape[3]))
    for i in range(out.shape[1]):
        for j in range(out.shape[2]):
            out[:, i, j] = np.einsum("nabc,abck->nk", x[:, i * s : i * s + h, j * t : j * t + w], k)
    return out


def _window_list(x: np.ndarray, size: int, stride: int) -> np.ndarray:
    starts = range(0, x.shape[1] - size + 1, stride)
    return np.stack([x[:, i : i + size] for i in starts], axis=1)


def _folded(y: np.ndarray, stride: int, length: int) -> np.ndarray:
    out = np.zeros((y.shape[0], length, *y.shape[3:]))
    for i in range(y.shape[1]):
        out[:, i * stride : i * stride + y.shape[2]] += y[:, i]
    return out


def _recurrence(w: np.ndarray, first: np.ndarray, xs: np.ndarray) -> np.ndarray:
    states = [first]
    for x in xs:
        states.append(np.tanh(states[-1] * w + x))
    return np.stack([*states[1:], states[-1]])


def _torch_recurrence(torch: Any, w: Any, first: Any, xs: Any) -> Any:
    states = [first]
    for x in xs:
        states.append(torch.tanh(states[-1] * w + x))
    return torch.stack([*states[1:], states[-1]])


def _scanned(w: dia.Node, first: dia.Node, xs: dia.Node) -> dia.Node:
    def body(c: dia.Node, x: dia.Node) -> tuple[dia.Node, dia.Node]:
        new = dia.tanh(c * w + x)
        return new, new

    last, states = dia.scan(body, first, xs)
    return dia.concat([states, dia.expand_dims(last, 0)])


def _softmax(a: np.ndarray, axis: int = -1) -> np.ndarray:
    powers = np.exp(a - np.max(a, axis=axis, keepdims=True, initial=-np.inf))
    return powers / powers.sum(axis=axis, keepdims=True)


def _log_softmax(a: np.ndarray, axis: int = -1) -> np.ndarray:
    top = np.max(a, axis=axis, keepdims=True, initial=-np.inf)
    return a - top - np.log(np.exp(a - top).sum(axis=axis, keepdims=True))


def _logsumexp(a: np.ndarray, axis: Any, keepdims: bool = False) -> np.ndarray:
    if a.size:
        return scipy.special.logsumexp(a, axis=axis, keepdims=keepdims)
    return np.log(np.exp(a).sum(axis=axis, keepdims=keepdims))


def _maximum_of(a: np.ndarray, axis: Any, keepdims: bool = False) -> np.ndarray:
    return np.max(a, axis=axis, keepdims=keepdims, initial=-np.inf)


def _minimum_of(a: np.ndarray, axis: Any, keepdims: bool = False) -> np.ndarray:
    return np.min(a, axis=axis, keepdims=keepdims, initial=np.inf)


def _elu(a: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    return np.where(a > 0, a, alpha * np.expm1(np.where(a > 0, 0.0, a)))


NO_RANDOM = "PyTorch draws other numbers; the oracle is Philox on Python's integers"
NO_SAME = "PyTorch has no such function; the oracle is the docstring's formula in NumPy"

TABLE: list[Row] = []


def row(
    name: str, build: Any, oracle: Any, torch: Any, *given: Given, functions: str | None = None, **rest: Any
) -> None:
    functions = name.split()[0] if functions is None else functions
    TABLE.append(Row(name, build, oracle, torch, tuple(given), functions=functions, **rest))


def elementwise(
    name: str, operations: str, oracle: Any, torch: Any, *samplers: Sampler, build: Any = None, **rest: Any
) -> None:
    """A row over one to three floats that broadcast."""
    shapes = [(N, 3), (3,), (N, 1)]
    given = [Given(shape, sample) for shape, sample in zip(shapes, samplers, strict=False)]  # type: ignore[arg-type]
    build = build or getattr(dia, name.split()[0])
    row(name, build, oracle, torch, *given, operations=operations, broadcasts=True, **rest)


# Arithmetic
elementwise("add", "Add", lambda a, b: a + b, lambda t, a, b: a + b, real, real)
elementwise("subtract", "Subtract", lambda a, b: a - b, lambda t, a, b: a - b, real, real)
elementwise("multiply", "Multiply", lambda a, b: a * b, lambda t, a, b: a * b, real, real)
elementwise("divide", "Divide", lambda a, b: a / b, lambda t, a, b: a / b, real, positive)
elementwise("power", "Power", np.power, lambda t, a, b: t.pow(a, b), positive, real)
elementwise("power 3", "Power", lambda a: a**3, lambda t, a: a**3, real, build=lambda a: a**3)
elementwise("power -2", "Power", lambda a: a**-2.0, lambda t, a: a**-2, positive, build=lambda a: a**-2)
elementwise("power 2", "Square", lambda a: a * a, lambda t, a: a**2, real, build=lambda a: a**2)
elementwise("power 0.5", "Sqrt", np.sqrt, lambda t, a: a.sqrt(), positive, build=lambda a: a**0.5)
elementwise("negative", "Negative", lambda a: -a, lambda t, a: -a, real)
elementwise("square", "Square", lambda a: a * a, lambda t, a: t.square(a), real)
elementwise("sqrt", "Sqrt", np.sqrt, lambda t, a: t.sqrt(a), positive)
elementwise("abs", "Abs", np.abs, lambda t, a: t.abs(a), apart())
elementwise(
    "sign",
    "Sign",
    np.sign,
    lambda t, a: t.sign(a),
    apart(),
    derivative="none",
    torch_differs="sign(NaN) is 0 there and NaN here",
)
elementwise("floor", "Floor", np.floor, lambda t, a: t.floor(a), apart(), derivative="none")

# Exponentials
elementwise("exp", "Exp", np.exp, lambda t, a: t.exp(a), real)
elementwise("expm1", "Expm1", np.expm1, lambda t, a: t.expm1(a), real)
elementwise("log", "Log", np.log, lambda t, a: t.log(a), positive)
elementwise("log1p", "Log1p", np.log1p, lambda t, a: t.log1p(a), above_minus_one)
elementwise("sin", "Sin", np.sin, lambda t, a: t.sin(a), real)
elementwise("cos", "Cos", np.cos, lambda t, a: t.cos(a), real)
elementwise("tanh", "Tanh", np.tanh, lambda t, a: t.tanh(a), real)
elementwise("sigmoid", "Sigmoid", lambda a: np.exp(-np.logaddexp(0, -a)), lambda t, a: t.sigmoid(a), real)
elementwise(
    "softplus",
    "Softplus",
    lambda a: np.logaddexp(0, a),
    lambda t, a: t.nn.functional.softplus(a, threshold=40.0),
    real,
)
elementwise("erf", "Erf", np.vectorize(math.erf, otypes=[float]), lambda t, a: t.erf(a), real)

# Activations
elementwise("relu", "Relu", lambda a: np.where(a < 0, 0.0, a), lambda t, a: t.relu(a), apart())
elementwise(
    "leaky_relu",
    "Where Less Multiply",
    lambda a: np.where(a > 0, a, 0.01 * a),
    lambda t, a: t.nn.functional.leaky_relu(a),
    apart(),
)
elementwise(
    "leaky_relu 0.2",
    "Where",
    lambda a: np.where(a > 0, a, 0.2 * a),
    lambda t, a: t.nn.functional.leaky_relu(a, 0.2),
    apart(),
    build=lambda a: dia.leaky_relu(a, 0.2),
)
elementwise(
    "prelu",
    "Where",
    lambda a, slope: np.where(a > 0, a, slope * a),
    lambda t, a, slope: t.where(a > 0, a, slope * a),
    apart(),
    real,
)
elementwise("elu", "Where Expm1", _elu, lambda t, a: t.nn.functional.elu(a), apart())
elementwise(
    "elu 1.7",
    "Where Expm1",
    lambda a: _elu(a, 1.7),
    lambda t, a: t.nn.functional.elu(a, 1.7),
    apart(),
    build=lambda a: dia.elu(a, 1.7),
)
elementwise(
    "selu",
    "Where",
    lambda a: 1.0507009873554804934193349852946 * _elu(a, 1.6732632423543772848170429916717),
    lambda t, a: t.selu(a),
    apart(),
)
elementwise("gelu", "Erf", lambda a: a * scipy.special.ndtr(a), lambda t, a: t.nn.functional.gelu(a), real)
elementwise("silu", "Sigmoid", lambda a: a * np.exp(-np.logaddexp(0, -a)), lambda t, a: t.nn.functional.silu(a), real)
row(
    "maxout",
    lambda a: dia.maxout(a, 3),
    lambda a: a.reshape(-1, 2, 3).max(2),
    lambda t, a: a.reshape(-1, 2, 3).amax(2),
    Given((N, 6), apart()),
    operations="Max Reshape",
)
row(
    "maxout axis=1",
    lambda a: dia.maxout(a, 2, axis=1),
    lambda a: np.maximum(a[:, 0::2], a[:, 1::2]),
    lambda t, a: t.maximum(a[:, 0::2], a[:, 1::2]),
    Given((N, 4, 2), apart()),
    operations="Max",
)

# Comparisons, logic and choices
for _name, _class, _oracle, _torch in [
    ("less", "Less", np.less, lambda t, a, b: a < b),
    ("less_equal", "LessEqual", np.less_equal, lambda t, a, b: a <= b),
    ("greater", "Less", np.greater, lambda t, a, b: a > b),
    ("greater_equal", "LessEqual", np.greater_equal, lambda t, a, b: a >= b),
    ("equal", "Equal", np.equal, lambda t, a, b: a == b),
    ("not_equal", "NotEqual", np.not_equal, lambda t, a, b: a != b),
]:
    elementwise(_name, _class, _oracle, _torch, with_ties, with_ties, result="bool", derivative="none")
elementwise("isfinite", "IsFinite", np.isfinite, lambda t, a: t.isfinite(a), real, result="bool", derivative="none")
for _name, _class, _oracle, _torch in [
    ("logical_and", "LogicalAnd", np.logical_and, lambda t, a, b: t.logical_and(a, b)),
    ("logical_or", "LogicalOr", np.logical_or, lambda t, a, b: t.logical_or(a, b)),
]:
    row(
        _name,
        getattr(dia, _name),
        _oracle,
        _torch,
        Given(sample=coin, dtype="bool"),
        Given((3,), coin, "bool"),
        operations=_class,
        result="bool",
        derivative="none",
        broadcasts=True,
    )
    elementwise(
        f"{_name} of floats",
        f"{_class} NotEqual",
        _oracle,
        _torch,
        with_ties,
        with_ties,
        result="bool",
        derivative="none",
    )
row(
    "logical_not",
    dia.logical_not,
    np.logical_not,
    lambda t, a: t.logical_not(a),
    Given(sample=coin, dtype="bool"),
    operations="LogicalNot",
    result="bool",
    derivative="none",
    broadcasts=True,
)
row(
    "where",
    dia.where,
    np.where,
    lambda t, c, a, b: t.where(c, a, b),
    Given((3,), coin, "bool"),
    Given(),
    Given((N, 1)),
    operations="Where",
    broadcasts=True,
)
elementwise("maximum", "Maximum", np.maximum, lambda t, a, b: t.maximum(a, b), apart(), apart(0.2))
elementwise("minimum", "Minimum", np.minimum, lambda t, a, b: t.minimum(a, b), apart(), apart(0.2))
elementwise(
    "clip",
    "Clip",
    lambda a: np.minimum(np.maximum(a, -0.7), 0.9),
    lambda t, a: t.clamp(a, -0.7, 0.9),
    apart(),
    build=lambda a: dia.clip(a, -0.7, 0.9),
)
row(
    "clip between arrays",
    dia.clip,
    lambda a, low, high: np.minimum(np.maximum(a, low), high),
    lambda t, a, low, high: t.clamp(a, low.detach(), high.detach()),
    Given((N, 3), apart()),
    Given((3,), apart(-1.2), held=True),
    Given((N, 1), apart(0.2), held=True),
    operations="Clip",
    broadcasts=True,
)


# Reductions
for _axis, _keepdims in [(None, False), (0, False), (-1, True), ((0, 2), False), ((1, 2), True), ((), False)]:
    _settings = f"axis={_axis} keepdims={_keepdims}"
    _over = {"axis": _axis, "keepdims": _keepdims}
    _torch_over = {"dim": tuple(range(3)) if _axis is None else _axis, "keepdim": _keepdims}
    _cube = Given((N, 2, 3), apart())
    _keeps_all = _axis == ()
    row(
        f"sum {_settings}",
        lambda a, o=_over: dia.sum(a, **o),
        lambda a, o=_over: a.sum(**o),
        None if _keeps_all else lambda t, a, o=_torch_over: t.sum(a, **o),
        _cube,
        operations="" if _keeps_all else "Sum",
        without_torch="there, no axes means all axes",
    )
    row(
        f"mean {_settings}",
        lambda a, o=_over: dia.mean(a, **o),
        lambda a, o=_over: a.mean(**o),
        None if _keeps_all else lambda t, a, o=_torch_over: t.mean(a, **o),
        _cube,
        operations="Divide",
        torch_takes_nothing=False,
        without_torch="there, no axes means all axes",
    )
    row(
        f"max {_settings}",
        lambda a, o=_over: dia.max(a, **o),
        lambda a, o=_over: _maximum_of(a, **o),
        None if _keeps_all else lambda t, a, o=_torch_over: t.amax(a, **o),
        _cube,
        operations="Max",
        torch_takes_nothing=False,
        without_torch="there, no axes means all axes",
    )
    row(
        f"min {_settings}",
        lambda a, o=_over: dia.min(a, **o),
        lambda a, o=_over: _minimum_of(a, **o),
        None if _keeps_all else lambda t, a, o=_torch_over: t.amin(a, **o),
        _cube,
        operations="Min",
        torch_takes_nothing=False,
        without_torch="there, no axes means all axes",
    )
    row(
        f"logsumexp {_settings}",
        lambda a, o=_over: dia.logsumexp(a, **o),
        lambda a, o=_over: a if o["axis"] == () else _logsumexp(a, **o),
        None if _keeps_all else lambda t, a, o=_torch_over: t.logsumexp(a, **o),
        _cube,
        operations="LogSumExp",
        torch_takes_nothing=False,
        without_torch="there, no axes means all axes",
    )
    if not _keeps_all:
        row(
            f"var {_settings}",
            lambda a, o=_over: dia.var(a, **o),
            lambda a, o=_over: a.var(**o),
            lambda t, a, o=_torch_over: t.var(a, correction=0, **o),
            _cube,
            operations="Square",
            torch_takes_nothing=False,
        )
    row(
        f"prod {_settings}",
        lambda a, o=_over: dia.prod(a, **o),
        lambda a, o=_over: a.prod(**o),
        None
        if isinstance(_axis, tuple) or _keepdims
        else lambda t, a, o=_torch_over: t.prod(a) if len(np.atleast_1d(o["dim"])) > 1 else t.prod(a, o["dim"]),
        Given((N, 2, 3), positive),
        operations="Prod",
        without_torch="there, a product is over one axis or all",
    )
row(
    "var correction=1",
    lambda a: dia.var(a, 0, correction=1),
    lambda a: a.var(0, ddof=1),
    lambda t, a: t.var(a, 0, correction=1),
    Given((4, 3)),
)
row(
    "sum of an empty axis",
    lambda a: dia.sum(a, 1),
    lambda a: a.sum(1),
    lambda t, a: a.sum(1),
    Given((N, 0)),
    operations="Sum",
)
row(
    "prod of an empty axis",
    lambda a: dia.prod(a, 1),
    lambda a: a.prod(1),
    lambda t, a: a.prod(1),
    Given((N, 0)),
    operations="Prod",
)
row(
    "sum of booleans",
    lambda a: dia.sum(a, 0),
    lambda a: a.sum(0),
    lambda t, a: a.sum(0),
    Given(sample=coin, dtype="bool"),
    operations="Sum",
    result="int64",
    derivative="none",
)
row(
    "sum of integers",
    lambda a: dia.sum(a, 0),
    lambda a: a.sum(0),
    lambda t, a: a.sum(0),
    Given(sample=whole(9), dtype="int32"),
    operations="Sum",
    result="int64",
    derivative="none",
)
for _axis in (-1, 0):
    row(
        f"softmax axis={_axis}",
        lambda a, i=_axis: dia.softmax(a, i),
        lambda a, i=_axis: _softmax(a, i),
        lambda t, a, i=_axis: t.softmax(a, i),
        Given(),
        operations="Softmax",
        special=False,
    )
    row(
        f"log_softmax axis={_axis}",
        lambda a, i=_axis: dia.log_softmax(a, i),
        lambda a, i=_axis: _log_softmax(a, i),
        lambda t, a, i=_axis: t.log_softmax(a, i),
        Given(),
        operations="LogSoftmax",
        special=False,
    )
for _axis in (-1, 0):
    row(
        f"argmax axis={_axis}",
        lambda a, i=_axis: dia.argmax(a, i),
        lambda a, i=_axis: a.argmax(i),
        lambda t, a, i=_axis: a.argmax(i),
        Given((N, 3) if _axis == -1 else (3, N), apart()),
        operations="ArgMax",
        result="int64",
        derivative="refused",
        torch_differs="of two NaN it may name either",
    )
row(
    "extent_value",
    lambda a: dia.extent_value(a.shape[0] * 2 + 1),
    lambda a: np.int64(2 * len(a) + 1),
    None,
    Given(),
    operations="ExtentValue",
    result="int64",
    derivative="none",
    without_torch=NO_SAME,
)

# Casts
row(
    "astype float64",
    lambda a: dia.astype(a, "float64"),
    lambda a: a,
    lambda t, a: a.double(),
    Given(),
    result="float64",
)
row(
    "astype float32",
    lambda a: dia.astype(dia.astype(a, "float64") * 2.0, "float32"),
    lambda a: (a * 2.0).astype("float32").astype("float64"),
    lambda t, a: (a.double() * 2.0).float(),
    Given(),
    operations="Astype",
    result="float32",
    derivative="rounded",
)
row(
    "astype int64",
    lambda a: dia.astype(a, "int64"),
    lambda a: np.trunc(a).astype("int64"),
    lambda t, a: a.long(),
    Given(sample=apart()),
    operations="Astype",
    result="int64",
    derivative="none",
    special=False,
)
row(
    "astype bool",
    lambda a: dia.astype(a, "bool"),
    lambda a: a != 0,
    lambda t, a: a.bool(),
    Given(sample=with_ties),
    operations="Astype",
    result="bool",
    derivative="none",
)
row(
    "stop_gradient",
    dia.stop_gradient,
    lambda a: a,
    lambda t, a: a.detach(),
    Given(),
    operations="StopGradient",
    derivative="none",
)

# Arrangement
row(
    "reshape",
    lambda a: dia.reshape(a, (a.shape[0], 3, 2)),
    lambda a: a.reshape(len(a), 3, 2),
    lambda t, a: a.reshape(len(a), 3, 2),
    Given((N, 2, 3)),
    operations="Reshape",
)
row(
    "reshape -1",
    lambda a: dia.reshape(a, (3, -1)),
    lambda a: a.reshape(3, 2 * len(a)),
    lambda t, a: a.reshape(3, 2 * len(a)),
    Given((N, 2, 3)),
    operations="Reshape",
)
row(
    "permute_dims",
    lambda a: dia.permute_dims(a, (2, 0, 1)),
    lambda a: np.moveaxis(a, 2, 0),
    lambda t, a: a.permute(2, 0, 1),
    Given((N, 2, 3)),
    operations="PermuteDims",
)
row("transpose", dia.transpose, lambda a: a.T, lambda t, a: a.T, Given(), operations="PermuteDims")
row(
    "expand_dims",
    lambda a: dia.expand_dims(dia.expand_dims(a, 1), -1),
    lambda a: a[:, None, :, None],
    lambda t, a: a[:, None, :, None],
    Given(),
    operations="Reshape",
)
row(
    "squeeze",
    lambda a: dia.squeeze(a, 1),
    lambda a: a[:, 0],
    lambda t, a: a.squeeze(1),
    Given((N, 1, 2, 1)),
    operations="Reshape",
)
row(
    "squeeze all",
    dia.squeeze,
    lambda a: a[:, 0, :, 0],
    lambda t, a: a[:, 0, :, 0],
    Given((N, 1, 2, 1)),
    operations="Reshape",
)
row(
    "broadcast_to",
    lambda a, b: dia.broadcast_to(a, (2, b.shape[0], 3)),
    lambda a, b: np.broadcast_to(a, (2, len(b), 3)),
    lambda t, a, b: a.expand(2, len(b), 3),
    Given((1, 3)),
    Given((N,), whole(2), "int64"),
    operations="BroadcastTo",
)
row(
    "concat",
    lambda a, b, c: dia.concat([a, b, c], 0),
    lambda a, b, c: np.concatenate([a, b, c]),
    lambda t, a, b, c: t.cat([a, b, c]),
    Given(),
    Given((2, 3)),
    Given(),
    operations="Concat",
)
row(
    "concat axis=1",
    lambda a, b: dia.concat([a, b], -1),
    lambda a, b: np.concatenate([a, b], 1),
    lambda t, a, b: t.cat([a, b], 1),
    Given(),
    Given((N, 2)),
    operations="Concat",
)
row(
    "concat with itself",
    lambda a: dia.concat([a, a * 2, a], 1),
    lambda a: np.concatenate([a, a * 2, a], 1),
    lambda t, a: t.cat([a, a * 2, a], 1),
    Given(),
    operations="Concat",
)
for _axis in (0, 1, -1):
    row(
        f"stack axis={_axis}",
        lambda a, b, i=_axis: dia.stack([a, b], i),
        lambda a, b, i=_axis: np.stack([a, b], i),
        lambda t, a, b, i=_axis: t.stack([a, b], i),
        Given(),
        Given(),
        operations="Concat",
    )
row(
    "split equal",
    lambda a: dia.subtract(*dia.split(a, 2, 1)),
    lambda a: a[:, :2] - a[:, 2:],
    lambda t, a: a[:, :2] - a[:, 2:],
    Given((N, 4)),
    operations="Slice",
)
row(
    "split sizes",
    lambda a: dia.split(a, [1, 0, 3], 1)[2],
    lambda a: a[:, 1:],
    lambda t, a: a[:, 1:],
    Given((N, 4)),
    operations="Slice",
)

# Parts
for _text, _key in {
    "[1]": np.s_[:, 1],
    "[-1]": np.s_[:, -1],
    "[1:3]": np.s_[:, 1:3],
    "[::2]": np.s_[:, ::2],
    "[1::2]": np.s_[:, 1::2],
    "[::-1]": np.s_[:, ::-1],
    "[3:0:-2]": np.s_[:, 3:0:-2],
    "[2:2]": np.s_[:, 2:2],
    "[7:-9]": np.s_[:, 7:-9],
    "[..., None, 0]": np.s_[..., None, 0],
    "[None, :, ..., 2]": np.s_[None, :, ..., 2],
    "[:0]": np.s_[:0],
}.items():
    _negative = any(isinstance(k, slice) and (k.step or 1) < 0 for k in np.atleast_1d(np.array(_key, object)))
    row(
        f"index {_text}",
        lambda a, k=_key: a[k],
        lambda a, k=_key: a[k],
        None if _negative else lambda t, a, k=_key: a[k],
        Given((N, 4, 3)),
        operations="Slice",
        without_torch="it has no negative steps",
    )
row(
    "index along a named size",
    lambda a: dia.stack([a[:-1].sum(0), a[1:].sum(0), a[::2].sum(0), a[::-1][0], a[-1], a[0]]),
    lambda a: np.stack([a[:-1].sum(0), a[1:].sum(0), a[::2].sum(0), a[-1], a[-1], a[0]]),
    lambda t, a: t.stack([a[:-1].sum(0), a[1:].sum(0), a[::2].sum(0), a[-1], a[-1], a[0]]),
    Given(),
    operations="Slice",
)
row(
    "slice_axis",
    lambda a: dia.slice_axis(a, -1, 1, 3),
    lambda a: a[:, 1:3],
    lambda t, a: a[:, 1:3],
    Given((N, 4)),
    operations="Slice",
)
row(
    "pad",
    lambda a: dia.pad(a, [(1, 0), (2, 1)]),
    lambda a: np.pad(a, [(1, 0), (2, 1)]),
    lambda t, a: t.nn.functional.pad(a, (2, 1, 1, 0)),
    Given(),
    operations="Place",
)
row(
    "pad 2.5",
    lambda a: dia.pad(a, [(0, 1), (0, 0)], 2.5),
    lambda a: np.pad(a, [(0, 1), (0, 0)], constant_values=2.5),
    lambda t, a: t.nn.functional.pad(a, (0, 0, 0, 1), value=2.5),
    Given(),
    operations="Place",
)
for _axis in (0, 1, -1):
    row(
        f"take axis={_axis}",
        lambda a, i, axis=_axis: dia.take(a, i, axis),
        lambda a, i, axis=_axis: np.take(a, i, axis),
        lambda t, a, i, axis=_axis: t.index_select(a, axis, i.reshape(-1)).reshape(
            tuple(a.shape[:axis]) + tuple(i.shape) + tuple(a.shape[axis:][1:])
        ),
        Given((3, 3, 3)),
        Given((N, 2), whole(3), "int64"),
        operations="Take",
    )
row(
    "take one",
    lambda a, i: dia.take(a, i),
    lambda a, i: a[i],
    lambda t, a, i: a[i],
    Given((3, 2)),
    Given((), whole(3), "int32"),
    operations="Take",
)
row(
    "scatter_add",
    lambda a, i: dia.scatter_add(a, i, 4),
    lambda a, i: np.stack([np.where((i == k)[:, None], a, 0).sum(0) if len(i) else np.zeros(3) for k in range(4)]),
    lambda t, a, i: t.zeros(4, 3, dtype=a.dtype).index_add(0, i, a),
    Given(),
    Given((N,), whole(4), "int64"),
    operations="ScatterAdd",
    special=False,
)
row(
    "scatter_add axis=1",
    lambda a, i: dia.scatter_add(a, i, 4, 1),
    lambda a, i: (np.eye(4)[i].transpose(2, 0, 1) * a[:, None]).sum((2, 3)),
    lambda t, a, i: t.zeros(len(a), 4, dtype=a.dtype).index_add(1, i.reshape(6), a.reshape(len(a), 6)),
    Given((N, 2, 3)),
    Given((2, 3), whole(4), "int64"),
    operations="ScatterAdd",
    special=False,
)
row(
    "arange",
    lambda a: dia.arange(a.shape[0]),
    lambda a: np.arange(len(a)),
    lambda t, a: t.arange(len(a)),
    Given(),
    operations="Arange",
    result="int64",
    derivative="none",
)
row(
    "one_hot",
    lambda i: dia.one_hot(i, 4, "float64"),
    lambda i: np.eye(4)[i],
    lambda t, i: t.nn.functional.one_hot(i, 4).double(),
    Given((N, 2), whole(4), "int64"),
    operations="Equal Arange Astype InRange",
    result="float64",
    derivative="none",
)
row(
    "one_hot of bytes",
    lambda i: dia.one_hot(i, 300, "float64"),
    lambda i: np.eye(300)[i],
    None,
    Given((N,), whole(256), "uint8"),
    result="float64",
    derivative="none",
    without_torch="it takes int64 only",
)

# Products of matrices, windows
for _name, _left, _right in [
    ("matrices", (N, 3), (3, 2)),
    ("a vector on the left", (3,), (3, 2)),
    ("a vector on the right", (N, 3), (3,)),
    ("vectors", (3,), (3,)),
    ("a batch and a matrix", (2, N, 3), (3, 2)),
    ("a matrix and a batch", (2, 3), (N, 3, 2)),
    ("batches", (N, 2, 3), (N, 3, 2)),
    ("batches that broadcast", (2, 1, 2, 3), (N, 3, 2)),
    ("a batch and a vector", (N, 2, 3), (3,)),
    ("a vector and a batch", (3,), (N, 3, 2)),
    ("over nothing", (N, 0), (0, 2)),
    ("a batch over nothing", (2, N, 0), (0, 2)),
    ("a batch of no columns", (2, N, 3), (3, 0)),
]:
    row(
        f"matmul of {_name}",
        dia.matmul,
        np.matmul,
        lambda t, a, b: t.matmul(a, b),
        Given(_left),
        Given(_right),
        operations="Matmul",
        special=0 not in _left,
    )
for _strides, _padding in [((1, 1), (0, 0)), ((2, 1), (1, 0)), ((2, 3), (1, 2))]:
    row(
        f"conv2d strides={_strides} padding={_padding}",
        lambda x, k, s=_strides, p=_padding: dia.conv2d(x, k, s, p),
        lambda x, k, s=_strides, p=_padding: _einsum_convolution(x, k, s, p),
        lambda t, x, k, s=_strides, p=_padding: t.nn.functional.conv2d(
            x.permute(0, 3, 1, 2), k.permute(3, 2, 0, 1), stride=s, padding=p
        ).permute(0, 2, 3, 1),
        Given((N, 4, 5, 2)),
        Given((2, 3, 2, 2)),
        operations="Windows Matmul",
        special=False,
    )
for _size, _stride in [(2, 1), (3, 2), (2, 3), (5, 1)]:
    row(
        f"windows {_size} stride {_stride}",
        lambda a, size=_size, stride=_stride: dia.windows(a, [size], [stride]),
        lambda a, size=_size, stride=_stride: _window_list(a, size, stride),
        lambda t, a, size=_size, stride=_stride: a.unfold(1, size, stride).movedim(-1, 2),
        Given((N, 5, 2)),
        operations="Windows",
    )
row(
    "fold",
    lambda a: dia.apply(dia.OPERATIONS["Fold"]((3,), (2,), (a.shape[0], 6, 2)), a),
    lambda a: _folded(a, 2, 6),
    None,
    Given((N, 2, 3, 2)),
    functions="",
    operations="Fold",
    without_torch="its fold is for images of one layout; that windows and fold are adjoint is tested by itself",
)

# Loops
row(
    "scan",
    _scanned,
    _recurrence,
    _torch_recurrence,
    Given((3,)),
    Given((3,)),
    Given(),
    operations="Scan Final Trace Bound",
    functions="scan concat",
)

# Random values
row(
    "uniform",
    lambda a: dia.uniform((a.shape[0], 3), stream=5, dtype="float64"),
    lambda a: _unit_floats(random_words(len(a), 6, 5)),
    None,
    Given(),
    operations="Uniform",
    result="float64",
    derivative="none",
    without_torch=NO_RANDOM,
)
row(
    "uniform float32",
    lambda a: dia.uniform((a.shape[0], 3), stream=5, low=-1.0, high=2.0),
    lambda a: -1 + 3 * ((random_words(len(a), 3, 5) >> np.uint64(8)) / 2**24),
    None,
    Given(),
    operations="Uniform",
    result="float32",
    derivative="none",
    without_torch=NO_RANDOM,
)
row(
    "normal",
    lambda m, s: dia.normal((m.shape[0], 3), stream=6, mean=m, std=s, dtype="float64"),
    lambda m, s: m + s * _box_muller(random_words(len(m), 12, 6)),
    None,
    Given(),
    Given((3,), positive),
    operations="Normal",
    result="float64",
    without_torch=NO_RANDOM,
)
row(
    "bernoulli",
    lambda a: dia.bernoulli(0.3, (a.shape[0], 5), stream=7),
    lambda a: random_words(len(a), 5, 7) < math.floor(0.3 * 2**32),
    None,
    Given(),
    operations="Bernoulli",
    result="bool",
    derivative="none",
    without_torch=NO_RANDOM,
)
row(
    "permutation",
    lambda a: dia.permutation(a.shape[0] * 3, stream=8),
    lambda a: _keys_sorted(random_words(3 * len(a), 2, 8)),
    None,
    Given(),
    operations="Permutation",
    result="int64",
    derivative="none",
    without_torch=NO_RANDOM,
)

# Columns
row(
    "clip_columns",
    lambda a, c: dia.clip_columns(a, c, [(0, 1, a.shape[0])]),
    lambda a, c: np.where(abs(a) > c, a * (c / np.where(abs(a) > c, abs(a), 1)), a),
    lambda t, a, c: t.where(a.abs() > c, a * (c / a.abs()), a),
    Given((N,), apart()),
    Given((), positive),
    operations="ClipColumns",
    functions="clip_columns",
)
row(
    "clip_columns of a matrix",
    lambda a, c: dia.clip_columns(dia.reshape(a, (-1,)), c, [(0, 9, a.shape[1])]),
    lambda a, c: (a * np.minimum(1, c / np.sqrt((a * a).sum(0)))).ravel(),
    lambda t, a, c: (a * (c / a.norm(dim=0)).clamp(max=1)).flatten(),
    Given((9, N)),
    Given((), positive),
    operations="ClipColumns",
    functions="clip_columns",
    special=False,
)

# Leaves
row("a placeholder", lambda a: a, lambda a: a, lambda t, a: a, Given(), functions="", operations="Placeholder")
row(
    "a variable",
    lambda: dia.variable([[1.0, 2.0]]),
    lambda: np.array([[1.0, 2.0]]),
    lambda t: t.tensor([[1.0, 2.0]], dtype=t.float64),
    functions="",
    operations="Variable",
    result="float64",
    derivative="none",
)
row(
    "a constant",
    lambda: dia.constant(np.array([np.nan, -0.0])),
    lambda: np.array([np.nan, -0.0]),
    lambda t: t.tensor([np.nan, -0.0], dtype=t.float64),
    functions="",
    operations="Constant",
    result="float64",
    derivative="none",
)


def rows(keep: Callable[[Row], bool] = lambda row: True) -> list[Any]:
    """The table as pytest's parameters."""
    return [pytest.param(r, id=r.name) for r in TABLE if keep(r)]


def house_operations() -> Iterator[tuple[str, type]]:
    """The operations of this package; tests, users and docstrings' examples may have added theirs."""
    return (
        (name, op)
        for name, op in dia.OPERATIONS.items()
        if op.__module__.startswith("diaphane.") and getattr(sys.modules[op.__module__], name, None) is op
    )
