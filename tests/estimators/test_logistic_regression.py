"""Logistic regression against scikit-learn's optimum, and its inference against closed forms and published figures."""

import inspect

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit, softmax
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris, load_wine, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as Theirs
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import scale
from sklearn.utils.estimator_checks import check_estimator

from diaphane.estimators.linear.logistic import LogisticRegression, SeparationWarning
from diaphane.estimators.linear.solving import DescentWarning
from diaphane.training import DivergenceError


def noisy(classes, n=400, d=6, seed=0):
    X, y = make_classification(
        n, d, n_informative=4, n_redundant=0, n_classes=classes, class_sep=0.5, flip_y=0.2, random_state=seed
    )
    return X, y


def with_zeros(X):
    return np.where(np.abs(X) < 0.5, 0, X)


DATA = {
    "noisy, 2 classes": noisy(2),
    "noisy, 3 classes": noisy(3),
    "breast cancer": (scale(load_breast_cancer().data), load_breast_cancer().target),
    "iris": load_iris(return_X_y=True),
    "wine": (scale(load_wine().data), load_wine().target),
    "more features than rows": noisy(2, n=40, d=60),
}
EACH_DATA = pytest.mark.parametrize("data", DATA)
EXACT = {"tol": 1e-10, "max_iter": 5000}
NOT_SEPARABLE = ["noisy, 2 classes", "noisy, 3 classes"]


def same_optimum(ours, theirs, atol=1e-6):
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=atol, rtol=1e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=atol, rtol=1e-6)


def their_newton(X, y, sample_weight=None, **settings):
    return Theirs(solver="newton-cholesky", tol=1e-13, max_iter=5000, **settings).fit(X, y, sample_weight)


