"""Estimators alike share a plan and nothing else: values never meet, and what a user wrote is drawn anew."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression

import diaphane as dia
from diaphane import nn, optim
from diaphane.estimators import MLPClassifier, MLPRegressor, machine

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(90, 6, n_informative=4, n_classes=3, random_state=0)
XR, YR = make_regression(90, 6, random_state=0)
SETTINGS = {"hidden_layer_sizes": (7,), "max_iter": 6, "random_state": 0}
ENGINES = pytest.mark.parametrize("engine", ["reference", "native"])


@pytest.fixture(autouse=True)
def _nothing_shared_yet():
    machine._shared.cache_clear()


def weights(model):
    return [*model.coefs_, *model.intercepts_]


def assert_same(one, other):
    for a, b in zip(weights(one), weights(other), strict=True):
        np.testing.assert_array_equal(a, b)


def differ(one, other):
    return any(not np.array_equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def test_those_alike_have_one_graph_and_others_their_own():
    model = MLPClassifier(**SETTINGS).fit(X, Y)
    assert clone(model).fit(X, Y).network_ is model.network_
    for other in ({"activation": "tanh"}, {"hidden_layer_sizes": (8,)}, {"dropout": 0.5}, {"dtype": "float32"}):
        assert clone(model).set_params(**other).fit(X, Y).network_ is not model.network_


NUMBERS = {
    "alpha": {"alpha": 0.5},
    "the learning rate": {"learning_rate_init": 0.03},
    "betas": {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    "momentum": {"solver": "sgd", "momentum": 0.2},
    "an optimizer": {"solver": optim.RMSProp(0.02, alpha=0.5)},
}


@pytest.mark.parametrize("numbers", NUMBERS.values(), ids=NUMBERS)
@ENGINES
def test_a_search_over_numbers_plans_once_and_each_fit_has_its_own(numbers, engine):
    solver = {"solver": "sgd"} if numbers.get("solver") == "sgd" else {}
    solver = {"solver": optim.RMSProp()} if "RMSProp" in str(numbers) else solver
    usual = MLPClassifier(engine=engine, **SETTINGS, **solver).fit(X, Y)
    found = MLPClassifier(engine=engine, **SETTINGS).set_params(**numbers).fit(X, Y)
    assert found.network_ is usual.network_
    assert differ(found, usual)
    machine._shared.cache_clear()
    alone = MLPClassifier(engine=engine, **SETTINGS).set_params(**numbers).fit(X, Y)
    assert alone.network_ is not found.network_
    assert_same(found, alone)
    assert found.loss_curve_ == alone.loss_curve_


@ENGINES
def test_two_that_go_on_in_turn_never_meet(engine):
    def start(seed):
        return MLPClassifier(engine=engine, **{**SETTINGS, "random_state": seed, "dropout": 0.2})

    one, other = start(1), start(2)
    for k in range(4):
        one.partial_fit(X, Y, classes=[0, 1, 2])
        other.partial_fit(X[k:], Y[k:], classes=[0, 1, 2])
    assert one.network_ is other.network_
    alone = start(1)
    for _ in range(4):
        alone.partial_fit(X, Y, classes=[0, 1, 2])
    assert_same(one, alone)


@ENGINES
def test_fits_in_many_threads_give_what_they_give_one_after_another(engine):
    models = [MLPRegressor(engine=engine, **{**SETTINGS, "random_state": k}) for k in range(8)]
    want = [clone(model).fit(XR, YR) for model in models]
    machine._shared.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda model: model.fit(XR, YR), models))
    for one, other in zip(got, want, strict=True):
        assert_same(one, other)


def scaled_loss(scale):
    return lambda outputs, y: scale[0] * nn.losses.squared_error(outputs, y)


def scaled_activation(scale):
    return lambda a: dia.tanh(a * scale[0])


class Fading(optim.SGD):
    """Its formula is the user's, and uses a number of its own as a constant."""

    scale = 1.0

    def formula(self, g, slots):
        return slots.move(-(slots["learning_rate"] * g * type(self).scale))


@pytest.mark.parametrize("what", ["loss", "activation"])
def test_what_a_users_function_does_now_is_what_is_trained(what):
    scale = [1.0]
    function = {"loss": scaled_loss, "activation": scaled_activation}[what](scale)
    model = MLPRegressor(**SETTINGS, **{what: function})
    first = clone(model).fit(XR, YR)
    scale[0] = 3.0
    second = clone(model).fit(XR, YR)
    assert differ(first, second)
    assert_same(second, model.fit(XR, YR))


def test_what_a_users_optimizer_does_now_is_how_it_is_trained():
    model = MLPRegressor(solver=Fading(0.01), **SETTINGS)
    first = clone(model).fit(XR, YR)
    Fading.scale = 0.5
    assert differ(first, clone(model).fit(XR, YR))


def test_a_registered_activation_is_the_users_and_not_shared():
    scale = [1.0]
    nn.register_activation("swelling", scaled_activation(scale))
    try:
        model = MLPRegressor(activation="swelling", **SETTINGS)
        first = clone(model).fit(XR, YR)
        scale[0] = 3.0
        assert differ(first, clone(model).fit(XR, YR))
    finally:
        del nn.ACTIVATIONS["swelling"]


def test_only_so_many_plans_are_kept():
    for units in range(1, machine.MOST_SHARED + 5):
        MLPRegressor(**{**SETTINGS, "hidden_layer_sizes": (units,), "max_iter": 1}).fit(XR, YR)
    assert machine._shared.cache_info().currsize == machine.MOST_SHARED
