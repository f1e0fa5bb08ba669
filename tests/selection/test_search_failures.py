"""Bad input to a search, candidates that fail, and interrupts."""

import _thread
import re
import signal
import threading
import time

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from diaphane.estimators import MLPClassifier
from diaphane.selection import Search

X, Y = load_iris(return_X_y=True)


@pytest.mark.parametrize(
    ("space", "error", "said"),
    [
        ({}, ValueError, "the space is empty"),
        ([], ValueError, "the space is empty"),
        ([{"alpha": [1]}, {}], ValueError, "the space is empty"),
        ({"alpha": []}, ValueError, "the space is empty: alpha has no values"),
        ({"alhpa": [0.1]}, ValueError, "MLPClassifier has no parameter 'alhpa'. Did you mean 'alpha'?"),
        ({"zzz": [0.1]}, ValueError, "MLPClassifier has no parameter 'zzz'; it has activation, alpha"),
        ({"alpha": 0.1}, TypeError, "the values of alpha must be a list, a range or a distribution"),
        ({"solver": "adam"}, TypeError, "the values of solver must be a list"),
        ({"alpha": np.ones((2, 2))}, ValueError, "in one row, got an array of shape (2, 2)"),
        ({1: [0.1]}, TypeError, "names of parameters, got 1"),
        ("alpha", TypeError, "space must map names of parameters"),
        ([["alpha"]], TypeError, "each part of the space must map"),
        ({"alpha": stats.uniform(0, 1)}, ValueError, "strategy='grid' takes lists, and alpha has a distribution"),
    ],
)
def test_a_space_that_cannot_be_searched(space, error, said):
    with pytest.raises(error) as caught:
        Search(MLPClassifier(), space).fit(X, Y)
    assert said in str(caught.value)


def test_a_name_within_a_pipeline_gets_the_nearest_one():
    model = make_pipeline(StandardScaler(), MLPClassifier())
    with pytest.raises(ValueError, match="Did you mean 'mlpclassifier__alpha'"):
        Search(model, {"mlpclassifier__alfa": [1]}).fit(X, Y)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"strategy": "gird"}, "strategy must be one of grid, random, halving, bayes, got 'gird'"),
        ({"strategy": "random", "n_iter": 0}, "n_iter must be a whole number of at least 1, got 0"),
        ({"strategy": "halving", "factor": 1}, "factor must be in (1, inf), got 1"),
        ({"strategy": "halving", "resource": "rows"}, "resource must be one of epochs, n_samples, got 'rows'"),
        ({"n_jobs": 0}, "n_jobs must be a whole number other than 0"),
        ({"error_score": "nan"}, 'error_score must be "raise" or a number'),
        ({"cv": []}, "gives no folds"),
    ],
)
def test_settings_that_mean_nothing(settings, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        Search(MLPClassifier(), {"alpha": [0.1]}, **settings).fit(X, Y)


def test_a_class_with_fewer_rows_than_folds_is_named():
    rows = [*range(100), 100, 101]
    with pytest.raises(ValueError, match=r"class 2 has 2 rows, fewer than the 3 folds.* take cv=2 at most"):
        Search(LogisticRegression(), {"C": [1.0]}, cv=3).fit(X[rows], Y[rows])


def test_a_value_that_the_estimator_refuses_is_laid_to_its_candidate():
    space = {"alpha": [1e-4, -1.0], "solver": ["adam", "adma"]}
    search = Search(MLPClassifier((4,), max_iter=2), space, cv=2, refit=False)
    with pytest.warns() as caught:
        search.fit(X, Y)
    (warning,) = [str(w.message) for w in caught if w.category is FitFailedWarning]
    assert "6 of 8 fits failed, and their score is nan" in warning
    assert "candidate 2 (alpha=-1.0, solver='adam'): ValueError: alpha must be" in warning
    assert "candidate 1 (alpha=0.0001, solver='adma'): ValueError: solver must be one of" in warning
    assert np.isnan(search.cv_results_["mean_test_score"]).tolist() == [False, True, True, True]
    assert search.best_params_ == {"alpha": 1e-4, "solver": "adam"}
    with pytest.raises(ValueError, match="alpha must be") as raised:
        Search(MLPClassifier((4,)), {"alpha": [-1.0]}, cv=2, error_score="raise").fit(X, Y)
    assert raised.value.__notes__ == ["candidate 0 (alpha=-1.0), fold 0"]
    with pytest.raises(ValueError, match=r"all 2 fits failed.*\n  candidate 0 \(alpha=-1.0\)"):
        Search(MLPClassifier((4,)), {"alpha": [-1.0]}, cv=2).fit(X, Y)


@pytest.mark.filterwarnings("ignore:One or more of the test scores:UserWarning")
def test_failed_fits_of_several_scores_have_the_error_score_in_each():
    def scores(model, x, y):
        return {"one": 1.0, "two": 2.0}

    for scoring in (scores, ["accuracy", "f1_macro"]):
        search = Search(LogisticRegression(), {"C": [1.0, -1.0]}, cv=2, scoring=scoring, refit=False, error_score=-5)
        with pytest.warns(FitFailedWarning, match=r"candidate 1 \(C=-1.0\)"):
            search.fit(X / X.max(), Y)
        tests = [name for name in search.cv_results_ if name.startswith("mean_test_")]
        assert len(tests) == 2
        assert all(search.cv_results_[name][1] == -5 for name in tests)


class Slow(ClassifierMixin, BaseEstimator):
    """Takes its time; interrupts the main thread at the chosen candidate."""

    started = 0

    def __init__(self, k=0):
        self.k = k

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        if self.k == 3:
            _thread.interrupt_main()
            for _ in range(2000):
                time.sleep(0.01)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        return 0.1 * self.k


@pytest.fixture
def interruptible():
    """A shell that starts this in the background has it ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_keeps_what_is_known_and_leaves_no_thread():
    search = Search(Slow(), {"k": [0, 1, 2, 3, 4, 5]}, cv=2, n_jobs=1)
    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt) as caught:
        search.fit(X, Y)
    assert time.perf_counter() - began < 10
    assert not [t.name for t in threading.enumerate() if t.name.startswith("search-")]
    assert search.cv_results_["params"] == [{"k": 0}, {"k": 1}, {"k": 2}]
    assert search.best_params_ == {"k": 2}
    assert search.best_score_ == pytest.approx(0.2)
    assert caught.value.__notes__ == ["3 of 6 candidates are known: see cv_results_, best_params_ and best_score_"]
    with pytest.raises(NotFittedError):
        search.predict(X)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_of_a_networks_training_comes_through_within_an_epoch():
    rng = np.random.default_rng(0)
    features, classes = rng.normal(size=(20_000, 20)).astype(np.float32), rng.integers(0, 2, 20_000)
    search = Search(MLPClassifier((64,), max_iter=10_000, tol=0), {"alpha": [0.1, 0.2]}, cv=2, n_jobs=2)
    timer = threading.Timer(1.5, _thread.interrupt_main)
    timer.start()
    began = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        search.fit(features, classes)
    timer.join()
    assert time.perf_counter() - began < 30
    assert not hasattr(search, "best_estimator_")
