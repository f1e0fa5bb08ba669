"""A regression's target, scaled and back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from diaphane.data import ColumnEncoder, DataError, TargetScaler, choose_target, read_table, split_rows


def test_scaled_targets_have_mean_0_and_deviation_1_and_come_back():
    y = np.random.default_rng(0).lognormal(8, 2, size=(100,))
    scaler = TargetScaler.fit(y)
    scaled = scaler.transform(y)
    assert scaled.mean() == pytest.approx(0, abs=1e-12)
    assert scaled.std() == pytest.approx(1)
    np.testing.assert_allclose(scaler.inverse(scaled), y, rtol=1e-9)
    assert TargetScaler.from_state(json.loads(json.dumps(scaler.to_state()))) == scaler


def test_a_constant_target_is_only_centred():
    np.testing.assert_array_equal(TargetScaler.fit([5.0, 5.0]).transform([5.0, 6.0]), [0.0, 1.0])


@pytest.mark.parametrize("y", [[], [1.0, np.nan], [np.inf, 1.0]])
def test_targets_that_are_not_finite_are_refused(y):
    with pytest.raises(DataError, match="expected finite numbers"):
        TargetScaler.fit(y)


@pytest.mark.parametrize("state", [{}, {"mean": "a", "scale": 1}, {"mean": 0, "scale": 0}, None])
def test_a_state_that_is_not_ours_is_refused(state):
    with pytest.raises(DataError, match="stored scale of the target"):
        TargetScaler.from_state(state)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_car_prices_are_predicted_well_from_these_columns(real_file):
    from sklearn.neural_network import MLPRegressor

    table = read_table(real_file("auto_imports.csv"), header=False)
    target = choose_target(table)
    features = table.drop([target.name]).take(target.rows)
    scores = []
    for seed in range(3):
        split = split_rows(target.y, random_state=seed)
        train = np.concatenate([split.train, split.validation])
        encoder, scaler = ColumnEncoder.fit(features.take(train)), TargetScaler.fit(target.y[train])
        network = MLPRegressor(hidden_layer_sizes=(64, 32), batch_size=32, random_state=seed, max_iter=100)
        network.fit(encoder.transform(features.take(train)), scaler.transform(target.y[train]))
        predicted = scaler.inverse(network.predict(encoder.transform(features.take(split.test))))
        residual = target.y[split.test] - predicted
        scores.append(1 - np.sum(residual**2) / np.sum((target.y[split.test] - target.y[split.test].mean()) ** 2))
    assert np.median(scores) >= 0.8
