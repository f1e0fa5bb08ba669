"""Newton's method, gradient descent and L1 by bounds, against closed forms and SciPy."""

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar, rosen, rosen_der, rosen_hess

from diaphane.optim import minimize_gradient_descent, minimize_lbfgs, minimize_newton

RNG = np.random.default_rng(5)
A = RNG.normal(size=(30, 6))
MATRIX, VECTOR = A.T @ A / 30 + 0.1 * np.eye(6), RNG.normal(size=6)
MINIMUM = np.linalg.solve(MATRIX, VECTOR)


def quadratic(w):
    return float(0.5 * w @ MATRIX @ w - VECTOR @ w), MATRIX @ w - VECTOR


def rosenbrock(w):
    return float(rosen(w)), rosen_der(w)


class TestNewton:
    def test_a_quadratic_takes_one_step(self):
        found = minimize_newton(quadratic, lambda w: MATRIX, np.zeros(6), tolerance=1e-10)
        assert (found.n_iterations, found.converged) == (1, True)
        np.testing.assert_allclose(found.parameters, MINIMUM, rtol=1e-12)

    def test_it_comes_through_rosenbrocks_valley_where_the_curvature_is_negative_too(self):
        found = minimize_newton(rosenbrock, rosen_hess, np.array([-1.2, 1.0, 0.7]), tolerance=1e-10)
        assert found.converged
        np.testing.assert_allclose(found.parameters, 1, atol=1e-9)
        assert np.all(np.diff(found.losses) <= 0)

    def test_steps_are_halved_where_a_whole_one_would_go_up(self):
        # The step from 2 on √(1 + x²) goes to −8, and further each time.
        start = np.array([2.0])
        found = minimize_newton(
            lambda w: (float(np.sqrt(1 + w @ w)), w / np.sqrt(1 + w @ w)),
            lambda w: np.array([[(1 + w @ w) ** -1.5]]),
            start,
        )
        assert found.n_evaluations > found.n_iterations + 1
        np.testing.assert_allclose(found.parameters, 0, atol=1e-8)

    @pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
    def test_a_singular_hessian_moves_nothing_along_its_null_space(self, scale):
        x = RNG.normal(size=(20, 2))
        x = np.column_stack([x, x[:, 0]]) * [1.0, scale, 1.0]
        y = RNG.normal(size=20)
        found = minimize_newton(
            lambda w: (0.5 * float(((x @ w - y) ** 2).sum()), x.T @ (x @ w - y)), lambda w: x.T @ x, np.zeros(3)
        )
        want = np.linalg.lstsq(x / [1, scale, 1], y, rcond=None)[0] / [1, scale, 1]
        np.testing.assert_allclose(found.parameters, want, rtol=1e-6)

    def test_its_iterations_have_an_end(self):
        found = minimize_newton(rosenbrock, rosen_hess, np.array([-1.2, 1.0]), max_iterations=3)
        assert (found.n_iterations, found.converged, len(found.losses)) == (3, False, 3)
        assert "3 iterations" in found.message

    def test_a_loss_that_is_not_finite_ends_it(self):
        found = minimize_newton(lambda w: (np.nan, w), lambda w: np.eye(2), np.ones(2))
        assert not found.converged
        assert "not finite" in found.message


class TestCriteria:
    """A caller's own criterion, in place of the gradient's largest component."""

    @staticmethod
    def is_near(w):
        return bool(np.abs(w - MINIMUM).max() < 0.01)

    @pytest.mark.parametrize("l1", [None, 1e-9])
    def test_lbfgs_asks_it_at_the_start_and_after_each_iteration(self, l1):
        found = minimize_lbfgs(quadratic, np.zeros(6), tolerance=0, loss_tolerance=0, ended=self.is_near, l1=l1)
        assert found.converged
        assert 1e-9 < np.abs(found.parameters - MINIMUM).max() < 0.01
        assert len(found.losses) == found.n_iterations > 1
        again = minimize_lbfgs(quadratic, found.parameters, ended=self.is_near, l1=l1)
        assert (again.n_iterations, again.converged) == (0, True)
        np.testing.assert_array_equal(again.parameters, found.parameters)

    def test_newton_asks_it(self):
        found = minimize_newton(rosenbrock, rosen_hess, np.array([-1.2, 1.0]), ended=lambda w: abs(w[0] - 1) < 0.5)
        assert found.converged
        assert 0 < abs(found.parameters[0] - 1) < 0.5


