"""Training on a stream sees the rows that training in memory sees, and without shuffling has its bits."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diaphane as dia
from diaphane.data import DataError, open_stream
from diaphane.data.streams import Stream
from diaphane.optim.schedules import ExponentialDecay
from diaphane.training import Callback, Checkpoint, DivergenceError, EarlyStopping, InterruptedWarning, Trainer

ROWS = 203


def some_rows(n: int = ROWS, d: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, d)).astype(np.float32)
    return x, (x[:, :1] * x[:, 1:2] + 0.1).astype(np.float32)


def stream_of(x: np.ndarray, y: np.ndarray, chunk: int = 41, window: int = 64, w: Any = None) -> Stream:
    def chunks() -> Any:
        for start in range(0, len(x), chunk):
            here = slice(start, start + chunk)
            yield (x[here], y[here]) if w is None else (x[here], y[here], w[here])

    return open_stream(chunks, window=window)


def network_of(dtype: str = "float32", dropout: float = 0.0) -> Any:
    layers = [dia.nn.Dense(5, "tanh"), *([dia.nn.Dropout(dropout)] if dropout else []), dia.nn.Dense(1)]
    return dia.nn.Network(dia.nn.Sequential(layers), (3,), dtype=dtype)


NETWORK = network_of()


def trainer_of(network: Any = None, **settings: Any) -> Trainer:
    given = {"batch_size": 16, "epochs": 3, "random_state": 0, **settings}
    return Trainer(network or NETWORK, "squared_error", dia.optim.Adam(0.01), **given)


def same_values(network: Any, a: Any, b: Any) -> bool:
    return all(np.array_equal(a.state[p], b.state[p]) for p in network.parameters)


@settings(max_examples=10, deadline=None)
@given(chunk=st.integers(1, 120), window=st.integers(1, 300))
def test_unshuffled_it_has_the_bits_of_training_in_memory_whatever_the_chunks(chunk: int, window: int) -> None:
    x, y = some_rows()
    streamed = trainer_of(shuffle=False).fit(stream_of(x, y, chunk, window))
    in_memory = trainer_of(shuffle=False).fit(x, y)
    assert same_values(NETWORK, streamed, in_memory)
    assert streamed.history["loss"] == pytest.approx(in_memory.history["loss"], rel=1e-12)
    assert streamed.steps == in_memory.steps


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_dropout_and_weights_are_those_of_memory_too(engine: str) -> None:
    network = network_of(dropout=0.3)
    (x, y), w = some_rows(), np.random.default_rng(1).random(ROWS).astype(np.float32)
    streamed = trainer_of(network, shuffle=False, engine=engine).fit(stream_of(x, y, w=w))
    in_memory = trainer_of(network, shuffle=False, engine=engine).fit(x, y, sample_weight=w)
    assert same_values(network, streamed, in_memory)


class Rows(Callback):
    """Which rows each epoch was made of."""

    def __init__(self) -> None:
        self.seen: list[list[float]] = []

    def on_epoch_start(self, run: Any) -> None:
        self.seen.append([])

    def on_step_end(self, run: Any) -> None:
        self.batches = getattr(self, "batches", 0) + 1


@pytest.mark.parametrize("window", [50, 203, 1000])
def test_each_epoch_is_every_row_once_in_another_order(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = some_rows()
    seen: list[list[float]] = []
    whole = Stream.windows

    def watched(self: Stream, *given: Any, **named: Any) -> Any:
        seen.append([])
        for each in whole(self, *given, **named):
            seen[-1] += each.x[each.order, 0].tolist()
            yield each

    monkeypatch.setattr(Stream, "windows", watched)
    first = trainer_of().fit(stream_of(x, y, window=window))
    epochs, seen[:] = [list(s) for s in seen], []
    assert [Counter(epoch) for epoch in epochs] == [Counter(x[:, 0].tolist())] * 3
    assert len({tuple(epoch) for epoch in epochs}) == 3
    again = trainer_of().fit(stream_of(x, y, window=window))
    assert seen == epochs
    assert same_values(NETWORK, first, again)
    other = trainer_of(random_state=1).fit(stream_of(x, y, window=window))
    assert not same_values(NETWORK, first, other)


def test_validation_by_a_stream_is_the_mean_over_all_its_rows() -> None:
    x, y = some_rows()
    metrics = {"far": lambda outputs, targets: float(np.mean(np.abs(outputs - targets)))}
    by_stream = trainer_of(metrics=metrics).fit(stream_of(x, y), validation_data=stream_of(x[:77], y[:77], window=20))
    in_memory = trainer_of(metrics=metrics).fit(stream_of(x, y), validation_data=(x[:77], y[:77]))
    for name in ("validation_loss", "validation_far"):
        assert by_stream.history[name] == pytest.approx(in_memory.history[name], rel=1e-6)


def test_early_stopping_and_callbacks_work_as_in_memory() -> None:
    x, y = some_rows()
    steps = Rows()
    stopping = EarlyStopping("loss", patience=0, min_delta=10.0)
    result = trainer_of(epochs=50, callbacks=[steps, stopping]).fit(stream_of(x, y))
    assert len(result.history) == 2
    assert steps.batches == result.steps == 2 * 13
    assert "did not improve" in result.history.stopped


def test_schedules_by_the_epoch_know_how_many_steps_it_has() -> None:
    x, y = some_rows()

    def fit(data: tuple[Any, ...]) -> Any:
        optimizer = dia.optim.SGD(0.05, schedule=ExponentialDecay(0.5, per="epoch"))
        return Trainer(NETWORK, "squared_error", optimizer, batch_size=16, epochs=3, shuffle=False, random_state=0).fit(
            *data
        )

    streamed, in_memory = fit((stream_of(x, y),)), fit((x, y))
    assert streamed.history["learning_rate"] == in_memory.history["learning_rate"]
    assert same_values(NETWORK, streamed, in_memory)


class StopAfter(Callback):
    """As a killed process would: an exception nobody expects, in the middle of an epoch."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def on_step_end(self, run: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise RuntimeError("killed")


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("batches", [5, 20, 33])
def test_resumed_in_the_middle_of_an_epoch_it_has_the_bits_of_one_never_interrupted(
    tmp_path: Path, shuffle: bool, batches: int
) -> None:
    network = network_of(dropout=0.3)
    x, y = some_rows()
    whole = trainer_of(network, shuffle=shuffle, epochs=4).fit(stream_of(x, y, window=32))
    often = Checkpoint(tmp_path / "run", every_seconds=1e-9)
    with pytest.raises(RuntimeError, match="killed"):
        trainer_of(network, shuffle=shuffle, epochs=4, checkpoint=often, callbacks=[StopAfter(batches)]).fit(
            stream_of(x, y, window=32)
        )
    resumed = trainer_of(network, shuffle=shuffle, epochs=4, checkpoint=often).fit(
        stream_of(x, y, window=32), resume=True
    )
    assert same_values(network, whole, resumed)
    assert resumed.history["loss"] == whole.history["loss"]
    assert resumed.steps == whole.steps


