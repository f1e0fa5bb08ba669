"""A run over batches equals the loop of runs, from whatever the rows lie in."""

import tracemalloc

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import sparse

import diaphane as dia

N = dia.Dim("N")


def training(dtype="float64"):
    """A step of momentum on a small network, with outputs by row and by step."""
    network = dia.nn.Network(
        dia.nn.Sequential([dia.nn.Dense(5, "tanh"), dia.nn.Dropout(0.2), dia.nn.Dense(2)]), (4,), dtype=dtype
    )
    x, y = dia.placeholder((N, 4), dtype, "x"), dia.placeholder((N, 2), dtype, "y")
    out = network.forward(x, training=True).output
    loss = dia.nn.mean_loss(dia.nn.losses.squared_error(out, y))
    slopes = dia.gradient(loss, network.parameters)
    updates = {p: p - 0.1 * g for p, g in zip(network.parameters, slopes, strict=True)}
    program = dia.Program({"loss": loss, "rows": out, "bias": network.parameters[-1]}, updates, loss=loss)
    return program, x, y


def loop(program, state, data, order, batch_size, seed, first_step):
    """What a run over batches means."""
    outputs = []
    for i, start in enumerate(range(0, len(order), batch_size)):
        rows = order[start : start + batch_size]
        feeds = {node: np.asarray(a[rows].todense() if sparse.issparse(a) else a[rows]) for node, a in data.items()}
        out, state = program.run(state, feeds, seed=seed, step=first_step + i)
        outputs.append(out)
    return outputs, state


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    n=st.integers(1, 30),
    batch_size=st.integers(1, 35),
    seed=st.integers(0, 2**31 - 1),
    first_step=st.integers(0, 1000),
    shuffled=st.booleans(),
)
def test_a_run_over_batches_is_the_loop_of_runs_bit_for_bit(n, batch_size, seed, first_step, shuffled):
    program, x, y = training()
    rng = np.random.default_rng(seed)
    data = {x: rng.normal(size=(n, 4)), y: rng.normal(size=(n, 2))}
    order = rng.integers(0, n, n) if shuffled else None
    start = program.initial_state(rng)
    outputs, state = program.run_batches(start, data, order, batch_size, seed=seed, first_step=first_step)
    want, last = loop(program, start, data, np.arange(n) if order is None else order, batch_size, seed, first_step)
    for node in program.variables:
        np.testing.assert_array_equal(state[node], last[node])
    np.testing.assert_array_equal(outputs["rows"], np.concatenate([o["rows"] for o in want]))
    np.testing.assert_array_equal(outputs["loss"], np.stack([o["loss"] for o in want]))
    np.testing.assert_array_equal(outputs["bias"], np.stack([o["bias"] for o in want]))
    assert outputs["rows"].shape == (n, 2)
    assert outputs["loss"].shape == (-(-n // batch_size),)


def test_rows_are_joined_in_the_order_of_the_run_and_the_last_batch_may_be_short():
    x = dia.placeholder((N, 1), "float64", "x")
    program = dia.Program([x * 10, dia.sum(x), dia.sum(x, 0)])
    rows = np.arange(5.0)[:, None]
    (each, sums, vectors), _ = program.run_batches(dia.initial_state([]), {x: rows}, np.array([4, 0, 3, 2, 1]), 2)
    np.testing.assert_array_equal(each.ravel(), [40, 0, 30, 20, 10])
    np.testing.assert_array_equal(sums, [4, 5, 1])
    assert vectors.shape == (3, 1)


def test_all_rows_are_one_batch_by_default():
    x = dia.placeholder((N,), "float64", "x")
    (sums,), _ = dia.Program([dia.sum(x)]).run_batches(dia.initial_state([]), {x: np.arange(5.0)})
    np.testing.assert_array_equal(sums, [10])


def test_no_rows_give_outputs_of_no_rows_and_no_steps():
    x = dia.placeholder((N, 3), "float64", "x")
    w = dia.variable(1.0, "w")
    program = dia.Program([x * w, dia.sum(x), dia.sum(x, 0)], {w: w + 1})
    (rows, sums, vectors), state = program.run_batches(program.initial_state(), {x: np.empty((0, 3))}, batch_size=4)
    assert (rows.shape, sums.shape, vectors.shape, float(state[w])) == ((0, 3), (0,), (0, 3), 1)


def test_a_feed_may_stay_the_same_at_each_step():
    x, scale = dia.placeholder((N,), "float64", "x"), dia.placeholder((), "float64", "scale")
    out, _ = dia.Program(x * scale).run_batches(
        dia.initial_state([]), {x: np.arange(5.0)}, batch_size=2, feeds={scale: 3.0}
    )
    np.testing.assert_array_equal(out, 3 * np.arange(5.0))


SOURCES = {
    "float64": lambda a, folder: a,
    "float32": lambda a, folder: a.astype("float32"),
    "float16": lambda a, folder: a.astype("float16"),
    "bytes": lambda a, folder: (10 * np.abs(a)).astype("uint8"),
    "int64": lambda a, folder: (10 * a).astype("int64"),
    "bool": lambda a, folder: a > 0,
    "fortran": lambda a, folder: np.asfortranarray(a),
    "columns of a wider array": lambda a, folder: np.hstack([a, a])[:, 2:6],
    "every other row": lambda a, folder: np.repeat(a, 2, 0)[::2],
    "backwards": lambda a, folder: a[::-1],
    "big-endian": lambda a, folder: a.astype(">f8"),
    "read-only": lambda a, folder: np.frombuffer(a.tobytes()).reshape(a.shape),
    "csr matrix": lambda a, folder: sparse.csr_matrix(a * (a > 0)),
    "csr array": lambda a, folder: sparse.csr_array((a * (a > 0)).astype("float32")),
    "memory map": lambda a, folder: mapped(a, folder),
}


def mapped(a, folder):
    np.save(folder / "rows.npy", a)
    return np.load(folder / "rows.npy", mmap_mode="r")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", SOURCES)
def test_rows_are_gathered_and_cast_from_whatever_they_lie_in(kind, dtype, tmp_path):
    program, x, y = training(dtype)
    rng = np.random.default_rng(0)
    source = SOURCES[kind](rng.normal(size=(23, 4)), tmp_path)
    target = rng.normal(size=(23, 2)).astype(dtype)
    dense = np.asarray(source.toarray() if sparse.issparse(source) else source).astype(dtype)
    order, start = rng.permutation(23)[:20], program.initial_state(rng)
    got, state = program.run_batches(start, {x: source, y: target}, order, 6, seed=1)
    want, last = program.run_batches(start, {x: dense, y: target}, order, 6, seed=1)
    for name in want:
        np.testing.assert_array_equal(got[name], want[name])
        assert got[name].dtype == np.dtype(dtype)
        assert type(got[name]) is np.ndarray
    for node in program.variables:
        np.testing.assert_array_equal(state[node], last[node])
        assert type(state[node]) is np.ndarray


LARGE = ["float64", "float32", "bytes", "fortran", "columns of a wider array", "every other row", "big-endian",
         "csr matrix", "memory map"]  # fmt: skip


@pytest.mark.parametrize("kind", LARGE)
def test_a_source_is_never_copied_or_read_whole(kind, tmp_path):
    x = dia.placeholder((N, 4), "float32", "x")
    program = dia.Program(dia.sum(x))
    source = SOURCES[kind](np.random.default_rng(0).normal(size=(100_000, 4)), tmp_path)
    order = np.random.default_rng(1).integers(0, 100_000, 200)
    program.run_batches(dia.initial_state([]), {x: source}, order[:40], 20)
    tracemalloc.start()
    try:
        program.run_batches(dia.initial_state([]), {x: source}, order, 20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000


class Ledger:
    """Rows on request, of which it keeps the account; no array."""

    def __init__(self, rows):
        self.rows, self.shape, self.dtype, self.asked = rows, rows.shape, rows.dtype, []

    def __getitem__(self, picked):
        self.asked.append(np.arange(len(self.rows))[picked])
        return self.rows[picked]

    def __array__(self, *args, **kwargs):
        raise AssertionError("the whole source was asked for")


def test_each_batch_asks_the_source_for_its_own_rows_only():
    x = dia.placeholder((N, 2), "float64", "x")
    source, order = Ledger(np.arange(20.0).reshape(10, 2)), np.array([7, 3, 3, 0, 9])
    out, _ = dia.Program(x * 1.0).run_batches(dia.initial_state([]), {x: source}, order, 2)
    np.testing.assert_array_equal(out, source.rows[order])
    assert [list(rows) for rows in source.asked] == [[7, 3], [3, 0], [9]]


def test_data_of_different_lengths_are_refused_by_name():
    program, x, y = training()
    with pytest.raises(ValueError, match="x has 5, y has 4"):
        program.run_batches(program.initial_state(), {x: np.ones((5, 4)), y: np.ones((4, 2))})


@pytest.mark.parametrize("batch_size", [0, -3])
def test_a_batch_has_at_least_one_row(batch_size):
    program, x, y = training()
    with pytest.raises(ValueError, match=f"batch_size.*{batch_size}"):
        program.run_batches(program.initial_state(), {x: np.ones((5, 4)), y: np.ones((5, 2))}, None, batch_size)


def test_no_data_at_all_are_refused():
    program, *_ = training()
    with pytest.raises(ValueError, match="data"):
        program.run_batches(program.initial_state(), {})


def test_a_row_that_is_not_there_is_refused():
    program, x, y = training()
    with pytest.raises(IndexError, match="9"):
        program.run_batches(program.initial_state(), {x: np.ones((5, 4)), y: np.ones((5, 2))}, np.array([0, 9]))


@pytest.mark.parametrize("engine", ["reference", "native"])
@pytest.mark.parametrize(
    ("data", "order", "error", "message"),
    [
        (np.ones((4, 5)), None, dia.ShapeError, r"x has shape \(N, 3\), got rows of an array \(4, 5\)"),
        (np.ones((4, 2)), None, dia.ShapeError, r"x has shape \(N, 3\)"),
        (np.ones(4), None, dia.ShapeError, r"x has shape \(N, 3\)"),
        (np.ones((4, 3)), [0, 10**9], IndexError, "the row 1000000000 is outside 0 … 3"),
        (np.ones((4, 3)), [0, -1], IndexError, "the row -1 is outside 0 … 3"),
        (np.ones((4, 3)), [0.0, 1.0], dia.FeedError, "order is a row of whole numbers"),
        ([[1.0, 2.0, 3.0]], None, dia.FeedError, "x takes rows of data as an array, got list"),
    ],
)
def test_data_and_order_that_do_not_fit_are_refused_on_each_engine(engine, data, order, error, message):
    x = dia.placeholder((dia.Dim("N"), 3), "float64", "x")
    program = dia.Program(dia.sum(x, axis=1), engine=engine)
    with pytest.raises(error, match=message):
        program.run_batches(dia.State({}), {x: data}, order)


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_a_state_is_cast_or_refused_before_it_runs(engine):
    w = dia.variable(np.zeros(3), "w")
    program = dia.Program(w * 2, engine=engine)
    outputs, _ = program.run(dia.State({w: np.ones(3, "float32")}))
    np.testing.assert_array_equal(outputs, [2.0, 2.0, 2.0])
    with pytest.raises(dia.ShapeError, match=r"w has shape \(3,\), got an array of shape \(2,\)"):
        program.run(dia.State({w: np.ones(2)}))


def test_a_loss_of_several_numbers_is_refused():
    w = dia.variable([1.0, 2.0], "w")
    with pytest.raises(dia.ShapeError, match=r"the loss is one number, v has shape \(2,\)"):
        dia.Program(w, {w: w}, loss=dia.log(w).named("v"))
