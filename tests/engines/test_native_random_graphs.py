"""Random graphs on the native engine beside the reference engine: forward, backward and two-phase updates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import diaphane as dia

pytest.importorskip("numba")

GRAPHS = 12
ROWS, BATCH = 12, 4

Draw = np.random.Generator
Step = Callable[[dia.Node, dia.Node, Draw], dia.Node]


def axis(a: dia.Node, rng: Draw) -> int:
    return int(rng.integers(a.ndim))


STEPS: list[Step] = [
    lambda a, b, rng: a + b,
    lambda a, b, rng: a * b * 0.5,
    lambda a, b, rng: dia.tanh(a),
    lambda a, b, rng: dia.exp(dia.clip(a, -3.0, 2.0)),
    lambda a, b, rng: dia.relu(a),
    lambda a, b, rng: dia.sigmoid(a),
    lambda a, b, rng: (a @ b) * 0.3,
    lambda a, b, rng: dia.sum(a, axis(a, rng), keepdims=bool(rng.integers(2))),
    lambda a, b, rng: dia.softmax(a, axis(a, rng)),
    lambda a, b, rng: dia.permute_dims(a, tuple(reversed(range(a.ndim)))),
    lambda a, b, rng: a[:, :: int(rng.choice([1, 2, -1]))] if a.ndim == 2 and a.shape[1] == 4 else a[1:],
    lambda a, b, rng: dia.concat([a, b], axis(a, rng)),
    lambda a, b, rng: dia.pad(a, [(1, 0)] * a.ndim, 0.5),
    lambda a, b, rng: dia.where(a > b, a, b * 2),
    lambda a, b, rng: dia.logsumexp(a, -1, keepdims=True),
    lambda a, b, rng: dia.max(a, 0, keepdims=True),
    lambda a, b, rng: dia.reshape(a, (-1,)),
    lambda a, b, rng: a - dia.mean(a),
    lambda a, b, rng: dia.sum(a) * 0.1 + b,
    lambda a, b, rng: dia.broadcast_to(a, b.shape),
]


def drawn_graph(rng: Draw) -> tuple[dia.Node, list[dia.Node], list[dia.Node], dict[dia.Node, dia.Node]]:
    """A placeholder, variables, outputs and updates of a graph of some dozens of nodes."""
    x = dia.placeholder((dia.Dim("N"), 4), "float64", "x")
    v, w = (dia.variable(rng.normal(size=(4, 4)), name) for name in ("v", "w"))
    pool = [x, v, w, x @ v]
    for _ in range(rng.integers(10, 30)):
        step = STEPS[rng.integers(len(STEPS))]
        a, b = (pool[rng.integers(len(pool))] for _ in range(2))
        try:
            node = step(a, b, rng)
        except (dia.ShapeError, IndexError):
            continue  # two values that do not fit each other
        if node.ndim <= 3:
            pool.append(node)
    loss = dia.mean(dia.tanh(x @ v @ w))
    for node in pool[-6:]:
        loss = loss + dia.mean(dia.tanh(node))
    gradients = dia.gradient(loss, [v, w])
    updates = {v: v - 0.1 * gradients[0], w: w * 0.9 + dia.tanh(gradients[1]) + v}
    return x, [v, w], [loss, *gradients, *pool[-6:]], updates


@pytest.mark.parametrize("seed", range(GRAPHS))
def test_a_random_graph_gives_the_reference_engines_numbers(seed):
    rng = np.random.default_rng([7, seed])
    x, variables, outputs, updates = drawn_graph(rng)
    rows = rng.normal(size=(ROWS, 4))
    programs = [dia.Program(outputs, updates, engine=name) for name in ("reference", "native")]
    try:
        (want, state), (got, other) = (p.run_batches(p.initial_state(), {x: rows}, batch_size=BATCH) for p in programs)
    except dia.ShapeError:
        pytest.fail("a slice of this seed's graph is empty at N = 4: draw another")
    for a, b in zip(want, got, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-11)
    for v in variables:
        np.testing.assert_allclose(other[v], state[v], rtol=1e-9, atol=1e-11)