class TestGradientDescent:
    def test_each_step_is_the_formula(self):
        found = minimize_gradient_descent(quadratic, np.zeros(6), step=0.05, delta=0, n_iter=7, keep_path=True)
        w = np.zeros(6)
        for t in range(8):
            np.testing.assert_array_equal(found.path[t], w)
            w = w - 0.05 * (MATRIX @ w - VECTOR)
        assert found.losses == [quadratic(p)[0] for p in found.path[1:]]
        assert found.steps == [0.05] * 7

    def test_delta_is_of_the_loss_after_the_step_and_either_way(self):
        found = minimize_gradient_descent(quadratic, np.zeros(6), step=0.05, delta=1e-3, n_iter=1000)
        changes = np.abs(np.diff([quadratic(np.zeros(6))[0], *found.losses]))
        assert found.ended == "delta"
        assert found.converged
        assert changes[-1] <= 1e-3
        assert np.all(changes[:-1] > 1e-3)
        # A step too large makes the loss rise by more than δ each time: not an end.
        rising = minimize_gradient_descent(
            quadratic, np.zeros(6), step=2 / np.linalg.eigvalsh(MATRIX)[-1] * 1.05, delta=1e-3, n_iter=60
        )
        assert rising.ended == "n_iter"
        assert rising.losses[-1] > rising.losses[-2]

    def test_n_iter_ends_it_and_is_said(self):
        found = minimize_gradient_descent(quadratic, np.zeros(6), step=0.05, delta=0, n_iter=5)
        assert (found.ended, found.converged, found.n_iterations) == ("n_iter", False, 5)
        assert "n_iter" in found.message

    def test_a_schedule_is_asked_at_each_iteration(self):
        found = minimize_gradient_descent(quadratic, np.zeros(6), step=lambda t: 0.1 / (1 + t), delta=0, n_iter=4)
        assert found.steps == [0.1, 0.05, 0.1 / 3, 0.025]

    def test_an_exact_step_is_the_closed_form_of_a_quadratic(self):
        found = minimize_gradient_descent(quadratic, np.zeros(6), step="exact", delta=0, n_iter=12, keep_path=True)
        for here, size in zip(found.path, found.steps, strict=False):
            g = MATRIX @ here - VECTOR
            assert size == pytest.approx(g @ g / (g @ MATRIX @ g), rel=1e-5)

    @pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
    def test_an_exact_step_is_scipys_on_a_convex_loss(self, scale):
        x, y = A * scale, np.sign(A[:, 0] + 0.5 * RNG.normal(size=30))

        def loss_and_gradient(w):
            margins = y * (x @ w)
            return float(np.logaddexp(0, -margins).mean()), -(x.T @ (y / (1 + np.exp(margins)))) / 30

        found = minimize_gradient_descent(
            loss_and_gradient, np.zeros(6), step="exact", delta=0, n_iter=3, keep_path=True
        )
        for here, size in zip(found.path, found.steps, strict=False):
            g = loss_and_gradient(here)[1]
            want = minimize_scalar(
                lambda e, here=here, g=g: loss_and_gradient(here - e * g)[0], bracket=(0, size / 3, 3 * size)
            )
            assert size == pytest.approx(want.x, rel=1e-3)
        assert np.all(np.diff(found.losses) <= 0)

    def test_an_exact_step_passes_over_where_the_loss_overflows(self):
        with np.errstate(over="ignore"):
            found = minimize_gradient_descent(
                lambda w: (float(np.exp(w[0]) - w[0] * 1e3), np.array([np.exp(w[0]) - 1e3])), np.zeros(1), step="exact"
            )
        np.testing.assert_allclose(found.parameters, np.log(1e3), rtol=1e-4)

    def test_a_kink_is_found_by_an_exact_step(self):
        found = minimize_gradient_descent(lambda w: (abs(float(w[0]) - 3), np.sign(w - 3)), np.zeros(1), step="exact")
        np.testing.assert_allclose(found.parameters, 3, rtol=1e-5)

    def test_divergence_keeps_the_last_good_parameters(self):
        found = minimize_gradient_descent(lambda w: (float((w**4).sum()), 4 * w**3), np.full(2, 3.0), step=1.0)
        assert (found.ended, found.converged) == ("diverged", False)
        assert np.isfinite(found.parameters).all()
        assert np.isfinite(found.losses).all()

    @pytest.mark.parametrize("step", [0, -1.0, np.nan, np.inf, "best", None, True])
    def test_other_steps_are_refused(self, step):
        with pytest.raises(ValueError, match="step must be a number above 0"):
            minimize_gradient_descent(quadratic, np.zeros(6), step=step)

    def test_at_the_minimum_it_stays(self):
        for step in (0.1, "exact"):
            found = minimize_gradient_descent(lambda w: (float(w @ w), 2 * w), np.zeros(3), step=step)
            assert (found.ended, found.n_iterations) == ("delta", 1)


