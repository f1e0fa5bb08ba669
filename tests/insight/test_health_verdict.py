"""The verdict names what a net was built to fail of, with layer, number and advice, and is silent on healthy ones."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris

from diaphane.insight import GradientHealth, gradient_health
from diaphane.insight.displays import HealthDisplay, InitializationDisplay
from diaphane.insight.health import LayerHealth, Look
from diaphane.insight.health.verdict import judge
from diaphane.nn import BatchNorm, ConstantInitializer, Dense, Dropout, Network, Sequential, Uniform
from diaphane.optim import SGD, Adam, Momentum
from diaphane.training import DivergenceError, Trainer

DIGITS = load_digits(return_X_y=True)
IRIS = load_iris(return_X_y=True)
SETS = {
    "digits": ((DIGITS[0] / 16).astype("f4")[:600], DIGITS[1][:600]),
    "iris": ((IRIS[0] - 5).astype("f4") / 2, IRIS[1]),
}


def hidden(depth, width, phi, initializer="glorot_uniform", **more):
    return [Dense(width, phi, kernel_initializer=initializer, **more) for _ in range(depth)]


def watched(layers, data="digits", optimizer=None, epochs=6, seed=11, batch=32):
    x, y = SETS[data]
    net = Network(Sequential([*layers, Dense(int(y.max()) + 1)]), x.shape[1:])
    health = GradientHealth()
    trainer = Trainer(
        net, "categorical_cross_entropy", optimizer or Adam(0.002), epochs=epochs, batch_size=batch,
        callbacks=[health], random_state=seed,
    )  # fmt: skip
    try:
        trainer.fit(x, y)
    except DivergenceError:
        assert health.report.diverged
    return health


FAILING = [
    # Sigmoids pass on a quarter at most, so ten of them less than a millionth.
    ("vanishing", lambda: hidden(10, 40, "sigmoid"), {}),
    ("vanishing", lambda: hidden(7, 90, "sigmoid", "lecun_normal"), {"optimizer": SGD(0.1), "data": "iris"}),
    # U[±0.02] of 50 units has a gain of 0.08.
    ("vanishing", lambda: hidden(6, 50, "tanh", Uniform(0.02)), {"optimizer": Momentum(0.01)}),
    ("vanishing", lambda: hidden(6, 50, "gelu", Uniform(0.02)), {"data": "iris"}),
    # U[±1] of 60 units has a gain of √(60/3) = 4.5, less a half for rectifiers.
    ("exploding", lambda: hidden(8, 60, "relu", Uniform(1.0)), {}),
    ("exploding", lambda: hidden(8, 60, "relu", Uniform(1.0)), {"optimizer": SGD(0.01), "data": "iris"}),
    ("exploding", lambda: hidden(7, 80, None, Uniform(0.9)), {"optimizer": Momentum(0.01)}),
    ("saturated", lambda: hidden(2, 40, "tanh", Uniform(30.0)), {}),
    ("saturated", lambda: hidden(1, 60, "sigmoid", bias_initializer=40.0), {"optimizer": SGD(0.05), "data": "iris"}),
    ("saturated", lambda: hidden(3, 50, "sigmoid", "lecun_normal", bias_initializer=-60.0), {"data": "iris"}),
    ("dead", lambda: hidden(1, 50, "relu", bias_initializer=-50.0), {}),
    (
        "dead",
        lambda: [*hidden(2, 40, "relu", "he_normal"), *hidden(1, 30, "relu", bias_initializer=-90.0)],
        {"data": "iris"},
    ),
    # Digits' inputs are not negative.
    ("dead", lambda: hidden(2, 45, "relu", ConstantInitializer(-0.1)), {"optimizer": SGD(0.05)}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "layers", "settings"), FAILING)
def test_a_net_built_to_fail_is_found_to_fail_of_that_first(kind, layers, settings):
    verdict = watched(layers(), **settings).verdict()
    assert [f.kind for f in verdict][:1] == [kind], [str(f) for f in verdict]


HEALTHY = [
    (lambda: hidden(1, 100, "relu", "he_normal"), {}),
    (lambda: hidden(8, 60, "relu", "he_normal"), {"optimizer": SGD(0.02), "epochs": 10}),
    (lambda: hidden(8, 40, "tanh", "glorot_uniform"), {"optimizer": Momentum(0.01), "epochs": 10}),
    (lambda: hidden(3, 50, "gelu", "he_normal"), {"data": "iris", "epochs": 40}),
    (lambda: hidden(2, 40, "sigmoid"), {"optimizer": Adam(0.01), "epochs": 30}),
    (lambda: [*hidden(1, 64, "relu", "he_normal"), BatchNorm(), Dropout(0.3), *hidden(1, 32, "relu", "he_normal")], {}),
    # To convergence: units are sure and gradients are gone, because nothing is left to learn.
    (lambda: hidden(2, 64, "tanh", "lecun_normal"), {"optimizer": Adam(0.01), "epochs": 150}),
    (lambda: hidden(4, 40, "elu", "lecun_normal"), {"data": "iris", "epochs": 200, "optimizer": Adam(0.005)}),
    (list, {"optimizer": SGD(0.1)}),
]  # fmt: skip


@pytest.mark.parametrize(("layers", "settings"), HEALTHY)
def test_a_healthy_run_is_passed_over_in_silence(layers, settings):
    health = watched(layers(), **settings)
    assert health.healthy, str(health)
    assert health.looks[-1].explained > 0.3
    assert str(health).endswith("healthy: nothing was found that keeps this network from learning")


def test_the_words_name_layers_number_cause_and_a_way_out():
    health = watched(hidden(6, 32, "sigmoid"))
    [first, *_] = health.verdict()
    layers = health.looks[0].layers
    slower = layers[-1].signal / layers[0].signal
    said = re.fullmatch(
        r"layer 1 \(dense_1\) learns (\d+) times slower than layer 7 \(dense_7\): vanishing gradients; "
        r"try relu or he_normal, BatchNorm, or fewer layers",
        str(first),
    )
    assert said
    assert float(said[1]) == pytest.approx(slower, rel=0.05)
    assert first.value == pytest.approx(slower)
    assert str(health).splitlines()[-1] == f"vanishing: {first}"
    assert len(health.table()) == 7
    assert len(health.report.rows()) == 7 * len(health.looks)


@pytest.mark.parametrize("optimizer", [SGD(1e4), Momentum(3e3)])
def test_a_learning_rate_that_is_too_large_is_named(optimizer):
    [first, *_] = watched(hidden(2, 30, "relu", "he_normal"), optimizer=optimizer).verdict()
    assert first.kind == "rate too large"
    assert "try a tenth of it" in first.words


def test_adam_with_a_rate_of_a_thousand_is_named_too():
    assert "rate too large" in [f.kind for f in watched(hidden(2, 30, "tanh"), optimizer=Adam(1000.0)).verdict()]


@pytest.mark.parametrize("optimizer", [SGD(1e-7), Adam(1e-8)])
def test_a_learning_rate_that_is_too_small_is_named(optimizer):
    [finding] = watched(hidden(1, 30, "relu", "he_normal"), optimizer=optimizer, epochs=8).verdict()
    assert finding.kind == "rate too small"
    assert finding.value < 0.01


def test_targets_that_have_nothing_to_do_with_the_inputs_are_found_to_teach_nothing():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((4000, 3)).astype("f4"), rng.standard_normal((4000, 1)).astype("f4")
    net, health = Network(Sequential([Dense(4, "tanh"), Dense(1)]), (3,)), GradientHealth(rows=4000)
    Trainer(net, "squared_error", SGD(0.02), epochs=12, callbacks=[health], random_state=0).fit(x, y)
    [finding] = health.verdict()
    assert finding.kind == "nothing learnt"
    learnable = GradientHealth(rows=4000)
    Trainer(net, "squared_error", SGD(0.02), epochs=12, callbacks=[learnable], random_state=0).fit(
        x, y + 0.3 * x[:, :1]
    )
    assert learnable.healthy


def test_values_that_are_not_finite_are_named_with_their_layer():
    x, y = SETS["digits"]
    net = Network(Sequential([Dense(8, "relu"), Dense(10)]), (64,))
    state = net.initial_state()
    kernel = state[net.variable("dense_2/kernel")].copy()
    kernel[0, 0] = np.nan
    broken = state.replace({net.variable("dense_2/kernel"): kernel})
    report = gradient_health(net, x, y, state=broken, loss="categorical_cross_entropy")
    assert report.verdict()[0].kind == "not finite"
    assert not report.healthy
    assert any(layer.not_finite for layer in report.looks[0].layers)


def test_one_moment_is_enough_for_what_a_net_is_built_with():
    x, y = SETS["digits"]
    for layers, kinds in ((hidden(10, 30, "sigmoid"), ["vanishing"]), (hidden(10, 30, "tanh", "lecun_normal"), [])):
        net = Network(Sequential([*layers, Dense(10)]), (64,))
        report = gradient_health(net, x, y, loss="categorical_cross_entropy", optimizer="adam")
        assert [f.kind for f in report.verdict()] == kinds
        assert all(layer.update > 0 for layer in report.looks[0].layers)


def test_units_that_are_dead_by_the_chance_of_one_row_are_not_called_dead():
    def look(dead, units):
        layer = LayerHealth("dense_1", 1, 1.0, 1.0, signal=1.0, dead=dead, units=units, activation="relu")
        return Look(0, 0, 2.0, 1.0, 1.0, (layer,))

    # Half of the units are below 0 for one row; of 8 that may well be 7, of 800 it is never 600.
    assert judge([look(7 / 8, 8)]) == []
    assert [f.kind for f in judge([look(0.75, 800)])] == ["dead"]
    assert judge([]) == []


def test_the_picture_shows_every_layers_gradient_over_time():
    pytest.importorskip("matplotlib").use("Agg")
    import matplotlib.pyplot as plt

    health = watched(hidden(3, 20, "tanh"))
    display = health.plot()
    assert isinstance(display, HealthDisplay)
    epochs, values = display.lines_["dense_2", "gradient"].get_data()
    assert list(epochs) == [look.epoch for look in health.looks]
    np.testing.assert_array_equal(values, [look.layers[1].signal for look in health.looks])
    assert ("dense_4", "idle") not in display.lines_
    x, y = SETS["digits"]
    net = Network(Sequential([*hidden(3, 20, "relu"), Dense(10)]), (64,))
    assert gradient_health(net, x, y, loss="categorical_cross_entropy").plot().lines_ == {}
    from diaphane.insight import initialization

    study = initialization(net, x, schemes=["he_normal", "lecun_normal"], n_draws=1)
    drawn = study.plot()
    assert isinstance(drawn, InitializationDisplay)
    np.testing.assert_array_equal(
        drawn.lines_["he_normal", "signal"].get_ydata(), [layer.signal for layer in study.of("he_normal")]
    )
    plt.close("all")
