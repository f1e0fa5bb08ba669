"""Rows of data are gathered as the reference engine gathers them, of whatever type and however they lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from engines.beside_reference import WAYS, all_cut

import diaphane as dia
from diaphane.engines.native.sources import readable

pytest.importorskip("numba")

N = dia.Dim("N")
ROWS, BATCH = 13, 5
ORDER = np.random.default_rng(4).integers(0, ROWS, 17)

TYPES = ["bool", "uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
THROUGH_PYTHON = ["float16", ">f4", ">f8", ">i2", ">u8"]
"""Types of data that no kernel reads."""


def drawn(dtype: str, shape: Sequence[int]) -> np.ndarray:
    """Numbers of a type, its extremes among them."""
    rng, kind = np.random.default_rng(7), np.dtype(dtype)
    if kind.kind == "b":
        return rng.random(shape) < 0.5
    if kind.kind == "f":
        values = rng.normal(size=shape).astype(kind)
        special = [np.nan, np.inf, -np.inf, -0.0, np.finfo(kind).max, np.finfo(kind).tiny, np.finfo(kind).tiny / 8]
    else:
        edge = np.iinfo(kind)
        values = rng.integers(edge.min, edge.max, shape, np.dtype(kind).newbyteorder("=")).astype(kind)
        special = [edge.min, edge.max, 0, 1]
    values.flat[: len(special)] = np.array(special, kind)[: values.size]
    return values


def gathered(node: dia.Node, source: Any, engine: Any, order: np.ndarray = ORDER) -> list[np.ndarray]:
    """What a program sees of each batch: the rows, and their places' sum, so that there are other instructions."""
    program = dia.Program([node, dia.sum(dia.astype(node, "float64"), 0)], engine=engine)
    outputs, _ = program.run_batches(dia.State({}), {node: source}, order, BATCH)
    return outputs


def assert_same_rows(node: dia.Node, source: Any, order: np.ndarray = ORDER) -> None:
    [want, _] = gathered(node, source, "reference", order)
    dense = source.toarray() if hasattr(source, "toarray") else np.asarray(source)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(want, dense[order].astype(node.dtype))
    for way, engine in WAYS.items():
        with all_cut():
            [got, _] = gathered(node, source, engine, order)
        assert got.dtype == want.dtype
        np.testing.assert_array_equal(got, want, err_msg=way)
        np.testing.assert_array_equal(np.signbit(got), np.signbit(want), err_msg=way)


def placed(dtype: str, source: Any) -> dia.Node:
    return dia.placeholder((N, *source.shape[1:]), dtype, "x")


@pytest.mark.parametrize("to", ["float32", "float64"])
@pytest.mark.parametrize("dtype", TYPES + THROUGH_PYTHON)
def test_numbers_of_any_type_are_cast(dtype, to):
    source = drawn(dtype, (ROWS, 4))
    assert (readable(source, np.dtype("float32")) is None) == (dtype in THROUGH_PYTHON)
    assert_same_rows(placed(to, source), source)


