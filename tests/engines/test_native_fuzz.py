"""Random graphs on the native engine beside the reference engine: forward, backward and two-phase updates.

Each graph is drawn from a seed and runs over several batches, the last one short: in one thread, in two shares with
every instruction cut, and watched. ``DIAPHANE_SOAK=2000`` runs so many of them.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from engines.beside_reference import (
    EPSILON,
    WAYS,
    all_cut,
    assert_same_numbers,
    assert_within_rule,
    distance,
)
from engines.random_graphs import DrawnGraph, drawn_graph

import diaphane as dia

pytest.importorskip("numba")

GRAPHS = int(os.environ.get("DIAPHANE_SOAK", "200"))
DTYPES = ("float64", "float32")
WIGGLE = 2.0**-24
"""By how much the numbers that go in are moved, to see by how much those that come out move."""


def run(graph: DrawnGraph, engine: Any, state: dict[dia.Node, np.ndarray] | None = None) -> dict[str, Any]:
    """Outputs and the state after all batches, by name."""
    program = graph.program(engine)
    start = program.initial_state().replace({k: a for k, a in (state or graph.state).items() if k in program.variables})
    outputs, after = program.run_batches(
        start, graph.data, graph.order, graph.batch_size, graph.feeds, seed=5, first_step=2
    )
    return outputs | {f"{node.name} after": after[node] for node in graph.updates}


def wiggled(graph: DrawnGraph) -> dict[str, Any]:
    """The reference engine's numbers from a state a little beside."""
    rng = np.random.default_rng(0)
    moved = {
        node: a * (1 + WIGGLE * rng.choice([-1.0, 1.0], a.shape)) if node.name in ("v", "w") else a
        for node, a in graph.state.items()
    }
    return run(graph, "reference", moved)


def steps(value: Any) -> list[np.ndarray]:
    """One array, or one of each step where they have several shapes."""
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("seed", range(GRAPHS))
def test_a_random_graph_gives_the_reference_engines_numbers(seed):
    dtype = DTYPES[seed // 3 % 3 == 2]
    # Three graphs in a row are of one structure: other sizes, other numbers, the same loops.
    graph, exact = drawn_graph(seed // 3, seed, dtype), drawn_graph(seed // 3, seed, "float64")
    want = run(graph, "reference")
    truth, beside = run(exact, "reference"), wiggled(exact)
    for way, engine in WAYS.items():
        with all_cut():
            got = run(graph, engine)
        assert list(got) == list(want)
        for name, value in got.items():
            sure = name in graph.exact or name in ("g after", "count after", "flag after")
            for a, b, c, d in zip(*(steps(v) for v in (value, want[name], truth[name], beside[name])), strict=True):
                what = f"{name}, {way}"
                if sure:
                    np.testing.assert_array_equal(a, b, err_msg=what)
                elif dtype == "float32":
                    assert_within_rule(a, b, c, what, slack=16 * distance(d, c))
                else:
                    steep = distance(d, c) / WIGGLE * EPSILON["float64"]
                    assert_same_numbers(a, b, what, tolerance=1e-12, slack=100 * steep)
