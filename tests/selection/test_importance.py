"""Importance and dependence: what is known of linear models, in arrays and in frames with words."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from diaphane.estimators import MLPRegressor
from diaphane.selection import feature_importance, partial_dependence


def linear(n=4000):
    X = np.random.default_rng(0).standard_normal((n, 3))
    y = X @ [3.0, 0.0, 1.0]
    return LinearRegression().fit(X, y), X, y


def test_of_a_linear_model_importance_is_twice_the_share_of_the_variance():
    # Shuffling xⱼ adds E[(wⱼ(xⱼ − xⱼ′))²] = 2·wⱼ²·Var(xⱼ) to the squared error: R² loses 2·wⱼ²/Σw².
    found = feature_importance(*linear(), n_repeats=20)
    assert found.names == ("x0", "x2", "x1")
    np.testing.assert_allclose(found.means, [1.8, 0.2, 0.0], atol=0.05)
    assert found.score == pytest.approx(1)
    assert found.repeats.shape == (3, 20)
    added = feature_importance(*linear(), metric="mse")
    np.testing.assert_allclose(added.means, [18, 2, 0], rtol=0.05, atol=1e-9)
    assert "added where a column is shuffled" in str(added)


def test_the_numbers_are_scikit_learns_and_repeatable():
    model, X, y = linear(300)
    theirs = permutation_importance(model, X, y, scoring="r2", n_repeats=4, random_state=5)
    ours, again = (feature_importance(model, X, y, n_repeats=4, random_state=5) for _ in range(2))
    np.testing.assert_allclose(sorted(ours.means), sorted(theirs.importances_mean))
    np.testing.assert_array_equal(ours.repeats, again.repeats)


def table():
    pandas = pytest.importorskip("pandas")
    random = np.random.default_rng(0)
    frame = pandas.DataFrame(
        {"size": random.integers(0, 10, 300), "kind": random.choice(["a", "b", "c"], 300), "noise": random.random(300)}
    )
    y = np.where(frame["kind"] == "b", "yes", "no")
    encode = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    return make_pipeline(encode, LogisticRegression(max_iter=500)).fit(frame, y), frame, y


def test_frames_with_words_have_importance_and_dependence_by_category():
    model, frame, y = table()
    assert feature_importance(model, frame, y).names[0] == "kind"
    found = partial_dependence(model, frame, "kind")
    assert found.values.tolist() == ["a", "b", "c"]
    assert found.outputs == ("P(yes)",)
    assert found.average[0, 1] > 0.9 > 0.1 > found.average[0, [0, 2]].max()
    whole = partial_dependence(model, frame, "size", n_individual=7)
    assert whole.individual.shape == (1, 7, len(whole.values))
    expected = [model.predict_proba(frame.assign(size=v))[:, 1].mean() for v in whole.values]
    np.testing.assert_allclose(whole.average[0], expected)


def test_the_dependence_of_a_sum_is_its_summand_and_single_rows_are_parallel():
    model, X, _ = linear(200)
    found = partial_dependence(model, X, 2, grid_resolution=20, n_individual=5)
    np.testing.assert_allclose(np.diff(found.average[0]), np.diff(found.values), rtol=1e-9)
    np.testing.assert_allclose(np.diff(found.individual[0], axis=1), np.diff(found.values)[np.newaxis].repeat(5, 0))
    assert found.average.shape == (1, 20)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_networks_and_whole_numbers_are_taken():
    X = np.random.default_rng(0).integers(0, 100, (200, 2))
    model = MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0).fit(X, X[:, 0] + 0.5)
    found = partial_dependence(model, X, 0, grid_resolution=7)
    assert found.values.dtype.kind == "f"
    moved = X.astype(float)
    moved[:, 0] = found.values[3]
    assert found.average[0, 3] == pytest.approx(model.predict(moved).mean(), rel=1e-5)


def test_what_is_not_there_is_said():
    model, frame, y = table()
    with pytest.raises(ValueError, match="there is no column 'kinds'; the columns are size, kind, noise"):
        partial_dependence(model, frame, "kinds")
    with pytest.raises(ValueError, match="expected a name, or a place from 0 to 2"):
        partial_dependence(model, frame, 3)
    with pytest.raises(ValueError, match="rmse does not suit Pipeline"):
        feature_importance(model, frame, y, metric="rmse")
    with pytest.raises(ValueError, match="n_repeats"):
        feature_importance(model, frame, y, n_repeats=0)
