"""Every operation in ONNX, run by onnxruntime, beside the same graph evaluated here."""

import numpy as np
import pytest
from graph.operation_table import SPECIAL, TABLE, Row, house_operations, rows

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from engines.random_graphs import drawn_graph
from files.onnx_models import BATCHES, assert_same, graph_model, run

import diaphane as dia
from diaphane.files import ExportError
from diaphane.files.onnx import registry, rules  # noqa: F401
from diaphane.graph.leaves import Variable

RANDOM = {"Uniform", "Normal", "Bernoulli", "Permutation"}
LEAVES = {"Placeholder", "Variable", "Bound"}


def kinds(node: dia.Node) -> set[str]:
    """The operations that a value is computed by, in loops too."""
    found = set()
    for each in dia.ancestors([node]):
        found.add(type(each.op).__name__)
        for inner in (*getattr(each.op, "next_carries", ()), *([each.op.node] if hasattr(each.op, "node") else [])):
            found |= kinds(inner)
    return found


def of_row(row: Row, dtype: str, path):
    """The model of a row of the table, and the node and inputs it was made of."""
    inputs = row.placeholders(dtype)
    value = row.build(*inputs)
    state = {n: n.op.initial for n in dia.ancestors([value]) if isinstance(n.op, Variable)}
    return graph_model(path / "row.onnx", inputs, {"output": value}, state), value, inputs


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("row", rows(lambda row: not RANDOM & set(row.operations.split())))
def test_an_operation_gives_the_same_in_onnxruntime(row, dtype, tmp_path):
    model, value, inputs = of_row(row, dtype, tmp_path)
    rng = np.random.default_rng(0)
    for n in BATCHES:
        arrays = [g.draw(rng, n, dtype) for g in row.given]
        want = dia.evaluate(value, dict(zip(inputs, arrays, strict=True)))
        got = run(model, {f"x{i}": a for i, a in enumerate(arrays)})["output"]
        assert_same(got, want, f"N = {n}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("row", rows(lambda row: row.special and not RANDOM & set(row.operations.split())))
def test_not_a_number_and_infinity_go_through_as_they_do_here(row, dtype, tmp_path):
    model, value, inputs = of_row(row, dtype, tmp_path)
    rng = np.random.default_rng(0)
    arrays = [g.draw(rng, 7, dtype) for g in row.given]
    for given, a in zip(row.given, arrays, strict=True):
        if given.dtype is None and a.size:
            places = rng.permutation(a.size)[: max(1, a.size // 2)]
            a.ravel()[places] = rng.choice(np.array(SPECIAL, dtype), len(places))
    want = dia.evaluate(value, dict(zip(inputs, arrays, strict=True)))
    got = run(model, {f"x{i}": a for i, a in enumerate(arrays)})["output"]
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool"])
def test_whole_numbers_and_truths_stay_what_they_are(dtype, tmp_path):
    a, b = (dia.placeholder((dia.Dim("N"), 4), dtype, name) for name in "ab")
    outputs = {
        "sum": a + b,
        "product": a * b,
        "difference": a - b,
        "least": dia.minimum(a, b),
        "chosen": dia.where(a < b, a, b),
        "same": dia.equal(a, b),
        "total": dia.sum(a, 1),
        "greatest": dia.max(a, 1),
        "least of all": dia.min(a),
        "where": dia.argmax(a, 1),
        "padded": dia.pad(a, [(0, 0), (1, 2)], 1),
        "placed": dia.apply(dia.OPERATIONS["Place"](((0, a.shape[0], 1), (6, 4, -2)), (a.shape[0], 8), 1.0), a),
        "added": dia.scatter_add(a, dia.argmax(b, 1), 4),
        "windows": dia.windows(a, [2], [2]),
        "folded": dia.apply(
            dia.OPERATIONS["Fold"]((2,), (1,), (a.shape[0], 5)), dia.windows(dia.pad(a, [(0, 0), (1, 0)]), [2])
        ),
        "float": dia.astype(a, "float32") / 2,
        "back": dia.astype(dia.astype(b, "float64") * 1.5, dtype),
        "running": dia.scan(lambda c, x: (dia.maximum(c, x), c), a[0], a)[1],
    }
    model = graph_model(tmp_path / "whole.onnx", [a, b], outputs, {})
    rng = np.random.default_rng(0)
    for n in BATCHES:
        arrays = {x: rng.integers(0, 2 if dtype == "bool" else 4, (n, 4)).astype(dtype) for x in (a, b)}
        got = run(model, {str(x.name): v for x, v in arrays.items()})
        for name, want in zip(outputs, dia.evaluate(list(outputs.values()), arrays), strict=True):
            assert_same(got[name], want, f"{name}, N = {n}")


@pytest.mark.parametrize("seed", range(60))
def test_a_random_graph_and_its_gradients_give_the_same_in_onnxruntime(seed, tmp_path):
    dtype = ("float32", "float64")[seed % 2]
    graph = drawn_graph(seed, seed, dtype)
    outputs = {n: v for n, v in graph.outputs.items() if n != "rate" and not RANDOM & kinds(v)}
    assert outputs
    inputs = list(graph.data) + list(graph.feeds)
    used = dia.ancestors(list(outputs.values()))
    state = {v: a for v, a in graph.state.items() if v in used}
    model = graph_model(tmp_path / "drawn.onnx", inputs, outputs, state)
    x, e, i = graph.data
    rng = np.random.default_rng(seed)
    for n in BATCHES:
        feeds = {x: rng.normal(size=(n, 4)), e: rng.integers(-6, 7, (n, 4)) / 2, i: rng.integers(0, 4, n)}
        feeds = {k: v.astype(k.dtype) for k, v in (feeds | {r: np.asarray(a) for r, a in graph.feeds.items()}).items()}
        wanted = dia.evaluate(list(outputs.values()), feeds | state)
        got = run(model, {str(k.name): v for k, v in feeds.items()})
        for name, want in zip(outputs, wanted, strict=True):
            assert_same(got[name], want, f"{name}, N = {n}", 1e-4 if dtype == "float32" else 1e-5)


def test_every_operation_has_a_rule():
    missing = {name for name, kind in house_operations() if kind not in registry.RULES}
    assert not missing


@pytest.mark.parametrize("row", rows(lambda row: RANDOM & set(row.operations.split())))
def test_random_numbers_are_refused_by_name(row, tmp_path):
    with pytest.raises(ExportError, match=r"draws random numbers.*inference"):
        of_row(row, "float64", tmp_path)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_columns_held_to_a_length_give_the_same(dtype, tmp_path):
    weights, limit = dia.placeholder((9,), dtype, "weights"), dia.placeholder((), dtype, "limit")
    model = graph_model(
        tmp_path / "m.onnx", [weights, limit], {"output": dia.clip_columns(weights, limit, [(1, 2, 3)])}, {}
    )
    w = np.array([9, 3, 0.1, 5, 4, 0.2, 12, 9, 9], dtype)
    want = np.array([9, 0.6, 0.1, 5 / 13, 0.8, 0.2, 12 / 13, 9, 9], dtype)
    np.testing.assert_allclose(run(model, {"weights": w, "limit": np.array(1, dtype)})["output"], want, rtol=1e-5)


def test_every_operation_that_is_no_leaf_is_run_here():
    covered = {name for row in TABLE for name in row.operations.split()} | {"ClipColumns"}
    assert {name for name, _ in house_operations()} <= covered | LEAVES
