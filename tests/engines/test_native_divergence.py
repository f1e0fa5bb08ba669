"""Where numbers stop being numbers, or there are none: the native engine does what the reference engine does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from engines.beside_reference import WAYS, all_cut, assert_same_numbers

import diaphane as dia
from diaphane.engines import NativeEngine
from diaphane.nn import BatchNorm, Dense, Dropout, Network, Sequential

pytest.importorskip("numba")

N = dia.Dim("N")
THREADS = [1, 2]
WIDTH = 6

Formula = Callable[[dia.Node, dia.Node], dia.Node]


def descent(formula: Formula, rate: float, engine: Any, dtype: str = "float64") -> tuple[dia.Program, dia.Node]:
    """w ← w − rate·∇l, and a running mean beside it, for a loss of w and rows of numbers."""
    x = dia.placeholder((N, WIDTH), dtype, "x")
    w = dia.variable(np.linspace(0.5, 1.5, WIDTH).astype(dtype), "w")
    mean = dia.variable(np.zeros(WIDTH, dtype), "mean", role="state")
    loss = formula(x, w)
    [slope] = dia.gradient(loss, [w])
    updates = {w: w - rate * slope, mean: mean * 0.9 + dia.mean(x, 0) * 0.1}
    return dia.Program({"loss": loss, "rows": x * w}, updates, loss=loss, engine=engine), x


def logarithm(x: dia.Node, w: dia.Node) -> dia.Node:
    return dia.mean(dia.exp(-dia.square(dia.log(x * w).named("logarithm"))) + w * 0)


def hidden_overflow(x: dia.Node, w: dia.Node) -> dia.Node:
    power = dia.exp(x * w).named("power")
    return dia.mean(power / (power + 1.0))


def overflow(x: dia.Node, w: dia.Node) -> dia.Node:
    return dia.mean(dia.exp(x * w))


def looped(x: dia.Node, w: dia.Node) -> dia.Node:
    """A product along the rows."""
    last, steps = dia.scan(lambda c, row: (c * row * row, c + 0.1), w, x)
    return dia.mean(last) + dia.mean(steps) * 0


def rectified(x: dia.Node, w: dia.Node) -> dia.Node:
    return dia.mean(dia.relu(dia.sum(x * w, 1)))


FORMULAS: dict[str, tuple[Formula, float, float, float]] = {
    "a logarithm of what is negative": (logarithm, 0.01, 1.0, -1.0),
    "an overflow that the loss hides": (hidden_overflow, 0.01, 1.0, 5000.0),
    "an overflow": (overflow, 0.01, 1.0, 5000.0),
    "an overflow in a loop": (looped, 0.01, 1.0, 1e200),
    "a number that is none": (overflow, 0.01, 1.0, np.nan),
    "an infinite one": (overflow, 0.01, 1.0, np.inf),
}
"""The loss, the rate, what good rows are full of, and bad ones."""


def diverged(formula: Formula, rate: float, rows: np.ndarray, engine: Any, batch: int) -> dia.NonFiniteError:
    """The error of a run over batches, which is that of single runs too."""
    program, x = descent(formula, rate, engine)
    with pytest.raises(dia.NonFiniteError) as batched:
        program.run_batches(program.initial_state(), {x: rows}, batch_size=batch, first_step=10)

    def one_by_one(state: dia.State) -> None:
        for i, start in enumerate(range(0, len(rows), batch)):
            _, state = program.run(state, {x: rows[start : start + batch]}, step=10 + i)

    with pytest.raises(dia.NonFiniteError) as single:
        one_by_one(program.initial_state())
    for node in program.variables:
        np.testing.assert_array_equal(batched.value.state[node], single.value.state[node])
    assert (batched.value.step, str(batched.value)) == (single.value.step, str(single.value))
    return batched.value


def assert_same_error(got: dia.NonFiniteError, want: dia.NonFiniteError) -> None:
    # The step, and the first node that is no number.
    assert str(got) == str(want)
    assert got.step == want.step
    assert got.state.is_finite
    for (node, value), (other, other_value) in zip(got.state.items(), want.state.items(), strict=True):
        assert node.name == other.name
        assert_same_numbers(value, other_value, f"{node.name} after")
    for name in ("loss", "rows"):
        assert_same_numbers(got.outputs[name], want.outputs[name], name)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("bad", [0, 1, 7, 11], ids=lambda k: f"step {k}")
@pytest.mark.parametrize("name", FORMULAS)
def test_a_loss_that_is_no_number_stops_where_the_reference_engine_stops(name, bad, threads):
    """Twelve batches of four rows, the last one short."""
    formula, rate, good, worse = FORMULAS[name]
    rows = np.random.default_rng(0).uniform(0.5, 1.0, (46, WIDTH)) * good
    rows[4 * bad + 1, 3] = worse
    want = diverged(formula, rate, rows, "reference", 4)
    with all_cut():
        got = diverged(formula, rate, rows, NativeEngine(threads), 4)
    assert_same_error(got, want)
    assert got.step == 10 + bad


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("bad", [0, 3, 7], ids=lambda k: f"row {k}")
def test_several_epochs_stop_where_the_reference_engine_stops(bad, threads):
    """Three batches an epoch, the last one short; the bad row comes in the third epoch only."""
    formula, rate, good, worse = FORMULAS["an overflow that the loss hides"]
    rows = np.random.default_rng(0).uniform(0.5, 1.0, (9, WIDTH)) * good
    rows[8, 3] = worse
    orders = np.array([np.arange(8), np.arange(8)[::-1], np.arange(8)])
    orders[2, bad] = 8
    errors = []
    for engine in ("reference", NativeEngine(threads)):
        with all_cut():
            program, x = descent(formula, rate, engine)
            with pytest.raises(dia.NonFiniteError) as caught:
                program.run_batches(program.initial_state(), {x: rows}, orders, 3)
        errors.append(caught.value)
    assert_same_error(*errors[::-1])
    assert errors[1].step == 6 + bad // 3


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("later", [0, 1, 2, 6])
def test_an_update_that_overflows_is_found_though_the_loss_stays_finite(later, threads):
    """A step too far sends w to −∞, where the rectifier is 0 for ever: the loss does not tell, the state does."""
    rows = np.concatenate([np.full((1, WIDTH), 1e-320), np.full((1, WIDTH), 1000.0), np.ones((later, WIDTH))])
    want = diverged(rectified, 1e308, rows, "reference", 1)
    with all_cut():
        got = diverged(rectified, 1e308, rows, NativeEngine(threads), 1)
    assert_same_error(got, want)


@pytest.mark.parametrize("threads", THREADS)
def test_an_optimizers_own_values_overflow_as_on_the_reference_engine(threads):
    errors = []
    rows = np.array([1.0, 2.0, 1e25, 1.0, 1.0])[:, None].repeat(WIDTH, 1)
    for engine in ("reference", NativeEngine(threads)):
        x = dia.placeholder((N, WIDTH), "float32", "x")
        w = dia.variable(np.ones(WIDTH, "float32"), "w")
        loss = dia.mean(x * w)
        updates = dia.optim.Adam(0.01).updates(w, dia.gradient(loss, [w])[0]).next_values
        with all_cut():
            program = dia.Program({"loss": loss, "rows": x * w}, updates, loss=loss, engine=engine)
            with pytest.raises(dia.NonFiniteError) as caught:
                program.run_batches(program.initial_state(), {x: rows}, batch_size=1)
        errors.append(caught.value)
    want, got = errors
    assert str(got) == str(want)
    assert got.state.is_finite


@pytest.mark.parametrize("threads", THREADS)
def test_without_a_loss_nan_goes_where_it_goes_on_the_reference_engine(threads):
    x = dia.placeholder((N, WIDTH), "float64", "x")
    w = dia.variable(np.linspace(-1.0, 1.0, WIDTH), "w")
    updates = {w: dia.log(w) + dia.mean(x, 0)}
    rows = np.random.default_rng(0).normal(size=(9, WIDTH))
    rows[2, 3], rows[5, 1] = np.nan, np.inf
    found = []
    for engine in ("reference", NativeEngine(threads)):
        with all_cut():
            program = dia.Program([dia.max(x * w, 1), dia.softmax(x), dia.argmax(x, 1)], updates, engine=engine)
            outputs, state = program.run_batches(program.initial_state(), {x: rows}, batch_size=2)
        found.append([*outputs, *(state[v] for v in program.variables)])
    for want, got in zip(*found, strict=True):
        assert_same_numbers(got, want, "with NaN")


@pytest.mark.parametrize("label", [3, -1, 200])
@pytest.mark.parametrize("threads", THREADS)
def test_a_label_that_is_no_class_is_refused_as_on_the_reference_engine(threads, label):
    x = dia.placeholder((N, 3), "float64", "x")
    y = dia.placeholder((N,), "int64", "y")
    labels = np.array([0, 1, 2, 1, 0, label, 2])
    for use in (lambda: dia.one_hot(y, 3, "float64") * x, lambda: dia.take(x.T, y), lambda: dia.scatter_add(x, y, 3)):
        messages = []
        for engine in ("reference", NativeEngine(threads)):
            with all_cut():
                program = dia.Program(dia.sum(use()), engine=engine)
                with pytest.raises(IndexError) as caught:
                    program.run_batches(dia.State({}), {x: np.ones((7, 3)), y: labels}, batch_size=3)
            messages.append(str(caught.value))
        assert messages[0] == messages[1]


# No rows, one row, one row at the end.


def network(training: bool) -> tuple[dict[str, dia.Node], dict[dia.Node, dia.Node], dia.Node]:
    layers = Sequential([Dense(9, "relu"), BatchNorm(), Dropout(0.3), Dense(4)])
    built = Network(layers, (WIDTH,), dtype="float64")
    x = dia.placeholder((N, WIDTH), "float64", "x")
    forward = built.forward(x, training=training)
    outputs = {
        "out": forward.output,
        "chances": dia.softmax(forward.output),
        "class": dia.argmax(forward.output),
        "sum": dia.sum(forward.output),
        "columns": dia.sum(forward.output, 0),
        "most": dia.max(forward.output, 0),
    }
    if not training:
        return outputs, {}, x
    slopes = dia.gradient(dia.sum(dia.square(forward.output)), built.parameters)
    updates = {p: p - 1e-3 * g for p, g in zip(built.parameters, slopes, strict=True)}
    return outputs, updates | dict(forward.updates), x


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows_or_none_are_predicted_as_on_the_reference_engine(rows, way):
    outputs, _, x = network(training=False)
    data = np.random.default_rng(0).normal(size=(rows, WIDTH))
    with all_cut():
        got, _ = dia.Program(outputs, engine=WAYS[way]).run(None, {x: data})
    want, _ = dia.Program(outputs, engine="reference").run(None, {x: data})
    for name in outputs:
        assert_same_numbers(got[name], want[name], name)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("rows", "batch"), [(0, 4), (1, 4), (5, 4), (9, 4), (3, 1), (4, 4)])
def test_a_training_on_few_rows_or_with_one_row_at_the_end_is_the_reference_engines(rows, batch, way):
    outputs, updates, x = network(training=True)
    data = np.random.default_rng(0).normal(size=(rows, WIDTH))
    found = []
    for engine in ("reference", WAYS[way]):
        with all_cut():
            program = dia.Program(outputs, updates, engine=engine)
            steps, state = program.run_batches(program.initial_state(), {x: data}, batch_size=batch, seed=1)
        found.append(steps | {k: state[v] for k, v in enumerate(program.variables)})
    want, got = found
    for name in want:
        assert_same_numbers(got[name], want[name], str(name), tolerance=1e-10)


def test_a_mean_over_no_rows_is_no_number_on_both_engines():
    outputs, updates, x = network(training=True)
    for engine in ("reference", *WAYS.values()):
        loss = dia.mean(outputs["out"])
        with pytest.raises(dia.NonFiniteError) as caught, all_cut():
            dia.Program(loss, updates, loss=loss, engine=engine).run(None, {x: np.zeros((0, WIDTH))})
        assert caught.value.step == 0
