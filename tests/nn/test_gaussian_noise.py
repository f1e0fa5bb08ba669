"""Gaussian noise: its law, only in training, and the same on every engine."""

import numpy as np
import pytest
import scipy.stats

import diaphane as dia
from diaphane import nn


def noised(std, x, dtype="float64", engine="native", seed=0, step=0):
    network = nn.Network(nn.GaussianNoise(std), x.shape[1:], dtype=dtype)
    program = dia.Program(network.forward(network.input, training=True).output, engine=engine)
    return program.run(None, {network.input: x}, seed=seed, step=step)[0]


@pytest.mark.parametrize("std", [0.1, 3.0])
def test_what_is_added_in_training_is_normal_with_this_standard_deviation(std):
    x = np.random.default_rng(0).normal(size=(100, 50))
    noise = (noised(std, x) - x).ravel()
    assert scipy.stats.kstest(noise / std, "norm").pvalue > 1e-3
    assert scipy.stats.kstest(noise / std**2, "norm").pvalue < 1e-3


def test_nothing_is_added_at_inference_and_for_zero():
    x = np.random.default_rng(0).normal(size=(10, 5))
    network = nn.Network(nn.GaussianNoise(0.7), (5,), dtype="float64")
    np.testing.assert_array_equal(network.predict(network.initial_state(), x), x)
    np.testing.assert_array_equal(noised(0.0, x), x)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_engines_agree_and_each_step_has_noise_of_its_own(dtype):
    x = np.random.default_rng(0).normal(size=(9, 5)).astype(dtype)
    one, other = (noised(0.5, x, dtype, engine) for engine in ("native", "reference"))
    np.testing.assert_allclose(one, other, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-6)
    assert not np.array_equal(one, noised(0.5, x, dtype, step=1))
    assert not np.array_equal(one, noised(0.5, x, dtype, seed=1))


def test_two_layers_draw_apart_and_the_deviation_is_set_in_the_state():
    network = nn.Network(nn.Sequential([nn.GaussianNoise(0.0), nn.GaussianNoise(1.0)]), (50,), dtype="float64")
    program = dia.Program(network.forward(network.input, training=True).output)
    x = np.zeros((100, 50))
    state = network.initial_state()
    one, _ = program.run(state, {network.input: x})
    both, _ = program.run(state.replace({network.variable("gaussian_noise_1/std"): 1.0}), {network.input: x})
    assert abs(np.corrcoef(one.ravel(), (both - one).ravel())[0, 1]) < 0.06
    assert both.std() == pytest.approx(np.sqrt(2), rel=0.05)


def test_bad_deviations_are_refused_and_good_ones_are_kept_in_json():
    for std in (-0.1, np.nan, np.inf):
        with pytest.raises(ValueError, match="GaussianNoise: std"):
            nn.GaussianNoise(std)
    for std in ("1", None, True):
        with pytest.raises(TypeError, match="GaussianNoise: std"):
            nn.GaussianNoise(std)
    assert nn.Layer.from_json(nn.GaussianNoise(0.2).to_json()) == nn.GaussianNoise(0.2)
