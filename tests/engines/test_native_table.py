"""Every row of the operations' table on the native engine, beside the reference engine and the row's own oracle."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from graph.operation_table import Row, assert_close, rows

import diaphane as dia

pytest.importorskip("numba")

SIZES = (1, 5)


def drawn(row: Row, n: int, dtype: str) -> list[np.ndarray]:
    rng = np.random.default_rng([n, zlib.crc32(row.name.encode())])
    return [g.draw(rng, n, dtype) for g in row.given]


def programs(row: Row, dtype: str) -> tuple[list[dia.Node], list[dia.Program]]:
    xs = row.placeholders(dtype)
    y = row.build(*xs)
    # Each input is in the graph, so that its sizes are known, also where only its shape is asked for.
    outputs = [y, *xs]
    if row.derivative in ("smooth", "rounded") and row.floats(xs):
        outputs += dia.gradient(dia.sum(dia.sin(y)), row.floats(xs))
    return xs, [dia.Program(outputs, engine=name) for name in ("reference", "native")]


@pytest.mark.parametrize("row", rows())
def test_value_and_gradient_are_those_of_the_reference_engine(row):
    xs, (reference, native) = programs(row, "float64")
    for n in SIZES:
        arrays = drawn(row, n, "float64")
        try:
            oracle = row.expected(*arrays)
        except (IndexError, ValueError):
            continue
        feeds = dict(zip(xs, arrays, strict=True))
        want, _ = reference.run(reference.initial_state(), feeds)
        got, _ = native.run(native.initial_state(), feeds)
        for w, g in zip(want, got, strict=True):
            assert g.dtype == w.dtype
            assert g.shape == w.shape
            precision = "float32" if row.derivative == "rounded" or w.dtype == np.float32 else "float64"
            assert_close(g, w, precision, what=f"N = {n}")
        if row.derivative != "rounded":
            assert_close(got[0], oracle, str(got[0].dtype) if got[0].dtype.kind == "f" else "float64", what=f"N = {n}")
