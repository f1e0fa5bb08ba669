"""Linear regression and ridge against scikit-learn, SciPy and published figures."""

import inspect

import numpy as np
import pytest
from scipy import sparse, stats
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression as TheirLinear
from sklearn.linear_model import Ridge as TheirRidge
from sklearn.utils.estimator_checks import check_estimator

from diaphane.estimators.linear.regression import LinearRegression, Ridge

RNG = np.random.default_rng(11)
X = RNG.normal(size=(120, 5)) * [1, 2, 0.5, 1, 3] + [0, 5, -3, 0, 100]
COEF = np.array([[1.0, -2.0], [0.5, 0.0], [3.0, 1.0], [0.0, 1.0], [-0.2, 0.1]])
TARGETS = X @ COEF + [4.0, -1.0] + RNG.normal(size=(120, 2))
WEIGHTS = RNG.integers(0, 4, 120).astype(float)
DIABETES = load_diabetes(return_X_y=True)
ONE_OR_TWO = pytest.mark.parametrize("y", [TARGETS[:, 0], TARGETS[:, :1], TARGETS], ids=["(n,)", "(n, 1)", "(n, 2)"])
WEIGHTED = pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weighted"])
INTERCEPT = pytest.mark.parametrize("fit_intercept", [True, False])


def same_fit(ours, theirs, **tolerance):
    tolerance = {"rtol": 1e-8, "atol": 1e-9} | tolerance
    assert np.shape(ours.coef_) == np.shape(theirs.coef_)
    assert np.shape(ours.intercept_) == np.shape(theirs.intercept_)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, **tolerance)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, **tolerance)


class TestLinearRegression:
    @ONE_OR_TWO
    @WEIGHTED
    @INTERCEPT
    def test_it_is_scikit_learns(self, y, weights, fit_intercept):
        ours, theirs = (k(fit_intercept=fit_intercept).fit(X, y, weights) for k in (LinearRegression, TheirLinear))
        same_fit(ours, theirs)
        assert ours.rank_ == theirs.rank_
        np.testing.assert_allclose(ours.singular_, theirs.singular_, rtol=1e-10)
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X))
        assert ours.score(X, y, weights) == pytest.approx(theirs.score(X, y, weights))

    @ONE_OR_TWO
    @WEIGHTED
    def test_sparse_rows_have_the_fit_of_dense_ones(self, y, weights):
        x = np.where(np.abs(X) < 1, 0, X)
        ours = LinearRegression(tol=1e-14).fit(sparse.csr_array(x), y, weights)
        same_fit(ours, TheirLinear().fit(x, y, weights), rtol=1e-5, atol=1e-5)

    @pytest.mark.parametrize("positive", [True])
    @WEIGHTED
    def test_positive_coefficients_are_scikit_learns(self, positive, weights):
        ours, theirs = (k(positive=positive).fit(X, TARGETS, weights) for k in (LinearRegression, TheirLinear))
        same_fit(ours, theirs)
        assert np.min(ours.coef_) == 0

    def test_collinear_columns_get_the_solution_of_least_norm(self):
        x = np.column_stack([X, X[:, 0] + X[:, 1]])
        ours, theirs = (k().fit(x, TARGETS[:, 0]) for k in (LinearRegression, TheirLinear))
        same_fit(ours, theirs)
        assert ours.rank_ == 5
        errors = ours.standard_errors_
        np.testing.assert_array_equal(np.isnan(errors), [True, True, False, False, False, True])
        alone = LinearRegression().fit(X, TARGETS[:, 0])
        np.testing.assert_allclose(errors[2:5], alone.standard_errors_[2:5], rtol=1e-6)

    def test_float32_stays_float32(self):
        model = LinearRegression().fit(X.astype(np.float32), TARGETS[:, 0].astype(np.float32))
        assert model.coef_.dtype == np.float32
        np.testing.assert_allclose(model.coef_, TheirLinear().fit(X, TARGETS[:, 0]).coef_, atol=1e-3)