class TestSameOptimum:
    @EACH_DATA
    @pytest.mark.parametrize("solver", ["lbfgs", "newton"])
    @pytest.mark.parametrize("settings", [{}, {"C": 0.01}, {"fit_intercept": False}, {"class_weight": "balanced"}])
    def test_it_is_scikit_learns(self, data, solver, settings):
        X, y = DATA[data]
        ours = LogisticRegression(solver=solver, **EXACT, **settings).fit(X, y)
        same_optimum(ours, their_newton(X, y, **settings))

    @pytest.mark.parametrize("data", NOT_SEPARABLE)
    @pytest.mark.parametrize("solver", ["lbfgs", "newton"])
    @pytest.mark.parametrize("weighted", [False, True])
    def test_so_is_the_maximum_of_the_likelihood_without_a_penalty(self, data, solver, weighted):
        X, y = DATA[data]
        weights = np.random.default_rng(3).uniform(0, 2, len(y)) if weighted else None
        ours = LogisticRegression(C=np.inf, solver=solver, **EXACT).fit(X, y, weights)
        same_optimum(ours, their_newton(X, y, weights, C=np.inf))

    @pytest.mark.parametrize("offset", [1e3, 2000, 1e5, -1e6])
    @pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
    def test_columns_far_from_0_have_the_fit_of_those_around_it(self, offset, kind):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(200, 4))
        y = X @ [1, -2, 3, 0] + 1 + 2 * rng.logistic(size=200) > 0
        want = their_newton(X, y, C=np.inf)
        for settings, rtol in [({"tol": 1e-8, "max_iter": 1000}, 1e-6), ({}, 1e-4)]:
            ours = LogisticRegression(C=np.inf, **settings).fit(kind(X + offset), y)
            np.testing.assert_allclose(ours.coef_, want.coef_, rtol=rtol, atol=1e-6)
            likelihood = np.log(want.predict_proba(X)[np.arange(200), y.astype(int)]).sum()
            assert ours.log_likelihood_ == pytest.approx(likelihood, abs=1e-6)
            p = want.predict_proba(X)[:, 1]
            augmented = np.column_stack([X, np.ones(200)])
            errors = np.sqrt(np.diag(np.linalg.inv(augmented.T @ (augmented * (p * (1 - p))[:, None]))))[:-1]
            np.testing.assert_allclose(ours.p_values_, 2 * norm.sf(np.abs(want.coef_ / errors)), rtol=0.01, atol=1e-9)

    @pytest.mark.parametrize("solver", ["lbfgs", "newton"])
    @pytest.mark.parametrize("size", [1e-7, 1e7])
    def test_the_unit_of_a_column_changes_only_its_coefficient(self, solver, size):
        X, y = DATA["noisy, 3 classes"]
        units = np.array([size, 1, 1, 1, 1 / size, 1])
        ours = LogisticRegression(C=np.inf, solver=solver).fit(X * units, y)
        np.testing.assert_allclose(ours.coef_ * units, their_newton(X, y, C=np.inf).coef_, atol=3e-3)

    @pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
    def test_so_has_an_l1_penalty_that_does_not_touch_the_intercept(self, l1_ratio):
        X, y = DATA["noisy, 2 classes"]
        near, far = (LogisticRegression(C=0.1, l1_ratio=l1_ratio, **EXACT).fit(X + o, y) for o in (0, 1000))
        np.testing.assert_allclose(far.coef_, near.coef_, atol=1e-5)
        np.testing.assert_array_equal(far.coef_ == 0, near.coef_ == 0)

    @pytest.mark.parametrize("data", NOT_SEPARABLE)
    @pytest.mark.parametrize("solver", ["lbfgs", "newton"])
    def test_sparse_rows_have_the_optimum_of_dense_ones(self, data, solver):
        X, y = DATA[data]
        X = with_zeros(X)
        for rows in (sparse.csr_array(X), sparse.csc_matrix(X)):
            ours = LogisticRegression(solver=solver, **EXACT).fit(rows, y)
            same_optimum(ours, their_newton(X, y))
            np.testing.assert_allclose(ours.predict_proba(rows), ours.predict_proba(X), atol=1e-12)

    @pytest.mark.parametrize("data", ["noisy, 2 classes", "iris"])
    @pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
    def test_l1_and_elastic_penalties_are_sagas(self, data, l1_ratio):
        X, y = DATA[data]
        X = scale(X)
        ours = LogisticRegression(C=0.1, l1_ratio=l1_ratio, **EXACT).fit(X, y)
        theirs = Theirs(C=0.1, l1_ratio=l1_ratio, solver="saga", tol=1e-12, max_iter=20000).fit(X, y)
        same_optimum(ours, theirs, atol=1e-5)
        np.testing.assert_array_equal(ours.coef_ == 0, theirs.coef_ == 0)

    def test_old_names_of_penalties_mean_the_same(self):
        X, y = DATA["noisy, 2 classes"]
        for old, new in [({"penalty": None}, {"C": np.inf}), ({"penalty": "l1"}, {"l1_ratio": 1.0})]:
            a, b = (LogisticRegression(**s, **EXACT).fit(X, y) for s in (old, new))
            np.testing.assert_array_equal(a.coef_, b.coef_)

    def test_gradient_descent_with_exact_steps_gets_there(self):
        X, y = DATA["noisy, 3 classes"]
        ours = LogisticRegression(solver="gd", delta=1e-15, max_iter=5000).fit(X, y)
        same_optimum(ours, their_newton(X, y), atol=1e-4)
        assert ours.ended_ == "delta"

    def test_mini_batches_get_near_it(self):
        X, y = noisy(2, n=5000)
        ours = LogisticRegression(solver="sgd", tol=0, max_iter=60, random_state=0)
        with pytest.warns(ConvergenceWarning):
            ours.fit(X, y)
        theirs = their_newton(X, y)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=0.02)
        again = clone(ours)
        with pytest.warns(ConvergenceWarning):
            again.fit(X, y)
        np.testing.assert_array_equal(again.coef_, ours.coef_)

    @pytest.mark.parametrize("data", ["breast cancer", "noisy, 3 classes"])
    def test_mini_batches_end_no_further_above_the_minimum_than_tol(self, data):
        X, y = DATA[data]
        ours = LogisticRegression(solver="sgd", random_state=0, max_iter=1000, tol=1e-3).fit(X, y)
        theirs = their_newton(X, y)

        def loss(model):
            chosen = model.predict_proba(X)[np.arange(len(y)), y]
            return -np.log(chosen).mean() + 0.5 * np.square(model.coef_).sum() / len(y)

        assert loss(theirs) <= loss(ours) < loss(theirs) + 1.5e-3

    def test_mini_batches_far_above_the_minimum_say_how_far(self):
        X, y = DATA["breast cancer"]
        with pytest.warns(ConvergenceWarning, match="above its minimum by about .* more than tol"):
            LogisticRegression(solver="sgd", random_state=0, max_iter=10).fit(X, y)

    @pytest.mark.parametrize("weighted", [False, True])
    def test_many_correlated_rows_need_few_iterations(self, weighted):
        rng = np.random.default_rng(0)
        factors = rng.normal(size=(60_000, 3)) @ rng.normal(size=(3, 20))
        X = (factors + 0.3 * rng.normal(size=(60_000, 20))) * np.geomspace(0.01, 1, 20)
        y = (rng.uniform(size=60_000) < expit(X @ rng.normal(size=20))).astype(int)
        weights = rng.integers(0, 3, 60_000) if weighted else None
        ours = LogisticRegression(**EXACT).fit(X, y, weights)
        same_optimum(ours, their_newton(X, y, weights))
        theirs = Theirs(**EXACT).fit(X, y, weights)
        assert ours.n_iter_[0] < theirs.n_iter_[0] / 2
        assert len(ours.loss_curve_) == ours.n_iter_[0]
        with pytest.warns(ConvergenceWarning):
            assert LogisticRegression(max_iter=17, tol=1e-12).fit(X, y, weights).n_iter_ == [17]

    def test_integer_weights_are_repetitions(self):
        X, y = DATA["noisy, 3 classes"]
        times = np.random.default_rng(0).integers(0, 3, len(y))
        twice = np.repeat(np.arange(len(y)), times)
        weighted = LogisticRegression(**EXACT).fit(X, y, times)
        same_optimum(weighted, LogisticRegression(**EXACT).fit(X[twice], y[twice]))

    def test_float32_rows_are_computed_in_float32(self):
        X, y = DATA["noisy, 2 classes"]
        single = LogisticRegression().fit(X.astype(np.float32), y)
        assert single.coef_.dtype == np.float32
        # The loss is flat to a float32's rounding as far as √(2·10⁻⁹/0.2) around its minimum.
        same_optimum(single, their_newton(X, y), atol=5e-4)


