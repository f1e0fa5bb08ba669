"""The range test: a rate that it suggests trains better than a hundredth and the hundredfold of it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.preprocessing import scale

import diaphane as dia
from diaphane.training import DivergenceError, Trainer, rate_test


def data(name: str) -> tuple[Any, Any, int, str]:
    if name == "diabetes":
        x, y = load_diabetes(return_X_y=True)
        return scale(x), scale(y)[:, None], 1, "squared_error"
    x, y = {"digits": load_digits, "wine": load_wine}[name](return_X_y=True)
    return (x / 16 if name == "digits" else scale(x)), y, int(y.max()) + 1, "categorical_cross_entropy"


def trainer_for(name: str, optimizer: dia.optim.Optimizer, **settings: Any) -> Trainer:
    x, _, outputs, loss = data(name)
    layers = dia.nn.Sequential([dia.nn.Dense(32, "relu"), dia.nn.Dense(outputs)])
    network = dia.nn.Network(layers, (x.shape[1],), dtype="float64")
    return Trainer(network, loss, optimizer, **{"epochs": 10, "random_state": 0, **settings})


def loss_after(name: str, optimizer: dia.optim.Optimizer) -> float:
    x, y, _, _ = data(name)
    try:
        return trainer_for(name, optimizer).fit(x, y).history.last("loss")
    except DivergenceError:
        return math.inf


CASES = [
    (name, optimizer)
    for name in ("digits", "wine", "diabetes")
    for optimizer in (dia.optim.SGD(), dia.optim.Nesterov(), dia.optim.Adam())
]


@pytest.mark.parametrize(("name", "optimizer"), CASES, ids=lambda v: v if isinstance(v, str) else type(v).__name__)
def test_the_suggestion_beats_a_hundredth_and_the_hundredfold_of_it(name, optimizer):
    x, y, _, _ = data(name)
    found = rate_test(trainer_for(name, optimizer), x, y)
    assert found.suggestion is not None
    less, at, more = (
        loss_after(name, dataclasses.replace(optimizer, learning_rate=found.suggestion * k)) for k in (0.01, 1, 100)
    )
    assert at < 0.7 * less
    assert not more < at


def test_on_a_parabola_the_losses_are_those_of_the_closed_form():
    """l = (w − 1)²: each step takes w − 1 times 1 − 2ε, until the loss is four times its best."""
    network = dia.nn.Network(dia.nn.Dense(1, use_bias=False, kernel_initializer=0.0), (1,), dtype="float64")
    ones = np.ones((8, 1))
    found = rate_test(Trainer(network, "squared_error", dia.optim.SGD(), batch_size=8), ones, ones, low=1e-3, steps=60)
    rates = np.geomspace(1e-3, 10, 60)
    losses = np.cumprod(1 - 2 * rates) ** 2
    np.testing.assert_allclose(found.rates, rates[: len(found.rates)], rtol=1e-12)
    np.testing.assert_allclose(found.losses, losses[: len(found.losses)], rtol=1e-9)
    weights = [0.8 ** np.arange(t + 1)[::-1] for t in range(len(found.losses))]
    smoothed = np.array([(w * found.losses[: len(w)]).sum() / w.sum() for w in weights])
    np.testing.assert_allclose(found.smoothed, smoothed, rtol=1e-9)
    above = smoothed > 4 * np.minimum.accumulate(smoothed)
    assert found.ended == "the loss rose"
    assert above.nonzero()[0].tolist() == [len(smoothed) - 1]
    least = smoothed.argmin()
    fall = np.gradient(smoothed, np.log(found.rates))[: least + 1]
    assert found.steepest == found.rates[fall.argmin()]
    assert found.suggestion == pytest.approx(math.sqrt(found.steepest * found.rates[least]), rel=1e-12)
    # A step of 1 and more only goes away from the minimum.
    assert found.suggestion < 1


def test_the_trainer_trains_after_the_test_as_if_there_had_been_none():
    x, y, _, _ = data("wine")
    generator = np.random.default_rng(3)
    tested = trainer_for("wine", dia.optim.Adam(0.01), random_state=generator)
    rate_test(tested, x, y)
    untested = trainer_for("wine", dia.optim.Adam(0.01), random_state=np.random.default_rng(3))
    assert tested.fit(x, y).history["loss"] == untested.fit(x, y).history["loss"]


def test_the_same_seed_gives_the_same_bits_and_a_schedule_is_left_out():
    x, y, _, _ = data("wine")
    plain, again = (rate_test(trainer_for("wine", dia.optim.SGD()), x, y) for _ in range(2))
    scheduled = rate_test(trainer_for("wine", dia.optim.SGD(schedule="warmup:3+cosine")), x, y)
    assert plain.losses.tolist() == again.losses.tolist() == scheduled.losses.tolist()
    assert rate_test(trainer_for("wine", dia.optim.SGD(), random_state=1), x, y).losses[0] != plain.losses[0]


def test_an_overflow_ends_the_test_without_an_error():
    x, y, _, _ = data("diabetes")
    found = rate_test(trainer_for("diabetes", dia.optim.SGD()), 1e30 * x, y, low=1e-3)
    assert found.ended == "the loss was no longer finite"
    assert found.suggestion is None


def test_where_there_is_nothing_to_learn_nothing_is_suggested():
    x, y, _, _ = data("wine")
    found = rate_test(trainer_for("wine", dia.optim.SGD()), 0 * x, y, low=1e-12, high=1e-10, steps=20)
    assert found.ended == "the greatest rate was reached"
    constant = Trainer(dia.nn.Network(dia.nn.Dense(1, kernel_initializer=0.0), (13,)), "squared_error", dia.optim.SGD())
    assert rate_test(constant, 0 * x, 0 * y[:, None], steps=20).suggestion is None


@pytest.mark.parametrize(
    ("settings", "word"),
    [({"low": 0}, "low"), ({"low": 1.0, "high": 0.1}, "low"), ({"high": math.inf}, "high"), ({"steps": 3}, "steps")],
    ids=str,
)
def test_bad_bounds_are_refused_by_name(settings, word):
    x, y, _, _ = data("wine")
    with pytest.raises(ValueError, match=word):
        rate_test(trainer_for("wine", dia.optim.SGD()), x, y, **settings)