class TestInference:
    def test_one_feature_is_scipys_linregress(self):
        x, y = DIABETES[0][:, 2], DIABETES[1]
        want = stats.linregress(x, y)
        model = LinearRegression().fit(x[:, None], y)
        found = model.inference_
        np.testing.assert_allclose(model.standard_errors_, [want.stderr], rtol=1e-10)
        np.testing.assert_allclose(found.standard_errors[0, 1], want.intercept_stderr, rtol=1e-10)
        np.testing.assert_allclose(model.p_values_, [want.pvalue], rtol=1e-8)
        np.testing.assert_allclose(model.t_, [want.slope / want.stderr], rtol=1e-10)
        assert found.degrees == len(y) - 2

    @WEIGHTED
    @INTERCEPT
    def test_the_covariance_is_the_textbooks(self, weights, fit_intercept):
        model = LinearRegression(fit_intercept=fit_intercept).fit(X, TARGETS, weights)
        s = np.ones(120) if weights is None else weights
        augmented = np.column_stack([X, np.ones(120)]) if fit_intercept else X
        inverse = np.linalg.inv(augmented.T @ (augmented * s[:, None]))
        residuals = TARGETS - model.predict(X)
        degrees = np.count_nonzero(s) - augmented.shape[1]
        variance = (s[:, None] * residuals**2).sum(axis=0) / degrees
        np.testing.assert_allclose(model.residual_variance_, variance, rtol=1e-9)
        errors = np.sqrt(variance[:, None] * np.diag(inverse))
        np.testing.assert_allclose(model.inference_.standard_errors, errors, rtol=1e-7)
        np.testing.assert_allclose(model.standard_errors_, errors[:, :5], rtol=1e-7)
        np.testing.assert_allclose(
            model.inference_.covariance, np.kron(np.diag(variance), inverse), rtol=1e-5, atol=1e-9
        )
        t = model.coef_ / errors[:, :5]
        np.testing.assert_allclose(model.p_values_, 2 * stats.t(degrees).sf(np.abs(t)), rtol=1e-5)

    def test_longleys_figures_are_the_published_ones(self):
        # Longley (1967), data and certified values of NIST's Statistical Reference Datasets: seven parameters,
        # columns nearly collinear.
        rows = """60323 83.0 234289 2356 1590 107608 1947
        61122 88.5 259426 2325 1456 108632 1948
        60171 88.2 258054 3682 1616 109773 1949
        61187 89.5 284599 3351 1650 110929 1950
        63221 96.2 328975 2099 3099 112075 1951
        63639 98.1 346999 1932 3594 113270 1952
        64989 99.0 365385 1870 3547 115094 1953
        63761 100.0 363112 3578 3350 116219 1954
        66019 101.2 397469 2904 3048 117388 1955
        67857 104.6 419180 2822 2857 118734 1956
        68169 108.4 442769 2936 2798 120445 1957
        66513 110.8 444546 4681 2637 121950 1958
        68655 112.6 482704 3813 2552 123366 1959
        69564 114.2 502601 3931 2514 125368 1960
        69331 115.7 518173 4806 2572 127852 1961
        70551 116.9 554894 4007 2827 130081 1962"""
        table = np.array([line.split() for line in rows.splitlines()], float)
        model = LinearRegression(tol=1e-12).fit(table[:, 1:], table[:, 0])
        want = [15.0618722713733, -0.358191792925910e-01, -2.02022980381683, -1.03322686717359]
        np.testing.assert_allclose(model.coef_[:4], want, rtol=1e-7)
        np.testing.assert_allclose(model.coef_[4:], [-0.511041056535807e-01, 1829.15146461355], rtol=1e-7)
        np.testing.assert_allclose(model.intercept_, -3482258.63459582, rtol=1e-8)
        errors = [84.9149257747669, 0.334910077722432e-01, 0.488399681651699, 0.214274163161675]
        np.testing.assert_allclose(model.standard_errors_[:4], errors, rtol=1e-6)
        np.testing.assert_allclose(model.standard_errors_[4:], [0.226073200069370, 455.478499142212], rtol=1e-6)
        np.testing.assert_allclose(model.inference_.standard_errors[0, -1], 890420.383607373, rtol=1e-6)
        assert model.residual_variance_ == pytest.approx(304.854073561965**2, rel=1e-7)

    def test_without_more_rows_than_parameters_there_is_none(self):
        model = LinearRegression().fit(X[:4], TARGETS[:4, 0])
        np.testing.assert_allclose(model.predict(X[:4]), TARGETS[:4, 0])
        with pytest.raises(AttributeError, match="more rows than parameters"):
            model.standard_errors_  # noqa: B018

    def test_with_positive_coefficients_there_is_none(self):
        model = LinearRegression(positive=True).fit(X, TARGETS)
        with pytest.raises(AttributeError, match="positive=False"):
            model.summary()

    def test_the_summary_names_columns_and_targets(self):
        text = LinearRegression().fit(X, TARGETS).summary()
        assert "target 1" in text
        assert "x4" in text
        assert "intercept" in text


