"""How a run goes: reproducible bits, going on, callbacks at their moments, divergence, interruption, the bar."""

import threading

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import diaphane as dia
from diaphane import nn, optim
from diaphane.training import (
    Callback,
    DivergenceError,
    EarlyStopping,
    History,
    InterruptedWarning,
    ProgressBar,
    Trainer,
)

X = np.random.default_rng(0).normal(size=(23, 3))
Y = np.random.default_rng(1).normal(size=(23, 2))


def network_of(*layers, inputs=3, dtype="float64"):
    return nn.Network(nn.Sequential(layers), (inputs,), dtype=dtype)


def mlp():
    return network_of(nn.Dense(5, "tanh"), nn.Dropout(0.2), nn.Dense(2))


def plain():
    return network_of(nn.Dense(5, "tanh"), nn.BatchNorm(), nn.Dense(2))


def assert_same(one, other):
    assert set(one) == set(other)
    for node in one:
        np.testing.assert_array_equal(one[node], other[node])


def by_name(step_state):
    """The values of a step, whose variables belong to one trainer."""
    return {node.name: value for node, value in step_state.items()}


def differ(one, other):
    return any(not np.array_equal(one[node], other[node]) for node in one)


# ── the same bits ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "source", [lambda s: s, np.random.default_rng, np.random.RandomState], ids=["int", "rng", "old"]
)
@pytest.mark.parametrize("fraction", [0.0, 0.3])
def test_the_same_random_state_gives_the_same_bits_and_another_gives_others(source, fraction):
    network = mlp()

    def fit(seed):
        trainer = Trainer(network, "squared_error", batch_size=5, epochs=4, random_state=source(seed))
        return trainer.fit(X, Y, validation_fraction=fraction)

    one, same, other = fit(1), fit(1), fit(2)
    assert_same(one.state, same.state)
    assert_same(by_name(one.step_state), by_name(same.step_state))
    assert one.history["loss"] == same.history["loss"]
    assert differ(one.state, other.state)
    assert one.history["loss"] != other.history["loss"]


def test_a_generator_goes_on_from_fit_to_fit():
    network, rng = mlp(), np.random.default_rng(0)
    fits = [Trainer(network, "squared_error", epochs=1, random_state=rng).fit(X, Y).state for _ in range(2)]
    assert differ(*fits)


def test_no_random_state_gives_another_fit_each_time():
    network = mlp()
    assert differ(*[Trainer(network, "squared_error", epochs=1).fit(X, Y).state for _ in range(2)])


def test_a_trainer_fits_the_same_again_and_a_fit_leaves_no_trace():
    network = mlp()
    trainer = Trainer(network, "squared_error", epochs=3, random_state=5)
    first = trainer.fit(X, Y).state
    trainer.fit(-X, Y[:, ::-1], sample_weight=np.ones(23))
    trainer.fit(X[:4], Y[:4])
    assert_same(trainer.fit(X, Y).state, first)


def test_shuffling_changes_the_order_of_rows_and_every_row_comes_once_an_epoch():
    n = 12
    network = network_of(nn.Dense(1, use_bias=False, kernel_initializer="zeros"), inputs=n)
    for shuffle in (True, False):
        orders = []

        class Order(Callback):
            def on_epoch_start(self, run):
                self.before = run.network_state
                orders.append([])  # noqa: B023

            def on_step_end(self, run):
                now = run.network_state
                [kernel] = network.parameters
                orders[-1] += list(np.flatnonzero(now[kernel] != self.before[kernel]))  # noqa: B023
                self.before = now

        trainer = Trainer(
            network, "squared_error", optim.SGD(0.01), batch_size=1, epochs=4, shuffle=shuffle,
            callbacks=[Order()], random_state=0,
        )  # fmt: skip
        trainer.fit(np.eye(n), np.ones(n))
        assert all(sorted(order) == list(range(n)) for order in orders)
        assert len({tuple(order) for order in orders}) == (4 if shuffle else 1)


