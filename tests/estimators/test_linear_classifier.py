"""Linear classifiers: the same weights as scikit-learn's, the same optimum by every solver, margins, and bad input."""

import pickle
import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.datasets import load_iris, make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.estimator_checks import check_estimator

import diaphane as dia
from diaphane.estimators.linear import LinearClassifier, Perceptron
from diaphane.estimators.linear import classifier as module
from diaphane.training import DivergenceError

RNG = np.random.default_rng(12)
N = 150
X = RNG.normal(size=(N, 5))
CODES = (X[:, 0] + X[:, 1] + 0.8 * RNG.normal(size=N) > 0.3).astype(int)
SIGNS = 2 * CODES - 1
Y = np.array(["no", "yes"])[CODES]
WEIGHTS = RNG.random(N) + 0.2
IRIS = load_iris(return_X_y=True)
LOSSES = ("perceptron", "hinge", "squared_hinge", "squared_error", "logistic")
THEIRS = {"logistic": "log_loss"}
FORMULAS = {
    "hinge": lambda m: np.maximum(0, 1 - m),
    "squared_hinge": lambda m: np.maximum(0, 1 - m) ** 2,
    "squared_error": lambda m: 0.5 * (1 - m) ** 2,
    "logistic": lambda m: np.logaddexp(0, -m),
}

unfinished = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def objective(model, loss, alpha, ratio, weights=None):
    """Mean loss and penalty, in NumPy."""
    m = SIGNS * (X @ model.coef_[0] + model.intercept_[0])
    w = model.coef_[0]
    penalty = ratio * np.abs(w).sum() + (1 - ratio) * 0.5 * w @ w
    return np.average(FORMULAS[loss](m), weights=weights) + alpha * penalty


@unfinished
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("schedule", ["optimal", "constant", "invscaling", "adaptive"])
@pytest.mark.parametrize("penalty", ["l2", "elasticnet", None])
def test_one_example_at_a_time_gives_sgd_classifiers_weights(loss, schedule, penalty):
    if schedule == "optimal" and loss.startswith("squared"):
        # The first steps are so large that what rounding does grows without bound.
        schedule = "constant"
    shared = {
        "penalty": penalty,
        "alpha": 0.01,
        "learning_rate": schedule,
        "eta0": 0.02,
        "random_state": 0,
        "max_iter": 6,
        "tol": None,
    }
    ours = LinearClassifier(loss, **shared).fit(X, Y)
    theirs = SGDClassifier(THEIRS.get(loss, loss), **shared).fit(X, Y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=1e-9, atol=1e-11)
    assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_)


@unfinished
@pytest.mark.parametrize(
    "setting",
    [{"average": True}, {"average": 200}, {"early_stopping": True, "tol": 1e-3, "penalty": None}, {"shuffle": False}],
)
@pytest.mark.parametrize("data", [(X, Y), IRIS], ids=["two", "three"])
def test_averages_early_stopping_and_classes_are_sgd_classifiers_too(setting, data):
    shared = {"alpha": 0.01, "random_state": 2, "max_iter": 20, "tol": None, **setting}
    # On what it holds out scikit-learn scores weights without their scale, and the logistic loss's 0 and 1 as ±1.
    for loss in ("hinge",) if setting.get("early_stopping") else ("hinge", "logistic"):
        ours, theirs = (
            LinearClassifier(loss, **shared).fit(*data),
            SGDClassifier(THEIRS.get(loss, loss), **shared).fit(*data),
        )
        np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-9, atol=1e-11)
        assert ours.n_iter_ == theirs.n_iter_
        if loss == "logistic":
            np.testing.assert_allclose(
                ours.predict_proba(data[0]), theirs.predict_proba(data[0]), rtol=1e-9, atol=1e-11
            )


@unfinished
def test_partial_fit_over_chunks_is_sgd_classifiers():
    ours, theirs, averaged = (
        LinearClassifier(shuffle=False),
        SGDClassifier(shuffle=False),
        LinearClassifier(shuffle=False, average=50),
    )
    for part in np.array_split(np.arange(N), 4):
        for model in (ours, theirs):
            model.partial_fit(X[part], Y[part], ["no", "yes"], WEIGHTS[part])
        averaged.partial_fit(X[part], Y[part], ["no", "yes"])
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=1e-10)
    # In one go: between its chunks scikit-learn's average forgets where the intercept was.
    at_once = SGDClassifier(shuffle=False, average=50, max_iter=1, tol=None).fit(X, Y)
    np.testing.assert_allclose(averaged.coef_, at_once.coef_, rtol=1e-9)
    np.testing.assert_allclose(averaged.intercept_, at_once.intercept_, rtol=1e-9)


