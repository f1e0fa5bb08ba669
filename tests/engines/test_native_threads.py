"""Threads and processes: the same bits for the same number of shares, whoever does them, wherever they run."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pytest
from engines.beside_reference import all_cut, assert_same_numbers
from threadpoolctl import ThreadpoolController

import diaphane as dia
from diaphane.engines import NativeEngine
from diaphane.engines.native import running
from diaphane.engines.native import threads as native_threads
from diaphane.engines.native.threads import _apart, _core, available_cores, cores, pool
from diaphane.nn import BatchNorm, Dense, Dropout, Network, Sequential

pytest.importorskip("numba")

N = dia.Dim("N")
ROWS = np.random.default_rng(0).normal(size=(70, 6)).astype("float32")
LONG_ENOUGH = 60.0
"""Seconds after which something hangs."""

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


class Training:
    """A training with products, sums over the batch, masks and a loop over the rows."""

    def __init__(self, engine: Any) -> None:
        layers = Sequential([Dense(33, "relu"), BatchNorm(), Dropout(0.3), Dense(17, "tanh"), Dense(3)])
        network = Network(layers, (6,), dtype="float32")
        self.x = dia.placeholder((N, 6), "float32", "x")
        forward = network.forward(self.x, training=True)
        last, steps = dia.scan(lambda c, row: (dia.tanh(c + row), c * row), forward.output[0], forward.output)
        loss = dia.logsumexp(forward.output) + dia.sum(last) + dia.mean(dia.square(steps))
        updates = dict(forward.updates)
        for parameter, slope in zip(network.parameters, dia.gradient(loss, network.parameters), strict=True):
            updates |= dia.optim.Adam(0.01).updates(parameter, slope).next_values
        self.program = dia.Program([loss, forward.output], updates, loss=loss, engine=engine)

    def __call__(self, seed: int = 0, batch: int = 32) -> list[np.ndarray]:
        start = self.program.initial_state(np.random.default_rng(seed))
        outputs, state = self.program.run_batches(start, {self.x: ROWS}, batch_size=batch, seed=seed)
        return [*outputs, *(state[v] for v in self.program.variables)]


def training(threads: int) -> Training:
    """One that has run, with every instruction cut."""
    with all_cut():
        made = Training(NativeEngine(threads))
        made()
    return made


def assert_same_bits(got: list[np.ndarray], want: list[np.ndarray]) -> None:
    for g, w in zip(got, want, strict=True):
        np.testing.assert_array_equal(g, w)


def in_time(work: Callable[[], Any]) -> Any:
    """What some work gives, which must not take for ever."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(LONG_ENOUGH)
    assert found, "it hangs, or has failed"
    return found[0]


# The same bits.


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_same_number_of_threads_gives_the_same_bits_each_time(threads):
    train = training(threads)
    first = train()
    for _ in range(20):
        assert_same_bits(train(), first)
    # The plan of another program of the same graph is another one in memory, and the bits are the same.
    assert_same_bits(training(threads)(), first)


@pytest.mark.parametrize("threads", [2, 3])
def test_who_does_the_shares_does_not_matter(threads):
    train = training(threads)
    alone = train()
    with cores.taken(available_cores() - 1 or 1), cores.taken(2):
        assert_same_bits(train(), alone)


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_any_number_of_threads_gives_the_reference_engines_numbers(threads):
    want = Training("reference")()
    for got, other in zip(in_time(training(threads)), want, strict=True):
        assert_same_numbers(got.astype("float64"), other.astype("float64"), "training", tolerance=2e-4)


def test_one_thread_goes_on_with_the_same_bits_where_several_take_longer(monkeypatch):
    train = training(2)
    monkeypatch.setattr(native_threads, "ALONE", 3600.0)
    want = train()
    tables = list(train.program._executable._tables.values())
    submitted = []
    monkeypatch.setattr(running.pool, "submit", lambda *a, submit=pool.submit: submitted.append(1) or submit(*a))
    for table in tables:
        table.pace.note(threads=2, seconds=1.0, alone=0.1)
    assert_same_bits(train(), want)
    assert not submitted
    for table in tables:
        table.pace.note(threads=1, seconds=3600.0, alone=3600.0)
    assert_same_bits(train(), want)
    assert submitted


def test_a_thread_that_is_slow_to_wake_is_no_reason_to_go_on_alone():
    pace = native_threads.Pace()
    pace.note(threads=2, seconds=0.002, alone=0.001)
    assert not pace.is_alone


def test_more_threads_than_cores_do_not_hang():
    train = training(available_cores() + 1)
    want = train(batch=8)
    for got in in_time(lambda: [train(batch=8) for _ in range(10)]):
        assert_same_bits(got, want)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_that_run_one_program_from_different_states_get_what_each_would_alone(threads):
    train = training(threads)
    alone = [train(seed) for seed in range(12)]
    with ThreadPoolExecutor(4) as several:
        together = in_time(lambda: list(several.map(train, range(12))))
    for got, want in zip(together, alone, strict=True):
        assert_same_bits(got, want)


