"""Random graphs of every kind of operation, their gradients and two-phase updates, from a seed.

Values are of two kinds. *Exact* ones are small multiples of a half on every engine and in every type: only these are
compared, ordered, cut off or counted, so that a rounding error never decides anything. *Smooth* ones are the rest.
Elementwise chains are drawn from a small family, so that the same fused loops come up again and again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse

import diaphane as dia

__all__ = ["DrawnGraph", "drawn_graph"]

N = dia.Dim("N")
BOUND = 500.0
"""The greatest exact value."""

Rng = np.random.Generator


@dataclass
class DrawnGraph:
    """
    Attributes
    ----------
    data : placeholders and their rows, so many of each, however they lie
    feeds : a placeholder that is the same at each step
    outputs : what is computed, by a name
    exact : names of the outputs that are the same to the bit
    updates, loss : of the program
    batch_size : rows of a batch; the last one is short
    """

    data: dict[dia.Node, Any]
    feeds: dict[dia.Node, float]
    outputs: dict[str, dia.Node]
    exact: set[str]
    updates: dict[dia.Node, dia.Node]
    loss: dia.Node | None
    state: dict[dia.Node, np.ndarray]
    batch_size: int
    order: np.ndarray
    nodes: int

    def program(self, engine: Any) -> dia.Program:
        return dia.Program(self.outputs, self.updates, loss=self.loss, engine=engine)


@dataclass
class Pool:
    """Nodes that the next one may be made of."""

    dtype: str
    rng: Rng
    smooth: list[dia.Node] = field(default_factory=list)
    exact: list[tuple[dia.Node, float]] = field(default_factory=list)
    """Each with what it does not exceed."""
    whole: list[tuple[dia.Node, int]] = field(default_factory=list)
    """Each with what it stays below: indices into so many."""
    truths: list[dia.Node] = field(default_factory=list)
    streams: Iterator[int] = field(default_factory=itertools.count)

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def number(self, *choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def axis(self, a: dia.Node) -> int:
        if not a.ndim:
            raise dia.ShapeError("a number has no axes")
        return int(self.rng.integers(-a.ndim, a.ndim))

    def any_smooth(self) -> dia.Node:
        return self.smooth[self._late(len(self.smooth))]

    def any_exact(self) -> tuple[dia.Node, float]:
        return self.exact[self._late(len(self.exact))]

    def any_float(self) -> dia.Node:
        return self.any_smooth() if self.chance(0.75) else self.any_exact()[0]

    def partner(self, a: dia.Node) -> dia.Node:
        """A float of the same shape, a itself where there is none."""
        same = [b for b in (*self.smooth, *(e for e, _ in self.exact)) if b.shape == a.shape]
        return same[self.rng.integers(len(same))] if same else a

    def rows(self) -> dia.Node:
        """A float of rows of 4."""
        found = [a for a in self.smooth if a.ndim == 2 and a.shape[1] == 4]
        return found[self.rng.integers(len(found))]

    def row(self) -> dia.Node:
        """A float of 4."""
        found = [a for a in (*self.smooth, *(e for e, _ in self.exact)) if a.shape == (4,)]
        return found[self.rng.integers(len(found))]

    def matrix(self) -> dia.Node:
        found = [a for a in self.smooth if a.shape == (4, 4)]
        return found[self.rng.integers(len(found))]

    def _late(self, count: int) -> int:
        """A place, the last ones more often."""
        return max(int(count * self.rng.beta(1.6, 1.0)) - 1, 0)


# Elementwise chains: each is one structure, whatever it is applied to.

CHAINS: list[Callable[[dia.Node, dia.Node], dia.Node]] = [
    lambda a, b: dia.tanh(a * 0.5 + b),
    lambda a, b: dia.sigmoid(a) * dia.tanh(b),
    lambda a, b: dia.exp(-dia.square(a)) - b * 0.25,
    lambda a, b: dia.log1p(dia.square(a)) + dia.sin(b),
    lambda a, b: dia.sqrt(dia.square(a) + 1.0) / (dia.square(b) + 2.0),
    lambda a, b: dia.softplus(dia.tanh(a)) * dia.cos(b),
    lambda a, b: dia.erf(a) - dia.expm1(-dia.square(b)),
    lambda a, b: dia.relu(dia.tanh(a) + 0.1234567),
    lambda a, b: (dia.square(dia.tanh(a)) + 0.5) ** 1.5,
    lambda a, b: dia.log(dia.square(a) + 1.5) * dia.stop_gradient(dia.tanh(b)),
    lambda a, b: dia.astype(dia.astype(dia.tanh(a), "float64") * 0.5, a.dtype),
]


def chain(p: Pool) -> dia.Node:
    a = p.any_float()
    return CHAINS[p.rng.integers(len(CHAINS))](a, p.partner(a))


def stretched(p: Pool) -> dia.Node:
    """Broadcast along axes of the other."""
    a, b = p.rows(), p.row()
    return p.number(
        lambda: a + b,
        lambda: a * dia.reshape(b, (1, 4)),
        lambda: dia.sum(a, 1, keepdims=True) * 0.25 + a,
        lambda: dia.broadcast_to(b, a.shape),
        lambda: dia.broadcast_to(dia.expand_dims(a, 0), (2, *a.shape)),
        lambda: dia.sum(dia.tanh(a)) * 0.1 + b,
    )()


def product(p: Pool) -> dia.Node:
    a, w = p.rows(), p.matrix()
    return (
        0.3
        * p.number(
            lambda: a @ w,
            lambda: a @ w.T,
            lambda: a @ p.row(),
            lambda: dia.expand_dims(p.row(), 0) @ w,
            lambda: dia.tanh(a).T @ a,
            lambda: dia.stack([a, a * 0.5]) @ w,
            lambda: w[::-1] @ w[:, ::-1],
            lambda: a[:, ::2] @ w[:2],
            lambda: dia.stack([w, w.T]) @ dia.stack([w, p.matrix()]),
        )()
    )


def reduced(p: Pool) -> dia.Node:
    a = p.any_float()
    axis, keep = p.number(None, p.axis(a), p.axis(a)), p.chance(0.5)
    return p.number(
        lambda: dia.sum(a, axis, keep) * 0.25,
        lambda: dia.mean(a, axis, keep),
        lambda: dia.var(a, axis, keepdims=keep) * 0.25,
        lambda: dia.logsumexp(a, axis, keep),
        lambda: dia.prod(1.0 + 0.1 * dia.tanh(a), axis, keep),
    )()


def normalised(p: Pool) -> dia.Node:
    a = p.any_float()
    return p.number(dia.softmax, dia.log_softmax)(a, p.axis(a))


def arranged(p: Pool, a: dia.Node) -> dia.Node:
    """The same elements, or some of them, in another order."""
    axis = p.axis(a)
    return p.number(
        lambda: dia.permute_dims(a, tuple(p.rng.permutation(a.ndim).tolist())),
        lambda: dia.reshape(a, (-1,)),
        lambda: dia.reshape(a, (*a.shape[:-1], 2, 2)) if a.shape[-1] == 4 else dia.expand_dims(a, axis),
        lambda: a[::-1],
        lambda: a[..., ::-1],
        lambda: a[..., 1:],
        lambda: a[..., ::2],
        lambda: a[..., 3:0:-2] if a.shape[-1] == 4 else a[:1],
        lambda: a[..., 0],
        lambda: a[-1],
        lambda: dia.concat([a, a[:0]], 0),
        lambda: dia.concat([a[..., :1], a], -1),
        lambda: dia.stack([a, a], axis),
        lambda: dia.pad(a, [(1, 0)] * a.ndim, 0.5),
        lambda: dia.pad(a, [(0, 2)] * a.ndim),
        lambda: dia.windows(a, [2], [p.number(1, 2)]) if a.ndim > 1 and a.shape[1] == 4 else a[:1],
    )()


def picked(p: Pool) -> dia.Node:
    """Rows by index, and back."""
    index, extent = p.whole[p.rng.integers(len(p.whole))]
    a = p.rows()
    if p.chance(0.5):
        table = p.matrix() if extent <= 4 else dia.concat([p.matrix()] * (-(-extent // 4)), 0)
        return dia.take(table, index, p.number(0, 1) if extent <= 4 else 0)
    if index.ndim == 1 and index.shape == a.shape[:1]:
        return dia.scatter_add(a, index, extent)
    return dia.scatter_add(dia.astype(dia.broadcast_to(p.row(), (*index.shape, 4)), p.dtype), index, extent) * 0.5


def shuffled(p: Pool) -> dia.Node:
    a = p.rows()
    return dia.take(a, dia.permutation(a.shape[0], stream=next(p.streams)))


def convolved(p: Pool) -> dia.Node:
    image = dia.reshape(p.rows(), (-1, 2, 2, 1))
    kernel = dia.reshape(p.matrix(), (2, 2, 1, 4))
    pads, steps = p.number((0, 0), (1, 1), (1, 0)), p.number((1, 1), (2, 1))
    found = dia.conv2d(image, kernel, steps, pads) * 0.3
    return dia.mean(found, (1, 2)) if p.chance(0.5) else found[:, 0]


def noisy(p: Pool) -> dia.Node:
    a, stream = p.rows(), next(p.streams)
    return p.number(
        lambda: dia.where(dia.bernoulli(p.number(0.3, 0.5), a.shape, stream=stream), a * 2.0, 0.0),
        lambda: a + dia.astype(dia.uniform(a.shape, stream=stream, low=-1.0), p.dtype),
        lambda: a + 0.1 * dia.astype(dia.normal(a.shape, stream=stream, dtype="float64"), p.dtype),
        lambda: a * dia.astype(dia.bernoulli(dia.clip(p.any_exact()[0].sum(), 0.2, 0.7), (4,), stream=stream), p.dtype),
    )()


def looped(p: Pool) -> dia.Node:
    """A scan, of one of some bodies; its last carry or what it emits."""
    xs, first, w, stream = p.rows(), p.row(), p.matrix(), next(p.streams)
    other, reverse = p.row(), p.chance(0.4)
    first, other = (dia.astype(v, p.dtype) for v in (first, other))

    def recurrent(c: Any, x: Any) -> Any:
        new = dia.tanh(c @ w * 0.5 + x)
        return new, (c if p.chance(0.5) else new)

    def swapping(c: Any, x: Any) -> Any:
        a, b = c
        return (b * 0.5 + dia.tanh(x), a), (a * b, x)

    def nested(c: Any, x: Any) -> Any:
        inner, emitted = dia.scan(lambda q, r: (dia.tanh(q * 0.5 + r), q * r), c + x, w)
        return dia.tanh(inner), dia.sum(emitted, 0)

    def masked(c: Any, x: Any) -> Any:
        new = dia.where(dia.bernoulli(0.5, (4,), stream=stream), dia.tanh(x), c * 0.9)
        return new, new + 0.1 * dia.astype(dia.normal((4,), stream=stream + 1000, dtype="float64"), p.dtype)

    def walking(c: Any, x: Any) -> Any:
        at, value = c
        return (dia.where(at < 3, at + 1, 0), dia.tanh(value + w[at] * 0.5)), (at, dia.softmax(value + x))

    def noisily_nested(c: Any, x: Any) -> Any:
        inner, _ = dia.scan(
            lambda q, r: (dia.where(dia.bernoulli(0.5, (4,), stream=stream), q, dia.sin(r)), q), c, w, reverse=True
        )
        return inner * 0.9 + x * 0.1, dia.logsumexp(inner, keepdims=True)

    def still(c: Any, x: Any) -> Any:
        return c, c[::-1] + x

    kind = p.rng.integers(8)
    if kind == 0:
        carry, out = dia.scan(recurrent, first, xs, reverse=reverse)
    elif kind == 1:
        (carry, _), (out, _) = dia.scan(swapping, (first, other), xs, reverse=reverse)
    elif kind == 2:
        carry, out = dia.scan(nested, first, xs)
    elif kind == 3:
        carry, out = dia.scan(masked, first, xs, reverse=reverse)
    elif kind == 4:
        (at, carry), (_, out) = dia.scan(walking, (dia.constant(1), first), xs)
        p.whole.append((at, 4))
    elif kind == 5:
        carry, out = dia.scan(noisily_nested, first, xs)
    elif kind == 6:
        carry, out = dia.scan(still, first, xs, reverse=reverse)
    else:
        carry, out = dia.scan(lambda c, _: (dia.tanh(c @ w) + other, c), first, length=p.number(1, 3))
    return carry if p.chance(0.4) else out


def exact(p: Pool) -> None:
    """A node of halves, of whole numbers or of truths."""
    a, bound = p.any_exact()
    same = [(b, c) for b, c in p.exact if b.shape == a.shape]
    b, other = same[p.rng.integers(len(same))]
    axis, keep = p.axis(a), p.chance(0.5)
    stream = next(p.streams)
    made = p.number(
        lambda: (a + b, bound + other),
        lambda: (a - b, bound + other),
        lambda: (-a, bound),
        lambda: (dia.maximum(a, b), max(bound, other)),
        lambda: (dia.minimum(a, -b), max(bound, other)),
        lambda: (dia.where(a < b, a, b * 2.0), max(bound, 2 * other)),
        lambda: (dia.clip(a, -1.5, 2.0), bound),
        lambda: (dia.abs(a), bound),
        lambda: (dia.floor(a), bound + 1),
        lambda: (dia.sign(a), 1.0),
        lambda: (dia.relu(a), bound),
        lambda: (dia.leaky_relu(a, 0.5) * 2.0, 2 * bound),
        lambda: (dia.max(a, axis, keep), bound),
        lambda: (dia.min(a, axis, keep), bound),
        lambda: (dia.sum(dia.clip(a, -2.0, 2.0), axis, keep), 80.0),
        lambda: (dia.astype(dia.astype(a, "float32"), p.dtype), bound),
        lambda: (arranged(p, a), max(bound, 0.5)),
        lambda: (dia.where(dia.bernoulli(0.5, a.shape, stream=stream), a, b), max(bound, other)),
        lambda: (dia.scan(lambda c, x: (dia.maximum(x, c), c - x), a[0], a)[1], 2 * bound),
        lambda: (dia.astype(dia.sum(a < b, axis), p.dtype), 40.0),
    )
    value, limit = made()
    if limit <= BOUND and value.ndim <= 3:
        p.exact.append((value, limit))
    if isinstance(a.shape[-1], int) and p.chance(0.5):
        p.whole.append((dia.argmax(a, -1), a.shape[-1]))
        p.exact.append((dia.one_hot(*p.whole[-1], p.dtype), 1.0))
    if p.chance(0.4):
        p.truths.append(p.number(dia.less, dia.less_equal, dia.equal, dia.not_equal)(a, b))
        p.truths.append(dia.isfinite(p.any_float()))
    if p.truths and p.chance(0.4):
        t = p.truths[p.rng.integers(len(p.truths))]
        p.truths.append(p.number(lambda: dia.logical_not(t), lambda: dia.logical_or(t, dia.logical_not(t)))())
        p.whole.append((dia.astype(t, p.number("int64", "int32", "uint8")), 2))


SMOOTH = [chain, chain, chain, stretched, product, reduced, normalised, picked, shuffled, convolved, noisy, looped]


def drawn_graph(structure: int, values: int, dtype: str) -> DrawnGraph:
    """
    Parameters
    ----------
    structure : int
        The seed of the nodes.
    values : int
        The seed of the numbers, the rows and the batches.
    dtype : "float32" or "float64"
    """
    rng = np.random.default_rng([21, structure])
    p = Pool(dtype, rng)
    x, e = dia.placeholder((N, 4), dtype, "x"), dia.placeholder((N, 4), dtype, "e")
    i = dia.placeholder((N,), "int64", "i")
    v, w = (dia.variable(np.zeros((4, 4), dtype), name) for name in "vw")
    g = dia.variable(np.zeros(4, dtype), "g")
    count, flag = dia.variable(np.int64(0), "count"), dia.variable(np.array([True, False, True, True]), "flag")
    p.smooth += [v, w, x, x @ v]
    p.exact += [(g, 4.0), (e, 6.0)]
    p.whole += [(i, 4)]
    p.truths += [flag]
    for _ in range(rng.integers(6, 20)):
        try:
            if p.chance(0.35):
                exact(p)
            else:
                node = arranged(p, p.any_smooth()) if p.chance(0.25) else SMOOTH[rng.integers(len(SMOOTH))](p)
                if node.ndim <= 3 and node.dtype == dtype:
                    p.smooth.append(node)
        except (dia.ShapeError, IndexError):
            continue  # values that do not fit each other, or an axis of one that has none
    return finished(p, (x, e, i), (v, w, g, count, flag), values)


LAYOUTS: list[Callable[[np.ndarray], Any]] = [
    np.ascontiguousarray,
    np.asfortranarray,
    lambda a: np.hstack([a, a])[:, 2:6],
    lambda a: np.repeat(a, 2, axis=0)[::2],
    lambda a: a[::-1],
    scipy.sparse.csr_matrix,
]
"""How rows of data may lie."""


def finished(p: Pool, placeholders: tuple[dia.Node, ...], variables: tuple[dia.Node, ...], values: int) -> DrawnGraph:
    """A loss over the last nodes, its gradients, updates, and numbers to run it on."""
    (x, e, i), (v, w, g, count, flag) = placeholders, variables
    # Each leaf is in the program, whatever was drawn.
    loss = dia.mean(dia.tanh(x @ v @ w)) + dia.mean(e * g) * 0.1 + dia.mean(dia.astype(i, p.dtype)) * 0.1
    for node in (*p.smooth[-6:], *(a for a, _ in p.exact[-3:])):
        loss = loss + dia.sum(node) * 0.02
    slopes = dia.gradient(loss, [v, w, g])
    rate = dia.placeholder((), p.dtype, "rate")
    outputs = {"loss": loss, "both": dia.concat([dia.reshape(s, (-1,)) for s in slopes], 0)}
    outputs |= {f"smooth {k}": a for k, a in enumerate([*p.smooth[-5:], *p.number([], [v], [x, w], [w.T])])}
    outputs["rate"] = rate
    sure = {f"exact {k}": a for k, (a, _) in enumerate(p.exact[-4:])}
    sure |= {f"whole {k}": a for k, (a, _) in enumerate(p.whole[-2:])}
    sure |= {f"truth {k}": a for k, a in enumerate(p.truths[-2:])}
    moved = p.number(
        lambda: {v: v - rate * slopes[0], w: w * 0.9 + rate * dia.tanh(slopes[1]) + 0.1 * v},
        lambda: {v: w * 0.5 - rate * slopes[0].T, w: v},
        lambda: {v: w, w: v},
        lambda: {v: v - rate * slopes[0], w: w - rate * (w + w.T)},
        lambda: {w: dia.tanh(w[::-1] - slopes[1] * rate)},
        dict,
    )()
    updates = moved | {
        g: dia.where(g < 0.0, g + 1.0, -g[::-1]),
        count: count + dia.sum(dia.astype(flag, "int64")),
        flag: p.number(lambda: dia.logical_not(flag), lambda: flag[::-1])(),
    }
    checked = p.chance(0.5)
    draw = np.random.default_rng([22, values])
    batch, batches, rest = (int(draw.integers(*span)) for span in ((2, 8), (1, 3), (1, 7)))
    rows = batch * batches + min(rest, batch - 1)
    halves = draw.integers(-6, 7, (rows, 4))
    layouts = draw.integers(len(LAYOUTS), size=2)
    given = {
        x: LAYOUTS[layouts[0]](draw.normal(size=(rows, 4)).astype("float32").astype(draw.choice(["float32", p.dtype]))),
        e: LAYOUTS[layouts[1]](halves.astype("int8") if draw.random() < 0.3 else halves / 2),
        i: draw.integers(0, 4, rows).astype(draw.choice(["uint8", "int32", "int64"])),
    }
    # One epoch as the rows lie or in another order, or several.
    epochs = [draw.permutation(rows) for _ in range(draw.integers(1, 3))]
    order = np.array(epochs) if len(epochs) > 1 else epochs[0] if draw.random() < 0.5 else np.arange(rows)
    state = {
        v: draw.normal(size=(4, 4)).astype(p.dtype),
        w: draw.normal(size=(4, 4)).astype(p.dtype),
        g: (draw.integers(-4, 5, 4) / 2).astype(p.dtype),
        count: np.array(5),
        flag: np.array([True, False, True, True]),
    }
    return DrawnGraph(
        given,
        {rate: 0.125},
        outputs | sure,
        set(sure),
        updates,
        loss if checked else None,
        state,
        batch,
        order,
        len(dia.ancestors([*outputs.values(), *sure.values(), *updates.values()])),
    )
