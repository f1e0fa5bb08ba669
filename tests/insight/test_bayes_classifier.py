"""The best classifier of two Gaussian classes, its error, and the excess of others over it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from diaphane.data import DataError, bayes_error, gaussians
from diaphane.insight.theory import bayes_classifier, excess_error

MEANS = [[0.0, 0.0, 1.0], [1.0, 0.5, -0.5]]
ONE = np.diag([1.0, 0.5, 2.0]) + 0.2
TWO = np.array([ONE, np.diag([0.3, 2.0, 1.0]) - 0.1])
PRIORS = (0.3, 0.7)


def points(n=200):
    return np.random.default_rng(0).normal(size=(n, 3)) * 2


@pytest.mark.parametrize("covariance", [ONE, TWO], ids=["one", "two"])
def test_log_odds_are_those_of_the_densities(covariance):
    law = bayes_classifier(MEANS, covariance, priors=PRIORS)
    both = np.broadcast_to(covariance, (2, 3, 3))
    logs = [multivariate_normal(m, s).logpdf(points()) + np.log(p) for m, s, p in zip(MEANS, both, PRIORS, strict=True)]
    np.testing.assert_allclose(law.decision_function(points()), logs[1] - logs[0], rtol=1e-9, atol=1e-9)
    posterior = np.exp(logs) / np.exp(logs).sum(axis=0)
    np.testing.assert_allclose(law.predict_proba(points()), posterior.T, atol=1e-12)
    np.testing.assert_array_equal(law.predict(points()), (logs[1] > logs[0]).astype(int))
    np.testing.assert_allclose(law.density(points()) * PRIORS, np.exp(logs).T, rtol=1e-9)
    assert law.is_linear == (covariance is ONE)


def test_a_linear_law_is_what_linear_discriminant_analysis_learns():
    X, y = gaussians(100_000, 0, means=MEANS, covariance=ONE)
    theirs = LinearDiscriminantAnalysis().fit(X, y)
    law = bayes_classifier(MEANS, ONE)
    np.testing.assert_allclose(theirs.coef_, law.coef_, atol=0.06)
    np.testing.assert_allclose(theirs.intercept_, law.intercept_, atol=0.06)


def test_bayes_error_with_priors_is_the_integral_of_the_smaller_joint_density():
    means, covariance, priors = [[0.0], [1.3]], [[0.8]], (0.2, 0.8)
    joint = [lambda x, m=m, p=p: p * norm.pdf(x, m, np.sqrt(0.8)) for (m,), p in zip(means, priors, strict=True)]
    crossing = -bayes_classifier(means, covariance, priors=priors).intercept_[0] / 2.0 * 1.6 / 1.3
    expected = sum(
        quad(lambda x: min(f(x) for f in joint), *ends, epsabs=1e-13)[0] for ends in ((-15, crossing), (crossing, 15))
    )
    assert bayes_error(means, covariance, priors=priors) == pytest.approx(expected, abs=1e-10)
    assert bayes_error([[1.0], [1.0]], [[1.0]], priors=(0.3, 0.7)) == 0.3


@pytest.mark.parametrize("priors", [(0.5, 0.5), (0.2, 0.8)])
def test_bayes_error_of_two_covariances_is_the_integral_of_the_smaller_joint_density(priors):
    means, covariance = [[0.0, 0.0], [1.0, 0.5]], [np.eye(2), [[1.5, 0.5], [0.5, 0.6]]]
    laws = [multivariate_normal(m, s) for m, s in zip(means, covariance, strict=True)]
    grid = np.linspace(-9, 9, 1801)
    plane = np.stack(np.meshgrid(grid, grid), axis=-1)
    smaller = np.minimum(*(p * law.pdf(plane) for p, law in zip(priors, laws, strict=True)))
    expected = smaller.sum() * (grid[1] - grid[0]) ** 2
    assert bayes_error(means, covariance, priors=priors) == pytest.approx(expected, abs=2e-6)


def test_bayes_error_in_ten_dimensions_is_what_a_sample_says():
    random = np.random.default_rng(0)
    factors = random.normal(size=(2, 10, 10)) / 4 + np.eye(10)
    covariance = factors @ np.swapaxes(factors, 1, 2)
    means = np.stack([np.zeros(10), np.full(10, 0.2)])
    law = bayes_classifier(means, covariance)
    X, y = gaussians(200_000, 1, means=means, covariance=covariance)
    assert np.mean(law.predict(X) != y) == pytest.approx(law.error, abs=4 * np.sqrt(law.error / len(X)))


def test_bayes_error_is_continuous_where_the_covariances_become_one():
    near = [ONE, ONE * (1 + 1e-9)]
    assert bayes_error(MEANS, near, priors=PRIORS) == pytest.approx(bayes_error(MEANS, ONE, priors=PRIORS), abs=1e-8)


@pytest.mark.parametrize("covariance", [ONE, TWO], ids=["one", "two"])
def test_the_error_of_a_line_is_what_a_sample_says(covariance):
    law = bayes_classifier(MEANS, covariance)
    X, y = gaussians(100, 0, means=MEANS, covariance=covariance)
    model = LogisticRegression().fit(X, y)
    found = excess_error(model, law)
    assert found.method == "hyperplane"
    Xt, yt = gaussians(200_000, 1, means=MEANS, covariance=covariance)
    assert found.error == pytest.approx(1 - model.score(Xt, yt), abs=0.005)
    assert found.excess == pytest.approx(found.error - law.error)
    assert found.standard_error == 0


def test_the_best_classifier_has_no_excess():
    for covariance in (ONE, TWO):
        law = bayes_classifier(MEANS, covariance, priors=PRIORS)
        assert excess_error(law, law).excess == pytest.approx(0.0, abs=1e-9)


def test_no_classifier_is_better_than_the_best():
    law = bayes_classifier(MEANS, TWO, priors=PRIORS)
    random = np.random.default_rng(0)
    for _ in range(20):
        other = bayes_classifier(random.normal(size=(2, 3)), TWO * random.uniform(0.5, 2, (2, 1, 1)))
        found = excess_error(other, law)
        assert found.method == "quadric"
        assert found.error >= law.error - 1e-10


@pytest.mark.parametrize(
    "model",
    [DecisionTreeClassifier(random_state=0), QuadraticDiscriminantAnalysis(), GaussianNB()],
    ids=lambda model: type(model).__name__,
)
def test_the_excess_of_any_classifier_is_what_a_test_set_says(model):
    law = bayes_classifier(MEANS, TWO)
    X, y = gaussians(200, 0, means=MEANS, covariance=TWO)
    found = excess_error(model.fit(X, y), law, random_state=0)
    assert found.method == "sample"
    Xt, yt = gaussians(200_000, 1, means=MEANS, covariance=TWO)
    assert found.error == pytest.approx(1 - model.score(Xt, yt), abs=0.006)
    assert found.excess >= 0
    assert 0 < found.standard_error < 0.002
    assert found == excess_error(model, law, random_state=0)


def test_coefficients_of_scaled_features_are_not_taken_for_those_of_the_features():
    law = bayes_classifier(MEANS, ONE)
    X, y = gaussians(500, 0, means=MEANS, covariance=ONE)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    assert excess_error(pipeline, law).method == "sample"
    # An object whose coef_ says another thing than its predictions.
    pipeline.coef_, pipeline.intercept_ = -pipeline[-1].coef_, pipeline[-1].intercept_
    assert excess_error(pipeline, law).method == "sample"


def test_labels_of_the_classifier_may_be_any_two():
    law = bayes_classifier(MEANS, ONE)
    X, y = gaussians(300, 0, means=MEANS, covariance=ONE)
    numbers, words = LogisticRegression().fit(X, y), LogisticRegression().fit(X, np.array(["no", "yes"])[y])
    assert excess_error(numbers, law) == excess_error(words, law)


def test_bad_laws_and_classifiers_are_refused():
    with pytest.raises(DataError, match="priors are"):
        bayes_classifier(priors=(1.0, 1.0))
    with pytest.raises(DataError, match="not positive definite"):
        bayes_classifier(covariance=[[1, 2], [2, 1]])
    with pytest.raises(ValueError, match="X has 3 columns; expected 2"):
        bayes_classifier().predict(np.zeros((1, 3)))
    law = bayes_classifier()
    three = LogisticRegression().fit(np.eye(3)[:, :2], [0, 1, 2])
    with pytest.raises(ValueError, match="expected two, as the law has"):
        excess_error(three, law)
    with pytest.raises(ValueError, match="n_samples is 1"):
        excess_error(law, law, n_samples=1)


@pytest.mark.parametrize("model", [LogisticRegression(), DecisionTreeClassifier(random_state=0)], ids=str)
def test_a_model_fitted_on_a_frame_has_the_error_of_one_fitted_on_its_numbers(model):
    import pandas as pd

    X, y = gaussians(200, random_state=0)
    law = bayes_classifier()
    named = excess_error(model.fit(pd.DataFrame(X, columns=["a", "b"]), y), law, n_samples=2000)
    assert named == excess_error(model.fit(X, y), law, n_samples=2000)