def test_a_program_of_several_bindings_may_be_run_by_threads_before_it_was_planned():
    batches = [32, 16, 8, 70, 7, 1]
    with all_cut():
        want = [training(2)(batch=batch) for batch in batches]
        train = Training(NativeEngine(2))
        with ThreadPoolExecutor(4) as several:
            got = in_time(lambda: list(several.map(lambda batch: train(batch=batch), batches)))
    for one, other in zip(got, want, strict=True):
        assert_same_bits(one, other)


# What BLAS does meanwhile, and that all is left as it was.


def blas_threads() -> list[int]:
    return [library.num_threads for library in ThreadpoolController().select(user_api="blas").lib_controllers]


def test_blas_has_its_threads_back_after_a_run_and_after_one_that_fails():
    x = dia.placeholder((N, 80), "float64", "x")
    w = dia.variable(np.ones((80, 80)), "w")
    product = x @ w
    program = dia.Program(dia.sum(product), {w: w}, loss=dia.log(dia.sum(product)), engine=NativeEngine(2))
    taken = dia.Program(dia.take(product, dia.astype(x[:, 0], "int64")), engine=NativeEngine(2))
    rows = np.ones((200, 80))
    with all_cut():
        program.run(None, {x: rows})
        before = blas_threads()
        program.run(None, {x: rows})
        with pytest.raises(dia.NonFiniteError):
            program.run(None, {x: -rows})
        with pytest.raises(IndexError):
            taken.run(None, {x: rows * 1000})
    assert blas_threads() == before


@dataclass(frozen=True)
class Looking(dia.Operation, abstract=True):
    """Nothing; how many threads BLAS has when it is computed."""

    def shape(self, *inputs: dia.Node) -> Any:
        return ()

    def compute(self, backend: Any, *arrays: Any) -> Any:
        SEEN.append(blas_threads())
        return np.zeros(())


SEEN: list[list[int]] = []


@pytest.mark.parametrize("several", [1, 3])
def test_blas_has_one_thread_inside_of_a_run_whichever_thread_it_is_run_from(several):
    x = dia.placeholder((N, 80), "float64", "x")
    product = x @ np.ones((80, 80))
    program = dia.Program(dia.sum(product) + dia.apply(Looking(), product), engine=NativeEngine(2))
    rows = np.ones((200, 80))
    program.run(None, {x: rows})
    before = blas_threads()
    SEEN.clear()
    with ThreadPoolExecutor(several) as threads:
        in_time(lambda: list(threads.map(lambda k: program.run(None, {x: rows}), range(4 * several))))
    assert {count for counts in SEEN for count in counts} == {1}
    assert blas_threads() == before


OVERLAPPING = """
import threading, numpy as np, scipy.linalg, diaphane as dia
from dataclasses import dataclass
from threadpoolctl import ThreadpoolController

def blas_threads():
    return [library.num_threads for library in ThreadpoolController().select(user_api="blas").lib_controllers]

inside, go_on, done = threading.Event(), threading.Event(), threading.Event()

@dataclass(frozen=True)
class Waiting(dia.Operation, abstract=True):
    def shape(self, *inputs):
        return ()
    def compute(self, backend, *arrays):
        if threading.current_thread() is not threading.main_thread():
            inside.set()
            go_on.wait(60)
        else:
            go_on.set()
            done.wait(60)
        return np.zeros(())

x = dia.placeholder((dia.Dim("N"), 80), "float64", "x")
product = x @ np.ones((80, 80))
program = dia.Program(dia.sum(product) + dia.apply(Waiting(), product), engine="native")
rows, before, stay = np.ones((200, 80)), blas_threads(), threading.Event()

def first():
    program.run(None, {x: rows})
    done.set()
    stay.wait(60)

thread = threading.Thread(target=first)
thread.start()
inside.wait(60)
program.run(None, {x: rows})
print(before == blas_threads(), before, blas_threads())
stay.set()
thread.join()
"""


def test_blas_has_its_threads_back_where_another_thread_began_and_this_one_ends():
    """One run begins before another and ends before it: whoever comes last gives back what the first has taken."""
    done = subprocess.run(
        [sys.executable, "-c", OVERLAPPING], capture_output=True, text=True, check=False, timeout=LONG_ENOUGH
    )
    assert done.stdout.startswith("True"), done.stdout + done.stderr


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not say which core a thread is on")
def test_a_woken_thread_goes_to_another_core_and_may_go_anywhere_afterwards():
    before = os.sched_getaffinity(0)
    core = _core()
    where, allowed = _apart(core, lambda: (_core(), os.sched_getaffinity(0)))
    assert allowed == os.sched_getaffinity(0) == before
    assert where in before
    assert where != core or len(before) == 1
    # On a core that is nobody's, or not known, nothing is to be done.
    for core in (-1, max(before) + 1):
        assert _apart(core, lambda a, b: a + b, 1, 2) == 3


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system does not say which core a thread is on")
def test_a_thread_that_has_one_core_stays_there():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert _apart(_core(), os.sched_getaffinity, 0) == {min(before)}
    finally:
        os.sched_setaffinity(0, before)