class TestL1:
    def test_it_shrinks_towards_zero_and_keeps_what_bears_no_penalty(self):
        c, strengths = np.array([3.0, -0.5, -2.0, 0.2]), np.array([1.0, 1.0, 0.5, 0.0])
        found = minimize_lbfgs(
            lambda w: (0.5 * float(((w - c) ** 2).sum()), w - c), np.full(4, 0.7), l1=strengths, tolerance=1e-9
        )
        np.testing.assert_allclose(found.parameters, np.sign(c) * np.maximum(np.abs(c) - strengths, 0), atol=1e-6)
        assert found.parameters[1] == 0
        assert found.loss == pytest.approx(
            0.5 * ((found.parameters - c) ** 2).sum() + strengths @ np.abs(found.parameters)
        )

    def test_it_satisfies_the_conditions_of_the_minimum(self):
        strength = 0.4
        found = minimize_lbfgs(quadratic, np.zeros(6), l1=strength, tolerance=1e-10, loss_tolerance=0)
        slope, w = quadratic(found.parameters)[1], found.parameters
        assert (w == 0).any()
        np.testing.assert_allclose(slope[w != 0], -strength * np.sign(w[w != 0]), atol=1e-8)
        assert np.all(np.abs(slope[w == 0]) <= strength)

    def test_bounds_are_scipys(self):
        lower = np.full(6, -0.1)
        found = minimize_lbfgs(quadratic, np.zeros(6), bounds=(lower, None), tolerance=1e-10, loss_tolerance=0)
        want = minimize(
            quadratic,
            np.zeros(6),
            jac=True,
            method="trust-constr",
            bounds=[(-0.1, None)] * 6,
            options={"gtol": 1e-10, "maxiter": 3000},
        )
        np.testing.assert_allclose(found.parameters, want.x, atol=1e-4)
        assert np.all(found.parameters >= lower)

    def test_negative_strengths_and_bounds_beside_l1_are_refused(self):
        with pytest.raises(ValueError, match="l1 must be at least 0"):
            minimize_lbfgs(quadratic, np.zeros(6), l1=-1.0)
        with pytest.raises(ValueError, match="l1 and bounds"):
            minimize_lbfgs(quadratic, np.zeros(6), l1=1.0, bounds=(np.zeros(6), None))
