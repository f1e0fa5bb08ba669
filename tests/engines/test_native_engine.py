"""The native engine trains as the reference engine does, and keeps its contracts."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

import diaphane as dia
from diaphane.engines.native import cache
from diaphane.engines.native.kernels import kernel_source
from diaphane.nn import BatchNorm, Dense, Dropout, Network, Sequential
from diaphane.training import DivergenceError, Trainer

pytest.importorskip("numba")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 6))
LABELS = RNG.integers(0, 3, 70)
LAYERS = Sequential([Dense(9, "tanh"), BatchNorm(), Dropout(0.3), Dense(7, "relu"), Dense(3)])


def fitted(engine: str, x: object, dtype: str = "float64", rule: object = "adam", **settings: object):
    network = Network(LAYERS, (6,), dtype=dtype)
    trainer = Trainer(
        network, "categorical_cross_entropy", rule, batch_size=16, epochs=4, random_state=1, engine=engine, **settings
    )
    result = trainer.fit(x, LABELS)
    return [result.state[v] for v in network.variables], result.history


@pytest.mark.parametrize(
    "rule", ["sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "adam", "amsgrad", "adamw"]
)
def test_a_whole_training_ends_where_the_reference_engine_ends(rule):
    want, history = fitted("reference", X, rule=rule)
    got, other = fitted("native", X, rule=rule)
    np.testing.assert_allclose(other["loss"], history["loss"], rtol=1e-10)
    for w, g in zip(want, got, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-8, atol=1e-10)


def test_float32_differs_by_rounding_only():
    want, _ = fitted("reference", X, "float64")
    got, _ = fitted("native", X, "float32")
    for w, g in zip(want, got, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "change",
    [np.asfortranarray, lambda a: np.repeat(a, 2, axis=0)[::2], lambda a: np.hstack([a, a])[:, :6]],
    ids=["columns first", "every second row", "some columns"],
)
def test_data_are_read_where_they_lie(change):
    want, _ = fitted("native", X)
    got, _ = fitted("native", change(X))
    for w, g in zip(want, got, strict=True):
        np.testing.assert_array_equal(g, w)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float32", "bool"])
def test_data_of_other_types_are_cast_batch_by_batch(dtype):
    x = RNG.integers(0, 2 if dtype == "bool" else 5, (70, 6)).astype(dtype)
    want, _ = fitted("reference", x)
    got, _ = fitted("native", x)
    for w, g in zip(want, got, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-8, atol=1e-10)


def test_sparse_rows_train_as_dense_ones():
    import scipy.sparse

    want, _ = fitted("native", X)
    got, _ = fitted("native", scipy.sparse.csr_matrix(X))
    for w, g in zip(want, got, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-10, atol=1e-12)


def test_updates_are_two_phase():
    a, b = dia.variable([1.0, 2.0], "a"), dia.variable([3.0, 4.0], "b")
    program = dia.Program([a + b], {a: b, b: a + b}, engine="native")
    _, state = program.run(program.initial_state())
    assert (state[a].tolist(), state[b].tolist()) == ([3.0, 4.0], [4.0, 6.0])
    _, state = program.run(state)
    assert (state[a].tolist(), state[b].tolist()) == ([4.0, 6.0], [7.0, 10.0])


def test_the_state_given_is_not_written_to():
    w = dia.variable([1.0, 2.0], "w")
    program = dia.Program([w], {w: w * 2}, engine="native")
    state = program.initial_state()
    outputs, after = program.run(state)
    assert (outputs[0].tolist(), state[w].tolist(), after[w].tolist()) == ([1.0, 2.0], [1.0, 2.0], [2.0, 4.0])


def test_at_nan_the_state_is_the_last_good_one_and_the_node_is_named():
    w = dia.variable(4.0, "w")
    x = dia.placeholder((dia.Dim("N"),), "float64", "x")
    loss = dia.sum(dia.log(w) * x).named("loss")
    program = dia.Program(loss, {w: w - 1.5}, loss=loss, engine="native")
    with pytest.raises(dia.NonFiniteError, match=r"'log\(w\)'") as caught:
        program.run_batches(program.initial_state(), {x: np.ones(5)}, batch_size=1)
    assert caught.value.step == 3
    assert float(caught.value.state[w]) == -0.5


def test_a_training_that_diverges_keeps_finite_parameters():
    network = Network(Sequential([Dense(5, "relu"), Dense(3)]), (6,), dtype="float64")
    trainer = Trainer(network, "squared_error", dia.optim.SGD(1e3), epochs=50, random_state=0, engine="native")
    with pytest.raises(DivergenceError) as caught:
        trainer.fit(X * 100, np.eye(3)[LABELS])
    assert all(np.isfinite(caught.value.result.state[p]).all() for p in network.parameters)


def test_an_index_without_a_class_is_an_error():
    network = Network(Dense(3), (6,))
    with pytest.raises(IndexError, match="outside"):
        Trainer(network, "categorical_cross_entropy", engine="native").fit(X, LABELS + 1)


def test_an_operation_of_the_users_runs_by_calling_python():
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Cumulated(dia.Operation):
        def shape(self, *inputs):
            return inputs[0].shape

        def compute(self, backend, *arrays):
            return backend.xp.cumsum(arrays[0], axis=-1)

    x = dia.placeholder((dia.Dim("N"), 3), "float64", "x")
    y = dia.apply(Cumulated(), x * 2) + 1
    rows = np.arange(6.0).reshape(2, 3)
    outputs, _ = dia.Program(y, engine="native").run(feeds={x: rows})
    np.testing.assert_array_equal(outputs, np.cumsum(rows * 2, axis=1) + 1)


def test_an_error_in_python_comes_out_as_it_is():
    x = dia.placeholder((3,), "float64", "x")
    program = dia.Program(dia.take(x, [7]), engine="native")
    with pytest.raises(IndexError, match="7 is outside 0 … 2"):
        program.run(feeds={x: [1.0, 2.0, 3.0]})


def test_several_threads_share_one_program():
    w = dia.variable(RNG.normal(size=(6, 6)), "w")
    x = dia.placeholder((dia.Dim("N"), 6), "float64", "x")
    program = dia.Program(dia.sum(dia.tanh(x @ w), axis=1), engine="native")
    state = program.initial_state()
    pieces = [X[i : i + 20] for i in range(0, 50, 5)] * 3
    want = [program.run(state, {x: piece})[0] for piece in pieces]
    got: list = [None] * len(pieces)

    def work(k: int) -> None:
        for i in range(k, len(pieces), 3):
            got[i] = program.run(state, {x: pieces[i]})[0]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for w_, g in zip(want, got, strict=True):
        np.testing.assert_array_equal(g, w_)


def test_buffers_share_the_arena():
    x = dia.placeholder((dia.Dim("N"), 50), "float64", "x")
    y = x
    for i in range(8):
        y = dia.softmax(y * (i + 1.0))
    program = dia.Program(y, engine="native")
    table = program._executable.table({"N": 40}, {})
    assert table.arena <= table.naive / 3


SCRIPT = """
import numpy as np, diaphane as dia
w = dia.variable(np.arange(6.0).reshape(3, 2), "w")
loss = dia.mean(dia.tanh(w) ** 2)
program = dia.Program(loss, {w: w - dia.gradient(loss, [w])[0]}, engine="native")
state = program.initial_state()
for _ in range(3):
    value, state = program.run(state)