class TestProbabilities:
    def test_softmax_of_two_classes_is_the_sigmoid_of_the_difference(self):
        X, y = DATA["noisy, 2 classes"]
        binary = LogisticRegression(C=np.inf, **EXACT).fit(X, y)
        three = LogisticRegression(C=np.inf, **EXACT).fit(X, np.where(y == 1, 2, np.arange(len(y)) % 2))
        a, b = three.coef_, three.intercept_
        scores = X @ a.T + b
        given_two = softmax(scores[:, [0, 2]], axis=1)[:, 1]
        np.testing.assert_allclose(given_two, expit(scores[:, 2] - scores[:, 0]), atol=1e-14)
        # The same model in softmax's form: W = (0, w).
        pair = np.column_stack([np.zeros(len(X)), binary.decision_function(X)])
        np.testing.assert_allclose(softmax(pair, axis=1), binary.predict_proba(X), atol=1e-14)

    @EACH_DATA
    def test_they_are_scikit_learns(self, data):
        X, y = DATA[data]
        ours, theirs = LogisticRegression(**EXACT).fit(X, y), their_newton(X, y)
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6)
        np.testing.assert_allclose(ours.decision_function(X), theirs.decision_function(X), atol=1e-5)
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))

    def test_logarithms_stay_finite_where_probabilities_round_to_zero(self):
        X, y = np.array([[-1.0], [0.5], [-0.5], [1.0]]), np.array([0, 0, 1, 1])
        model = LogisticRegression().fit(X, y)
        model.coef_ = np.array([[1.0]])
        model.intercept_ = np.zeros(1)
        found = model.predict_log_proba([[1000.0], [-1000.0]])
        np.testing.assert_array_equal(found, [[-1000.0, 0.0], [0.0, -1000.0]])

    @pytest.mark.parametrize("labels", [["yes", "no"], [-1, 1], [3.0, 7.0], [True, False], [10**12, -(10**12)]])
    def test_labels_are_any_two_values(self, labels):
        X, y = DATA["noisy, 2 classes"]
        named = np.array(labels)[y]
        model = LogisticRegression().fit(X, named)
        np.testing.assert_array_equal(model.classes_, np.unique(named))
        np.testing.assert_array_equal(model.predict(X), Theirs().fit(X, named).predict(X))


