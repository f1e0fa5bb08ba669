"""Halving: the weak stop early, the strong go on from where they are."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_iris, make_regression
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import HalvingGridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from diaphane.engines import NativeEngine
from diaphane.estimators import MLPClassifier, MLPRegressor
from diaphane.selection import Search
from diaphane.training import Callback
from diaphane.training.bookmarks import Bookmark

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
X, Y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
RATES = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0]


class CountSteps(Callback):
    """Counts every step of every training."""

    total = 0

    def on_step_end(self, run):
        CountSteps.total += 1


class Remember(Callback):
    """Keeps the weights of every epoch of every training, by its learning rate."""

    seen = {}

    def on_epoch_end(self, run):
        weights = np.concatenate([run.network_state[p].ravel() for p in run.network.parameters])
        Remember.seen.setdefault(run.hyperparameter("learning_rate"), []).append((run.epoch, weights))


def test_no_epoch_is_computed_twice():
    model = MLPClassifier((6,), max_iter=9, batch_size=20, tol=0, n_iter_no_change=99, callbacks=[CountSteps()])
    CountSteps.total = 0
    search = Search(
        model, {"learning_rate_init": RATES}, strategy="halving", cv=3, refit=False, random_state=0, n_jobs=2
    ).fit(X, Y)
    survivors = {1: 9, 3: 3, 9: 1}
    assert {r: int((search.cv_results_["n_resources"] == r).sum()) for r in survivors} == survivors
    extra_epochs, steps = {1: 1, 3: 2, 9: 6}, -(-100 // 20)
    assert CountSteps.total == sum(3 * n * extra_epochs[r] * steps for r, n in survivors.items())


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 0.1},
        {"solver": "sgd", "learning_rate": "invscaling"},
        {"dropout": 0.3, "schedule": "cosine", "averaging": "ema"},
        {"early_stopping": True, "n_iter_no_change": 99},
    ],
    ids=["adam", "adaptive", "invscaling", "dropout, schedule, average", "early stopping"],
)
def test_a_survivors_weights_are_those_of_an_uninterrupted_fit_bit_for_bit(settings):
    model = MLPClassifier((6,), max_iter=9, batch_size=20, random_state=2, **{"tol": 0, **settings})
    cv = StratifiedKFold(2)
    Remember.seen = {}
    watched = clone(model).set_params(callbacks=[Remember()])
    search = Search(watched, {"learning_rate_init": RATES}, strategy="halving", cv=cv, refit=False, n_jobs=1).fit(X, Y)
    best = search.best_params_["learning_rate_init"]
    whole = clone(model).set_params(learning_rate_init=best, engine=NativeEngine(n_threads=1))
    for k, (train, test) in enumerate(cv.split(X, Y)):
        whole.fit(X[train], Y[train])
        assert whole.score(X[test], Y[test]) == search.cv_results_[f"split{k}_test_score"][search.best_index_]
    if not settings:
        epochs = Remember.seen[best]
        expected = np.concatenate(
            [a.ravel() for pair in zip(whole.coefs_, whole.intercepts_, strict=True) for a in pair]
        )
        assert [epoch for epoch, _ in epochs[-6:]] == [4, 5, 6, 7, 8, 9]
        np.testing.assert_array_equal(epochs[-1][1], expected)


@pytest.mark.parametrize("moved", [False, True], ids=["here", "through another process"])
@pytest.mark.parametrize("early", [False, True], ids=["plain", "early stopping"])
def test_a_bookmark_pauses_a_fit_and_changes_none_of_its_bits(moved, early):
    settings = {
        "max_iter": 12, "batch_size": 16, "random_state": 0, "dropout": 0.2, "tol": 0, "early_stopping": early,
        "schedule": "cosine", "averaging": "ema",
    }  # fmt: skip
    whole = MLPClassifier((7,), **settings).fit(X, Y)
    mark = Bookmark(until=1)
    paused = MLPClassifier((7,), checkpoint=mark, **settings)
    for until in (1, 2, 7, 12):
        if moved:
            paused = pickle.loads(pickle.dumps(paused))
        paused.checkpoint.go_on(until)
        assert paused.fit(X, Y).n_iter_ == min(until, whole.n_iter_)
    for a, b in zip([*paused.coefs_, *paused.intercepts_], [*whole.coefs_, *whole.intercepts_], strict=True):
        np.testing.assert_array_equal(a, b)
    assert paused.loss_curve_ == whole.loss_curve_


def test_within_a_pipeline_and_a_transformed_target():
    features, target = make_regression(120, 5, random_state=0)
    network = MLPRegressor("squared_error", (6,), max_iter=4, batch_size=20, tol=0, callbacks=[CountSteps()])
    model = make_pipeline(StandardScaler(), TransformedTargetRegressor(network, transformer=StandardScaler()))
    CountSteps.total = 0
    name = "transformedtargetregressor__regressor__learning_rate_init"
    search = Search(
        model, {name: [1e-4, 1e-3, 1e-2, 1e-1]}, strategy="halving", factor=2, cv=2, refit=False, random_state=0
    ).fit(features, target)
    assert CountSteps.total == 2 * 3 * (4 * 1 + 2 * 1 + 1 * 2)
    assert search.cv_results_["n_resources"].tolist() == [1, 1, 1, 1, 2, 2, 4]


def test_several_networks_in_one_estimator_are_refused():
    model = BaggingClassifier(MLPClassifier((4,), max_iter=3), n_estimators=2)
    space = {"estimator__alpha": [0.1, 0.2]}
    with pytest.raises(ValueError, match="only an estimator that trains one network a fit can be paused"):
        Search(model, space, strategy="halving", cv=2, random_state=0).fit(X, Y)
    with pytest.raises(TypeError, match="take resource='n_samples'"):
        Search(LogisticRegression(), {"C": [1, 2]}, strategy="halving", cv=2).fit(X, Y)


def test_halving_by_rows_is_scikit_learns():
    space = {"C": [1e-3, 1e-2, 0.1, 1.0, 10.0]}
    ours = Search(LogisticRegression(), space, strategy="halving", resource="n_samples", cv=3, random_state=0)
    theirs = HalvingGridSearchCV(LogisticRegression(), space, cv=3, random_state=0)
    ours.fit(X, Y), theirs.fit(X, Y)
    for name in ("iter", "n_resources"):
        np.testing.assert_array_equal(ours.cv_results_[name], theirs.cv_results_[name])
    first = theirs.cv_results_["iter"] == 0
    for name in ("split0_test_score", "mean_test_score", "std_test_score"):
        np.testing.assert_array_equal(ours.cv_results_[name][first], theirs.cv_results_[name][first])


def test_a_candidate_that_failed_does_not_come_to_the_next_rung():
    space = {"learning_rate_init": [1e-3, -1.0, 1e-2]}
    model = MLPClassifier((4,), max_iter=3, tol=0)
    search = Search(model, space, strategy="halving", factor=1.5, cv=2, refit=False, random_state=0)
    said = r"candidate 1 \(learning_rate_init=-1.0, max_iter=\d\): ValueError: learning_rate_init must be"
    with pytest.warns(FitFailedWarning, match=said), pytest.warns(UserWarning, match="non-finite"):
        search.fit(X, Y)
    later = search.cv_results_["iter"] > 0
    assert later.any()
    assert -1.0 not in search.cv_results_["param_learning_rate_init"][later]


def test_too_few_rows_or_epochs_for_the_first_rung():
    few = slice(40, 60)
    halving = {"strategy": "halving", "cv": 5}
    with pytest.raises(ValueError, match=r"first rung of halving needs 20 rows .* and there are 18"):
        Search(LogisticRegression(), {"C": [1, 2]}, resource="n_samples", **halving).fit(X[few][1:-1], Y[few][1:-1])
    with pytest.raises(ValueError, match="min_resource=5 epochs for the first rung are more than max_iter=3"):
        Search(MLPClassifier(max_iter=3), {"alpha": [1, 2]}, min_resource=5, **halving).fit(X, Y)
    with pytest.raises(ValueError, match="max_iter is what halving deals out"):
        Search(MLPClassifier(), {"max_iter": [1, 2]}, **halving).fit(X, Y)
