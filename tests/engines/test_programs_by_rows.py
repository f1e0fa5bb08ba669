"""Outputs that go row by row: any number of rows, few plans, the numbers of the reference engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import diaphane as dia
from diaphane.engines import NativeEngine
from diaphane.engines.batches import filled
from diaphane.engines.rows import RowProgram
from diaphane.nn import Dense, Network, Sequential

WIDTH = 5
NETWORK = Network(Sequential([Dense(7, "tanh"), Dense(3)]), (WIDTH,), dtype="float64")
STATE = NETWORK.initial_state(np.random.default_rng(0))
ROWS = np.random.default_rng(1).normal(size=(9000, WIDTH))
COUNTS = [0, 1, 2, 16, 17, 127, 128, 129, 255, 256, 1797, 4095, 4096, 4097, 9000]
ENGINES = {"reference": "reference", "native": "native", "one thread": NativeEngine(1), "three": NativeEngine(3)}


def outputs(rows: np.ndarray, state: dia.State = STATE) -> np.ndarray:
    w, b, v, c = (state[NETWORK.variable(f"dense_{i}/{name}")] for i in (1, 2) for name in ("kernel", "bias"))
    return np.tanh(rows @ w + b) @ v + c


def predictor(engine: Any = "native") -> RowProgram:
    return RowProgram(dia.log_softmax(NETWORK.output), NETWORK.input, engine=engine)


def log_softmax(a: np.ndarray) -> np.ndarray:
    return a - np.log(np.exp(a).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n", COUNTS)
def test_any_number_of_rows_gives_a_row_for_each(n, engine):
    found = predictor(ENGINES[engine])(STATE, ROWS[:n])
    assert found.shape == (n, 3)
    np.testing.assert_allclose(found, log_softmax(outputs(ROWS[:n])), rtol=1e-12, atol=1e-13)


LAYOUTS = {
    "float32": lambda x: x.astype("float32"),
    "columns first": np.asfortranarray,
    "every other row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "backwards": lambda x: x[::-1].copy()[::-1],
    "big-endian": lambda x: x.astype(">f8"),
    "csr": sparse.csr_array,
}


@pytest.mark.parametrize("n", [3, 130, 700])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_rows_may_lie_in_any_way(layout, n):
    found = predictor()(STATE, LAYOUTS[layout](ROWS[:n]))
    np.testing.assert_allclose(found, log_softmax(outputs(ROWS[:n])), rtol=1e-5, atol=1e-6)


def test_the_same_rows_give_the_same_bits_on_any_number_of_threads():
    found = [predictor(NativeEngine(k))(STATE, ROWS) for k in (1, 2, 3)]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_a_thousand_numbers_of_rows_need_few_plans():
    predict = predictor()
    for n in range(1, 1001):
        predict(STATE, ROWS[:n])
    sizes = {filled(n) if n < 128 else 128 for n in range(1, 1001)}
    assert len(predict.program._executable._tables) == len(sizes) < 45


def test_values_replaced_or_changed_in_place_are_seen():
    predict, kernel = predictor(), NETWORK.variable("dense_1/kernel")
    mine = STATE.replace({kernel: STATE[kernel].copy()})
    before = predict(mine, ROWS[:9])
    mine[kernel][:] *= 2
    np.testing.assert_allclose(predict(mine, ROWS[:9]), log_softmax(outputs(ROWS[:9], mine)), rtol=1e-12)
    other = mine.replace({kernel: np.asfortranarray(STATE[kernel])})
    np.testing.assert_allclose(predict(other, ROWS[:9]), before, rtol=1e-12)


def test_threads_that_predict_at_once_get_what_each_would_alone():
    predict = predictor()
    parts = [ROWS[k : k + n] for k, n in enumerate([1, 5, 100, 129, 4000] * 8)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda rows: predict(STATE, rows), parts))
    for got, rows in zip(found, parts, strict=True):
        np.testing.assert_allclose(got, log_softmax(outputs(rows)), rtol=1e-12, atol=1e-13)


def test_a_label_that_is_no_class_is_refused_by_its_number():
    labels = dia.placeholder((dia.Dim("N"),), "int64", "labels")
    with pytest.raises(IndexError, match="7"):
        RowProgram(dia.one_hot(labels, 3), labels)(dia.State({}), np.array([0, 7, 2]))


def test_rows_of_another_width_are_refused():
    with pytest.raises(dia.ShapeError, match=r"\(N, 5\)"):
        predictor()(STATE, ROWS[:, :4])


@dataclass(frozen=True)
class Doubled(dia.Operation, abstract=True):
    """2·x, by Python."""

    def shape(self, x: dia.Node) -> Any:
        return x.shape

    def compute(self, backend: Any, x: Any) -> Any:
        return 2 * x


def test_an_operation_of_the_users_goes_row_by_row_too():
    found = RowProgram(dia.apply(Doubled(), NETWORK.output), NETWORK.input)(STATE, ROWS[:300])
    np.testing.assert_allclose(found, 2 * outputs(ROWS[:300]), rtol=1e-12, atol=1e-13)