class TestInference:
    def test_it_is_the_inverse_of_the_observed_information(self):
        X, y = DATA["noisy, 2 classes"]
        model = LogisticRegression(C=np.inf, **EXACT).fit(X, y)
        p = model.predict_proba(X)[:, 1]
        augmented = np.column_stack([X, np.ones(len(y))])
        covariance = np.linalg.inv(augmented.T @ (augmented * (p * (1 - p))[:, None]))
        np.testing.assert_allclose(model.inference_.covariance, covariance, rtol=1e-6)
        errors = np.sqrt(np.diag(covariance))
        np.testing.assert_allclose(model.standard_errors_, errors[None, :-1], rtol=1e-6)
        z = model.coef_ / errors[:-1]
        np.testing.assert_allclose(model.wald_, z, rtol=1e-6)
        np.testing.assert_allclose(model.p_values_, 2 * norm.sf(np.abs(z)), rtol=1e-5)
        low, high = model.inference_.intervals(0.95)
        np.testing.assert_allclose((high - low)[0], 2 * 1.959964 * errors, rtol=1e-6)
        assert model.log_likelihood_ == pytest.approx(np.log(np.where(y == 1, p, 1 - p)).sum(), rel=1e-10)

    def test_it_is_the_published_one_of_spector_and_mazzeo(self):
        # Greene, Econometric Analysis (5th ed., 2003), table 21.1: the logit of Spector & Mazzeo (1980).
        gpa = (
            "2.66 2.89 3.28 2.92 4.00 2.86 2.76 2.87 3.03 3.92 2.63 3.32 3.57 3.26 3.53 2.74 "
            "2.75 2.83 3.12 3.16 2.06 3.62 2.89 3.51 3.54 2.83 3.39 2.67 3.65 4.00 3.10 2.39"
        )
        tuce = "20 22 24 12 21 17 17 21 25 29 20 23 23 25 26 19 25 19 23 25 22 28 14 26 24 27 17 24 21 23 21 19"
        psi = "0 " * 14 + "0 0 0 0 " + "1 " * 14
        grade = "0 0 0 0 1 0 0 0 0 1 0 0 0 1 0 0 0 0 0 1 0 1 0 0 1 1 1 0 1 1 0 1"
        X = np.column_stack([np.array(text.split(), float) for text in (gpa, tuce, psi)])
        model = LogisticRegression(C=np.inf, solver="newton", tol=1e-10).fit(X, np.array(grade.split(), int))
        np.testing.assert_allclose(model.coef_, [[2.826, 0.095, 2.379]], atol=5e-4)
        np.testing.assert_allclose(model.intercept_, [-13.021], atol=5e-4)
        np.testing.assert_allclose(model.standard_errors_, [[1.263, 0.142, 1.065]], atol=5e-4)
        np.testing.assert_allclose(model.inference_.standard_errors[0, -1], 4.931, atol=5e-4)
        assert model.log_likelihood_ == pytest.approx(-12.8896, abs=5e-5)

    def test_of_several_classes_a_contrast_has_the_covariance_of_a_reference_class(self):
        X, y = DATA["noisy, 3 classes"]
        model = LogisticRegression(C=np.inf, **EXACT).fit(X, y)
        p, augmented = model.predict_proba(X), np.column_stack([X, np.ones(len(y))])
        width = augmented.shape[1]
        # Of classes 1 and 2 against class 0: blocks X̃ᵀ·diag(pₖ(δₖₘ − pₘ))·X̃.
        blocks = [
            [augmented.T @ (augmented * (p[:, k] * ((k == m) - p[:, m]))[:, None]) for m in (1, 2)] for k in (1, 2)
        ]
        reference = np.linalg.inv(np.block(blocks))
        eye, none = np.eye(width), np.zeros((width, width))
        contrast = np.block([[-eye, eye, none], [-eye, none, eye]])
        np.testing.assert_allclose(contrast @ model.inference_.covariance @ contrast.T, reference, rtol=1e-5, atol=1e-9)

    def test_they_cover_the_truth_as_often_as_they_say(self):
        rng, truth, covered = np.random.default_rng(0), np.array([1.0, -0.5]), []
        for _ in range(200):
            X = rng.normal(size=(200, 2))
            y = rng.uniform(size=200) < expit(X @ truth + 0.3)
            low, high = LogisticRegression(C=np.inf, solver="newton").fit(X, y).inference_.intervals(0.9)
            covered.append((low[0, :2] <= truth) & (truth <= high[0, :2]))
        assert 0.86 < np.mean(covered) < 0.94

    def test_weights_count_as_repetitions(self):
        X, y = DATA["noisy, 2 classes"]
        times = np.random.default_rng(0).integers(0, 3, len(y))
        twice = np.repeat(np.arange(len(y)), times)
        settings = {"C": np.inf, **EXACT}
        weighted = LogisticRegression(**settings).fit(X, y, times)
        repeated = LogisticRegression(**settings).fit(X[twice], y[twice])
        np.testing.assert_allclose(weighted.standard_errors_, repeated.standard_errors_, rtol=1e-6)
        assert weighted.log_likelihood_ == pytest.approx(repeated.log_likelihood_)

    def test_coefficients_of_collinear_columns_have_none(self):
        X, y = DATA["noisy, 2 classes"]
        doubled = np.column_stack([X, X[:, 0]])
        model = LogisticRegression(C=np.inf, solver="newton").fit(doubled, y)
        np.testing.assert_array_equal(np.isnan(model.standard_errors_[0]), [True, *[False] * 5, True])
        alone = LogisticRegression(C=np.inf, solver="newton").fit(X, y)
        np.testing.assert_allclose(model.standard_errors_[0, 1:6], alone.standard_errors_[0, 1:], rtol=1e-5)

    def test_a_penalised_fit_says_why_it_has_none(self):
        model = LogisticRegression().fit(*DATA["noisy, 2 classes"])
        for name in ("standard_errors_", "wald_", "p_values_", "inference_"):
            assert not hasattr(model, name)
        with pytest.raises(AttributeError, match=r"C=np\.inf"):
            model.inference_  # noqa: B018
        assert "unpenalised fit" in model.summary()

    def test_it_is_statsmodels(self):
        statsmodels = pytest.importorskip("statsmodels.api")
        X, y = DATA["noisy, 2 classes"]
        want = statsmodels.Logit(y, statsmodels.add_constant(X)).fit(disp=0, tol=1e-12)
        model = LogisticRegression(C=np.inf, **EXACT).fit(X, y)
        np.testing.assert_allclose(model.standard_errors_[0], want.bse[1:], rtol=1e-5)
        np.testing.assert_allclose(model.p_values_[0], want.pvalues[1:], rtol=1e-4)
        assert model.log_likelihood_ == pytest.approx(want.llf)


