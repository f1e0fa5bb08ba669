"""The best of many is overstated by what order statistics say, and a third set is not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from diaphane.data import gaussians
from diaphane.insight.theory import bayes_classifier, excess_error
from diaphane.selection import expected_overstatement, study_overstatement
from diaphane.selection.overstatement import _correlation, _greatest_normal


@pytest.mark.parametrize(
    ("k", "mean"),
    [(1, 0.0), (2, 1 / np.sqrt(np.pi)), (3, 1.5 / np.sqrt(np.pi)), (5, 1.16296), (10, 1.53875), (100, 2.50759)],
)
def test_the_greatest_of_k_normals_is_that_of_the_tables(k, mean):
    # Harter 1961, table 1; k = 2 and 3 in closed form.
    assert _greatest_normal(k) == pytest.approx(mean, abs=1e-5)


@pytest.mark.parametrize(("p", "n", "k"), [(0.5, 50, 100), (0.8, 30, 7), (0.95, 200, 20), (0.7, 1, 3)])
def test_the_binomial_form_is_what_draws_of_the_binomial_give(p, n, k):
    draws = np.random.default_rng(0).binomial(n, p, (40_000, k)).max(axis=1) / n - p
    assert expected_overstatement(p, n, k) == pytest.approx(draws.mean(), abs=4 * draws.std() / 200 + 1e-12)


def test_one_candidate_is_not_overstated_and_sure_ones_neither():
    for correlation in (0.0, 0.4):
        assert expected_overstatement(0.8, 100, 1, correlation=correlation) == pytest.approx(0, abs=1e-12)
        assert expected_overstatement(1.0, 100, 50, correlation=correlation) == pytest.approx(0, abs=1e-12)


def test_the_normal_form_is_the_limit_of_the_binomial():
    exact = expected_overstatement(0.8, 100_000, 30)
    assert expected_overstatement(0.8, 100_000, 30, correlation=1e-12) == pytest.approx(exact, rel=0.003)


@pytest.mark.parametrize("accuracy", [0.5, 0.7, 0.85])
def test_the_study_comes_out_as_the_closed_form_says_and_the_third_set_at_the_truth(accuracy):
    study = study_overstatement([1, 5, 40], [60, 400], accuracy=accuracy, n_repeats=400, random_state=1)
    for row in study.results:
        assert row.true_accuracy == pytest.approx(accuracy)
        # Binomials are no normals: skew is worth 1/n.
        slack = 4 * row.standard_error + (0.5 / row.n_test if accuracy > 0.5 else 0)
        assert row.overstated == pytest.approx(row.expected, abs=slack), row
        assert abs(row.third_overstated) <= 4 * row.third_standard_error
    assert study.of(60)[2].overstated > 10 * study.of(60)[2].standard_error
    assert study.of(400)[2].overstated < study.of(60)[2].overstated


def test_without_the_correlation_the_closed_form_fails():
    study = study_overstatement([40], [400], accuracy=0.85, n_repeats=400, random_state=1)
    [row] = study.results
    assert study.correlation > 0.3
    assert expected_overstatement(0.85, 400, 40) - row.overstated > 8 * row.standard_error


def test_candidates_are_as_good_on_the_generator_as_said():
    accuracy, bayes = 0.8, 0.9
    half, margin = norm.ppf(bayes), norm.ppf(accuracy)
    law = bayes_classifier([[-half, 0, 0], [half, 0, 0]], np.eye(3))
    assert law.error == pytest.approx(1 - bayes)
    cosine = margin / half
    X, y = gaussians(100_000, random_state=0, means=law.means, covariance=np.eye(3))
    right = []
    for axis in (1, 2):
        w = np.zeros(3)
        w[0], w[axis] = cosine, np.sqrt(1 - cosine**2)

        class Candidate:
            classes_, coef_, intercept_ = np.arange(2), w[np.newaxis], np.zeros(1)

            def predict(self, X):
                return (np.asarray(X) @ self.coef_[0] > 0).astype(int)

        assert excess_error(Candidate(), law).error == pytest.approx(1 - accuracy)
        right.append(Candidate().predict(X) == y)
    assert np.corrcoef(right)[0, 1] == pytest.approx(_correlation(accuracy, half), abs=0.015)


def test_of_unequal_candidates_a_good_one_is_chosen_and_still_overstated():
    study = study_overstatement([40], [100], accuracy=0.7, spread=0.1, n_repeats=300)
    [row] = study.results
    assert 0.72 < row.true_accuracy < 0.8
    assert row.overstated > 8 * row.standard_error
    assert abs(row.third_overstated) <= 4 * row.third_standard_error
    assert np.isnan(row.expected)


def test_the_same_seed_gives_the_same_study():
    once, again, other = (study_overstatement([3], [20], n_repeats=5, random_state=s).rows() for s in (0, 0, 1))
    assert once == again != other


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"accuracy": 0.95}, "expected true accuracies from 0.5"),
        ({"accuracy": 0.9}, "all the same one"),
        ({"spread": 0.4}, "expected true accuracies from 0.5"),
        ({"bayes_accuracy": 0.4}, "more than 0.5"),
        ({"n_test": []}, "is empty"),
        ({"n_candidates": [0]}, "n_candidates"),
        ({"n_repeats": 1}, "2 or more"),
    ],
)
def test_numbers_out_of_range_are_said(changes, says):
    with pytest.raises(ValueError, match=says):
        study_overstatement(**{"n_repeats": 2, **changes})
    with pytest.raises(ValueError, match="expected a probability"):
        expected_overstatement(1.2, 10, 10)
    with pytest.raises(ValueError, match="less than 1"):
        expected_overstatement(0.5, 10, 10, correlation=1.0)
