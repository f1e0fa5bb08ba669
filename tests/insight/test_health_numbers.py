"""What gradient health measures is what PyTorch, a real training step and NumPy say; and looking changes nothing."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

import diaphane as dia
from diaphane.insight import GradientHealth, gradient_health
from diaphane.insight.health.anatomy import find_layers
from diaphane.insight.health.callback import sampled
from diaphane.nn import Activation, BatchNorm, Dense, Dropout, Maxout, Network, PRelu, Sequential
from diaphane.training import Callback, EarlyStopping, Trainer

X = np.random.default_rng(0).standard_normal((60, 5))
Y = (X[:, 0] + X[:, 1] > 0).astype(np.int64) + (X[:, 2] > 1)


def network(*layers, inputs=5, dtype="float64"):
    return Network(Sequential(layers), (inputs,), dtype=dtype)


def deep():
    return network(Dense(8, "tanh"), Dense(7, "relu"), Dense(6, "sigmoid"), Dense(3))


def norm(*tensors):
    return float(torch.cat([t.detach().ravel() for t in tensors]).norm())


def test_norms_of_gradients_weights_and_what_arrives_at_the_units_are_pytorchs():
    net = deep()
    state = net.initial_state(np.random.default_rng(3))
    report = gradient_health(net, X, Y, state=state, loss="categorical_cross_entropy")
    values = [torch.tensor(state[p], requires_grad=True) for p in net.parameters]
    h, a = torch.tensor(X), []
    for i, phi in enumerate([torch.tanh, torch.relu, torch.sigmoid, lambda t: t]):
        a.append(h @ values[2 * i] + values[2 * i + 1])
        a[-1].retain_grad()
        h = phi(a[-1])
    loss = torch.nn.functional.cross_entropy(h, torch.tensor(Y))
    loss.backward()
    [look] = report.looks
    assert look.loss == pytest.approx(loss.item())
    assert look.zero_loss == pytest.approx(np.log(3))
    level = h.detach().mean(0).expand(len(Y), 3)
    constant = torch.nn.functional.cross_entropy(level, torch.tensor(Y)).item()
    assert look.constant_loss == pytest.approx(min(constant, np.log(3)))
    assert look.explained == pytest.approx(1 - look.loss / look.constant_loss)
    for i, layer in enumerate(look.layers):
        kernel, bias = values[2 * i : 2 * i + 2]
        assert layer.gradient == pytest.approx(norm(kernel.grad, bias.grad))
        assert layer.weights == pytest.approx(norm(kernel, bias))
        assert layer.signal == pytest.approx(norm(a[i].grad))
        assert np.isnan(layer.update)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "momentum", "rmsprop"])
def test_the_update_is_the_one_that_the_next_step_really_does(optimizer):
    net, health = deep(), GradientHealth(cost=None)

    class Keep(Callback):
        def __init__(self):
            self.states = []

        def on_epoch_end(self, run):
            self.states.append(run.network_state)

    keep = Keep()
    # All rows are one batch, and all are looked at: the step that is foreseen is the one that comes.
    Trainer(
        net, "categorical_cross_entropy", optimizer, batch_size=60, epochs=4, callbacks=[health, keep], random_state=0
    ).fit(X, Y)
    for look, before, after in zip(health.looks[1:], keep.states[:-1], keep.states[1:], strict=False):
        for i, layer in enumerate(look.layers):
            own = net.parameters[2 * i : 2 * i + 2]
            moved = np.sqrt(sum(np.sum((after[p] - before[p]) ** 2) for p in own))
            assert layer.update == pytest.approx(moved, rel=1e-6)
            assert layer.update_ratio == pytest.approx(moved / layer.weights, rel=1e-6)


def test_saturated_and_dead_shares_are_counts_of_the_units_values():
    rng = np.random.default_rng(5)
    kernels = [4 * rng.standard_normal((5, 30)), rng.standard_normal((30, 40)), rng.standard_normal((40, 50))]
    bias = rng.uniform(-14, 2, 40)
    net = network(
        Dense(30, "tanh", use_bias=False), Dense(40, "relu"), Dense(50, "sigmoid", use_bias=False), Dense(1, "sigmoid")
    )
    state = net.initial_state().replace(
        {net.variable(f"dense_{i}/kernel"): k for i, k in enumerate(kernels, 1)} | {net.variable("dense_2/bias"): bias}
    )
    [look] = gradient_health(net, X, X[:, :1], state=state, loss="squared_error").looks
    a1 = X @ kernels[0]
    a2 = np.tanh(a1) @ kernels[1] + bias
    a3 = np.maximum(a2, 0) @ kernels[2]
    assert 0.1 < look.layers[0].saturated < 0.9
    assert look.layers[0].saturated == pytest.approx(np.mean(1 / np.cosh(a1) ** 2 < 0.01))
    dead = np.mean((a2 <= 0).all(axis=0))
    assert 0.1 < dead < 0.9
    assert (look.layers[1].dead, look.layers[1].units) == (pytest.approx(dead), 40)
    sigma = 1 / (1 + np.exp(-a3))
    assert look.layers[2].saturated == pytest.approx(np.mean(sigma * (1 - sigma) < 0.0025))
    # An output that is sure of itself is no failure.
    assert np.isnan(look.layers[3].saturated)
    assert np.isnan([look.layers[0].dead, look.layers[1].saturated]).all()


def test_layers_of_every_kind_are_found_with_their_units():
    net = network(
        Dense(8), BatchNorm(), Activation("relu"), Dropout(0.5), Dense(6), PRelu(), Dense(8), Maxout(2),
        Dense(5, "silu"), Dense(4, lambda a: dia.graph.tanh(a) * 2), Dense(1),
    )  # fmt: skip
    parameters = {path: v for path, v in net.named_variables().items() if v in net.parameters}
    found = find_layers(net.output, net.input, parameters)
    names = [(layer.number, layer.name) for layer in found]
    assert [name for name in names if not name[0]] == [(0, "batch_norm_1"), (0, "p_relu_1")]
    assert [name for name in names if name[0]] == [(i, f"dense_{i}") for i in range(1, 7)]
    kinds = {layer.name: [kind for kind, _ in layer.activations] for layer in found}
    # silu is a·σ(a): its sigmoid gates and does not saturate.
    assert {name: kind for name, kind in kinds.items() if kind} == {"dense_1": ["relu"], "dense_5": ["tanh"]}
    health = GradientHealth()
    Trainer(net, "squared_error", "adam", epochs=3, callbacks=[health], random_state=0).fit(X, X[:, :1])
    assert all(np.isfinite(layer.gradient) and layer.update > 0 for look in health.looks for layer in look.layers)


def test_a_network_from_a_function_is_looked_at_parameter_by_parameter():
    rng = np.random.default_rng(0)
    w, b = dia.variable(rng.standard_normal((5, 9)), "w"), dia.variable(np.zeros(9), "b")
    v = dia.variable(rng.standard_normal((9, 1)), "v")
    net = Network(lambda x: dia.graph.relu(x @ w + b) @ v, (5,), dtype="float64")
    [look] = gradient_health(net, X, X[:, :1], loss=lambda o, y: dia.graph.sum(dia.graph.abs(o - y), -1)).looks
    assert [(layer.number, layer.name) for layer in look.layers] == [(1, "w"), (0, "b"), (2, "v")]
    h = np.maximum(X @ w.value, 0)
    slope = np.sign(h @ v.value - X[:, :1]) / 60
    by_name = {layer.name: layer for layer in look.layers}
    assert by_name["v"].gradient == pytest.approx(np.linalg.norm(h.T @ slope))
    assert by_name["w"].signal == pytest.approx(np.linalg.norm((slope @ v.value.T) * (h > 0)))
    assert by_name["b"].gradient == pytest.approx(np.linalg.norm(((slope @ v.value.T) * (h > 0)).sum(0)))


def test_weighted_examples_weigh_in_the_gradients():
    net, weights = deep(), np.arange(60.0)
    state = net.initial_state()
    [weighted] = gradient_health(net, X, Y, state=state, loss="categorical_cross_entropy", sample_weight=weights).looks
    kept = np.repeat(np.arange(60), np.arange(60))
    [repeated] = gradient_health(net, X[kept], Y[kept], state=state, loss="categorical_cross_entropy", rows=2000).looks
    for one, other in zip(weighted.layers, repeated.layers, strict=True):
        assert one.gradient == pytest.approx(other.gradient)


@pytest.mark.parametrize("dropout", [[], [Dropout(0.3)]])
def test_training_gives_the_same_bits_with_the_callback_and_without(dropout):
    results = []
    for callbacks in ([], [GradientHealth(cost=None)], [GradientHealth()]):
        net = network(Dense(8, "relu"), *dropout, BatchNorm(), Dense(3), dtype="float32")
        trainer = Trainer(
            net, "categorical_cross_entropy", "adam", batch_size=16, epochs=7, callbacks=callbacks, random_state=4
        )
        results.append(trainer.fit(X.astype("float32"), Y))
    for other in results[1:]:
        assert [v.tobytes() for v in other.state.values()] == [v.tobytes() for v in results[0].state.values()]
        assert other.history["loss"] == results[0].history["loss"]


def test_looks_come_as_often_as_asked_for_and_seldom_enough_on_a_tiny_network():
    def looked(health, epochs=40):
        net = network(Dense(4, "relu"), Dense(3))
        Trainer(net, "categorical_cross_entropy", epochs=epochs, callbacks=[health], random_state=0).fit(X, Y)
        return [look.epoch for look in health.looks]

    assert looked(GradientHealth(cost=None)) == list(range(41))
    assert looked(GradientHealth(every=15, cost=None)) == [0, 15, 30, 40]
    seldom = looked(GradientHealth(cost=0.1), 4000)
    assert seldom[0] == 0
    assert seldom[-1] == 4000
    assert len(seldom) < 60 < len(looked(GradientHealth(cost=1.0), 40000))
    assert seldom == looked(GradientHealth(cost=0.1), 4000)


def test_the_last_look_is_at_what_early_stopping_went_back_to():
    health = GradientHealth(cost=None)
    net = deep()
    stopping = EarlyStopping("loss", patience=2, min_delta=100.0)
    result = Trainer(
        net, "categorical_cross_entropy", "sgd", epochs=50, callbacks=[stopping, health], random_state=0
    ).fit(X, Y)
    assert len(result.history) < 10
    [again] = gradient_health(net, X, Y, state=result.state, loss="categorical_cross_entropy").looks
    assert health.looks[-1].loss == pytest.approx(again.loss)


def test_what_a_checkpoint_keeps_is_the_same_report():
    health = GradientHealth(cost=None)
    Trainer(deep(), "categorical_cross_entropy", epochs=3, callbacks=[health], random_state=0).fit(X, Y)
    other = GradientHealth(cost=None)
    other.from_state(*health.to_state())
    assert repr(other.report) == repr(health.report)
    assert str(pickle.loads(pickle.dumps(health))) == str(health)
    empty = GradientHealth()
    empty.from_state(*GradientHealth().to_state())
    assert empty.looks == ()


def test_a_fitted_estimator_is_looked_at_with_its_own_loss_and_labels():
    from sklearn.datasets import load_iris

    from diaphane.estimators import MLPClassifier, MLPRegressor

    x, y = load_iris(return_X_y=True)
    x = (x - x.mean(0)) / x.std(0)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    for target, columns in ((names == "setosa", 1), (names, 3)):
        health = GradientHealth()
        model = MLPClassifier(
            (10,), max_iter=150, tol=0, random_state=0, alpha=0, callbacks=[health], learning_rate_init=0.01
        )
        with pytest.warns(match="Maximum iterations"):
            model.fit(x, target)
        [look] = gradient_health(model, x, target).looks
        assert look.loss == pytest.approx(
            -np.mean(np.log(model.predict_proba(x)[range(150), np.unique(target, return_inverse=True)[1]]))
        )
        assert model.network_.output_shape == (columns,)
        assert health.looks[-1].loss == pytest.approx(look.loss, rel=0.05)
        assert health.healthy
        assert gradient_health(model, x, target).healthy
    regression = MLPRegressor(hidden_layer_sizes=(10,), random_state=0, solver="lbfgs", max_iter=3000).fit(x, x[:, 0])
    [look] = gradient_health(regression, x, x[:, 0]).looks
    assert look.loss == pytest.approx(np.mean((regression.predict(x) - x[:, 0]) ** 2) / 2)
    with pytest.raises(ValueError, match="'mouse'"):
        gradient_health(model, x, np.array(["mouse"] * 150))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: gradient_health(deep(), X, Y), ValueError, "give loss="),
        (lambda: gradient_health(object(), X, Y), TypeError, "object is no network"),
        (lambda: gradient_health(deep(), X, Y[:7], loss="categorical_cross_entropy"), ValueError, "number of rows"),
        (lambda: gradient_health(deep(), X, Y, loss="categorical_cross_entropy", rows=0), ValueError, "rows"),
        (lambda: GradientHealth(0), ValueError, "every"),
        (lambda: GradientHealth(rows=-1), ValueError, "rows"),
        (lambda: GradientHealth(cost=0), ValueError, "cost"),
        (lambda: GradientHealth().healthy, ValueError, "no look was taken"),
        (lambda: GradientHealth().plot(), ValueError, "no look"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_rows_looked_at_are_of_those_learnt_from_and_the_same_for_a_seed():
    learnt = np.arange(100, 1000)
    first, second, third = (sampled(learnt, 50, seed) for seed in (1, 1, 2))
    assert (first == second).all()
    assert (first != third).any()
    assert set(first) <= set(learnt)
    assert len(set(first)) == 50


def test_a_stream_is_looked_at_by_its_first_rows_from_before_the_first_step():
    def chunks():
        for start in range(0, len(X), 7):
            yield X[start : start + 7], Y[start : start + 7]

    def fit(*given):
        health = GradientHealth(rows=7, cost=None)
        settings = {"batch_size": 4, "epochs": 3, "shuffle": False, "callbacks": [health], "random_state": 0}
        Trainer(deep(), "categorical_cross_entropy", "sgd", **settings).fit(*given)
        return health

    health = fit(dia.data.open_stream(chunks, window=16))
    assert [look.epoch for look in health.looks] == [0, 1, 2, 3]
    # In memory nothing but these rows is there to be looked at, before the first step.
    assert health.looks[0].loss == pytest.approx(fit(X[:7], Y[:7]).looks[0].loss)
    shuffled = GradientHealth(rows=50, cost=None)
    trainer = Trainer(
        deep(), "categorical_cross_entropy", "sgd", epochs=3, batch_size=4, callbacks=[shuffled], random_state=0
    )
    trainer.fit(dia.data.open_stream(chunks, window=16))
    assert len(shuffled.looks) == 4