def test_resuming_on_other_rows_is_refused(tmp_path: Path) -> None:
    x, y = some_rows()
    trainer_of(checkpoint=tmp_path / "run").fit(stream_of(x, y))
    with pytest.raises(ValueError, match="first rows"):
        trainer_of(epochs=5, checkpoint=tmp_path / "run").fit(stream_of(x + 1, y), resume=True)
    with pytest.raises(ValueError, match="window was 64 and is 65"):
        trainer_of(epochs=5, checkpoint=tmp_path / "run").fit(stream_of(x, y, window=65), resume=True)


def test_an_interrupt_keeps_the_last_whole_epoch_and_leaves_no_thread() -> None:
    class Interrupt(Callback):
        def on_epoch_start(self, run: Any) -> None:
            if run.epoch == 3:
                raise KeyboardInterrupt

    x, y = some_rows()
    with pytest.warns(InterruptedWarning):
        result = trainer_of(epochs=9, callbacks=[Interrupt()]).fit(stream_of(x, y))
    assert result.history.stopped == "interrupted"
    assert same_values(NETWORK, result, trainer_of(epochs=2).fit(stream_of(x, y)))
    assert not [t for t in threading.enumerate() if t.name == "diaphane-read-ahead"]


def test_divergence_keeps_the_last_good_values() -> None:
    x, y = some_rows()
    trainer = Trainer(NETWORK, "squared_error", dia.optim.SGD(1e30), batch_size=16, epochs=3, random_state=0)
    with pytest.raises(DivergenceError, match="epoch 1") as raised:
        trainer.fit(stream_of(x, y))
    assert all(np.isfinite(raised.value.result.state[p]).all() for p in NETWORK.parameters)
    assert not [t for t in threading.enumerate() if t.name == "diaphane-read-ahead"]


def test_a_generator_serves_one_epoch_and_asks_for_its_function_in_the_second() -> None:
    x, y = some_rows()

    def chunks() -> Any:
        yield x, y

    assert trainer_of(epochs=1).fit(open_stream(chunks())).steps == 13
    with pytest.raises(DataError, match="give the function that makes it"):
        trainer_of(epochs=2).fit(open_stream(chunks()))


def test_what_a_stream_has_itself_is_refused_beside_it() -> None:
    x, y = some_rows()
    with pytest.raises(TypeError, match="y cannot be given beside a stream"):
        trainer_of().fit(stream_of(x, y), y)
    with pytest.raises(TypeError, match="validation_fraction cannot be given beside a stream"):
        trainer_of().fit(stream_of(x, y), validation_fraction=0.1)
    words = stream_of(x, np.array(["yes", "no", "no"] * 67 + ["yes", "no"], dtype=object))
    with pytest.raises(TypeError, match="targets must be numbers"):
        trainer_of().fit(words)