@unfinished
@pytest.mark.parametrize("alpha", [0.1, 0.01])
@pytest.mark.parametrize("ratio", [0.0, 1.0, 0.3])
@pytest.mark.parametrize("loss", FORMULAS)
def test_lbfgs_finds_the_least_objective_there_is(loss, alpha, ratio):
    penalty = {0.0: "l2", 1.0: "l1"}.get(ratio, "elasticnet")
    model = LinearClassifier(loss, penalty=penalty, alpha=alpha, l1_ratio=ratio, solver="lbfgs", tol=1e-9).fit(
        X, Y, sample_weight=WEIGHTS
    )
    least = objective(model, loss, alpha, ratio, WEIGHTS)
    assert model.loss_curve_[-1] == pytest.approx(least, abs=6e-6)

    def at(vector):
        model.coef_, model.intercept_ = vector[None, :5], vector[5:]
        return objective(model, loss, alpha, ratio, WEIGHTS)

    start = np.append(model.coef_[0], model.intercept_)
    # A search without gradients that begins at the optimum and all around it finds nothing lower.
    for shift in (0, 0.05, -0.05):
        found = minimize(at, start + shift, method="Powell", options={"xtol": 1e-8, "ftol": 1e-12, "maxiter": 200})
        assert least <= found.fun + 5e-6


def test_the_hinge_by_lbfgs_is_the_support_vector_machine():
    alpha = 0.01
    theirs = SVC(kernel="linear", C=1 / (N * alpha), tol=1e-8).fit(X, Y)
    model = LinearClassifier("hinge", alpha=alpha, solver="lbfgs", tol=1e-9, max_iter=5000).fit(X, Y)
    np.testing.assert_allclose(model.coef_, theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(model.intercept_, theirs.intercept_, atol=1e-4)
    np.testing.assert_array_equal(model.support_, np.sort(theirs.support_))
    np.testing.assert_array_equal(model.support_vectors_, X[model.support_])
    assert model.margin_ == pytest.approx(1 / np.linalg.norm(theirs.coef_), rel=1e-4)


def test_l1_by_lbfgs_gives_zeros_that_are_zeros_where_the_svm_has_them():
    alpha = 0.05
    theirs = LinearSVC(
        penalty="l1", dual=False, C=1 / (N * alpha), fit_intercept=False, tol=1e-9, max_iter=100_000
    ).fit(X, Y)
    model = LinearClassifier(
        "squared_hinge", penalty="l1", alpha=alpha, solver="lbfgs", fit_intercept=False, tol=1e-10
    ).fit(X, Y)
    np.testing.assert_allclose(model.coef_, theirs.coef_, atol=1e-5)
    assert (model.coef_ == 0).any()
    np.testing.assert_array_equal(model.coef_ == 0, theirs.coef_ == 0)


@pytest.mark.parametrize("loss", FORMULAS)
def test_descent_with_exact_steps_comes_to_the_same_optimum(loss):
    gd = LinearClassifier(loss, alpha=0.05, solver="gd", tol=1e-13, max_iter=20_000).fit(X, Y)
    lbfgs = LinearClassifier(loss, alpha=0.05, solver="lbfgs", tol=1e-10).fit(X, Y)
    assert objective(gd, loss, 0.05, 0) == pytest.approx(objective(lbfgs, loss, 0.05, 0), abs=1e-6)
    # Each stage's loss only falls.
    if loss != "hinge":
        assert (np.diff(gd.loss_curve_) <= 1e-15).all()


@unfinished
@pytest.mark.parametrize("solver", ["sgd", "momentum", "adam", "adagrad", dia.optim.Adam(0.01)], ids=str)
@pytest.mark.parametrize("loss", ["hinge", "logistic", "squared_error"])
def test_optimizers_with_batches_come_near_the_optimum(solver, loss):
    best = LinearClassifier(loss, alpha=0.05, solver="lbfgs", tol=1e-9).fit(X, Y)
    rate = 0.2 if solver == "adagrad" else 0.01
    model = LinearClassifier(
        loss, alpha=0.05, solver=solver, batch_size=25, eta0=rate, max_iter=300, tol=None, random_state=0
    )
    model.fit(X, Y)
    assert objective(model, loss, 0.05, 0) == pytest.approx(objective(best, loss, 0.05, 0), abs=3e-3)
    assert model.loss_curve_[-1] == pytest.approx(objective(model, loss, 0.05, 0), abs=0.03)


@unfinished
def test_all_rows_as_one_batch_are_gradient_descent_as_it_is_written():
    model = LinearClassifier(
        "squared_hinge", alpha=0.1, solver="sgd", batch_size=N, eta0=0.05, max_iter=3, tol=None
    ).fit(X, Y)
    w, b = np.zeros(5), 0.0
    for _ in range(3):
        gap = np.maximum(0, 1 - SIGNS * (X @ w + b))
        slope = -2 * SIGNS * gap
        w, b = w - 0.05 * (slope @ X / N + 0.1 * w), b - 0.05 * slope.mean()
    np.testing.assert_allclose(model.coef_[0], w, rtol=1e-10)
    np.testing.assert_allclose(model.intercept_, b, rtol=1e-10)


@pytest.mark.parametrize("solver", ["lbfgs", "gd"])
def test_logistic_is_scikit_learns_logistic_regression(solver):
    model = LinearClassifier(
        "logistic", alpha=0.02, solver=solver, tol=1e-14 if solver == "gd" else 1e-9, max_iter=20_000
    ).fit(X, Y)
    theirs = LogisticRegression(C=1 / (N * 0.02), tol=1e-10).fit(X, Y)
    np.testing.assert_allclose(model.coef_, theirs.coef_, atol=1e-5)
    np.testing.assert_allclose(model.predict_proba(X), theirs.predict_proba(X), atol=1e-5)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), model.predict_proba(X), rtol=1e-12)