class TestSeparation:
    @pytest.mark.parametrize("solver", ["lbfgs", "newton", "gd"])
    def test_separated_classes_without_a_penalty_are_said(self, solver):
        X, y = load_iris(return_X_y=True)
        with pytest.warns(SeparationWarning, match="no maximum.*Take a penalty"):
            LogisticRegression(C=np.inf, solver=solver, max_iter=300).fit(X[:100], y[:100])

    @pytest.mark.parametrize("solver", ["lbfgs", "newton"])
    def test_so_are_classes_of_which_one_feature_separates_some_rows(self, solver):
        rng = np.random.default_rng(0)
        X = np.column_stack([rng.normal(size=300), np.zeros(300)])
        y = (rng.uniform(size=300) < expit(X[:, 0])).astype(int)
        # Nobody with the trait is of class 0; of the rest both are found at any place.
        X[:20, 1], y[:20] = 1, 1
        with pytest.warns(SeparationWarning):
            LogisticRegression(C=np.inf, solver=solver).fit(X, y)

    def test_so_is_one_class_of_three(self):
        X, y = load_iris(return_X_y=True)
        with pytest.warns(SeparationWarning):
            LogisticRegression(C=np.inf, max_iter=1000).fit(X, y)

    @pytest.mark.parametrize("data", NOT_SEPARABLE)
    def test_others_are_not(self, data):
        X, y = DATA[data]
        LogisticRegression(C=np.inf, solver="newton").fit(8 * X, y)
        LogisticRegression(C=np.inf, max_iter=1000).fit(8 * X, y)

    def test_one_row_that_contradicts_is_enough(self):
        X, y = np.linspace(-50, 50, 101)[:, None], (np.linspace(-50, 50, 101) > 0).astype(int)
        with pytest.warns(SeparationWarning):
            LogisticRegression(C=np.inf, solver="newton").fit(X, y)
        y[60] = 0
        LogisticRegression(C=np.inf, solver="newton").fit(X, y)


