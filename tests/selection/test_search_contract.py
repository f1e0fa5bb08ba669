"""Search in scikit-learn's contract: its own searches are the reference."""

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris, make_classification
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, RandomizedSearchCV, ShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator

from diaphane.estimators import MLPClassifier
from diaphane.selection import Search

X, Y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
TIMES = ("mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time")


def assert_same_tables(ours, theirs, rtol=0.0):
    assert ours.keys() == theirs.keys()
    for name in theirs.keys() - set(TIMES):
        if name == "params":
            assert ours[name] == theirs[name]
        elif name.startswith("param_"):
            assert ours[name].tolist() == theirs[name].tolist()
            assert np.ma.getmaskarray(ours[name]).tolist() == np.ma.getmaskarray(theirs[name]).tolist()
        else:
            np.testing.assert_allclose(ours[name], theirs[name], rtol=rtol, err_msg=name)


@pytest.mark.parametrize(
    ("model", "space", "as_of_grid_search_cv"),
    [
        (LogisticRegression(), {"C": [0.1, 1.0]}, set()),
        (Ridge(), {"alpha": [0.1, 1.0]}, {"check_supervised_y_2d"}),
    ],
    ids=["classes", "numbers"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_own_checks_pass_as_those_of_grid_search_cv(model, space, as_of_grid_search_cv):
    found = check_estimator(Search(model, space, cv=2, error_score="raise", random_state=0), on_fail=None)
    assert {c["check_name"] for c in found if c["status"] == "skipped"} <= {"check_array_api_input"}
    failed = {c["check_name"] for c in found if c["status"] not in ("passed", "skipped")}
    assert failed == as_of_grid_search_cv
    reference = GridSearchCV(model, space, cv=2, error_score="raise")
    for check in as_of_grid_search_cv:
        with pytest.raises(AssertionError):
            getattr(estimator_checks, check)("GridSearchCV", reference)


@pytest.mark.parametrize("several", [None, ["accuracy", "neg_log_loss"]], ids=["one score", "two scores"])
def test_a_grid_gives_the_table_of_grid_search_cv(several):
    space = [{"C": [0.01, 1.0, 100.0], "tol": (1e-3, 1e-4)}, {"C": np.array([0.5]), "class_weight": ["balanced"]}]
    settings = {"cv": 3, "scoring": several, "refit": "neg_log_loss" if several else True, "return_train_score": True}
    model = make_pipeline(StandardScaler(), LogisticRegression())
    space = [{f"logisticregression__{name}": values for name, values in part.items()} for part in space]
    ours = Search(model, space, n_jobs=2, **settings).fit(X, Y)
    theirs = GridSearchCV(model, space, **settings).fit(X, Y)
    assert_same_tables(ours.cv_results_, theirs.cv_results_)
    for name in ("best_params_", "best_score_", "best_index_", "n_splits_", "multimetric_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name)
    np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    assert ours.score(X, Y) == theirs.score(X, Y)
    assert ours.refit_time_ > 0


def test_draws_are_those_of_randomized_search_cv():
    space = {"alpha": stats.loguniform(1e-3, 1e3), "solver": ["cholesky", "svd"]}
    ours = Search(Ridge(), space, strategy="random", n_iter=7, cv=3, random_state=5).fit(X, Y)
    theirs = RandomizedSearchCV(Ridge(), space, n_iter=7, cv=3, random_state=5).fit(X, Y)
    assert_same_tables(ours.cv_results_, theirs.cv_results_)


def test_a_range_is_a_list_of_its_numbers():
    tree = DecisionTreeClassifier(random_state=0)
    ours, theirs = (kind(tree, {"max_depth": range(1, 5)}, cv=3).fit(X, Y) for kind in (Search, GridSearchCV))
    assert_same_tables(ours.cv_results_, theirs.cv_results_)


def test_sample_weights_and_groups_go_where_scikit_learn_sends_them():
    rng = np.random.default_rng(0)
    weights, groups = rng.uniform(0.1, 2, len(Y)), rng.integers(0, 6, len(Y))
    settings = {"cv": GroupKFold(3)}
    fitted = [
        kind(LogisticRegression(), {"C": [0.01, 1.0]}, **settings).fit(X, Y, sample_weight=weights, groups=groups)
        for kind in (Search, GridSearchCV)
    ]
    assert_same_tables(fitted[0].cv_results_, fitted[1].cv_results_)
    np.testing.assert_array_equal(fitted[0].best_estimator_.coef_, fitted[1].best_estimator_.coef_)


def test_without_targets_and_with_a_kernels_matrix():
    clusters = KMeans(random_state=0, n_init=1)
    ours, theirs = (kind(clusters, {"n_clusters": [2, 3]}, cv=3).fit(X) for kind in (Search, GridSearchCV))
    # scikit-learn sums the distances in as many threads as there are.
    assert_same_tables(ours.cv_results_, theirs.cv_results_, rtol=1e-14)
    kernel = X @ X.T
    ours, theirs = (
        kind(SVC(kernel="precomputed"), {"C": [0.1, 1]}, cv=3).fit(kernel, Y) for kind in (Search, GridSearchCV)
    )
    assert_same_tables(ours.cv_results_, theirs.cv_results_)


def test_a_step_of_a_pipeline_may_be_searched_for_with_its_own_parameters():
    model = make_pipeline(StandardScaler(), LogisticRegression())
    space = {"standardscaler": [StandardScaler(), MinMaxScaler(), "passthrough"], "logisticregression__C": [0.1, 1]}
    ours, theirs = (kind(model, space, cv=3).fit(X, Y) for kind in (Search, GridSearchCV))
    np.testing.assert_array_equal(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])
    assert ours.best_index_ == theirs.best_index_


def test_a_function_may_choose_and_a_function_may_give_several_scores():
    def scores(model, x, y):
        return {"right": model.score(x, y), "size": -float(np.abs(model.coef_).sum())}

    space = {"C": [0.01, 0.1, 1.0, 10.0]}
    search = Search(LogisticRegression(), space, cv=3, scoring=scores, refit="size").fit(X, Y)
    assert search.multimetric_
    assert search.best_params_ == {"C": 0.01}
    chosen = Search(LogisticRegression(), space, cv=3, refit=lambda table: 2).fit(X, Y)
    assert chosen.best_params_ == {"C": 1.0}
    assert not hasattr(chosen, "best_score_")


def test_a_search_is_itself_an_estimator_to_validate_and_to_pipe():
    search = Search(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2)
    reference = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2)
    found = [cross_val_score(make_pipeline(StandardScaler(), s), X, Y, cv=3) for s in (search, reference)]
    np.testing.assert_array_equal(*found)


def test_without_a_refit_there_is_a_best_one_but_no_predictions():
    search = Search(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, refit=False).fit(X, Y)
    assert search.best_params_ in search.cv_results_["params"]
    with pytest.raises(AttributeError, match=r"has no attribute .predict."):
        search.predict(X)
    with pytest.raises(NotFittedError):
        Search(LogisticRegression(), {"C": [1.0]}).predict(X)


def small(**settings):
    return MLPClassifier((8,), max_iter=6, early_stopping=True, n_iter_no_change=20, tol=0, dropout=0.2, **settings)


@pytest.mark.parametrize("strategy", ["grid", "random", "halving"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_one_random_state_gives_the_same_bits_on_any_number_of_threads(strategy):
    space = {"alpha": [1e-4, 1e-1], "hidden_layer_sizes": [(8,), (5,)], "learning_rate_init": [1e-3, 1e-2, 1e-1]}
    shuffled = ShuffleSplit(2, test_size=0.3)
    runs = [
        Search(small(), space, strategy=strategy, cv=shuffled, random_state=3, n_jobs=n).fit(X, Y) for n in (1, 2, 5)
    ]
    other = Search(small(), space, strategy=strategy, cv=shuffled, random_state=4, n_jobs=1).fit(X, Y)
    for each in runs[1:]:
        assert_same_tables(each.cv_results_, runs[0].cv_results_)
        for a, b in zip(each.best_estimator_.coefs_, runs[0].best_estimator_.coefs_, strict=True):
            np.testing.assert_array_equal(a, b)
    assert not np.array_equal(other.cv_results_["mean_test_score"], runs[0].cv_results_["mean_test_score"])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_a_candidate_scores_is_what_its_own_fit_on_one_thread_scores():
    from diaphane.engines import NativeEngine

    features, classes = make_classification(300, 10, random_state=0)
    model = MLPClassifier((8,), max_iter=5, random_state=1)
    search = Search(model, {"alpha": [1e-4, 1.0]}, cv=3, n_jobs=2).fit(features, classes)
    for k, params in enumerate(search.cv_results_["params"]):
        alone = clone(model).set_params(**params, engine=NativeEngine(n_threads=1))
        scores = cross_val_score(alone, features, classes, cv=3)
        np.testing.assert_array_equal(scores, [search.cv_results_[f"split{i}_test_score"][k] for i in range(3)])
    assert search.best_estimator_.engine == "native"
