"""Dropout: what is dropped, how often, how it is scaled, and that the other readings of the convention fail."""

import numpy as np
import pytest

import diaphane as dia
from diaphane import nn

ROWS, UNITS = 400, 50


def dropped(layer, x, seed=0, step=0, dtype="float64"):
    network = nn.Network(layer, x.shape[1:], dtype=dtype)
    program = dia.Program(network.forward(network.input, training=True).output)
    out, _ = program.run(None, {network.input: x}, seed=seed, step=step)
    return out


def spread(rate):
    """Five standard deviations of the share of ROWS·UNITS draws."""
    return 5 * np.sqrt(rate * (1 - rate) / (ROWS * UNITS))


@pytest.mark.parametrize("inverted", [True, False])
@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5, 0.9])
def test_the_share_that_is_dropped_is_the_rate(rate, inverted):
    out = dropped(nn.Dropout(rate, inverted), np.ones((ROWS, UNITS)))
    share = np.mean(out == 0)
    assert abs(share - rate) < spread(rate)
    if rate != 0.5:
        assert abs(share - (1 - rate)) > spread(rate)


@pytest.mark.parametrize("rate", [0.2, 0.75])
def test_inverted_scaling_is_by_the_probability_of_keeping_in_training_and_nothing_at_inference(rate):
    x = np.random.default_rng(0).uniform(1, 2, (ROWS, UNITS))
    out = dropped(nn.Dropout(rate), x)
    kept = out != 0
    np.testing.assert_allclose(out[kept], x[kept] / (1 - rate), rtol=1e-14)
    network = nn.Network(nn.Dropout(rate), (UNITS,), dtype="float64")
    np.testing.assert_array_equal(network.predict(network.initial_state(), x), x)


@pytest.mark.parametrize("rate", [0.2, 0.75])
def test_srivastavas_scaling_is_nothing_in_training_and_by_the_probability_of_keeping_at_inference(rate):
    x = np.random.default_rng(0).uniform(1, 2, (ROWS, UNITS))
    out = dropped(nn.Dropout(rate, inverted=False), x)
    kept = out != 0
    np.testing.assert_array_equal(out[kept], x[kept])
    network = nn.Network(nn.Dropout(rate, inverted=False), (UNITS,), dtype="float64")
    np.testing.assert_allclose(network.predict(network.initial_state(), x), (1 - rate) * x, rtol=1e-14)


@pytest.mark.parametrize("inverted", [True, False])
@pytest.mark.parametrize("rate", [0.1, 0.6])
def test_the_expected_value_in_training_is_the_value_at_inference(rate, inverted):
    layer = nn.Dropout(rate, inverted)
    network = nn.Network(layer, (UNITS,), dtype="float64")
    at_inference = network.predict(network.initial_state(), np.ones((1, UNITS)))[0, 0]
    in_training = dropped(layer, np.ones((ROWS, UNITS))).mean()
    scale = 1 / (1 - rate) if inverted else 1.0
    assert abs(in_training - at_inference) < scale * spread(rate)
    # Read as the probability of keeping, the expected values would be far from each other.
    other_reading = (1 - rate) / rate if inverted else rate
    assert abs(other_reading - at_inference) > 0.1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_linear_network_agrees_in_expectation_between_the_two_conventions(dtype):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(1, 6)).astype(dtype)
    results = {}
    for inverted in (True, False):
        layers = nn.Sequential([nn.Dense(8), nn.Dropout(0.4, inverted), nn.Dense(2)])
        network = nn.Network(layers, (6,), dtype=dtype)
        state = network.initial_state(np.random.default_rng(3))
        program = dia.Program(network.forward(network.input, training=True).output)
        sampled, _ = program.run(state, {"x": np.repeat(x, 60_000, 0)}, seed=5)
        results[inverted] = network.predict(state, x)[0], sampled.mean(0), sampled.std(0)
    for at_inference, mean, deviation in results.values():
        assert np.all(np.abs(mean - at_inference) < 5 * deviation / np.sqrt(60_000) + 1e-6)
    np.testing.assert_allclose(results[False][0], 0.6 * results[True][0], rtol=1e-5)