class TestEnds:
    def test_the_textbooks_procedure_is_followed(self):
        X, y = DATA["noisy, 2 classes"]
        model = LogisticRegression(
            C=np.inf, solver="gd", learning_rate=0.5, delta=1e-4, max_iter=500, keep_path=True
        ).fit(X, y)
        w, losses = np.zeros(7), []
        augmented = np.column_stack([X, np.ones(len(y))])
        for t in range(501):
            a = augmented @ w
            losses.append(np.mean(np.logaddexp(0, a) - y * a))
            np.testing.assert_allclose(model.path_[t], w, atol=1e-12)
            if t and abs(losses[-1] - losses[-2]) <= 1e-4:
                break
            w = w + 0.5 * augmented.T @ (y - expit(a)) / len(y)
        assert model.ended_ == "delta"
        assert model.n_iter_ == [t]
        np.testing.assert_allclose(model.loss_curve_, losses[1:], rtol=1e-12)

    def test_the_warning_says_which_of_the_two_ended_it(self):
        X, y = DATA["noisy, 2 classes"]
        model = LogisticRegression(solver="gd", learning_rate=0.01, delta=1e-9, max_iter=20)
        with pytest.warns(DescentWarning, match=r"ended at n_iter = 20 .* before .* δ = 1e-09"):
            model.fit(X, y)
        assert model.ended_ == "n_iter"

    def test_steps_too_large_are_said_to_be_so_and_not_too_few(self):
        X, y = DATA["noisy, 2 classes"]
        with pytest.warns(
            DescentWarning, match=r"loss rising .*learning_rate=1000.0 is too large. Take a smaller"
        ) as w:
            LogisticRegression(solver="gd", learning_rate=1e3).fit(X, y)
        assert "Raise" not in str(w[0].message)

    def test_divergence_of_mini_batches_says_that_nothing_is_fitted(self):
        X, y = DATA["noisy, 2 classes"]
        model = LogisticRegression(solver="sgd", learning_rate=1e30, C=1e-3, random_state=0)
        with pytest.raises(DivergenceError, match=r"learning_rate=1e\+30.*nothing is fitted.*smaller") as found:
            model.fit(X, y)
        assert "kept" not in str(found.value)
        assert ".py" not in str(found.value)
        assert not hasattr(model, "coef_")

    @pytest.mark.parametrize("solver", ["lbfgs", "newton"])
    def test_too_few_iterations_are_said(self, solver):
        X, y = DATA["breast cancer"]
        with pytest.warns(ConvergenceWarning, match="max_iter"):
            LogisticRegression(solver=solver, max_iter=2, tol=1e-10).fit(X, y)

    def test_a_step_too_large_is_said(self):
        X, y = DATA["breast cancer"]
        with pytest.raises(ValueError, match=r"diverged.*learning_rate"):
            LogisticRegression(solver="gd", learning_rate=1e300).fit(X * 1e10, y)

    def test_a_warm_start_goes_on_from_where_it_was(self):
        X, y = DATA["noisy, 3 classes"]
        model = LogisticRegression(warm_start=True, tol=1e-6, max_iter=1000).fit(X, y)
        first = int(model.n_iter_[0])
        assert first > 3
        assert model.fit(X, y).n_iter_[0] <= 1

    @pytest.mark.parametrize("solver", ["lbfgs", "newton", "gd"])
    def test_the_same_call_gives_the_same_bits(self, solver):
        X, y = noisy(3, n=30_000, d=50)
        a, b = (LogisticRegression(solver=solver).fit(X, y) for _ in range(2))
        np.testing.assert_array_equal(a.coef_, b.coef_)


