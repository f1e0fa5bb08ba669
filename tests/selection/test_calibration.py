"""Temperature scaling finds scikit-learn's temperature, and the reliability curve is Guo's and scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.fixes import parse_version

from diaphane.data import gaussians
from diaphane.estimators import MLPClassifier
from diaphane.insight.theory import bayes_classifier
from diaphane.selection import CalibrationWarning, TemperatureScaled, fit_temperature, reliability


def drawn(n, k, T, seed=0):
    """Logits z, and labels whose probabilities are softmax(z/T)."""
    random = np.random.default_rng(seed)
    z = 3 * random.standard_normal((n, k))
    chances = softmax(z / T, axis=1).cumsum(axis=1)
    return z, (random.uniform(size=(n, 1)) > chances).sum(axis=1).clip(max=k - 1)


def loss_at(T, z, y, weights=None):
    return -np.average(log_softmax(z / T, axis=1)[np.arange(len(y)), y], weights=weights)


@pytest.mark.parametrize("k", [2, 3, 10])
@pytest.mark.parametrize("T", [0.3, 1.0, 4.0])
def test_the_temperature_is_the_one_that_the_labels_were_drawn_with_and_the_minimum(k, T):
    z, y = drawn(20_000, k, T)
    found = fit_temperature(z, y)
    assert found == pytest.approx(T, rel=0.05)
    best = minimize_scalar(lambda log: loss_at(np.exp(log), z, y), bracket=(-2, 2), tol=1e-12)
    assert found == pytest.approx(np.exp(best.x), rel=1e-5)
    assert loss_at(found, z, y) <= loss_at(1.0, z, y)


def test_a_constant_a_row_changes_nothing_and_log_odds_are_two_classes():
    z, y = drawn(500, 3, 2.0)
    shifted = z + 1000 * np.random.default_rng(1).standard_normal((500, 1))
    assert fit_temperature(shifted, y) == pytest.approx(fit_temperature(z, y), rel=1e-9)
    assert fit_temperature(log_softmax(z, axis=1), y) == pytest.approx(fit_temperature(z, y), rel=1e-9)
    z, y = drawn(500, 2, 2.0)
    assert fit_temperature(z[:, 1] - z[:, 0], y) == pytest.approx(fit_temperature(z, y), rel=1e-9)


def test_weights_count_as_repeated_rows():
    z, y = drawn(300, 4, 2.0)
    weights = np.random.default_rng(0).integers(0, 4, 300)
    again = np.repeat(np.arange(300), weights)
    assert fit_temperature(z, y, weights) == pytest.approx(fit_temperature(z[again], y[again]), rel=1e-9)


def test_held_out_rows_that_say_nothing_are_said():
    z = np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 1.0]])
    with pytest.warns(CalibrationWarning, match="all 3 held-out rows are right"):
        assert fit_temperature(z, [0, 1, 0]) == 1.0
    with pytest.warns(CalibrationWarning, match="no better than equal probabilities"):
        assert fit_temperature(z, [1, 0, 1]) == pytest.approx(2 * np.exp(10))
    assert fit_temperature(np.ones((4, 3)), [0, 1, 2, 0]) == 1.0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([[1.0, np.inf]], [0]), "not finite"),
        (([[1.0, 2.0]], [2]), "columns of the logits, 0 to 1"),
        (([[1.0, 2.0]], [0.0]), "columns of the logits"),
        (([[1.0, 2.0]], [0, 1]), r"shape \(1, 2\) and y \(2,\)"),
        (([[1.0, 2.0]], [0], [-1.0]), "none negative"),
    ],
)
def test_logits_that_cannot_be_used_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        fit_temperature(*arguments)


@pytest.mark.skipif(parse_version(sklearn.__version__) < parse_version("1.8"), reason="temperature came with 1.8")
@pytest.mark.parametrize("kind", ["multinomial", "two classes", "forest", "margins"])
def test_probabilities_are_those_of_scikit_learns_temperature_method(kind):
    X, y = load_digits(return_X_y=True)
    X = np.random.default_rng(0).normal(X / 16, 0.4)
    if kind == "two classes":
        y = np.where(y % 2, "odd", "even")
    model = {
        "forest": RandomForestClassifier(15, random_state=0),
        "margins": LinearSVC(C=0.01),
    }.get(kind, LogisticRegression(C=100.0, max_iter=300))
    frozen = FrozenEstimator(model.fit(X[:800], y[:800]))
    ours = TemperatureScaled(frozen).fit(X[800:1300], y[800:1300])
    theirs = CalibratedClassifierCV(frozen, method="temperature").fit(X[800:1300], y[800:1300])
    expected = theirs.predict_proba(X[1300:])
    np.testing.assert_allclose(ours.predict_proba(X[1300:]), expected, rtol=2e-4, atol=2e-6)
    beta = theirs.calibrated_classifiers_[0].calibrators[0].beta_
    if kind != "two classes":
        # There scikit-learn's logits are (−x, x), which halves what it calls β.
        assert 1 / ours.temperature_ == pytest.approx(float(np.ravel(beta)[0]), rel=2e-4)
    np.testing.assert_array_equal(ours.predict(X[1300:]), model.predict(X[1300:]))


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_an_overfitted_network_is_too_sure_and_scaling_mends_it():
    X, y = gaussians(3000, random_state=0, means=[[-0.7] * 5, [0.7] * 5], covariance=np.eye(5) + 0.6)
    X = X.astype(np.float32)
    model = MLPClassifier((64,), alpha=0.0, learning_rate_init=0.01, max_iter=150, random_state=0).fit(X[:300], y[:300])
    scaled = TemperatureScaled(FrozenEstimator(model)).fit(X[300:1000], y[300:1000])
    assert scaled.temperature_ > 1.5
    one, other = (m.predict_proba(X[1000:]) for m in (model, scaled))
    assert log_loss(y[1000:], other) < 0.9 * log_loss(y[1000:], one)
    assert reliability(scaled, X[1000:], y[1000:]).ece < reliability(model, X[1000:], y[1000:]).ece / 2
    np.testing.assert_array_equal(scaled.predict(X), model.predict(X))


def test_rows_for_the_temperature_are_held_out_and_repeatable():
    X, y = load_digits(return_X_y=True)
    model = TemperatureScaled(GaussianNB(), random_state=3).fit(X, y)
    again = TemperatureScaled(GaussianNB(), random_state=3).fit(X, y)
    assert model.temperature_ == again.temperature_ > 1
    assert model.estimator_.class_count_.sum() == pytest.approx(0.8 * len(X), abs=2)
    assert model.n_features_in_ == 64


@pytest.mark.filterwarnings("ignore")
def test_check_estimator_fails_nothing_and_skips_only_arrays_of_other_libraries():
    found = check_estimator(TemperatureScaled(LogisticRegression(), random_state=0), on_skip=None, on_fail=None)
    assert not {c["check_name"]: str(c["exception"]) for c in found if c["status"] in ("failed", "xfail")}
    # It needs a variable of the environment, and is skipped for scikit-learn's own too.
    assert {c["check_name"] for c in found if c["status"] == "skipped"} <= {"check_array_api_input"}


def test_what_cannot_be_scaled_is_said():
    X, y = gaussians(100, random_state=0)
    with pytest.raises(ValueError, match=r"validation_fraction is 1\.5"):
        TemperatureScaled(GaussianNB(), validation_fraction=1.5).fit(X, y)
    with pytest.raises(ValueError, match="y has 2, which the estimator has not learnt"):
        TemperatureScaled(FrozenEstimator(GaussianNB().fit(X, y))).fit(X, np.arange(100) % 3)
    with pytest.raises(ValueError, match="no predict_proba"):
        reliability(LinearSVC().fit(X, y), X, y)
    model = GaussianNB().fit(X, y)
    with pytest.raises(ValueError, match="strategy is 'equal'"):
        reliability(model, X, y, strategy="equal")
    with pytest.raises(ValueError, match="n_bins"):
        reliability(model, X, y, n_bins=0)
    with pytest.raises(ValueError, match="positive is 7"):
        reliability(model, X, y, positive=7)


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize("n_bins", [5, 15])
def test_the_curve_of_a_class_is_scikit_learns(strategy, n_bins):
    X, y = gaussians(700, random_state=0)
    model = GaussianNB().fit(X[:100], y[:100])
    found = reliability(model, X, y, positive=1, strategy=strategy, n_bins=n_bins)
    true, said = calibration_curve(y, model.predict_proba(X)[:, 1], strategy=strategy, n_bins=n_bins)
    np.testing.assert_allclose(found.accuracy, true)
    np.testing.assert_allclose(found.confidence, said)
    assert found.counts.sum() == 700


def test_the_expected_calibration_error_is_the_sum_over_bins():
    X, y = load_digits(return_X_y=True)
    model = GaussianNB().fit(X[:600], y[:600])
    p = model.predict_proba(X)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == y
    gaps, shares = [], []
    for low, high in zip(np.arange(15) / 15, np.arange(1, 16) / 15, strict=True):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            gaps.append(abs(right[inside].mean() - confidence[inside].mean()))
            shares.append(inside.mean())
    found = reliability(model, X, y)
    assert found.ece == pytest.approx(np.dot(gaps, shares))
    assert found.mce == pytest.approx(max(gaps))
    weights = np.random.default_rng(0).integers(0, 3, len(y))
    again = np.repeat(np.arange(len(y)), weights)
    repeated = reliability(model, X[again], y[again])
    assert reliability(model, X, y, sample_weight=weights).ece == pytest.approx(repeated.ece)


def test_right_probabilities_are_reliable_and_wrong_ones_are_not():
    X, y = gaussians(50_000, random_state=0)
    law = bayes_classifier()
    assert reliability(law, X, y).ece < 0.006
    assert reliability(bayes_classifier([[-2.0, 0.0], [2.0, 0.0]]), X, y).ece > 0.05
