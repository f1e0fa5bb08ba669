"""Bayesian search through Optuna."""

import sys

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression

from diaphane.data.errors import MissingExtraError
from diaphane.selection import Search
from diaphane.selection.search.bayes import Proposals


class Hill(RegressorMixin, BaseEstimator):
    """Scores −(log₁₀ a + 2)² − (b − 3)², whatever the data."""

    def __init__(self, a=1.0, b=0, kind="low"):
        self.a, self.b, self.kind = a, b, kind

    def fit(self, X, y):
        return self

    def score(self, X, y):
        return -((np.log10(self.a) + 2) ** 2) - (self.b - 3) ** 2 - (self.kind == "low")


X, Y = np.zeros((12, 1)), np.arange(12.0)
SPACE = {"a": stats.loguniform(1e-6, 1e2), "b": range(8), "kind": ["low", "high"]}


def test_without_optuna_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r'pip install "diaphane\[search\]"'):
        Search(Hill(), SPACE, strategy="bayes", cv=2).fit(X, Y)


def test_it_finds_a_hill_better_than_as_many_draws_do():
    pytest.importorskip("optuna")

    def best_of(strategy, seed):
        search = Search(Hill(), SPACE, strategy=strategy, n_iter=48, cv=2, refit=False, random_state=seed)
        return search.fit(X, Y).best_score_

    best = {strategy: np.mean([best_of(strategy, k) for k in range(5)]) for strategy in ("bayes", "random")}
    assert best["bayes"] > best["random"]
    assert best["bayes"] > -0.2


def test_the_same_random_state_proposes_the_same_on_any_number_of_threads():
    pytest.importorskip("optuna")
    runs = [
        Search(Hill(), SPACE, strategy="bayes", n_iter=14, cv=2, random_state=1, n_jobs=n).fit(X, Y) for n in (1, 1, 4)
    ]
    for each in runs[1:]:
        assert each.cv_results_["params"] == runs[0].cv_results_["params"]
    other = Search(Hill(), SPACE, strategy="bayes", n_iter=14, cv=2, random_state=2).fit(X, Y)
    assert other.cv_results_["params"] != runs[0].cv_results_["params"]
    assert len(other.cv_results_["params"]) == 14


def test_what_is_proposed_first_is_drawn_from_the_distributions():
    pytest.importorskip("optuna")
    space = {"n": stats.norm(3, 2), "i": stats.randint(2, 5), "u": stats.uniform(-1, 2), "l": ["x", "y", "z"]}
    tries = [Proposals([space], seed).ask(1)[0] for seed in range(120)]
    assert stats.kstest([t["n"] for t in tries], stats.norm(3, 2).cdf).pvalue > 1e-3
    assert stats.kstest([t["u"] for t in tries], stats.uniform(-1, 2).cdf).pvalue > 1e-3
    assert {t["i"] for t in tries} == {2, 3, 4}
    assert all(type(t["i"]) is int for t in tries)
    assert {t["l"] for t in tries} == {"x", "y", "z"}


def test_a_union_of_spaces_and_candidates_that_fail():
    pytest.importorskip("optuna")
    space = [{"a": stats.uniform(-1, 1.5)}, {"kind": ["high"], "b": [1, 2]}]

    class Refusing(Hill):
        def fit(self, X, y):
            if self.a < 0:
                raise ValueError("a is negative")
            return self

    search = Search(Refusing(), space, strategy="bayes", n_iter=16, cv=2, refit=False, random_state=0)
    with pytest.warns(FitFailedWarning, match=r"candidate \d+ \(a=-"), pytest.warns(UserWarning, match="non-finite"):
        search.fit(X, Y)
    assert np.isfinite(search.best_score_)
    assert {tuple(sorted(p)) for p in search.cv_results_["params"]} == {("a",), ("b", "kind")}


def test_a_distribution_without_quantiles_is_refused():
    pytest.importorskip("optuna")

    class Draws:
        def rvs(self, random_state=None):
            return 1.0

    with pytest.raises(TypeError, match=r"quantiles of a distribution .ppf., and that of C has none"):
        Search(LogisticRegression(), {"C": Draws()}, strategy="bayes", cv=2).fit(X, Y > 5)