class TestBadInput:
    X, y = noisy(2, n=60)

    @pytest.mark.parametrize("solver", ["lbfgs", "newton", "gd", "sgd"])
    def test_labels_all_alike(self, solver):
        with pytest.raises(ValueError, match="at least 2 classes"):
            LogisticRegression(solver=solver).fit(self.X, np.ones(60, int))

    @pytest.mark.parametrize(("label", "shown"), [(0.0, "0.0"), (1, "1"), ("yes", "'yes'")])
    def test_the_one_class_is_named_as_it_is_written(self, label, shown):
        with pytest.raises(ValueError, match=rf"one class: {shown}$"):
            LogisticRegression().fit(self.X, [label] * 60)

    def test_penalties_that_there_are_are_named(self):
        with pytest.raises(ValueError, match=r"^penalty must be l2, l1, elasticnet or None, got 'none'$"):
            LogisticRegression(penalty="none").fit(self.X, self.y)

    @pytest.mark.parametrize("kind", [np.float32, np.float64])
    def test_infinity_is_no_penalty_in_any_float(self, kind):
        models = [LogisticRegression(C=c, max_iter=1000).fit(*DATA["noisy, 2 classes"]) for c in (kind("inf"), np.inf)]
        np.testing.assert_array_equal(models[0].coef_, models[1].coef_)

    @pytest.mark.parametrize("solver", ["lbfgs", "newton", "gd", "sgd"])
    @pytest.mark.parametrize("size", [1e300, 1e160])
    @pytest.mark.parametrize("cells", [slice(None), slice(7, 8)], ids=["a column", "one cell"])
    def test_features_whose_squares_overflow(self, solver, size, cells):
        X = self.X.copy()
        X[cells, 0] *= size
        with pytest.raises(ValueError, match=r"as large as .*e\+(299|300|159|160).*Scale them"):
            LogisticRegression(solver=solver).fit(X, self.y)

    @pytest.mark.parametrize("solver", ["lbfgs", "newton"])
    def test_one_cell_so_large_that_no_step_is_small_enough_is_said(self, solver):
        X = np.random.default_rng(0).normal(size=(60, 3))
        y = X[:, 0] + np.random.default_rng(1).normal(size=60) > 0
        X[3, 0] *= 1e20
        with pytest.warns(ConvergenceWarning, match="gradient is as large as .* scale the data"):
            LogisticRegression(solver=solver).fit(X, y)

    @pytest.mark.parametrize("solver", ["lbfgs", "newton"])
    @pytest.mark.parametrize("value", [0.0, 7.0])
    def test_a_constant_feature_changes_nothing(self, solver, value):
        X, y = DATA["noisy, 2 classes"]
        constant = np.column_stack([X, np.full(len(y), value)])
        with_it = LogisticRegression(C=np.inf, solver=solver, **EXACT).fit(constant, y)
        without = LogisticRegression(C=np.inf, solver=solver, **EXACT).fit(X, y)
        np.testing.assert_allclose(with_it.predict_proba(constant), without.predict_proba(X), atol=1e-7)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, list])
    def test_what_is_not_finite(self, bad, kind):
        X = self.X.copy()
        X[17, 2] = bad
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            LogisticRegression().fit(kind(X), self.y)

    def test_what_is_not_finite_where_the_row_has_no_weight(self):
        X, weights = self.X.copy(), np.ones(60)
        X[17, 2], weights[17] = np.nan, 0
        with pytest.raises(ValueError, match="NaN"):
            LogisticRegression().fit(X, self.y, weights)

    def test_strings(self):
        with pytest.raises(ValueError, match="numeric values"):
            LogisticRegression().fit(np.array([["a", "b"], ["c", "d"]]), [0, 1])

    def test_numbers_for_labels(self):
        with pytest.raises(ValueError, match="label type"):
            LogisticRegression().fit(self.X, np.linspace(0, 1, 60))

    def test_weights_below_zero_or_none_above(self):
        with pytest.raises(ValueError, match="sample_weight must be at least 0, got -1 for row 3"):
            LogisticRegression().fit(self.X, self.y, np.where(np.arange(60) == 3, -1.0, 1.0))
        with pytest.raises(ValueError, match="zero for every row"):
            LogisticRegression().fit(self.X, self.y, np.zeros(60))

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("C", 0),
            ("C", -1.0),
            ("C", np.nan),
            ("C", "1"),
            ("l1_ratio", 2),
            ("tol", -1),
            ("max_iter", 0),
            ("solver", "best"),
            ("solver", "liblinear"),
            ("penalty", "l3"),
            ("penalty", ["l2"]),
            ("dual", True),
            ("fit_intercept", "yes"),
            ("delta", -1),
            ("batch_size", 0),
            ("dtype", "float16"),
            ("class_weight", "even"),
        ],
    )
    def test_parameters_out_of_range(self, name, value):
        with pytest.raises(ValueError, match=name):
            LogisticRegression(**{name: value}).fit(self.X, self.y)

    def test_l1_for_a_solver_that_cannot(self):
        for solver in ("newton", "gd", "sgd"):
            with pytest.raises(ValueError, match="takes no L1 penalty"):
                LogisticRegression(l1_ratio=1, solver=solver).fit(self.X, self.y)

    def test_learning_rates_that_are_none(self):
        with pytest.raises(ValueError, match="step must be a number"):
            LogisticRegression(solver="gd", learning_rate="fast").fit(self.X, self.y)
        with pytest.raises(ValueError, match="takes a number as learning_rate"):
            LogisticRegression(solver="sgd", learning_rate="exact").fit(self.X, self.y)


