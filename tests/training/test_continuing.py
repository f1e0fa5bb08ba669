"""A training that goes on from a former one's result is the uninterrupted one."""

from __future__ import annotations

import numpy as np
import pytest

import diaphane as dia
from diaphane.nn import Dense, Dropout, Network, Sequential
from diaphane.training import Trainer

RNG = np.random.default_rng(3)
X = RNG.normal(size=(50, 4))
Y = RNG.integers(0, 3, 50)
NETWORK = Network(Sequential([Dense(8, "relu"), Dropout(0.4), Dense(3)]), (4,), dtype="float64")


def trainer(network: Network, epochs: int) -> Trainer:
    settings = {"batch_size": 16, "epochs": epochs, "shuffle": False, "random_state": 0}
    return Trainer(network, "categorical_cross_entropy", dia.optim.Adam(0.01), **settings)


def test_another_trainer_goes_on_bit_for_bit_with_dropout_and_adam():
    whole = trainer(NETWORK, 6).fit(X, Y)
    half = trainer(NETWORK, 3).fit(X, Y)
    rest = trainer(NETWORK, 3).fit(X, Y, step_state=half.step_state, first_step=half.steps)
    assert rest.steps == whole.steps == 6 * 4
    for parameter in NETWORK.parameters:
        np.testing.assert_array_equal(rest.state[parameter], whole.state[parameter])


def test_without_the_former_steps_the_masks_repeat():
    half = trainer(NETWORK, 3).fit(X, Y)
    rest = trainer(NETWORK, 3).fit(X, Y, step_state=half.step_state)
    whole = trainer(NETWORK, 6).fit(X, Y)
    kernel = NETWORK.parameters[0]
    assert not np.array_equal(rest.state[kernel], whole.state[kernel])


def test_a_state_of_another_network_is_refused_by_what_it_lacks():
    other = Network(Sequential([Dense(5, "relu"), Dropout(0.4), Dense(3)]), (4,), dtype="float64")
    state = trainer(other, 1).fit(X, Y).step_state
    with pytest.raises(dia.FeedError, match="another network or optimizer: it lacks parameters"):
        trainer(NETWORK, 1).fit(X, Y, step_state=state)


@pytest.mark.parametrize(("labels", "wrong"), [([0, 1, 3], 3), ([0, -1, 2], -1)])
def test_a_class_that_the_network_has_no_output_for_stops_the_training(labels, wrong):
    with pytest.raises(IndexError, match=rf"the index {wrong} is outside 0 … 2"):
        trainer(NETWORK, 1).fit(X[:3], np.array(labels))


def test_a_value_that_stays_flat_is_no_gain_for_early_stopping():
    stopping = dia.training.EarlyStopping("loss", patience=3)
    frozen = Trainer(NETWORK, lambda outputs, y: dia.sum(outputs * 0.0, axis=1), "sgd", epochs=50, callbacks=[stopping])
    assert len(frozen.fit(X, Y).history) == 5


@pytest.mark.parametrize("name", ["validation_mae", "validation_rmse", "loss", "validation_error"])
def test_early_stopping_knows_what_is_better_the_lower_it_is(name):
    assert dia.training.EarlyStopping(name).sign == -1.0
    assert dia.training.EarlyStopping("validation_accuracy").sign == 1.0


@pytest.mark.parametrize("callbacks", [dia.training.EarlyStopping(), [print], [dia.training.EarlyStopping]])
def test_callbacks_are_a_list_of_callback_objects(callbacks):
    with pytest.raises(TypeError, match="callbacks is a list of Callback objects"):
        Trainer(NETWORK, "squared_error", callbacks=callbacks)
