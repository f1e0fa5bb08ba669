"""The L-BFGS driver against SciPy's own."""

import numpy as np
import pytest
from scipy.optimize import minimize, rosen, rosen_der

import diaphane as dia
from diaphane.optim import flatten, minimize_lbfgs

START = np.array([-1.2, 1.0, 0.7])


def rosenbrock(w):
    return float(rosen(w)), rosen_der(w)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-8])
def test_it_is_scipys_on_rosenbrocks_valley(tolerance):
    found = minimize_lbfgs(rosenbrock, START, tolerance=tolerance, max_iterations=1000)
    want = minimize(rosen, START, jac=rosen_der, method="L-BFGS-B", options={"gtol": tolerance, "maxiter": 1000})
    np.testing.assert_array_equal(found.parameters, want.x)
    assert (found.loss, found.n_iterations, found.n_evaluations) == (want.fun, want.nit, want.nfev)
    assert found.converged
    assert np.abs(rosen_der(found.parameters)).max() <= max(tolerance, 1e-3)


def test_it_finds_the_valleys_end():
    found = minimize_lbfgs(rosenbrock, START, tolerance=1e-8, max_iterations=1000)
    np.testing.assert_allclose(found.parameters, 1, atol=1e-5)


def test_the_losses_are_those_after_each_iteration_and_fall():
    found = minimize_lbfgs(rosenbrock, START)
    assert len(found.losses) == found.n_iterations
    assert found.losses[-1] == found.loss
    assert np.all(np.diff(found.losses) <= 0)
    assert found.losses[0] < rosen(START)


def test_too_few_iterations_end_without_convergence():
    found = minimize_lbfgs(rosenbrock, START, max_iterations=3)
    assert found.n_iterations == 3
    assert not found.converged
    assert "ITERATION" in found.message.upper()


def test_too_few_evaluations_end_without_convergence():
    found = minimize_lbfgs(rosenbrock, START, max_evaluations=4)
    assert not found.converged
    assert found.n_evaluations <= 8


def test_it_minimises_a_graph_through_a_loss_and_gradient_program():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    w, b = dia.variable(np.zeros(3), "w"), dia.variable(0.0, "b")
    loss = dia.mean((dia.constant(x) @ w + b - y) ** 2)
    flat = flatten([w, b])
    [loss] = dia.substitute([loss], flat.views)
    program = dia.Program([loss, *dia.gradient(loss, [flat.vector])])
    state = program.initial_state()

    def loss_and_gradient(vector):
        (value, slope), _ = program.run(state.replace({flat.vector: vector}))
        return float(value), slope

    found = minimize_lbfgs(loss_and_gradient, np.zeros(4), tolerance=1e-10)
    closed_form = np.linalg.lstsq(np.column_stack([x, np.ones(40)]), y, rcond=None)[0]
    np.testing.assert_allclose(found.parameters, closed_form, atol=1e-6)


def test_a_float32_gradient_is_taken():
    found = minimize_lbfgs(lambda w: (float(w @ w), (2 * w).astype(np.float32)), np.array([3.0, -1.0], np.float32))
    assert found.parameters.dtype == np.float64
    np.testing.assert_allclose(found.parameters, 0, atol=1e-6)
