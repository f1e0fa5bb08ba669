"""Maximum likelihood, the Kullback–Leibler identity, and the Lipschitz bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import bernoulli, entropy
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from diaphane.insight.theory import bernoulli_trials, kl_identity, largest_slope, lipschitz_bound

# Bernoulli trials


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_the_likelihood_of_trials_is_the_product_of_their_probabilities(outcomes, p):
    trials = bernoulli_trials(outcomes)
    expected = bernoulli(p).logpmf(np.array(outcomes, dtype=int)).sum()
    assert trials.log_likelihood(p) == pytest.approx(expected, rel=1e-12)
    assert trials.likelihood(p) == pytest.approx(np.exp(expected), rel=1e-9)
    assert trials.maximum >= trials.log_likelihood(p) - 1e-12


def test_the_likelihood_is_greatest_at_the_mean():
    trials = bernoulli_trials(np.random.default_rng(0).random(200) < 0.3)
    found = minimize_scalar(lambda p: -trials.log_likelihood(p), bounds=(1e-6, 1 - 1e-6), method="bounded")
    assert trials.estimate == pytest.approx(found.x, abs=1e-4)
    assert trials.maximum == pytest.approx(-found.fun)
    assert trials.maximum == pytest.approx(-200 * entropy([trials.estimate, 1 - trials.estimate]))
    p, curve = trials.curve(1001)
    assert p[curve.argmax()] == pytest.approx(trials.estimate, abs=1e-3)


def test_the_standard_error_is_the_curvature_at_the_top():
    trials, h = bernoulli_trials([1] * 30 + [0] * 70), 1e-4
    low, top, high = trials.log_likelihood([0.3 - h, 0.3, 0.3 + h])
    assert trials.standard_error == pytest.approx(1 / np.sqrt(-(low - 2 * top + high) / h**2), rel=1e-4)


def test_trials_all_alike_are_certain():
    trials = bernoulli_trials([1, 1, 1])
    assert trials.estimate == 1.0
    assert trials.maximum == 0.0
    assert trials.log_likelihood(0.0) == -np.inf
    assert trials.standard_error == 0.0


@pytest.mark.parametrize("outcomes", [[], [0, 2], [[0, 1]], ["1"], [np.nan]])
def test_outcomes_that_are_none_are_refused(outcomes):
    with pytest.raises(ValueError, match="outcomes"):
        bernoulli_trials(outcomes)


def test_a_chance_that_is_none_is_refused():
    with pytest.raises(ValueError, match="expected probabilities"):
        bernoulli_trials([0, 1]).log_likelihood(1.5)


# Kullback and Leibler


def repeated(n=400, n_points=12, n_classes=2, seed=0):
    random = np.random.default_rng(seed)
    places = random.normal(size=(n_points, 2))
    return places[random.integers(n_points, size=n)], random.integers(n_classes, size=n)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_mean_negative_log_likelihood_is_divergence_plus_entropy(n_classes):
    X, y = repeated(n_classes=n_classes)
    model = LogisticRegression().fit(X, y)
    found = kl_identity(model, X, y)
    assert found.negative_log_likelihood == pytest.approx(log_loss(y, model.predict_proba(X)), rel=1e-12)
    divergence = conditional = 0.0
    for place in np.unique(X, axis=0):
        here = (place == X).all(axis=1)
        frequencies = np.bincount(y[here], minlength=n_classes) / here.sum()
        divergence += here.mean() * entropy(frequencies, model.predict_proba(place[None])[0])
        conditional += here.mean() * entropy(frequencies)
    assert found.divergence == pytest.approx(divergence, rel=1e-10)
    assert found.entropy == pytest.approx(conditional, rel=1e-10)
    assert found.gap < 1e-14
    assert found.n_points == 12
    assert found.divergence > 0


def test_the_entropy_is_conditional_and_not_that_of_pairs():
    X, y = repeated()
    model = LogisticRegression().fit(X, y)
    _, counts = np.unique(np.column_stack([X, y]), axis=0, return_counts=True)
    joint = entropy(counts / counts.sum())
    found = kl_identity(model, X, y)
    assert abs(found.divergence + joint - found.negative_log_likelihood) > 0.5


def test_frequencies_themselves_have_no_divergence():
    X, y = repeated()
    _, point = np.unique(X, axis=0, return_inverse=True)
    shares = np.bincount(point.ravel(), weights=y) / np.bincount(point.ravel())
    assert kl_identity(shares[point.ravel()], X, y).divergence == pytest.approx(0.0, abs=1e-12)


def test_without_repeated_points_all_is_divergence():
    X, y = np.arange(6.0)[:, None], [0, 1, 0, 1, 1, 0]
    found = kl_identity(np.full(6, 0.5), X, y)
    assert found.entropy == 0.0
    assert found.divergence == pytest.approx(np.log(2))


def test_what_was_held_impossible_costs_infinitely_much():
    found = kl_identity([0.0, 0.5], [[0.0], [1.0]], [1, 1])
    assert found.negative_log_likelihood == found.divergence == np.inf
    assert found.gap == 0.0


@pytest.mark.parametrize(
    ("model", "X", "y", "message"),
    [
        ([0.5, 0.6], [[0.0], [0.0]], [0, 1], "different probabilities for the same x"),
        ([0.5], [[0.0], [1.0]], [0, 1], "probabilities have shape"),
        ([0.5, 1.6], [[0.0], [1.0]], [0, 1], "between 0 and 1"),
        ([[0.5, 0.6], [0.5, 0.5]], [[0.0], [1.0]], [0, 1], "add up to 1"),
        ([0.5, 0.5], [[0.0], [1.0]], [0, 1, 1], "y has shape"),
    ],
)
def test_identities_that_cannot_be_are_refused(model, X, y, message):
    with pytest.raises(ValueError, match=message):
        kl_identity(model, X, y)


def test_a_label_the_model_has_not_seen_is_refused():
    X, y = repeated()
    model = LogisticRegression().fit(X, y)
    with pytest.raises(ValueError, match=r"y holds 7; the model knows \[0, 1\]"):
        kl_identity(model, X, np.where(y == 1, 7, 0))


# Lipschitz


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 6), st.floats(0.01, 50))
def test_no_slope_is_steeper_than_the_bound(seed, d, size):
    random = np.random.default_rng(seed)
    w, b = random.normal(size=d) * size, random.normal()
    X = random.normal(size=(60, d))
    slope = largest_slope(lambda rows: 1 / (1 + np.exp(-np.clip(rows @ w + b, -700, 700))), X)
    assert slope <= lipschitz_bound(w) * (1 + 1e-9)


def test_the_bound_is_reached_across_the_boundary():
    w = np.array([3.0, 4.0])
    X = np.outer([-1e-4, 1e-4], w)
    assert largest_slope(lambda rows: 1 / (1 + np.exp(-rows @ w)), X) == pytest.approx(lipschitz_bound(w), rel=1e-6)
    assert lipschitz_bound(w) == np.linalg.norm(w) / 4


def test_a_fitted_classifier_keeps_to_its_bound():
    X, y = repeated(n_points=200)
    model = LogisticRegression().fit(X, y)
    assert 0 < largest_slope(model, X) <= lipschitz_bound(model)
    assert lipschitz_bound(model) == np.linalg.norm(model.coef_) / 4


def test_points_all_alike_have_no_slope():
    assert largest_slope(lambda rows: rows[:, 0], np.ones((5, 2))) == 0.0


def test_several_sigmoids_are_refused():
    with pytest.raises(ValueError, match="one sigmoid"):
        lipschitz_bound(np.ones((3, 2)))
    with pytest.raises(ValueError, match="one probability a row"):
        largest_slope(lambda rows: rows, np.ones((5, 2)))


def test_a_model_fitted_on_a_frame_is_asked_with_its_names():
    import pandas as pd

    X, y = repeated(n_points=50)
    frame = pd.DataFrame(X, columns=[f"feature {k}" for k in range(X.shape[1])])
    named, bare = LogisticRegression().fit(frame, y), LogisticRegression().fit(X, y)
    for asked in (frame, X):
        assert kl_identity(named, asked, y) == kl_identity(bare, X, y)
        assert largest_slope(named, asked) == largest_slope(bare, X)


def test_probabilities_without_a_second_class_are_told_so():
    with pytest.raises(ValueError, match=r"y has 1, \['b'\]: give the probabilities of all classes"):
        kl_identity([0.5, 0.5, 0.25], [[0], [1], [2]], ["b"] * 3)
    with pytest.raises(ValueError, match="y has 3"):
        kl_identity([0.5, 0.5, 0.25], [[0], [1], [2]], ["a", "b", "c"])


@pytest.mark.parametrize("weights", ["abc", ["a", "b"], None, [1.0, np.nan]])
def test_weights_that_are_no_numbers_are_refused(weights):
    with pytest.raises(ValueError, match=r"weights are .*expected"):
        lipschitz_bound(weights)
