"""Random bits are the reference engine's: with any number of threads, over batches, in loops and in loops within."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from engines.beside_reference import EPSILON, all_cut, distance, norm

import diaphane as dia
from diaphane.engines import NativeEngine
from diaphane.nn import Dense, Dropout, Network, Sequential

pytest.importorskip("numba")

N = dia.Dim("N")
THREADS = (1, 2, 3)
SEEDS = (0, 1, 2**31, 2**32 - 1, 2**32, 2**32 + 7, 2**63 - 1, 2**63, 2**64 + 5, -1)


def bits(x: dia.Node) -> dict[str, dia.Node]:
    """Draws that are bits, or are made of them without rounding."""
    n = x.shape[0]
    p = dia.variable(0.37, "p")
    return {
        "bernoulli": dia.bernoulli(0.3, (n, 7), stream=0),
        "bernoulli of one column": dia.bernoulli(0.5, (n,), stream=1),
        "bernoulli of more axes": dia.bernoulli(0.5, (2, n, 3), stream=2),
        "bernoulli of a hyperparameter": dia.bernoulli(p * 1.0, (n, 5), stream=3),
        "one bernoulli": dia.bernoulli(0.5, (), stream=4),
        "uniform": dia.uniform((n, 7), stream=5),
        "uniform float64": dia.uniform((n, 7), stream=6, dtype="float64"),
        "one uniform": dia.uniform((), stream=7),
        "permutation": dia.permutation(n * 5, stream=8),
        "permutation of one": dia.permutation(1, stream=9),
        "rows in another order": dia.take(x, dia.permutation(n, stream=10)),
        "a stream beyond 32 bits": dia.bernoulli(0.5, (n, 9), stream=2**32 + 11),
    }


def looped(x: dia.Node) -> dict[str, dia.Node]:
    """Draws inside of a scan, of a scan within one, of a reversed one; and one made outside that is used inside."""
    outside = dia.bernoulli(0.5, (4,), stream=20)

    def inner(c: Any, _: Any) -> Any:
        drawn = dia.astype(dia.bernoulli(0.5, (4,), stream=21), "float64")
        return c + drawn, (drawn, dia.permutation(6, stream=22), dia.uniform((4,), stream=26))

    def outer(c: Any, row: Any) -> Any:
        drawn = dia.uniform((4,), stream=23, dtype="float64")
        end, emitted = dia.scan(inner, c, length=3)
        return dia.where(outside, end, c), (drawn, *emitted, dia.where(dia.bernoulli(0.4, (4,), stream=24), row, 0.0))

    last, emitted = dia.scan(outer, dia.constant(np.zeros(4)), x)
    _, backwards = dia.scan(lambda c, r: (c, dia.uniform((3,), stream=25) + 0 * r[0]), x[0], x, reverse=True)
    return {"last": last, **{f"emitted {k}": e for k, e in enumerate(emitted)}, "backwards": backwards}


def run(outputs: Any, x: dia.Node, engine: Any, seed: int, first_step: int = 0, epochs: int = 1) -> Any:
    """Over eleven rows in batches of four, the last one short, once or several times."""
    program = dia.Program(outputs, engine=engine)
    data = np.arange(1.0, 45.0).reshape(11, 4)
    order = np.array([np.arange(11)[:: 1 - 2 * (k % 2)] for k in range(epochs)])
    found, _ = program.run_batches(program.initial_state(), {x: data}, order, 4, seed=seed, first_step=first_step)
    return found


def assert_same_bits(outputs: dict[str, dia.Node], x: dia.Node, **how: int) -> dict[str, Any]:
    want = run(outputs, x, "reference", **how)
    for threads in THREADS:
        with all_cut():
            got = run(outputs, x, NativeEngine(threads), **how)
        for name in outputs:
            for g, w in zip(got[name], want[name], strict=True):
                np.testing.assert_array_equal(g, w, err_msg=f"{name}, {threads} threads")
    return want


@pytest.fixture
def x() -> dia.Node:
    return dia.placeholder((N, 4), "float64", "x")


@pytest.mark.parametrize("seed", SEEDS)
def test_draws_are_bit_for_bit_those_of_the_reference_engine(x, seed):
    assert_same_bits(bits(x), x, seed=seed)


@pytest.mark.parametrize("seed", [3, 2**32 + 3])
def test_draws_in_loops_are_bit_for_bit_those_of_the_reference_engine(x, seed):
    assert_same_bits(looped(x), x, seed=seed)


@pytest.mark.parametrize("first_step", [1, 2**31, 2**32 - 2, 2**32 + 1, 2**63])
def test_the_step_counts_on_over_the_batches(x, first_step):
    assert_same_bits(bits(x) | looped(x), x, seed=5, first_step=first_step)


def test_the_step_counts_on_over_epochs_with_short_batches(x):
    assert_same_bits(bits(x) | looped(x), x, seed=6, epochs=3)


def test_each_batch_each_loop_and_each_seed_draws_anew(x):
    one, other = (assert_same_bits(bits(x) | looped(x), x, seed=seed) for seed in (7, 8))
    for drawn in (one["uniform"], one["emitted 0"], one["emitted 3"], one["backwards"]):
        rows = [tuple(row) for row in drawn.reshape(-1, drawn.shape[-1])]
        assert len(set(rows)) == len(rows)
    assert not np.isin(one["uniform"], other["uniform"]).any()


@pytest.mark.parametrize("p", [0.0, 1.0, 2.0**-32, 1 - 2.0**-32, 1.5, -0.5, np.nan, np.inf, -np.inf])
def test_a_chance_is_cut_off_where_the_reference_engine_cuts_it_off(x, p):
    chance = dia.placeholder((), "float64", "p")
    mask = dia.bernoulli(chance, (9, 13), stream=0)
    for dtype in ("float64", "float32"):
        feeds = {chance: np.array(p, dtype)}
        want, _ = dia.Program(mask, engine="reference").run(None, feeds)
        for threads in THREADS:
            with all_cut():
                got, _ = dia.Program(mask, engine=NativeEngine(threads)).run(None, feeds)
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_dropout_masks_of_a_whole_training_are_the_reference_engines(rate):
    network = Network(Sequential([Dense(9, "relu"), Dropout(rate), Dense(9), Dropout(rate)]), (4,), dtype="float64")
    x = dia.placeholder((N, 4), "float64", "x")
    out = network.forward(x, training=True).output
    slopes = dia.gradient(dia.mean(dia.square(out)), network.parameters)
    updates = {p: p - 0.01 * g for p, g in zip(network.parameters, slopes, strict=True)}
    data = np.random.default_rng(0).normal(size=(23, 4))

    def dropped(engine: Any) -> np.ndarray:
        program = dia.Program(out, updates, engine=engine)
        outputs, _ = program.run_batches(program.initial_state(), {x: data}, batch_size=5, seed=2**33 + 1)
        return outputs == 0

    want = dropped("reference")
    assert abs(want.mean() - rate) < 0.1
    for threads in THREADS:
        with all_cut():
            np.testing.assert_array_equal(dropped(NativeEngine(threads)), want)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_draws_are_the_reference_engines_but_for_rounding(x, dtype):
    drawn = dia.normal((x.shape[0] * 40, 5), stream=3, mean=1.5, std=2.0, dtype=dtype) + dia.astype(x[0, 0] * 0, dtype)
    want = run(drawn, x, "reference", seed=2**32 + 9)
    for threads in THREADS:
        with all_cut():
            got = run(drawn, x, NativeEngine(threads), seed=2**32 + 9)
        for g, w in zip(got, want, strict=True):
            assert g.dtype == dtype
            assert distance(g, w.astype("float64")) <= 4 * EPSILON[dtype] * norm(w)