def test_a_network_of_one_convention_predicts_as_the_other_with_its_kernel_rescaled():
    """Trained with Srivastava's scaling, W acts at inference as (1 − rate)·W: the inverted net with that kernel."""
    rate = 0.3
    plain = nn.Network(nn.Sequential([nn.Dropout(rate, inverted=False), nn.Dense(3)]), (4,), dtype="float64")
    inverted = nn.Network(nn.Sequential([nn.Dropout(rate), nn.Dense(3)]), (4,), dtype="float64")
    state = plain.initial_state(np.random.default_rng(0))
    kernel = state[plain.variable("dense_1/kernel")]
    other = inverted.initial_state().replace({inverted.variable("dense_1/kernel"): (1 - rate) * kernel})
    x = np.random.default_rng(1).normal(size=(5, 4))
    np.testing.assert_allclose(plain.predict(state, x), inverted.predict(other, x), rtol=1e-13)
    outs = []
    for network, values in ((plain, state), (inverted, other)):
        program = dia.Program(network.forward(network.input, training=True).output)
        outs.append(program.run(values, {"x": x}, seed=9)[0])
    np.testing.assert_allclose(*outs, rtol=1e-13)


@pytest.mark.parametrize("inverted", [True, False])
def test_a_rate_of_zero_changes_nothing_at_all(inverted):
    x = np.random.default_rng(0).normal(size=(20, 7))
    layer = nn.Dropout(0.0, inverted)
    network = nn.Network(layer, (7,), dtype="float64")
    np.testing.assert_array_equal(dropped(layer, x), x)
    np.testing.assert_array_equal(network.predict(network.initial_state(), x), x)


def test_masks_are_a_function_of_seed_and_step():
    x, layer = np.ones((30, 40)), nn.Dropout(0.5)
    base = dropped(layer, x, seed=1, step=2)
    np.testing.assert_array_equal(dropped(layer, x, seed=1, step=2), base)
    for seed, step in ((1, 3), (2, 2), (2, 1)):
        assert 0.4 < np.mean(dropped(layer, x, seed=seed, step=step) == base) < 0.6


def test_masks_of_a_row_do_not_depend_on_the_batchs_size():
    layer = nn.Dropout(0.5)
    np.testing.assert_array_equal(dropped(layer, np.ones((10, 6)))[:4], dropped(layer, np.ones((4, 6))))


def test_rows_and_units_are_dropped_independently():
    kept = dropped(nn.Dropout(0.5), np.ones((ROWS, UNITS))) != 0
    for axis in (0, 1):
        shares = kept.mean(axis)
        n = kept.shape[axis]
        assert np.abs(shares - 0.5).max() < 5 * 0.5 / np.sqrt(n)
        assert shares.std() == pytest.approx(0.5 / np.sqrt(n), rel=0.5)


def test_two_dropout_layers_of_one_network_have_masks_of_their_own():
    network = nn.Network(nn.Sequential([nn.Dropout(0.5), nn.Dropout(0.5)]), (UNITS,), dtype="float64")
    out, _ = dia.Program(network.forward(network.input, training=True).output).run(None, {"x": np.ones((ROWS, UNITS))})
    assert abs(np.mean(out != 0) - 0.25) < spread(0.25)


def test_the_gradient_passes_where_the_value_was_kept():
    network = nn.Network(nn.Dropout(0.4), (UNITS,), dtype="float64")
    out = network.forward(network.input, training=True).output
    value, slope = dia.evaluate(
        [out, *dia.gradient(dia.sum(out), [network.input])], {network.input: np.ones((9, UNITS))}
    )
    np.testing.assert_array_equal(slope, value)


def test_a_dropped_infinity_is_zero():
    out = dropped(nn.Dropout(0.5), np.full((10, 10), np.inf))
    assert set(np.unique(out)) == {0.0, np.inf}


def test_the_rate_is_a_hyperparameter_that_the_state_holds():
    network = nn.Network(nn.Dropout(0.5), (UNITS,), dtype="float64")
    [rate] = [v for v in network.variables if v.op.role == "hyperparameter"]
    program = dia.Program(network.forward(network.input, training=True).output)
    out, _ = program.run(program.initial_state().replace({rate: 0.1}), {"x": np.ones((ROWS, UNITS))})
    assert abs(np.mean(out == 0) - 0.1) < spread(0.1)
    np.testing.assert_allclose(out[out != 0], 1 / 0.9)


@pytest.mark.parametrize("rate", [1, 1.0, -0.1, 1.5, float("nan"), float("inf"), True])
def test_what_is_no_probability_of_dropping_is_refused_with_its_value(rate):
    with pytest.raises(ValueError, match=repr(rate)):
        nn.Dropout(rate)