# ── going on ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "optimizer", [kind(0.01) for kind in optim.OPTIMIZERS.values()], ids=lambda o: type(o).__name__
)
def test_two_times_five_epochs_are_ten(optimizer):
    network = plain()

    def trainer(epochs):
        return Trainer(network, "squared_error", optimizer, batch_size=6, epochs=epochs, shuffle=False, random_state=0)

    whole, half = trainer(10).fit(X, Y), trainer(5)
    first = half.fit(X, Y)
    second = half.fit(X, Y, step_state=first.step_state)
    assert_same(by_name(second.step_state), by_name(whole.step_state))
    assert_same(second.state, whole.state)
    assert first.history["loss"] + second.history["loss"] == whole.history["loss"]


def test_going_on_from_the_parameters_alone_forgets_the_optimizers_values():
    network = plain()
    trainer = Trainer(network, "squared_error", optim.Adam(0.01), epochs=5, shuffle=False, random_state=0)
    first = trainer.fit(X, Y)
    assert differ(trainer.fit(X, Y, state=first.state).state, trainer.fit(X, Y, step_state=first.step_state).state)


def test_no_epochs_give_the_first_values():
    network = plain()
    state = network.initial_state(np.random.default_rng(3))
    result = Trainer(network, "squared_error", epochs=0).fit(X, Y, state=state)
    assert_same(result.state, state)
    assert (len(result.history), result.history.stopped) == (0, "epochs")


# ── callbacks and history ────────────────────────────────────────────────────────────────────────────────────────────


class Diary(Callback):
    def __init__(self, entries, name=""):
        self.entries, self.name = entries, name

    def note(self, moment, run):
        self.entries.append((self.name + moment, run.epoch, run.steps, len(run.history)))

    def on_fit_start(self, run):
        self.note("fit start", run)

    def on_epoch_start(self, run):
        self.note("epoch start", run)

    def on_step_end(self, run):
        self.note("step end", run)

    def on_epoch_end(self, run):
        self.note("epoch end", run)

    def on_fit_end(self, run):
        self.note("fit end", run)


def test_every_moment_comes_in_its_order_and_number():
    entries = []
    Trainer(plain(), "squared_error", batch_size=10, epochs=2, callbacks=[Diary(entries)]).fit(X, Y)
    assert entries == [
        ("fit start", 0, 0, 0),
        ("epoch start", 1, 0, 0), ("step end", 1, 1, 0), ("step end", 1, 2, 0), ("step end", 1, 3, 0),
        ("epoch end", 1, 3, 1),
        ("epoch start", 2, 3, 1), ("step end", 2, 4, 1), ("step end", 2, 5, 1), ("step end", 2, 6, 1),
        ("epoch end", 2, 6, 2),
        ("fit end", 2, 6, 2),
    ]  # fmt: skip


def test_callbacks_come_in_the_order_they_were_given():
    entries = []
    callbacks = [Diary(entries, "a "), Diary(entries, "b ")]
    Trainer(plain(), "squared_error", batch_size=30, epochs=1, callbacks=callbacks).fit(X, Y)
    assert [name for name, *_ in entries] == [
        f"{who} {moment}"
        for moment in ("fit start", "epoch start", "step end", "epoch end", "fit end")
        for who in ("a", "b")
    ]


def test_looking_at_every_step_changes_no_bit():
    network = mlp()

    def fit(*callbacks):
        trainer = Trainer(network, "squared_error", batch_size=5, epochs=3, callbacks=callbacks, random_state=1)
        return trainer.fit(X, Y)

    quiet, watched = fit(), fit(Diary([]))
    assert_same(by_name(quiet.step_state), by_name(watched.step_state))
    assert quiet.history["loss"] == watched.history["loss"]


def test_a_callback_can_stop_after_the_epoch_with_its_reason():
    class Stop(Callback):
        def on_step_end(self, run):
            if run.steps == 4:
                run.stop("enough")

    entries = []
    result = Trainer(plain(), "squared_error", batch_size=10, epochs=9, callbacks=[Stop(), Diary(entries)]).fit(X, Y)
    assert (len(result.history), result.history.stopped) == (2, "enough")
    assert entries[-1] == ("fit end", 2, 6, 2)