class TestRidge:
    @ONE_OR_TWO
    @WEIGHTED
    @INTERCEPT
    @pytest.mark.parametrize("solver", ["cholesky", "svd"])
    def test_the_closed_form_is_scikit_learns(self, y, weights, fit_intercept, solver):
        settings = {"alpha": 3.0, "fit_intercept": fit_intercept}
        ours = Ridge(solver=solver, **settings).fit(X, y, weights)
        same_fit(ours, TheirRidge(solver="svd", **settings).fit(X, y, weights))
        assert ours.solver_ == solver

    @ONE_OR_TWO
    @WEIGHTED
    def test_descent_has_the_same_optimum(self, y, weights):
        x = (X - X.mean(axis=0)) / X.std(axis=0)
        closed = Ridge(alpha=3.0).fit(x, y, weights)
        by_lbfgs = Ridge(alpha=3.0, solver="lbfgs", tol=1e-12).fit(x, y, weights)
        by_descent = Ridge(alpha=3.0, solver="gd", delta=1e-16).fit(x, y, weights)
        same_fit(by_lbfgs, closed, atol=1e-7, rtol=1e-6)
        same_fit(by_descent, closed, atol=1e-6, rtol=1e-6)

    def test_stochastic_descent_gets_near_it(self):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(5000, 4))
        y = x @ [1.0, -2.0, 0.5, 0.0] + 3 + 0.1 * rng.normal(size=5000)
        model = Ridge(alpha=1.0, solver="sgd", tol=1e-7, random_state=0).fit(x, y)
        same_fit(model, Ridge(alpha=1.0).fit(x, y), atol=5e-3)

    @WEIGHTED
    @pytest.mark.parametrize("alpha", [1e-3, 2.0])
    def test_stochastic_descent_agrees_with_the_closed_form_or_says_that_it_does_not(self, weights, alpha):
        rng = np.random.default_rng(0)
        x = rng.normal(size=(120, 4))
        y = x @ [1.0, -2.0, 3.0, 0.0] + 0.3 * rng.normal(size=120)
        model = Ridge(alpha=alpha, solver="sgd", random_state=0).fit(x, y, weights)
        # A mean loss of up to tol above its minimum, √(2·tol) away.
        np.testing.assert_allclose(model.coef_, TheirRidge(alpha=alpha).fit(x, y, weights).coef_, atol=0.02)
        with pytest.warns(ConvergenceWarning, match="above its minimum"):
            Ridge(alpha=alpha, solver="sgd", learning_rate=1e-6, max_iter=20, random_state=0).fit(x, y, weights)

    @pytest.mark.parametrize("positive", [False, True])
    def test_descent_finds_its_way_among_columns_far_from_0(self, positive):
        x = (X - X.mean(axis=0)) * [1, 1e-3, 1, 10, 1] + 1e5
        want = TheirRidge(alpha=0.1, positive=positive, solver="lbfgs" if positive else "svd", tol=1e-12)
        want.fit(x - 1e5, TARGETS[:, 0])
        found = Ridge(alpha=0.1, solver="lbfgs", positive=positive, tol=1e-8).fit(x, TARGETS[:, 0])
        np.testing.assert_allclose(found.coef_, want.coef_, rtol=1e-4, atol=1e-4)

    def test_sparse_rows_have_the_fit_of_dense_ones(self):
        x = np.where(np.abs(X) < 1, 0, X)
        want = TheirRidge(alpha=2.0).fit(x, TARGETS, WEIGHTS)
        for solver, atol in [("auto", 1e-8), ("lbfgs", 1e-4)]:
            ours = Ridge(alpha=2.0, solver=solver, tol=1e-9).fit(sparse.csr_array(x), TARGETS, WEIGHTS)
            same_fit(ours, want, atol=atol, rtol=1e-4)

    def test_each_target_may_have_its_own_alpha(self):
        ours, theirs = (k(alpha=[0.1, 50.0]).fit(X, TARGETS) for k in (Ridge, TheirRidge))
        same_fit(ours, theirs)
        with pytest.raises(ValueError, match="one alpha for all"):
            Ridge(alpha=[0.1, 50.0], solver="lbfgs").fit(X, TARGETS)

    def test_more_columns_than_rows(self):
        x, y = RNG.normal(size=(20, 60)), RNG.normal(size=20)
        for alpha in (0.0, 1e-3, 1.0):
            want = TheirRidge(alpha=alpha, solver="svd").fit(x, y) if alpha else TheirLinear().fit(x, y)
            for solver in ("cholesky", "svd"):
                same_fit(Ridge(alpha=alpha, solver=solver).fit(x, y), want, atol=1e-6)

    def test_without_a_penalty_collinear_columns_get_the_solution_of_least_norm(self):
        x = np.column_stack([X, X[:, 0]])
        same_fit(Ridge(alpha=0).fit(x, TARGETS[:, 0]), LinearRegression().fit(x, TARGETS[:, 0]), atol=1e-7)

    def test_positive_coefficients_are_scikit_learns(self):
        x = (X - X.mean(axis=0)) / X.std(axis=0)
        ours = Ridge(positive=True, tol=1e-10).fit(x, TARGETS)
        same_fit(ours, TheirRidge(positive=True, tol=1e-10).fit(x, TARGETS), atol=1e-5)
        assert np.min(ours.coef_) == 0

    def test_a_penalty_grows_and_coefficients_shrink(self):
        sizes = [np.linalg.norm(Ridge(alpha=a).fit(X, TARGETS).coef_) for a in (0, 1, 100, 1e4, 1e8)]
        assert sizes == sorted(sizes, reverse=True)
        assert sizes[-1] < 1e-3

    def test_an_end_before_the_optimum_is_said(self):
        with pytest.warns(ConvergenceWarning, match="n_iter = 3"):
            Ridge(solver="gd", learning_rate=1e-6, max_iter=3, delta=0).fit(X, TARGETS)