@pytest.mark.parametrize("solver", ["lbfgs", "gd"])
def test_several_classes_are_each_told_from_the_rest(solver):
    x, y = IRIS
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    tol = 1e-12 if solver == "gd" else 1e-8
    model = LinearClassifier("squared_hinge", alpha=0.05, solver=solver, tol=tol, max_iter=20_000).fit(x, y)
    for k in range(3):
        alone = LinearClassifier("squared_hinge", alpha=0.05, solver="lbfgs", tol=1e-8).fit(x, y == k)
        np.testing.assert_allclose(model.coef_[k], alone.coef_[0], atol=2e-4)
    assert model.score(x, y) > 0.85


@unfinished
@pytest.mark.parametrize("solver", ["sgd", "adam", "gd", "lbfgs"])
def test_weights_are_relative_and_whole_ones_are_repetitions(solver):
    tol = {"sgd": None, "adam": None}.get(solver, 1e-12)
    model = LinearClassifier(
        "logistic", alpha=0.05, solver=solver, max_iter=20 if tol is None else 5000, tol=tol, random_state=0
    )
    once = clone(model).fit(X, Y)
    twos = clone(model).fit(X, Y, sample_weight=np.full(N, 2.0))
    np.testing.assert_allclose(twos.coef_, once.coef_, rtol=1e-6, atol=1e-9)
    if tol is not None:
        counts = RNG.integers(1, 4, N)
        weighted = clone(model).fit(X, Y, sample_weight=counts)
        repeated = clone(model).fit(np.repeat(X, counts, axis=0), np.repeat(Y, counts))
        np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=2e-4)


@unfinished
def test_weights_of_classes_are_weights_of_their_rows():
    for solver in ("sgd", "lbfgs"):
        model = LinearClassifier("logistic", solver=solver, alpha=0.1, random_state=0, tol=1e-6)
        by_class = clone(model).set_params(class_weight={"no": 1, "yes": 4}).fit(X, Y)
        by_row = model.fit(X, Y, sample_weight=np.where(Y == "yes", 4, 1))
        np.testing.assert_allclose(by_class.coef_, by_row.coef_, rtol=1e-10)