def test_a_schedule_sets_the_learning_rate_for_the_steps_to_come_and_history_shows_it():
    class Halve(Callback):
        def on_epoch_start(self, run):
            run.set_hyperparameter("learning_rate", 0.2 / 2**run.epoch)

    network = network_of(nn.Dense(2, use_bias=False))
    start = network.initial_state(np.random.default_rng(0))
    trainer = Trainer(
        network, "squared_error", optim.SGD(9.0), batch_size=8, epochs=5, shuffle=False, callbacks=[Halve()]
    )
    result = trainer.fit(X, Y, state=start)
    w = start[network.parameters[0]].copy()
    for epoch in range(1, 6):
        for i in range(0, 23, 8):
            a, t = X[i : i + 8], Y[i : i + 8]
            w = w - 0.2 / 2**epoch * 2 * a.T @ (a @ w - t) / len(a)
    np.testing.assert_allclose(result.state[network.parameters[0]], w, rtol=1e-10)
    assert result.history["learning_rate"] == [0.2 / 2**epoch for epoch in range(1, 6)]


def test_an_unknown_hyperparameter_lists_those_there_are():
    class Wrong(Callback):
        def on_fit_start(self, run):
            assert run.hyperparameter("momentum") == 0.9
            run.set_hyperparameter("rate", 0.1)

    with pytest.raises(KeyError, match=r"rate.*learning_rate, momentum"):
        Trainer(plain(), "squared_error", "momentum", callbacks=[Wrong()]).fit(X, Y)


def test_a_state_that_a_callback_sets_is_gone_on_with():
    class Reset(Callback):
        def on_fit_start(self, run):
            self.first = run.state

        def on_epoch_end(self, run):
            run.state = self.first

    network = plain()
    start = network.initial_state(np.random.default_rng(0))
    result = Trainer(network, "squared_error", epochs=3, shuffle=False, callbacks=[Reset()]).fit(X, Y, state=start)
    assert_same(result.state, start)
    assert len(set(result.history["loss"])) == 1


def test_history_has_a_record_an_epoch_with_what_happened():
    result = Trainer(plain(), "squared_error", "sgd", epochs=3, metrics={"m": lambda o, t: 1.0}).fit(
        X, Y, validation_data=(X, Y)
    )
    history = result.history
    assert (len(history), history["epoch"], history.stopped) == (3, [1, 2, 3], "epochs")
    assert list(history.records[0]) == ["epoch", "loss", "learning_rate", "validation_loss", "validation_m", "seconds"]
    assert all(seconds >= 0 for seconds in history["seconds"])
    assert "loss" in history
    assert "accuracy" not in history
    assert [record["epoch"] for record in history] == [1, 2, 3]
    with pytest.raises(KeyError, match=r"accuracy.*validation_m"):
        history["accuracy"]


def test_history_gives_a_name_that_only_some_epochs_have():
    history = History()
    for record in ({"loss": 1.0}, {"loss": 0.5, "extra": 7}, {"loss": 0.25}):
        history.append(record)
    assert (history["loss"], history["extra"], history.last("extra")) == ([1.0, 0.5, 0.25], [7], 7)


# ── early stopping ───────────────────────────────────────────────────────────────────────────────────────────────────


class Script:
    """A metric that gives one written value after another."""

    def __init__(self, values):
        self.values = iter(values)

    def __call__(self, outputs, targets):
        return next(self.values)


def scripted(values, callback, name="score"):
    network = network_of(nn.Dense(1), inputs=1)
    one = np.ones((1, 1))
    trainer = Trainer(
        network, "squared_error", optim.SGD(0.01), epochs=len(values), metrics={name: Script(values)},
        callbacks=[callback], random_state=0,
    )  # fmt: skip
    return trainer, trainer.fit(one, one, validation_data=(one, one))


