"""Schedules, range tests and activations: what is drawn equals PyTorch's numbers, and suggestions hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import diaphane as dia
from diaphane.insight.displays import ActivationDisplay, RateTestDisplay, ScheduleDisplay
from diaphane.training import RateTest

PYTORCHS = {
    "identity": lambda a: a,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": torch.nn.functional.softplus,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "selu": torch.selu,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "exp": torch.exp,
    "erf": torch.erf,
}


def test_every_elementwise_activation_is_drawn_with_pytorchs_value_and_derivative():
    display = ActivationDisplay.from_activations()
    assert set(display.lines_) == set(PYTORCHS)
    assert len(display.axes_) == len(PYTORCHS)
    for name, (phi, slope) in display.lines_.items():
        a = torch.tensor(phi.get_xdata(), requires_grad=True)
        value = PYTORCHS[name](a)
        value.sum().backward()
        np.testing.assert_allclose(phi.get_ydata(), value.detach().numpy(), rtol=1e-12, atol=1e-14, err_msg=name)
        np.testing.assert_allclose(slope.get_ydata(), a.grad.numpy(), rtol=1e-10, atol=1e-14, err_msg=name)


def test_what_is_grey_is_where_the_slope_is_nearly_nothing():
    display = ActivationDisplay.from_activations(["sigmoid", "identity"], inputs=np.linspace(-8, 8, 1601))
    grey = [p for c in display.axes_[0].collections for p in c.get_paths()]
    # σ′ = σ(1 − σ) = 0.05 at |a| = log((1 + √0.8)/(1 − √0.8)).
    edge = np.log((1 + np.sqrt(0.8)) / (1 - np.sqrt(0.8)))
    assert sorted(round(abs(p.vertices[:, 0]).min(), 1) for p in grey) == [round(edge, 1)] * 2
    assert not [p for c in display.axes_[1].collections for p in c.get_paths()]


def test_an_activation_of_ones_own_is_drawn():
    display = ActivationDisplay.from_activations([lambda a: a**3], inputs=[-1.0, 2.0])
    [(_, slope)] = display.lines_.values()
    np.testing.assert_allclose(slope.get_ydata(), [3.0, 12.0])


@pytest.mark.parametrize(
    ("given", "word"), [(["softmax"], "mixes elements"), (["rleu"], "rleu"), ([], "empty"), ("relu", "list")]
)
def test_what_has_no_slope_of_one_number_is_refused(given, word):
    with pytest.raises(ValueError, match=word):
        ActivationDisplay.from_activations(given)


def test_schedules_are_drawn_as_steps_that_begin_with_their_epoch():
    display = ScheduleDisplay.from_schedules({"half": dia.optim.StepDecay(0.5, every=2)}, epochs=5, steps_per_epoch=3)
    line = display.lines_["half"]
    np.testing.assert_array_equal(line.get_ydata(), np.repeat([1, 1, 0.5, 0.5, 0.25], 3))
    np.testing.assert_allclose(line.get_xdata(), np.arange(15) / 3)
    assert line.get_drawstyle() == "steps-post"


@pytest.mark.parametrize(("given", "word"), [([], "empty"), (["cosin"], "did you mean"), ({"a": None}, "None")])
def test_what_is_no_schedule_is_not_drawn(given, word):
    with pytest.raises(ValueError, match=word):
        ScheduleDisplay.from_schedules(given, epochs=5)


def test_a_range_test_is_drawn_with_its_suggestion_on_the_smoothed_line():
    rates = np.geomspace(1e-4, 1, 5)
    losses = np.array([1.0, 0.9, 0.4, 0.3, 50.0])
    display = RateTestDisplay.from_rate_test(
        RateTest(rates, losses, losses, float(rates[1]), float(rates[2]), "the loss rose")
    )
    np.testing.assert_array_equal(display.line_.get_ydata(), losses)
    [point] = [line for line in display.ax_.lines if line.get_marker() == "o"]
    assert (point.get_xdata()[0], point.get_ydata()[0]) == (pytest.approx(rates[2]), pytest.approx(0.4))
    assert display.ax_.get_ylim()[1] < 2


def test_a_range_test_without_a_fall_is_drawn_too():
    flat = np.ones(4)
    display = RateTestDisplay.from_rate_test(RateTest(np.geomspace(1e-4, 1, 4), flat, flat, None, None, "end"))
    assert len(display.ax_.lines) == 2