@unfinished
@pytest.mark.parametrize("solver", ["sgd", "adam", "gd", "lbfgs"])
def test_sparse_rows_give_what_dense_rows_give(solver):
    thin = X * (RNG.random(X.shape) < 0.5)
    dense, thinned = (
        LinearClassifier("logistic", solver=solver, max_iter=20, tol=None, random_state=0).fit(x, Y)
        for x in (thin, sparse.csr_array(thin))
    )
    np.testing.assert_allclose(dense.coef_, thinned.coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(dense.intercept_, thinned.intercept_, rtol=1e-6, atol=1e-9)


def test_a_loss_of_ones_own_goes_through_the_graph():
    def cubed_hinge(scores, target):
        return dia.sum(dia.relu(1 - target * scores) ** 3, axis=1)

    model = LinearClassifier(cubed_hinge, alpha=0.1, solver="lbfgs", tol=1e-9).fit(X, Y)

    def by_hand(v):
        return (np.maximum(0, 1 - SIGNS * (X @ v[:5] + v[5])) ** 3).mean() + 0.05 * v[:5] @ v[:5]

    found = minimize(by_hand, np.zeros(6), tol=1e-12)
    np.testing.assert_allclose(np.append(model.coef_, model.intercept_), found.x, atol=1e-4)
    with pytest.raises(ValueError, match="batch_size"):
        LinearClassifier(cubed_hinge).fit(X, Y)


@unfinished
@pytest.mark.parametrize("solver", ["sgd", "adam", "gd", "lbfgs"])
def test_warm_start_goes_on_from_where_it_was(solver):
    model = LinearClassifier("logistic", solver=solver, max_iter=3, tol=1e-12, warm_start=True, random_state=0)
    model.set_params(learning_rate="constant").fit(X, Y)
    first = model.loss_curve_[-1]
    assert model.fit(X, Y).loss_curve_[-1] < first


@unfinished
@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_the_same_seed_gives_the_same_bits_and_copies_predict_the_same(solver):
    first, second = (LinearClassifier(solver=solver, max_iter=5, random_state=3).fit(X, Y) for _ in range(2))
    assert first.coef_.tobytes() == second.coef_.tobytes()
    again = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(again.predict(X), first.predict(X))
    np.testing.assert_array_equal(again.support_, first.support_)


@unfinished
def test_early_stopping_of_an_optimizer_ends_by_the_score():
    model = LinearClassifier(solver="adam", early_stopping=True, random_state=0, eta0=0.05, tol=1e-3).fit(X, Y)
    assert model.n_iter_ < 100


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "setting",
    [{}, {"loss": "logistic", "solver": "lbfgs"}, {"solver": "adam"}, {"loss": "squared_hinge", "solver": "gd"}],
    ids=str,
)
def test_check_estimator_fails_and_skips_only_what_it_does_for_sgd_classifier(setting):
    found = {c["check_name"]: c for c in check_estimator(LinearClassifier(**setting), on_skip=None, on_fail=None)}
    own = {c["check_name"]: c for c in check_estimator(SGDClassifier(), on_skip=None, on_fail=None)}
    assert set(own) <= set(found)
    for status in ("failed", "skipped"):
        ours, theirs = ({n for n, c in cs.items() if c["status"] == status} for cs in (found, own))
        assert ours <= theirs, {n: str(found[n]["exception"]) for n in ours - theirs}
        if status == "failed" and setting:
            assert not ours


def test_parameters_it_shares_with_sgd_classifier_have_its_defaults():
    theirs, ours = SGDClassifier().get_params(), LinearClassifier().get_params()
    assert set(theirs) - set(ours) == {"epsilon"}
    assert {n: v for n, v in ours.items() if n in theirs} == {n: v for n, v in theirs.items() if n in ours}


def test_large_data_have_no_copies_of_their_support_vectors(monkeypatch):
    monkeypatch.setattr(module, "FEW_NUMBERS", 10)
    model = LinearClassifier(random_state=0).fit(X, Y)
    assert len(model.support_)
    with pytest.raises(AttributeError, match=r"X\[model.support_\]"):
        _ = model.support_vectors_


def test_margins_are_for_the_hinge_and_probabilities_for_the_likelihood():
    hinge, logistic = (LinearClassifier(loss, random_state=0).fit(*IRIS) for loss in ("hinge", "logistic"))
    assert hinge.margin_.shape == (3,)
    assert [type(rows) for rows in hinge.support_] == [np.ndarray] * 3
    np.testing.assert_allclose(logistic.predict_proba(IRIS[0]).sum(axis=1), 1)
    assert not hasattr(hinge, "predict_proba")
    for name in ("margin_", "support_", "support_vectors_"):
        assert not hasattr(logistic, name)
    with pytest.raises(AttributeError, match="after fit"):
        _ = LinearClassifier().partial_fit(X, Y, classes=["no", "yes"]).support_


@pytest.mark.parametrize("solver", ["sgd", "adam", "gd", "lbfgs"])
def test_iterations_at_their_end_are_said(solver):
    with pytest.warns(ConvergenceWarning, match="max_iter=2 was reached"):
        LinearClassifier("logistic", solver=solver, max_iter=2, tol=1e-12, alpha=1e-3).fit(X, Y)


@pytest.mark.parametrize("solver", ["sgd", "adam", "gd", "lbfgs"])
@pytest.mark.parametrize("bad", [np.nan, -np.inf])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_numbers_that_are_not_finite_are_refused(solver, bad, kind):
    x = X.copy()
    x[99, 3] = bad
    model = LinearClassifier("logistic", solver=solver)
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        model.fit(kind(x), Y)
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize("solver", ["sgd", "adam", "gd", "lbfgs"])
def test_features_too_large_to_compute_with_are_said(solver):
    with pytest.raises(ValueError, match=r"(?i)scale"):
        LinearClassifier("squared_hinge", solver=solver).fit(1e300 * X, Y)


