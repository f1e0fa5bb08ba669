"""Between the first batch of an epoch and the last no Python runs, but for an operation that has no kernel."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np
import pytest
from engines.beside_reference import all_cut, one_table

import diaphane as dia
from diaphane.engines import NativeEngine
from diaphane.engines.native import running
from diaphane.engines.native.run import compiled_run
from diaphane.engines.native.threads import Pool, available_cores
from diaphane.nn import BatchNorm, Dense, Dropout, Network, Sequential

pytest.importorskip("numba")

BATCHES, BATCH = 50, 8
ROWS = np.random.default_rng(0).normal(size=(BATCHES * BATCH, 6))
LABELS = np.random.default_rng(1).integers(0, 3, len(ROWS))


class Watcher:
    """Calls of Python functions while this thread or another is inside of the compiled loop."""

    def __init__(self) -> None:
        self.inside, self.loops = threading.local(), 0
        self.threads: set[int] = set()
        self.called: list[str] = []

    def loop(self) -> Callable[..., int]:
        """In place of the compiled loop: itself, with a mark before and after."""
        compiled = compiled_run()

        def marked(*arguments: int) -> int:
            self.threads.add(threading.get_ident())
            self.loops += 1
            self.inside.now = True
            done: int = compiled(*arguments)
            self.inside.now = False
            return done

        return marked

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event in ("call", "c_call") and getattr(self.inside, "now", False):
            self.called.append(getattr(argument, "__name__", None) or frame.f_code.co_name)


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watcher]:
    """Inside, compiled loops are watched, in threads that begin inside too."""
    watcher = Watcher()
    monkeypatch.setattr(running, "compiled_run", watcher.loop)
    monkeypatch.setattr(running, "pool", Pool())
    before = sys.getprofile()
    threading.setprofile(watcher)
    sys.setprofile(watcher)
    try:
        yield watcher
    finally:
        sys.setprofile(before)
        threading.setprofile(None)


def training(extra: Callable[[dia.Node], dia.Node], engine: Any) -> tuple[dia.Program, dict[dia.Node, np.ndarray]]:
    """Adam on a network with batch normalisation and dropout."""
    layers = Sequential([Dense(16, "relu"), BatchNorm(), Dropout(0.3), Dense(9, "tanh"), Dropout(0.5), Dense(3)])
    network = Network(layers, (6,), dtype="float64")
    x, y = dia.placeholder((dia.Dim("N"), 6), "float64", "x"), dia.placeholder((dia.Dim("N"),), "int64", "y")
    forward = network.forward(extra(x), training=True)
    loss = -dia.mean(dia.sum(dia.log_softmax(forward.output) * dia.one_hot(y, 3, "float64"), 1))
    updates = dict(forward.updates)
    for parameter, slope in zip(network.parameters, dia.gradient(loss, network.parameters), strict=True):
        updates |= dia.optim.Adam(0.01).updates(parameter, slope).next_values
    return dia.Program(loss, updates, loss=loss, engine=engine), {x: ROWS, y: LABELS}


def train(program: dia.Program, data: dict[dia.Node, np.ndarray]) -> np.ndarray:
    losses, _ = program.run_batches(program.initial_state(), data, batch_size=BATCH, seed=3)
    return losses


@pytest.mark.parametrize("threads", [1, 2])
def test_no_python_runs_inside_of_an_epoch(threads, monkeypatch):
    with all_cut():
        program, data = training(lambda x: x, NativeEngine(threads))
        train(program, data)
        with watched(monkeypatch) as watcher:
            losses = train(program, data)
    assert losses.shape == (BATCHES,)
    assert losses[-10:].mean() < losses[:10].mean()
    assert watcher.loops >= 1
    assert len(watcher.threads) == min(threads, available_cores())
    assert not watcher.called
    assert not any(i.calls_python for i in one_table(program).flat())


def test_how_often_python_comes_back_does_not_grow_with_the_batches(monkeypatch):
    """Between two calls of the loop it is looked whether the run was interrupted: some times a second."""
    program, data = training(lambda x: x, NativeEngine(1))
    train(program, data)
    with watched(monkeypatch) as watcher:
        train(program, data)
    assert watcher.loops <= 3


@dataclass(frozen=True)
class Cumulated(dia.Operation, abstract=True):
    """Sums of the first columns: without a kernel."""

    def shape(self, *inputs: dia.Node) -> Any:
        return inputs[0].shape

    def compute(self, backend: Any, *arrays: Any) -> Any:
        return backend.xp.cumsum(arrays[0], axis=-1)

    def gradient(self, node: dia.Node, upstream: Any) -> Any:
        return (dia.apply(Cumulated(), upstream[:, ::-1])[:, ::-1],)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_operation_without_a_kernel_is_seen_to_call_python(threads, monkeypatch):
    with all_cut():
        program, data = training(lambda x: dia.apply(Cumulated(), x), NativeEngine(threads))
        train(program, data)
        with watched(monkeypatch) as watcher:
            train(program, data)
    calling = [i for i in one_table(program).flat() if i.calls_python]
    assert [type(i.node.op) for i in calling if i.node is not None] == [Cumulated]
    assert watcher.called.count("compute") == BATCHES


def test_a_profile_lists_what_calls_python():
    program, data = training(lambda x: dia.apply(Cumulated(), x), NativeEngine(1))
    state = [np.asarray(a) for a in program.initial_state().values()]
    executable: Any = program._executable
    rows = {program.placeholders.index(node): a for node, a in data.items()}
    profile = executable.profile(state, [None] * len(rows), rows, BATCH, 3, 0)
    assert [i.operation for i in profile.fallbacks] == ["cumulated"]
    assert "cumulated (Python)" in str(profile)