@pytest.mark.parametrize("to", ["int64", "int32", "uint8", "bool"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int32", "int64", "uint64", ">i2"])
def test_whole_numbers_and_truths_stay_what_they_are(dtype, to):
    source = drawn(dtype, (ROWS, 4))
    source = source if dtype == "bool" else (source % 2).astype(dtype)
    node = placed(to, source)
    if (to == "bool" and dtype != "bool") or (to == "uint8" and source.dtype.kind == "i"):
        with pytest.raises(dia.DTypeError, match="does not fit"):
            gathered(node, source, WAYS["one thread"])
        return
    assert_same_rows(node, source)


def unaligned(a: np.ndarray) -> np.ndarray:
    return np.frombuffer(b"-" + a.tobytes(), a.dtype, offset=1).reshape(a.shape)


def in_records(a: np.ndarray) -> np.ndarray:
    """Rows in records that have a byte each beside them."""
    records = np.zeros(len(a), np.dtype([("mark", "u1"), ("row", a.dtype, a.shape[1:])]))
    records["row"] = a
    return records["row"]


def mapped(a: np.ndarray, folder: Path, columns_first: bool = False) -> Any:
    path = folder / "rows.npy"
    np.save(path, np.asfortranarray(a) if columns_first else a)
    return np.load(path, mmap_mode="r")


LAYOUTS: dict[str, Callable[[np.ndarray, Path], Any]] = {
    "row after row": lambda a, folder: a,
    "columns first": lambda a, folder: np.asfortranarray(a),
    "some columns": lambda a, folder: np.concatenate([a, a, a], -1)[..., a.shape[-1] : 2 * a.shape[-1]],
    "every second column": lambda a, folder: np.repeat(a, 2, -1)[..., ::2],
    "every second row": lambda a, folder: np.repeat(a, 2, 0)[::2],
    "read-only": lambda a, folder: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "not aligned": lambda a, folder: unaligned(a),
    "mapped": lambda a, folder: mapped(a, folder),
    "mapped, columns first": lambda a, folder: mapped(a, folder, True),
}
BY_PYTHON: dict[str, Callable[[np.ndarray, Path], Any]] = {
    "rows backwards": lambda a, folder: a[::-1],
    "columns backwards": lambda a, folder: a[..., ::-1],
    "one row for all": lambda a, folder: np.broadcast_to(a[3], a.shape),
    "in records": lambda a, folder: in_records(a),
}
"""Rows that no kernel steps through."""


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("shape", [(ROWS,), (ROWS, 1), (ROWS, 5), (ROWS, 33)], ids=str)
@pytest.mark.parametrize("layout", [*LAYOUTS, *BY_PYTHON])
def test_rows_are_found_however_they_lie(layout, shape, dtype, tmp_path):
    source = (LAYOUTS | BY_PYTHON)[layout](drawn(dtype, shape), tmp_path)
    assert layout in BY_PYTHON or len(shape) == 1 or readable(source, np.dtype("float32")) is not None
    assert_same_rows(placed("float32", source), source)


@pytest.mark.parametrize("shape", [(ROWS, 2, 3), (ROWS, 3, 1, 5), (ROWS, 2, 3, 2, 2)], ids=str)
@pytest.mark.parametrize("layout", [*LAYOUTS, *BY_PYTHON])
def test_rows_of_more_axes_are_found_however_they_lie(layout, shape, tmp_path):
    source = (LAYOUTS | BY_PYTHON)[layout](drawn("float32", shape), tmp_path)
    assert_same_rows(placed("float64", source), source)
    turned = np.moveaxis(drawn("float32", (ROWS, *shape[:0:-1])), 1, -1)
    assert_same_rows(placed("float64", turned), turned)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_a_column_whose_stride_means_nothing_is_read_where_it_lies(dtype):
    source = drawn(dtype, (ROWS,))[:, None]
    assert source.strides[1] == 0
    assert readable(source, np.dtype("float32")) is not None
    assert_same_rows(placed("float32", source), source)


@pytest.mark.parametrize("shape", [(ROWS, 0), (ROWS, 3, 0)], ids=str)
def test_rows_of_nothing_are_gathered(shape):
    source = np.zeros(shape)
    assert_same_rows(placed("float64", source), source)


@pytest.mark.parametrize("order", [np.arange(ROWS)[::-1], np.array([3] * 9), np.array([], np.int64)], ids=len)
@pytest.mark.parametrize("kind", ["int64", "uint8", ">i4"])
def test_any_order_is_followed(order, kind):
    source = drawn("float32", (ROWS, 3))
    assert_same_rows(placed("float64", source), source, order.astype(kind))


def test_epochs_of_short_batches_follow_their_own_orders():
    orders = np.random.default_rng(8).integers(0, ROWS, (3, 7))
    for source in (drawn("uint8", (ROWS, 3)), sparse("float32"), drawn("float32", (ROWS, 3))[::-1]):
        node = placed("float64", source)
        [want, _] = gathered(node, source, "reference", orders)
        for engine in WAYS.values():
            with all_cut():
                [got, _] = gathered(node, source, engine, orders)
            np.testing.assert_array_equal(got, want)


def test_several_sources_of_different_types_are_gathered_side_by_side():
    a, b, c = (dia.placeholder((N, 3), "float32", name) for name in "abc")
    sources = {a: drawn("uint8", (ROWS, 3)), b: drawn("float64", (ROWS, 3)).T.copy().T, c: drawn("int16", (ROWS, 3))}
    labels = dia.placeholder((N,), "int64", "labels")
    sources[labels] = np.arange(ROWS, dtype="uint8")[::-1].copy()
    found = []
    for engine in ("reference", *WAYS.values()):
        with all_cut():
            program = dia.Program([a, b, c, labels], engine=engine)
            found.append(program.run_batches(dia.State({}), sources, ORDER, BATCH)[0])
    for got in found[1:]:
        for g, w in zip(got, found[0], strict=True):
            np.testing.assert_array_equal(g, w)


# Sparse rows.

COUNTS = np.array([2, 0, 3, 1, 0, 0, 4, 2, 1, 0, 3, 1, 0])


def sparse(dtype: str, *, twice: bool = False, index: str = "int32", kind: Any = scipy.sparse.csr_matrix) -> Any:
    """Rows with some numbers each, or none, in no order of columns; with a column named twice where it is asked for."""
    rng = np.random.default_rng(3)
    columns = [rng.permutation(6)[:n] for n in COUNTS]
    if twice:
        columns = [np.append(c[:-1], c[:1]) for c in columns]
    data = drawn(dtype, (int(COUNTS.sum()),))
    if np.dtype(dtype).kind == "f":
        data = rng.normal(size=len(data)).astype(dtype)
    starts = np.concatenate([[0], np.cumsum(COUNTS)])
    matrix = kind((ROWS, 6), dtype=dtype)
    matrix.data, matrix.indices, matrix.indptr = data, np.concatenate(columns).astype(index), starts.astype(index)
    return matrix


@pytest.mark.parametrize("to", ["float32", "float64"])
@pytest.mark.parametrize("index", ["int32", "int64"])
@pytest.mark.parametrize("dtype", TYPES)
def test_sparse_rows_of_any_type_are_gathered(dtype, index, to):
    for kind in (scipy.sparse.csr_matrix, scipy.sparse.csr_array):
        source = sparse(dtype, index=index, kind=kind)
        assert source.indices.dtype == index
        assert_same_rows(placed(to, source), source)


@pytest.mark.parametrize("to", ["float32", "float64"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int64", "float32", "float64"])
def test_numbers_of_one_column_add_up_as_on_the_reference_engine(dtype, to):
    source = sparse(dtype, twice=True)
    assert_same_rows(placed(to, source), source)


def with_zeros(matrix: Any) -> Any:
    matrix.data[::3] = 0
    return matrix


def stepped(matrix: Any, name: str) -> Any:
    """One of its arrays as every second element of a longer one."""
    setattr(matrix, name, np.repeat(getattr(matrix, name), 2)[::2])
    return matrix


SPARSE: dict[str, Callable[[Any], Any]] = {
    "columns in order": lambda m: m.sorted_indices(),
    "zeros that are named": with_zeros,
    "every second value": lambda m: stepped(m, "data"),
    "every second column": lambda m: stepped(m, "indices"),
    "every second start": lambda m: stepped(m, "indptr"),
    "columns first": lambda m: m.tocsc(),
    "coordinates": lambda m: m.tocoo().tocsr(),
    "no numbers at all": lambda m: scipy.sparse.csr_matrix(m.shape),
    "read-only": lambda m: scipy.sparse.csr_matrix(
        tuple(np.frombuffer(a.tobytes(), a.dtype) for a in (m.data, m.indices, m.indptr)), m.shape
    ),
}


@pytest.mark.parametrize("change", SPARSE)
def test_sparse_rows_are_found_however_they_lie(change):
    source = SPARSE[change](sparse("float64"))
    assert_same_rows(placed("float64", source), source)