def test_no_core_stays_taken_after_a_run_that_fails():
    x = dia.placeholder((N, 4), "float64", "x")
    with all_cut():
        program = dia.Program(dia.take(x, dia.astype(x[:, 0], "int64")), engine=NativeEngine(2))
        for _ in range(3):
            with pytest.raises(IndexError):
                program.run(None, {x: np.full((20, 4), 99.0)})
    with cores.taken(available_cores()) as count:
        assert count == available_cores()


# Other processes.


def exit_code(work: Callable[[], bool]) -> int:
    """That of a forked child which does some work: 0 where it is as it should be; it is ended where it hangs."""
    with warnings.catch_warnings():
        # Newer Pythons warn of any fork where there are threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    waited = time.monotonic() + LONG_ENOUGH
    ended, status = os.waitpid(child, os.WNOHANG)
    while not ended:
        if time.monotonic() > waited:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.005)
        ended, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status)


def same(got: list[np.ndarray], want: list[np.ndarray]) -> bool:
    return all(np.array_equal(g, w) for g, w in zip(got, want, strict=True))


@needs_fork
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_program_runs_on_in_a_forked_child_and_in_its_parent(threads):
    train = training(threads)
    want = train()
    assert exit_code(lambda: same(train(), want)) == 0
    assert_same_bits(train(), want)
    # A plan of its own, made after the fork, and a child of the child.
    assert exit_code(lambda: same(training(threads)(), want)) == 0
    assert exit_code(lambda: exit_code(lambda: same(train(), want)) == 0) == 0
    assert_same_bits(train(), want)


@needs_fork
def test_a_forked_worker_of_multiprocessing_trains():
    train = training(2)
    want = train()
    context = multiprocessing.get_context("fork")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        process = context.Process(target=lambda: sys.exit(0 if same(train(), want) else 2))
        process.start()
    process.join(LONG_ENOUGH)
    assert process.exitcode == 0
    assert_same_bits(train(), want)


@needs_fork
def test_a_child_that_is_forked_while_others_run_is_not_held_up():
    train = training(2)
    want = train()
    done = threading.Event()

    def busy() -> None:
        while not done.is_set():
            train()

    workers = [threading.Thread(target=busy) for _ in range(2)]
    for worker in workers:
        worker.start()
    try:
        for _ in range(5):
            assert exit_code(lambda: same(train(), want)) == 0
    finally:
        done.set()
        for worker in workers:
            worker.join()


@needs_fork
def test_a_child_that_is_forked_while_another_thread_multiplies_has_its_blas_threads():
    x = dia.placeholder((N, 200), "float64", "x")
    program = dia.Program(dia.sum(x @ np.ones((200, 200))), engine=NativeEngine(1))
    rows, state = np.ones((400, 200)), program.initial_state()
    want, _ = program.run(state, {x: rows})
    before, done = blas_threads(), threading.Event()

    def busy() -> None:
        while not done.is_set():
            program.run(state, {x: rows})

    def child() -> bool:
        found, _ = program.run(state, {x: rows})
        return np.array_equal(found, want) and blas_threads() == before

    worker = threading.Thread(target=busy)
    worker.start()
    try:
        assert [exit_code(child) for _ in range(8)] == [0] * 8
    finally:
        done.set()
        worker.join()


def test_a_daemonic_worker_takes_one_core():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(available_cores) == 1


def test_a_worker_of_joblib_takes_the_cores_that_it_is_left():
    with joblib.Parallel(n_jobs=2, backend="loky") as parallel:
        counts = parallel(joblib.delayed(available_cores)() for _ in range(4))
        limits = parallel(joblib.delayed(os.getenv)("OMP_NUM_THREADS") for _ in range(4))
    assert counts == [max(1, joblib.cpu_count() // 2)] * 4
    assert counts == [int(limit) for limit in limits]


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"])
def test_the_environment_says_how_many_cores_there_are(name, monkeypatch):
    before = available_cores()
    monkeypatch.setenv(name, "1")
    assert available_cores() == 1
    for other in ("0", "many", "", str(before + 5)):
        monkeypatch.setenv(name, other)
        assert available_cores() == before


# What is refused.


@pytest.mark.parametrize("threads", [0, -2, "2", 1.5, [2]])
def test_a_number_of_threads_that_is_none_is_refused(threads):
    with pytest.raises(ValueError, match=r"n_threads must be a whole number of at least 1, or None, got ") as caught:
        NativeEngine(n_threads=threads)
    assert repr(threads) in str(caught.value)