def epochs_of_scikit_learn(values, tolerance, patience, early_stopping):
    """How many epochs scikit-learn's own rule would run, and its best value."""
    from sklearn.neural_network import MLPClassifier

    machine = MLPClassifier(tol=tolerance)
    machine._no_improvement_count, machine.validation_scores_, machine.loss_curve_ = 0, [], []
    machine.best_validation_score_, machine.best_loss_ = -np.inf, np.inf
    machine.coefs_, machine.intercepts_ = [], []
    for value in values:
        machine.loss_curve_.append(value)
        machine._score = lambda *args, value=value, **kwargs: value
        machine._update_no_improvement_count(early_stopping, None, None, None)
        if machine._no_improvement_count > patience:
            break
    return len(machine.loss_curve_), machine.best_validation_score_ if early_stopping else machine.best_loss_


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    values=st.lists(st.sampled_from([0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5]), min_size=1, max_size=12),
    tolerance=st.sampled_from([0.05, 0.1, 1e-4]),  # at 0 scikit-learn counts a tie as a gain, which never ends
    patience=st.integers(0, 4),
    more_is_better=st.booleans(),
)
def test_early_stopping_stops_exactly_where_scikit_learns_rule_does(values, tolerance, patience, more_is_better):
    name = "score" if more_is_better else "error"
    callback = EarlyStopping(f"validation_{name}", patience, tolerance)
    _, result = scripted(values, callback, name)
    epochs, best = epochs_of_scikit_learn(values, tolerance, patience, more_is_better)
    assert len(result.history) == epochs
    assert callback.best_value == best
    assert result.history[f"validation_{name}"][callback.best_epoch - 1] == best


@pytest.mark.parametrize(("mode", "epochs"), [("min", 3), ("max", 5), ("auto", 5)])
def test_the_mode_says_whether_more_is_better(mode, epochs):
    _, result = scripted([1.0, 2.0, 3.0, 4.0, 5.0], EarlyStopping("validation_score", 1, mode=mode))
    assert len(result.history) == epochs


@pytest.mark.parametrize("monitor", ["loss", "validation_loss", "validation_error"])
def test_losses_and_errors_are_better_when_less(monitor):
    network = network_of(nn.Dense(1), inputs=1)
    callback = EarlyStopping(monitor, patience=0)
    trainer = Trainer(
        network, "squared_error", optim.SGD(0.05), epochs=6, callbacks=[callback],
        metrics={"error": lambda out, t: float(np.abs(out - t).mean())},
    )  # fmt: skip
    x = np.ones((4, 1))
    result = trainer.fit(x, 3 * x, validation_data=(x, 3 * x))
    assert (len(result.history), result.history.stopped) == (6, "epochs")
    assert callback.best_value == min(result.history[monitor])


def test_nan_counts_as_no_improvement():
    nan = float("nan")
    for values, epochs, best in (
        ([0.5, nan, nan, nan, 0.9], 4, 0.5),
        ([nan, nan, nan, nan], 3, None),
        ([nan, 0.1, nan, 0.2, 0.3], 5, 0.3),
    ):
        callback = EarlyStopping("validation_score", patience=2)
        _, result = scripted(values, callback)
        assert len(result.history) == epochs
        if best is not None:
            assert callback.best_value == best


def test_the_best_parameters_come_back_and_evaluate_to_the_best_value():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(12, 8)), rng.normal(size=12)
    other, target = rng.normal(size=(50, 8)), rng.normal(size=50)
    network = network_of(nn.Dense(20, "tanh"), nn.BatchNorm(), nn.Dense(1), inputs=8)

    def fit(restore):
        callback = EarlyStopping(patience=6, restore_best=restore)
        trainer = Trainer(
            network, "squared_error", optim.Adam(0.02), epochs=200, batch_size=4, callbacks=[callback], random_state=0
        )
        return callback, trainer, trainer.fit(x, y, validation_data=(other, target))

    callback, trainer, result = fit(True)
    curve = result.history["validation_loss"]
    assert len(curve) < 200
    assert callback.best_epoch == 1 + int(np.argmin(curve))
    assert callback.best_epoch < len(curve)
    assert trainer.evaluate(result.state, other, target)["loss"] == min(curve)
    assert "6 epochs" in result.history.stopped
    _, trainer, last = fit(False)
    assert trainer.evaluate(last.state, other, target)["loss"] == curve[-1]


def test_the_best_parameters_come_back_also_where_patience_was_never_exhausted():
    callback = EarlyStopping("validation_score", patience=50)
    _, result = scripted([0.1, 0.9, 0.2, 0.3], callback)
    assert (callback.best_epoch, len(result.history)) == (2, 4)
    network = network_of(nn.Dense(1), inputs=1)
    two = Trainer(network, "squared_error", optim.SGD(0.01), epochs=2, random_state=0).fit(
        np.ones((1, 1)), np.ones((1, 1))
    )
    for got, want in zip(result.state.values(), two.state.values(), strict=True):
        np.testing.assert_array_equal(got, want)


