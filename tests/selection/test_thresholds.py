"""The threshold chosen is the best there is: beside brute force, the closed form of costs and scikit-learn's own."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.svm import LinearSVC

from diaphane.data import gaussians
from diaphane.estimators import MLPClassifier
from diaphane.insight.theory import bayes_classifier
from diaphane.selection import choose_threshold

ORACLES = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "f1": lambda y, p, **k: sk.f1_score(y, p, average="macro", zero_division=0, **k),
    "f1_positive": lambda y, p, **k: sk.f1_score(y, p, zero_division=0, **k),
    "mcc": sk.matthews_corrcoef,
}


EVERY = np.arange(-0.005, 1.02, 0.01)
"""Probabilities of two decimals have a threshold of these between each two."""


class Fixed(ClassifierMixin, BaseEstimator):
    """Says the probabilities that are its only feature."""

    classes_ = np.array([0, 1])

    def predict_proba(self, X):
        p = np.asarray(X)[:, 0]
        return np.column_stack([1 - p, p])

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True


def probabilities(n, seed, decimals=2):
    random = np.random.default_rng(seed)
    p = random.beta(1, 3, n).round(decimals)
    return p[:, np.newaxis], (random.uniform(size=n) < p).astype(int)


@pytest.mark.parametrize("metric", ORACLES)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("weighted", [False, True])
def test_no_threshold_is_better_than_the_one_chosen(metric, seed, weighted):
    X, y = probabilities(30, seed)
    weights = np.random.default_rng(seed).integers(1, 5, 30) if weighted else None
    choice = choose_threshold(Fixed(), X, y, metric=metric, sample_weight=weights)

    def scored(t):
        return ORACLES[metric](y, (X[:, 0] >= t).astype(int), sample_weight=weights)

    for t, value in zip(choice.thresholds, choice.scores, strict=True):
        assert value == pytest.approx(scored(t), abs=1e-12)
    assert choice.score == pytest.approx(max(map(scored, EVERY)), abs=1e-12)
    assert scored(choice.threshold) == pytest.approx(choice.score, abs=1e-12)
    assert choice.default_score == pytest.approx(scored(0.5), abs=1e-12)


def test_costs_are_made_least_whichever_class_is_called_positive():
    X, y = probabilities(200, 7)
    costs = np.array([[-1.0, 3.0], [8.0, 0.5]])

    def cost(t):
        return np.mean(costs[y, (X[:, 0] >= t).astype(int)])

    choice = choose_threshold(Fixed(), X, y, costs=costs)
    assert choice.score == pytest.approx(min(map(cost, EVERY)))
    assert np.mean(costs[y, choice.classifier.predict(X)]) == pytest.approx(choice.score)
    assert np.sum(choice.confusion * costs) / len(y) == pytest.approx(choice.score)
    other = choose_threshold(Fixed(), X, y, costs=costs, positive=0)
    assert other.positive == 0
    assert other.score == pytest.approx(choice.score)
    assert other.threshold == pytest.approx(1 - choice.threshold, abs=0.011)
    assert np.mean(costs[y, other.classifier.predict(X)]) == pytest.approx(other.score)


@pytest.mark.parametrize("costs", [[[0, 1], [9, 0]], [[0, 4], [1, 0]], [[-1, 2], [3, -2]]])
def test_of_right_probabilities_the_threshold_is_elkans(costs):
    law = bayes_classifier([[-1.0, 0.0], [1.0, 0.0]], np.eye(2))
    X, y = gaussians(200_000, random_state=0)
    (c00, c01), (c10, c11) = costs
    choice = choose_threshold(law, X, y, costs=costs)
    assert choice.threshold == pytest.approx((c01 - c00) / (c01 - c00 + c10 - c11), abs=0.02)


def test_it_is_at_least_as_good_as_scikit_learns_grid():
    X, y = gaussians(600, random_state=3, means=[[-0.5, 0], [0.5, 0]])
    model = LogisticRegression().fit(X, y)
    tuned = TunedThresholdClassifierCV(model, scoring="f1", cv="prefit", refit=False, thresholds=50).fit(X, y)
    choice = choose_threshold(model, X, y, metric="f1_positive")
    assert choice.score >= tuned.best_score_ - 1e-12
    assert sk.f1_score(y, choice.classifier.predict(X)) == pytest.approx(choice.score)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_float32_probabilities_are_cut_where_they_were_compared():
    levels = np.nextafter(np.float32(0.3), np.float32([0, 1]))
    X = np.r_[np.full(20, levels[0]), np.full(20, levels[1])].astype(np.float32)[:, np.newaxis]
    y = np.repeat([0, 1], 20)
    choice = choose_threshold(Fixed(), X, y, metric="accuracy")
    assert choice.score == 1
    assert choice.classifier.predict(X).tolist() == y.tolist()
    X, y = gaussians(400, random_state=0, means=[[-0.3, 0], [0.3, 0]])
    model = MLPClassifier((8,), max_iter=20, random_state=0).fit(X.astype(np.float32), y)
    choice = choose_threshold(model, X.astype(np.float32), y)
    found = sk.balanced_accuracy_score(y, choice.classifier.predict(X.astype(np.float32)))
    assert found == pytest.approx(choice.score)


def test_scores_without_probabilities_have_a_threshold_too():
    X, y = gaussians(300, random_state=1)
    names = np.array(["no", "yes"])[y]
    model = LinearSVC().fit(X, names)
    for positive in (None, "no"):
        choice = choose_threshold(model, X, names, positive=positive)
        assert choice.default_threshold == 0
        assert sk.balanced_accuracy_score(names, choice.classifier.predict(X)) == pytest.approx(choice.score)
        assert choice.default_score == pytest.approx(sk.balanced_accuracy_score(names, model.predict(X)))


def test_equally_good_thresholds_give_the_one_nearest_the_default():
    X = np.array([[0.1], [0.2], [0.8], [0.9]])
    assert choose_threshold(Fixed(), X, [0, 0, 1, 1]).threshold == 0.5
    constant = DummyClassifier(strategy="prior").fit(np.zeros((4, 1)), [0, 0, 0, 1])
    choice = choose_threshold(constant, np.zeros((4, 1)), [0, 0, 0, 1], metric="accuracy")
    assert choice.score == 0.75
    assert choice.classifier.predict(np.zeros((2, 1))).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"metric": "auc"}, "no threshold changes it"),
        ({"metric": "f1_positiv"}, "Did you mean 'f1_positive'"),
        ({"metric": "f1", "costs": np.eye(2)}, "both given"),
        ({"costs": [1, 2]}, r"expected numbers of shape \(2, 2\)"),
        ({"costs": [[0, np.nan], [1, 0]]}, "expected numbers"),
        ({"positive": "yes"}, r"expected one of the classes \[0, 1\]"),
        ({"y_validation": np.zeros(20, int)}, "rows of both classes"),
        ({"y_validation": np.arange(20) % 3}, "rows of both classes"),
        ({"y_validation": np.arange(10) % 2}, "X_validation has 20 rows and y_validation 10"),
        ({"estimator": LogisticRegression().fit(np.eye(3), [0, 1, 2])}, "parts two classes, and"),
    ],
)
def test_what_has_no_threshold_is_said(changes, says):
    X, _ = probabilities(20, 0)
    given = {"estimator": Fixed(), "X_validation": X, "y_validation": np.arange(20) % 2, **changes}
    with pytest.raises(ValueError, match=says):
        choose_threshold(**given)