class TestContract:
    @pytest.mark.filterwarnings("ignore")
    def test_check_estimator_fails_nothing_and_skips_only_what_it_skips_for_scikit_learns_own(self):
        found = check_estimator(LogisticRegression(), on_skip=None, on_fail=None)
        own = check_estimator(Theirs(), on_skip=None, on_fail=None)
        assert not {c["check_name"]: str(c["exception"]) for c in found if c["status"] in ("failed", "xfail")}
        skipped, allowed = ({c["check_name"] for c in cs if c["status"] == "skipped"} for cs in (found, own))
        assert skipped <= allowed
        # Arrays of other libraries are theirs alone.
        missing = {c["check_name"] for c in own} - {c["check_name"] for c in found}
        assert all("array_api" in name for name in missing)

    def test_every_parameter_of_scikit_learn_is_there_with_its_default(self):
        theirs, ours = (inspect.signature(kind).parameters for kind in (Theirs, LogisticRegression))
        assert {n: p.default for n, p in theirs.items()} == {n: ours[n].default for n in theirs}
        assert list(ours)[: len(theirs)] == list(theirs)

    def test_a_search_over_c_finds_what_it_finds_with_scikit_learns(self):
        X, y = DATA["noisy, 3 classes"]
        grid = {"C": [1e-3, 1e-2, 0.1, 1.0]}
        ours, theirs = (GridSearchCV(kind(), grid, cv=3).fit(X, y) for kind in (LogisticRegression, Theirs))
        assert ours.best_params_ == theirs.best_params_
        np.testing.assert_allclose(ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"])

    def test_names_of_columns_are_in_the_summary(self):
        pandas = pytest.importorskip("pandas")
        X, y = DATA["noisy, 2 classes"]
        frame = pandas.DataFrame(X, columns=[f"c{j}" for j in range(6)])
        model = LogisticRegression(C=np.inf, solver="newton").fit(frame, y)
        assert "c3 " in model.summary()
        assert "log-likelihood" in model.summary()
