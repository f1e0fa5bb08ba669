"""scikit-learn's own searches with this library's estimators; and searches on other processes."""

import os

import joblib
import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_diabetes, load_iris
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingRandomSearchCV
from sklearn.preprocessing import scale

from diaphane.estimators import (
    LinearClassifier,
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    Perceptron,
    Ridge,
)
from diaphane.selection import Search

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
IRIS = tuple(map(np.asarray, load_iris(return_X_y=True)))
DIABETES = tuple(scale(part) for part in load_diabetes(return_X_y=True))
TWO = IRIS[0][:100], IRIS[1][:100]

CASES = [
    (LinearClassifier(max_iter=5, random_state=0), "alpha", TWO),
    (LinearRegression(), "fit_intercept", DIABETES),
    (LogisticRegression(max_iter=5), "C", IRIS),
    (MLPClassifier((4,), max_iter=3, random_state=0), "alpha", IRIS),
    (MLPRegressor("squared_error", (4,), max_iter=3, random_state=0), "alpha", DIABETES),
    (Perceptron(max_iter=5, penalty="l2"), "alpha", TWO),
    (Ridge(), "alpha", DIABETES),
]


@pytest.mark.parametrize(("model", "name", "data"), CASES, ids=[type(case[0]).__name__ for case in CASES])
def test_grid_search_cv_and_halving_random_search_cv_and_search_agree(model, name, data):
    values = [False, True] if name == "fit_intercept" else [0.01, 1.0]
    theirs = GridSearchCV(model, {name: values}, cv=2).fit(*data)
    ours = Search(model, {name: values}, cv=2).fit(*data)
    np.testing.assert_allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], atol=1e-4)
    draws = values if name == "fit_intercept" else stats.uniform(0.01, 1)
    halving = HalvingRandomSearchCV(model, {name: draws}, n_candidates=2, min_resources=40, cv=2, random_state=0)
    assert np.isfinite(halving.fit(*data).best_score_)


def test_a_search_on_worker_processes_gives_the_bits_of_one_in_threads():
    model = MLPClassifier((4,), max_iter=4, tol=0)
    space = {"learning_rate_init": [1e-3, 1e-2, 1e-1, 1.0], "hidden_layer_sizes": [(4,), (6,)]}
    search = Search(model, space, strategy="halving", factor=2, cv=2, random_state=0, n_jobs=2)
    here = search.fit(*IRIS).cv_results_["mean_test_score"]
    with joblib.parallel_config(backend="loky", n_jobs=2):
        there = search.fit(*IRIS).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(here, there)


class WhereFitted(MLPClassifier):
    """Scores the number of its process."""

    def score(self, X, y, sample_weight=None):
        return float(os.getpid())


def test_searches_run_on_a_dask_cluster_of_two_processes():
    distributed = pytest.importorskip("distributed")
    model = MLPClassifier((4,), max_iter=3, random_state=0)
    space = {"alpha": [1e-4, 1e-2, 1.0], "learning_rate_init": [1e-3, 1e-1]}
    here = Search(model, space, cv=2, n_jobs=1).fit(*IRIS)
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, memory_limit=None
    )
    with cluster, distributed.Client(cluster) as client, joblib.parallel_config(backend="dask"):
        processes = set(client.run(os.getpid).values())
        ours = Search(model, space, cv=2).fit(*IRIS)
        theirs = GridSearchCV(model, space, cv=2).fit(*IRIS)
        where = Search(WhereFitted(**model.get_params()), space, cv=2, refit=False).fit(*IRIS)
    np.testing.assert_array_equal(ours.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"])
    np.testing.assert_allclose(theirs.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"], atol=0.02)
    assert len(processes) == 2
    assert os.getpid() not in processes
    seen = {where.cv_results_[f"split{k}_test_score"][i] for k in range(2) for i in range(6)}
    assert seen <= processes
