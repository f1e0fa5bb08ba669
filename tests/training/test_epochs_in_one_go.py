"""Epochs that nobody looks at are computed in one go: the bits are those of one epoch after another."""

import numpy as np
import pytest

import diaphane as dia
from diaphane import nn, optim
from diaphane.training import Callback, DivergenceError, Trainer, epochs

X = np.random.default_rng(0).normal(size=(23, 3))
Y = np.random.default_rng(1).normal(size=(23, 2))
FOREVER = 1e9
ENGINES = pytest.mark.parametrize("engine", ["reference", "native"])


def network():
    return nn.Network(nn.Sequential([nn.Dense(5, "tanh"), nn.Dropout(0.2), nn.Dense(2)]), (3,), dtype="float64")


@pytest.fixture
def go(monkeypatch):
    """Sets for how long epochs are computed in one go, and lists how many each go had."""
    counts = []
    losses = epochs.Epochs._losses

    def counted(self, orders, started):
        counts.append(len(orders))
        return losses(self, orders, started)

    monkeypatch.setattr(epochs.Epochs, "_losses", counted)

    def start(seconds):
        monkeypatch.setattr(epochs, "GO_SECONDS", seconds)
        counts.clear()
        return counts

    return start


class Look(Callback):
    """Keeps the state of each epoch, and so asks for each by itself."""

    def on_fit_start(self, run):
        self.states = []

    def on_epoch_end(self, run):
        self.states.append(run.state)


class Count(Callback):
    """Reads the history alone, and the state where it asked to be called."""

    def __init__(self, every):
        self.every, self.epochs, self.states = every, [], {}

    def epochs_ahead(self):
        return self.every - len(self.epochs) % self.every

    def on_epoch_end(self, run):
        self.epochs.append((run.epoch, run.history.last("loss")))
        if len(self.epochs) % self.every == 0:
            self.states[run.epoch] = run.state


def assert_same(one, other):
    for a, b in zip(one.values(), other.values(), strict=True):
        np.testing.assert_array_equal(a, b)


@ENGINES
@pytest.mark.parametrize("batch_size", [4, 23, 30], ids=["a short batch", "whole batches", "one batch"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_one_go_gives_the_bits_of_one_epoch_after_another(engine, batch_size, shuffle, go):
    made = network()

    def fit(*callbacks):
        rng = np.random.RandomState(3)
        result = Trainer(
            made, "squared_error", batch_size=batch_size, epochs=9, shuffle=shuffle, callbacks=callbacks,
            random_state=rng, engine=engine,
        ).fit(X, Y)  # fmt: skip
        return result, rng.rand()

    counts = go(FOREVER)
    (quiet, after), quiet_counts = fit(), list(counts)
    (watched, after_watched), watched_counts = fit(Look()), counts[len(quiet_counts) :]
    assert (quiet_counts, watched_counts) == ([1, 8], [1] * 9)
    assert_same(quiet.state, watched.state)
    assert_same(quiet.step_state, watched.step_state)
    assert quiet.history["loss"] == watched.history["loss"]
    assert (quiet.steps, after) == (watched.steps, after_watched)
    assert list(quiet.history.records[-1]) == list(watched.history.records[-1])


def test_no_go_is_longer_than_it_may_be(go):
    counts = go(0.0)
    Trainer(network(), "squared_error", epochs=4).fit(X, Y)
    assert counts == [1, 1, 1, 1]


def test_a_callback_says_how_many_epochs_it_can_do_without(go):
    counts, look, count = go(FOREVER), Look(), Count(4)
    made = network()
    for callback in (count, look):
        Trainer(made, "squared_error", epochs=10, callbacks=[callback], random_state=0).fit(X, Y)
    assert counts == [1, 3, 4, 2, *[1] * 10]
    assert [epoch for epoch, _ in count.epochs] == list(range(1, 11))
    for epoch, state in count.states.items():
        assert_same(state, look.states[epoch - 1])


@pytest.mark.parametrize("moment", ["on_epoch_start", "on_step_end", "on_epoch_end"])
def test_whoever_may_look_between_epochs_gets_each_by_itself(moment, go):
    counts = go(FOREVER)
    watching = type("Watching", (Callback,), {moment: lambda self, run: None})
    Trainer(network(), "squared_error", epochs=4, callbacks=[watching()]).fit(X, Y)
    assert counts == [1, 1, 1, 1]


def test_validation_is_done_after_each_epoch(go):
    counts = go(FOREVER)
    result = Trainer(network(), "squared_error", epochs=4).fit(X, Y, validation_data=(X, Y))
    assert counts == [1, 1, 1, 1]
    assert len(result.history["validation_loss"]) == 4


def test_a_divergence_in_the_middle_of_a_go_ends_after_the_last_good_epoch(go):
    start = (made := nn.Network(nn.Sequential([nn.Dense(2)]), (3,), dtype="float64")).initial_state()

    def fit(*callbacks):
        with pytest.raises(DivergenceError) as error:
            Trainer(
                made, "squared_error", optim.SGD(50.0), batch_size=4, epochs=400, callbacks=callbacks, random_state=0
            ).fit(X, Y, state=start)
        return error.value

    counts = go(FOREVER)
    quiet = fit()
    assert counts[:2] == [1, 399]
    watched = fit(Look())
    assert str(quiet) == str(watched)
    assert len(quiet.result.history) > 2
    assert quiet.result.history["loss"] == watched.result.history["loss"]
    assert_same(quiet.result.step_state, watched.result.step_state)


@ENGINES
@pytest.mark.parametrize("batch_size", [1, 4, 5, 10, 12])
def test_a_program_cuts_each_epoch_of_an_order_into_batches_by_itself(engine, batch_size):
    n = dia.Dim("N")
    x, w = dia.placeholder((n, 2), "float64", "x"), dia.variable(np.ones(2), "w")
    rows = x * w
    program = dia.Program({"rows": rows, "sum": dia.sum(rows)}, {w: w * 0.5 + dia.sum(rows, 0)}, engine=engine)
    data = {x: np.random.default_rng(0).normal(size=(10, 2))}
    orders = np.array([np.random.default_rng(k).permutation(10) for k in range(3)])
    got, state = program.run_batches(program.initial_state(), data, orders, batch_size)
    want, last, steps = [], program.initial_state(), 0
    for order in orders:
        outputs, last = program.run_batches(last, data, order, batch_size, first_step=steps)
        want.append(outputs)
        steps += len(outputs["sum"])
    for name in ("rows", "sum"):
        np.testing.assert_array_equal(got[name], np.concatenate([outputs[name] for outputs in want]))
    np.testing.assert_array_equal(state[w], last[w])


@ENGINES
def test_a_loss_that_is_lost_in_the_third_epoch_is_replayed_from_there(engine):
    n = dia.Dim("N")
    x, w = dia.placeholder((n,), "float64", "x"), dia.variable(8.0, "w")
    inner = dia.log(w)
    loss = dia.mean(x) * inner
    program = dia.Program(loss, {w: w - 1}, loss=loss, engine=engine)
    orders = np.tile(np.arange(5), (4, 1))
    with pytest.raises(dia.NonFiniteError) as error:
        program.run_batches(program.initial_state(), {x: np.ones(5)}, orders, 2)
    # Three steps an epoch: 8 − 8 is met in the third, as the loss of the step with number 8.
    assert (error.value.node, error.value.step) == (inner, 8)
    assert float(error.value.state[w]) == 0.0
    np.testing.assert_allclose(error.value.outputs, np.log(np.arange(8.0, 0.0, -1)))
