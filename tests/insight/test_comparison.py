"""Generative against discriminative: learning curves, and their crossing."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from diaphane.data import bayes_error, gaussians
from diaphane.insight.theory import Comparison, compare_classifiers, usual_classifiers

D = 20
CORRELATED = 0.5 ** np.abs(np.subtract.outer(np.arange(D), np.arange(D)))
MEANS = np.stack([np.zeros(D), 0.4 * (1 + 0.5 * np.sin(2.0 * np.arange(D)))])


def test_naive_bayes_leads_with_few_examples_and_logistic_regression_with_many():
    X, y = gaussians(4000, 0, means=MEANS, covariance=CORRELATED)
    both = {"naive Bayes": GaussianNB(), "logistic regression": LogisticRegression(C=1e4, max_iter=1000)}
    found = compare_classifiers(X, y, both, sizes=[40, 80, 320, 2000], n_repeats=12)
    difference, error = found.difference("naive Bayes", "logistic regression")
    assert difference[0] < -2 * error[0]
    assert difference[-1] > 5 * error[-1]
    assert found.crossing("naive Bayes", "logistic regression") in (80, 320)
    assert found.crossing("logistic regression", "naive Bayes") is None
    best = bayes_error(MEANS, CORRELATED)
    assert best - 0.02 < found.curve("logistic regression")[-1] < best + 0.02
    assert found.curve("naive Bayes")[-1] > best + 0.02


def test_errors_are_those_of_classifiers_fitted_by_hand():
    X, y = gaussians(60, 0)
    found = compare_classifiers(X, y, {"majority": DummyClassifier(strategy="constant", constant=1)}, sizes=[10, 30])
    np.testing.assert_allclose(found.errors, 0.5)
    assert found.errors.shape == (1, 2, 10)
    np.testing.assert_array_equal(found.sizes, [10, 30])


def test_the_usual_classifiers_are_compared_by_default_and_none_is_touched():
    X, y = gaussians(200, 0)
    found = compare_classifiers(X, y, n_repeats=2)
    assert found.names == tuple(usual_classifiers())
    assert len(found.names) == 5
    assert found.sizes[-1] == 100
    assert (np.diff(found.sizes) > 0).all()
    model = GaussianNB()
    compare_classifiers(X, y, {"one": model}, sizes=[20], n_repeats=1)
    assert not hasattr(model, "classes_")


def test_the_same_seed_gives_the_same_comparison():
    X, y = gaussians(100, 0)
    tree = {"tree": DecisionTreeClassifier(max_features=1)}
    first, second = (compare_classifiers(X, y, tree, sizes=[10, 40], random_state=3) for _ in range(2))
    np.testing.assert_array_equal(first.errors, second.errors)
    other = compare_classifiers(X, y, tree, sizes=[10, 40], random_state=4)
    assert not np.array_equal(first.errors, other.errors)


def test_labels_may_be_words_and_more_than_two():
    random = np.random.default_rng(0)
    X, y = random.normal(size=(90, 2)), np.array(["a", "b", "c"])[np.arange(90) % 3]
    X[:, 0] += 10 * (np.arange(90) % 3)
    found = compare_classifiers(X, y, {"naive Bayes": GaussianNB()}, sizes=[6, 40], n_repeats=3)
    assert found.curve("naive Bayes")[-1] < 0.05


def test_means_errors_and_crossings_are_those_of_the_numbers():
    errors = np.array([[[0.2, 0.4], [0.3, 0.3]], [[0.4, 0.4], [0.1, 0.2]]])
    found = Comparison(("a", "b"), np.array([10, 20]), errors)
    np.testing.assert_allclose(found.means, [[0.3, 0.3], [0.4, 0.15]])
    np.testing.assert_allclose(found.standard_errors[0], [0.1, 0.0])
    np.testing.assert_allclose(found.difference("a", "b")[0], [-0.1, 0.15])
    np.testing.assert_allclose(found.difference("a", "b")[1], [0.1, 0.05])
    assert found.crossing("a", "b") == 20
    assert found.crossing("b", "a") is None
    assert str(found).splitlines()[1].split() == ["a", "0.300", "0.300"]
    with pytest.raises(ValueError, match="there is no classifier 'c'"):
        found.curve("c")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": [40, 20]}, "ascending"),
        ({"sizes": [2, 20]}, "expected from 4"),
        ({"sizes": [10, 90]}, "to 50"),
        ({"sizes": [10.5]}, "whole numbers"),
        ({"n_repeats": 0}, "n_repeats is 0"),
        ({"test_size": 1.0}, "test_size is 1.0"),
        ({"classifiers": {}}, "no classifier to compare"),
    ],
)
def test_comparisons_that_cannot_be_are_refused(options, message):
    X, y = gaussians(100, 0)
    with pytest.raises(ValueError, match=message):
        compare_classifiers(X, y, **options)


def test_labels_that_cannot_be_compared_are_refused():
    X, y = gaussians(100, 0)
    with pytest.raises(ValueError, match="y has one class"):
        compare_classifiers(X, np.zeros(100))
    with pytest.raises(ValueError, match="expected 4 or more"):
        compare_classifiers(X, np.arange(100) == 0)
    with pytest.raises(ValueError, match="one label a row"):
        compare_classifiers(X, y[:-1])


@pytest.mark.parametrize("classifiers", [[GaussianNB()], GaussianNB(), "naive Bayes"], ids=str)
def test_classifiers_without_names_are_refused(classifiers):
    X, y = gaussians(100, 0)
    with pytest.raises(TypeError, match=r"classifiers are .*expected a mapping"):
        compare_classifiers(X, y, classifiers)