class TestBadInput:
    @pytest.mark.parametrize("kind", [LinearRegression, Ridge])
    def test_what_is_not_finite(self, kind):
        x = X.copy()
        x[3, 1] = np.nan
        with pytest.raises(ValueError, match="NaN"):
            kind().fit(x, TARGETS)
        with pytest.raises(ValueError, match="NaN"):
            kind().fit(X, np.where(np.arange(120) == 5, np.nan, 1.0))

    @pytest.mark.parametrize(
        "model",
        [
            LinearRegression(),
            LinearRegression(positive=True),
            *(Ridge(solver=s) for s in ("auto", "svd", "lbfgs", "gd", "sgd")),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("size", [1e300, 1e160])
    def test_numbers_whose_squares_overflow(self, model, size):
        x = X.copy()
        x[3, 1] = size
        with pytest.raises(ValueError, match=rf"X has numbers as large as 1e\+{np.log10(size):.0f}.*Scale them"):
            model.fit(x, TARGETS)
        with pytest.raises(ValueError, match=r"y has numbers as large as .*Take another unit"):
            model.fit(X, TARGETS[:, 0] * size)

    @pytest.mark.parametrize("kind", [LinearRegression, Ridge])
    def test_weights_below_zero_or_none_above(self, kind):
        with pytest.raises(ValueError, match="at least 0"):
            kind().fit(X, TARGETS, np.full(120, -1.0))
        with pytest.raises(ValueError, match="zero for every row"):
            kind().fit(X, TARGETS, np.zeros(120))

    @pytest.mark.parametrize("kind", [LinearRegression, Ridge])
    def test_a_constant_feature_changes_nothing(self, kind):
        found = kind().fit(np.column_stack([X, np.full(120, 7.0)]), TARGETS)
        same_fit_coef = kind().fit(X, TARGETS).coef_
        np.testing.assert_allclose(found.coef_[:, :5], same_fit_coef, atol=1e-8)
        np.testing.assert_allclose(found.coef_[:, 5], 0, atol=1e-12)

    @pytest.mark.parametrize("alpha", [-1.0, np.nan, np.inf, [1.0, -1.0], [1.0, 2.0, 3.0]])
    def test_penalties_that_are_none(self, alpha):
        with pytest.raises(ValueError, match="alpha"):
            Ridge(alpha=alpha).fit(X, TARGETS)

    @pytest.mark.parametrize(("name", "value"), [("solver", "best"), ("tol", -1), ("max_iter", 0), ("positive", 3)])
    def test_parameters_out_of_range(self, name, value):
        with pytest.raises(ValueError, match=name):
            Ridge(**{name: value}).fit(X, TARGETS)


PAIRS = pytest.mark.parametrize(("ours", "theirs"), [(LinearRegression, TheirLinear), (Ridge, TheirRidge)])


class TestContract:
    @PAIRS
    @pytest.mark.filterwarnings("ignore")
    def test_check_estimator_fails_nothing_and_skips_only_what_it_skips_for_scikit_learns_own(self, ours, theirs):
        found, own = (check_estimator(kind(), on_skip=None, on_fail=None) for kind in (ours, theirs))
        assert not {c["check_name"]: str(c["exception"]) for c in found if c["status"] in ("failed", "xfail")}
        skipped, allowed = ({c["check_name"] for c in cs if c["status"] == "skipped"} for cs in (found, own))
        assert skipped <= allowed
        # Arrays of other libraries are theirs alone.
        missing = {c["check_name"] for c in own} - {c["check_name"] for c in found}
        assert all("array_api" in name for name in missing)

    @PAIRS
    def test_every_parameter_of_scikit_learn_is_there_with_its_default(self, ours, theirs):
        wanted, found = (inspect.signature(kind).parameters for kind in (theirs, ours))
        assert {n: p.default for n, p in wanted.items()} == {n: found[n].default for n in wanted}
        assert list(found)[: len(wanted)] == list(wanted)