def test_a_missing_monitor_is_an_error_that_lists_what_there_is():
    with pytest.raises(ValueError, match=r"'validation_loss'.*epoch, loss.*validation data"):
        Trainer(plain(), "squared_error", callbacks=[EarlyStopping()]).fit(X, Y)


def test_one_early_stopping_serves_fit_after_fit():
    callback = EarlyStopping("validation_score", patience=1)
    _, first = scripted([0.9, 0.8, 0.7, 0.6], callback)
    _, second = scripted([0.1, 0.2, 0.15, 0.12, 0.1], callback)
    assert (len(first.history), len(second.history)) == (3, 4)
    assert callback.best_value == 0.2


def test_a_mode_that_is_none_is_refused():
    with pytest.raises(ValueError, match=r"auto, min or max.*'less'"):
        EarlyStopping(mode="less")


# ── divergence ───────────────────────────────────────────────────────────────────────────────────────────────────────


def exploding(formula):
    w = dia.variable(np.ones((3, 2)), "w")
    return nn.Network(lambda x: formula(x @ w), (3,), dtype="float64")


HUGE = np.vstack([X[:17], X[17:] * 1e200])
DIVERGING = {
    "learning rate": (plain, X, optim.SGD(1e6), None),
    "large inputs": (lambda: network_of(nn.Dense(2)), HUGE, optim.SGD(0.01), None),
    "log of a negative": (lambda: exploding(lambda a: dia.log(a + 1.5)), X, optim.SGD(0.05), "log"),
    "exponential": (lambda: exploding(dia.exp), 200 * X, optim.SGD(0.01), "exp"),
    "momentum in float32": (
        lambda: network_of(nn.Dense(4, "relu"), nn.Dense(2), dtype="float32"), X, optim.Momentum(50.0), None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DIVERGING)
def test_a_diverging_fit_ends_with_the_last_good_parameters_and_the_node(case):
    make, x, optimizer, label = DIVERGING[case]
    network = make()
    start = network.initial_state(np.random.default_rng(0))

    class States(Callback):
        def on_fit_start(self, run):
            self.good = [run.network_state]

        def on_step_end(self, run):
            self.good.append(run.network_state)

    def fit(*callbacks):
        trainer = Trainer(
            network, "squared_error", optimizer, batch_size=4, epochs=400, shuffle=False, callbacks=callbacks
        )
        with pytest.raises(DivergenceError) as error:
            trainer.fit(x, Y, state=start)
        return error.value

    states = States()
    by_step, whole = fit(states), fit()
    assert isinstance(whole, ValueError)
    assert all(state.is_finite for state in states.good)
    for error in (by_step, whole):
        assert error.result.state.is_finite
        assert error.result.step_state.is_finite
        assert_same(error.result.state, states.good[-1])
        assert error.node is not None
        if label is not None:
            assert error.node.op.label() == label
        assert error.result.history.stopped == "diverged"
        assert f"epoch {len(error.result.history) + 1}:" in str(error)
        assert all(np.isfinite(value) for value in error.result.history["loss"])
    assert str(by_step) == str(whole)


def test_a_nan_in_the_inputs_is_named_as_such():
    x = X.copy()
    x[20, 1] = np.nan
    network = plain()
    start = network.initial_state(np.random.default_rng(0))
    with pytest.raises(DivergenceError, match=r"epoch 1.*step 4.*'x' of shape") as error:
        Trainer(network, "squared_error", batch_size=5, shuffle=False).fit(x, Y, state=start)
    assert error.value.node.name == "x"
    assert error.value.result.state.is_finite


def test_a_fit_that_diverges_still_ends_and_the_trainer_fits_again():
    network, entries = plain(), []
    trainer = Trainer(network, "squared_error", optim.SGD(0.01), epochs=3, random_state=0, callbacks=[Diary(entries)])
    good = trainer.fit(X, Y).state
    del entries[:]
    with pytest.raises(DivergenceError):
        trainer.fit(X * np.nan, Y)
    assert [name for name, *_ in entries] == ["fit start", "epoch start", "fit end"]
    assert_same(trainer.fit(X, Y).state, good)


# ── interruption ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Interrupt(Callback):
    def __init__(self, moment, epoch):
        self.moment, self.epoch = moment, epoch

    def _at(self, moment, run):
        if (moment, run.epoch) == (self.moment, self.epoch):
            raise KeyboardInterrupt

    def on_epoch_start(self, run):
        self._at("epoch start", run)

    def on_step_end(self, run):
        self._at("step end", run)

    def on_epoch_end(self, run):
        self._at("epoch end", run)


@pytest.mark.parametrize(
    ("moment", "epoch", "whole"),
    [("epoch start", 1, 0), ("epoch start", 4, 3), ("step end", 1, 0), ("step end", 4, 3), ("epoch end", 4, 4)],
)
def test_an_interrupted_fit_keeps_the_last_whole_epochs_parameters_and_warns(moment, epoch, whole):
    network, entries = plain(), []

    def trainer(epochs, *callbacks):
        return Trainer(network, "squared_error", batch_size=5, epochs=epochs, random_state=0, callbacks=callbacks)

    with pytest.warns(InterruptedWarning, match=f"{whole} epochs"):
        result = trainer(10, Interrupt(moment, epoch), Diary(entries)).fit(X, Y)
    assert (len(result.history), result.history.stopped) == (whole, "interrupted")
    assert entries[-1][0] == "fit end"
    want = trainer(whole).fit(X, Y)
    assert_same(result.state, want.state)
    assert_same(by_name(result.step_state), by_name(want.step_state))


def test_an_interrupt_while_validating_keeps_the_last_epoch_of_the_history():
    network, calls = plain(), []

    def metric(outputs, targets):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return 0.0

    trainer = Trainer(network, "squared_error", epochs=9, metrics={"m": metric}, random_state=0)
    with pytest.warns(InterruptedWarning, match="2 epochs"):
        result = trainer.fit(X, Y, validation_data=(X, Y))
    assert len(result.history) == 2
    assert_same(result.state, Trainer(network, "squared_error", epochs=2, random_state=0).fit(X, Y).state)


def test_the_warning_can_be_filtered_by_its_class():
    assert issubclass(InterruptedWarning, UserWarning)


# ── the progress bar ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr("rich.console.Console.is_terminal", property(lambda self: True))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def no_terminal(monkeypatch):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


def test_the_bar_writes_nothing_where_there_is_no_terminal(no_terminal, capsys):
    Trainer(plain(), "squared_error", epochs=3, progress=True).fit(X, Y, validation_data=(X, Y))
    assert capsys.readouterr() == ("", "")


def test_the_bar_shows_epochs_and_losses_on_a_terminal_and_not_on_standard_output(terminal, capsys):
    result = Trainer(plain(), "squared_error", epochs=3, progress=True, random_state=0).fit(
        X, Y, validation_data=(X, Y)
    )
    out, err = capsys.readouterr()
    assert out == ""
    assert "3/3" in err
    assert f"loss {result.history.last('loss'):.4f}" in err
    assert f"validation loss {result.history.last('validation_loss'):.4f}" in err


def test_the_bar_changes_no_bit(terminal, capsys):
    network = mlp()
    fits = [
        Trainer(network, "squared_error", epochs=3, progress=progress, random_state=0).fit(X, Y).state
        for progress in (True, False)
    ]
    capsys.readouterr()
    assert_same(*fits)


def test_there_is_no_bar_unless_asked_for(terminal, capsys):
    Trainer(plain(), "squared_error", epochs=2).fit(X, Y)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("how", ["divergence", "interruption", "another callback's error"])
def test_the_bar_is_taken_down_however_training_ends(how, terminal, capsys):
    before = set(threading.enumerate())
    bar = ProgressBar("learning")
    if how == "divergence":
        with pytest.raises(DivergenceError):
            Trainer(plain(), "squared_error", callbacks=[bar]).fit(X * np.nan, Y)
    elif how == "interruption":
        with pytest.warns(InterruptedWarning):
            Trainer(plain(), "squared_error", callbacks=[bar, Interrupt("epoch end", 2)]).fit(X, Y)
    else:
        with pytest.raises(ValueError, match="early stopping"):
            Trainer(plain(), "squared_error", callbacks=[bar, EarlyStopping()]).fit(X, Y)
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
        assert not thread.is_alive()
    err = capsys.readouterr().err
    assert "learning" in err
    assert err.rfind("\x1b[?25h") > err.rfind("\x1b[?25l")  # the cursor is shown again