@unfinished
def test_a_fit_that_begins_at_its_optimum_stays_there():
    for setting in ({"penalty": "l1", "alpha": 10.0}, {"alpha": 0.05}):
        model = LinearClassifier("logistic", solver="lbfgs", tol=1e-14, warm_start=True, **setting).fit(X, Y)
        first = model.coef_.copy()
        np.testing.assert_allclose(model.fit(X, Y).coef_, first, atol=1e-7)


def test_training_that_diverges_keeps_the_last_good_weights():
    model = LinearClassifier("squared_error", solver="sgd", batch_size=10, eta0=1e5, tol=None)
    with pytest.raises(DivergenceError, match="smaller eta0"):
        model.fit(X, Y)
    assert np.isfinite(model.coef_).all()
    model = LinearClassifier("squared_error", learning_rate="constant", eta0=1e300)
    with pytest.raises(ValueError, match=r"overflow.*smaller eta0"):
        model.fit(X, Y)
    assert np.isfinite(model.coef_).all()


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_constant_features_and_more_features_than_rows_are_nothing_special(solver):
    blobs, codes = make_blobs(40, centers=[[0, 0], [6, 6]], random_state=0)
    settings = {"solver": solver, "random_state": 0, "eta0": 0.1}
    x = np.column_stack([blobs, np.full(40, 3.0)])
    assert LinearClassifier(**settings).fit(x, codes).score(x, codes) == 1
    wide, labels = RNG.normal(size=(12, 60)), np.arange(12) % 2
    assert LinearClassifier(**settings).fit(wide, labels).score(wide, labels) == 1


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
def test_labels_all_alike_and_words_in_the_data_are_refused(solver):
    with pytest.raises(ValueError, match="2 classes"):
        LinearClassifier(solver=solver).fit(X, np.ones(N))
    with pytest.raises(ValueError, match="strings"):
        LinearClassifier(solver=solver).fit([["a"], ["b"]], [0, 1])


def test_a_chunk_with_a_class_that_was_not_named_is_refused():
    model = LinearClassifier().partial_fit(X, Y, classes=["no", "yes"])
    with pytest.raises(ValueError, match=r"'maybe'.*not among the classes"):
        model.partial_fit(X[:2], ["yes", "maybe"])


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"loss": "huber"}, "loss"),
        ({"solver": "cg"}, "solver"),
        ({"penalty": "l0"}, "penalty"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"alpha": 0}, "alpha must be > 0"),
        ({"batch_size": 0}, "batch_size"),
        ({"average": -1}, "average"),
        ({"average": True, "solver": "adam"}, "average"),
        ({"penalty": "l1", "solver": "gd"}, "lbfgs"),
        ({"early_stopping": True, "solver": "lbfgs"}, "early_stopping"),
        ({"loss": "perceptron", "solver": "lbfgs"}, "w = 0 whatever the data"),
        ({"power_t": -1}, "power_t"),
        ({"eta0": 0}, "eta0"),
    ],
)
def test_settings_that_cannot_be_are_named(settings, word):
    with pytest.raises(ValueError, match=word):
        LinearClassifier(**settings).fit(X, Y)


@unfinished
@pytest.mark.parametrize(
    "kind", [np.ascontiguousarray, np.asfortranarray, sparse.csr_array], ids=["rows", "columns", "sparse"]
)
@pytest.mark.parametrize("model", [LinearClassifier(max_iter=2), Perceptron(max_iter=2)], ids=["hinge", "perceptron"])
def test_large_data_are_read_where_they_lie_and_not_copied(kind, model):
    x = kind(RNG.normal(size=(60_000, 200)).astype(np.float32))
    size = (x if isinstance(x, np.ndarray) else x.data).nbytes
    y = RNG.integers(0, 2, 60_000)
    clone(model).fit(x[:100], y[:100])
    tracemalloc.start()
    try:
        model.fit(x, y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.1 * size


@pytest.mark.parametrize("solver", ["gd", "lbfgs"])
@pytest.mark.parametrize("loss", ["logistic", "hinge", "squared_hinge", "squared_error"])
@pytest.mark.parametrize("large", [1e160, 1e300, -1.7e308])
def test_one_cell_too_large_to_compute_with_is_refused_by_descent_on_all_the_data(large, loss, solver):
    x = X.copy()
    x[3, 1] = large
    with pytest.raises(ValueError, match=r"features are as large as 1(\.7)?e\+\d+.*StandardScaler"):
        LinearClassifier(loss, solver=solver).fit(x, CODES)