import sys
print(float(value), "numba" in sys.modules)
"""


def run_script(cache: Path) -> str:
    environment = {**os.environ, "DIAPHANE_CACHE": str(cache)}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_kernels_are_kept_on_disk_and_found_by_the_next_process(tmp_path):
    first = run_script(tmp_path)
    kept = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.kernel")}
    assert kept
    # The next process loads no compiler.
    assert run_script(tmp_path) == first.replace("True", "False") != first
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.kernel")} == kept


def test_two_processes_may_start_at_once(tmp_path):
    environment = {**os.environ, "DIAPHANE_CACHE": str(tmp_path)}
    both = [
        subprocess.Popen([sys.executable, "-c", SCRIPT], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert outputs[0].split()[0] == outputs[1].split()[0] != ""


def test_a_folder_that_cannot_be_written_gives_one_warning_and_the_same_numbers(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    environment = {**os.environ, "DIAPHANE_CACHE": str(blocked / "kernels")}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == run_script(tmp_path / "own").split()[0]
    assert done.stderr.count("CacheWarning") == 1
    assert str(blocked) in done.stderr
    assert "set DIAPHANE_CACHE to a folder that can be written" in done.stderr


def test_a_full_disk_gives_a_warning_and_a_kernel_all_the_same(monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache, "_write", full)
    monkeypatch.setattr(cache, "_WARNED", [])
    with pytest.warns(cache.CacheWarning, match="No space left on device") as caught:
        kernels = [cache.generated_kernel(kernel_source("fill") + f"# {uuid4()}\n") for _ in range(2)]
    assert len(caught) == 1
    assert all(kernel.address for kernel in kernels)


def test_after_a_second_of_compiling_a_word_is_said_once(caplog):
    compiling = cache._Compiling()
    for _ in range(4):
        compiling.add(0.6)
    [said] = caplog.messages
    assert "compiling kernels for this machine" in said
    assert "diaphane warmup" in said


def test_a_damaged_kernel_is_compiled_anew(tmp_path):
    first = run_script(tmp_path)
    kept = list(tmp_path.rglob("*.kernel"))
    for i, path in enumerate(kept):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2] if i % 2 else content[:-1] + bytes([content[-1] ^ 1]))
    assert run_script(tmp_path) == first
    assert run_script(tmp_path).split()[0] == first.split()[0]


def test_blas_has_its_threads_back_after_runs_from_several_threads():
    from threadpoolctl import ThreadpoolController

    def threads() -> list[int]:
        found = ThreadpoolController().select(user_api="blas").lib_controllers
        return [library.num_threads for library in found]

    w = dia.variable(RNG.normal(size=(60, 60)), "w")
    x = dia.placeholder((dia.Dim("N"), 60), "float64", "x")
    program = dia.Program(dia.sum(x @ w, axis=1), engine="native")
    state, rows = program.initial_state(), RNG.normal(size=(200, 60))
    program.run(state, {x: rows})
    before = threads()
    workers = [threading.Thread(target=lambda: [program.run(state, {x: rows}) for _ in range(20)]) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert threads() == before


def test_masks_are_those_of_the_reference_engine_bit_for_bit():
    x = dia.placeholder((dia.Dim("N"), 7), "float64", "x")
    mask = dia.where(dia.bernoulli(0.3, x.shape, stream=5), x, 0)
    rows = np.arange(1.0, 92.0).reshape(13, 7)
    want, got = (
        dia.Program(mask, engine=name).run_batches(dia.State({}), {x: rows}, batch_size=4, seed=9, first_step=3)[0]
        for name in ("reference", "native")
    )
    np.testing.assert_array_equal(got, want)
    assert 0 < np.mean(got == 0) < 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["exp", "tanh", "sigmoid"])
def test_vectorised_functions_are_as_exact_as_numpys_and_right_at_the_edges(name, dtype):
    x = np.concatenate([RNG.normal(size=4000) * 6, RNG.uniform(-1, 1, 2000), RNG.uniform(-80, 80, 2000)]).astype(dtype)
    edges = np.array([np.nan, np.inf, -np.inf, 0.0, 1000.0, -1000.0, 88.5, 709.7, -709.0, 1e-30], dtype)
    node = dia.placeholder((dia.Dim("N"),), dtype, "x")
    program = dia.Program(getattr(dia, name)(node), engine="native")
    wide = x.astype("longdouble")
    with np.errstate(all="ignore"):
        truth = {"exp": np.exp, "tanh": np.tanh, "sigmoid": lambda a: 1 / (1 + np.exp(-a))}[name]
        got, _ = program.run(feeds={node: x})
        assert np.max(np.abs(got - truth(wide)) / np.abs(truth(wide))) < 4 * np.finfo(dtype).eps
        got, _ = program.run(feeds={node: edges})
        want = truth(edges)
    smallest = np.finfo(dtype).tiny * 4
    np.testing.assert_allclose(got, want, rtol=8 * np.finfo(dtype).eps, atol=smallest)


STEPS = [slice(None, None, -1), slice(4, 0, -2), slice(None, None, 2), slice(1, None)]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_slices_of_any_step_are_those_of_the_reference_engine(step):
    v = dia.variable(np.arange(5.0), "v")
    w = dia.variable(np.arange(25.0).reshape(5, 5), "w")
    outputs = [v[step], dia.concat([v[step], v]), w[step] @ w.T[:, step], dia.maximum(v, dia.sum(v[step]))]
    outputs += dia.gradient(dia.sum(dia.sin(v[step])), [v])
    want, got = (dia.Program(outputs, engine=name).run()[0] for name in ("reference", "native"))
    for a, b in zip(want, got, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-13)


@pytest.mark.parametrize(
    "updates",
    [
        lambda a, b: {a: a - 0.1 * (a + a.T)},
        lambda a, b: {a: a - a[:, ::-1], b: b * 2.0},
        lambda a, b: {a: b.T, b: b * 2.0},
        lambda a, b: {a: dia.reshape(b, (3, 3)) + 0.0, b: b * 2.0 + a[0]},
        lambda a, b: {a: a * 2.0, b: dia.tanh(a.T @ b)},
    ],
)
def test_updates_that_read_views_are_two_phase(updates):
    a, b = dia.variable(RNG.normal(size=(3, 3)), "a"), dia.variable(RNG.normal(size=(3, 3)), "b")
    want, got = (dia.Program([a.T], updates(a, b), engine=name) for name in ("reference", "native"))
    states = [p.initial_state() for p in (want, got)]
    for _ in range(3):
        (one, states[0]), (other, states[1]) = (p.run(s) for p, s in zip((want, got), states, strict=True))
        np.testing.assert_allclose(other[0], one[0], rtol=1e-12)
    for v in want.variables:
        np.testing.assert_allclose(states[1][v], states[0][v], rtol=1e-12)


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "uint32", "uint64"])
def test_labels_of_any_integer_type_train(dtype):
    network = Network(Dense(3), (6,), dtype="float64")
    losses = [
        Trainer(network, "categorical_cross_entropy", epochs=2, random_state=0, engine=name)
        .fit(X, LABELS.astype(dtype))
        .history["loss"]
        for name in ("reference", "native")
    ]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-12)


def test_whole_numbers_and_special_values_are_those_of_the_reference_engine():
    x = dia.constant([np.nan, np.inf, -np.inf, -0.0, 1.5, -1.5])
    i = dia.constant([2**62 + 1, -(2**62) - 1, 0])
    outputs = [dia.floor(x), dia.abs(x), dia.sign(x), dia.abs(i), i + 1]
    want, got = (dia.Program(outputs, engine=name).run()[0] for name in ("reference", "native"))
    for a, b in zip(want, got, strict=True):
        np.testing.assert_array_equal(b, a)


INTERRUPTED = """
import os, signal, threading, time, numpy as np, diaphane as dia
from dataclasses import dataclass
from diaphane.graph import Operation, apply
@dataclass(frozen=True)
class Slow(Operation):
    def shape(self, *inputs): return ()
    def compute(self, backend, *arrays): return np.prod(arrays[0])
x = dia.placeholder((dia.Dim("N"), 4), "float64", "x")
y = apply(Slow(), x)
program = dia.Program(y, engine="native")
data = np.ones((200_000, 4))
program.run_batches(dia.State({}), {x: data[:10]}, batch_size=2)
threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    program.run_batches(dia.State({}), {x: data}, batch_size=1)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise")
def test_an_interrupt_while_python_is_called_is_not_lost():
    done = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout.strip() == "interrupted", done.stderr
